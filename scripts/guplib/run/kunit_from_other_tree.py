# SPDX-License-Identifier: GPL-2.0-only
"""Run the kunit.py of one kernel tree on another one.

A kunit.py works on the tree that it is in. An old tree's knows UML alone,
while that of a newer tree can build and run the old one under QEMU once it
is told where to work. Called as: kunit_from_other_tree.py KUNIT_PY TREE WORD…
"""

import importlib
import sys
from collections.abc import Sequence


def main(words: Sequence[str]) -> None:
    """Import KUNIT_PY, point it at TREE and hand it the other words."""
    script, tree, *rest = words
    sys.path.insert(0, script.rpartition("/")[0])
    kunit = importlib.import_module("kunit")
    if not hasattr(kunit, "get_kernel_root_path"):
        sys.exit(f"{script}: has no get_kernel_root_path() to be pointed elsewhere")
    setattr(kunit, "get_kernel_root_path", lambda: tree)
    kunit.main(rest)


if __name__ == "__main__":
    main(sys.argv[1:])
