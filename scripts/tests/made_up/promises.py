# SPDX-License-Identifier: GPL-2.0-only
"""What the made-up kernel's kernel-doc promises."""

from pathlib import Path

COMMENT = """\
/**
 * take() - take a page
 * @page: the page
 *
 * One reference is taken. It may fail.
 */"""
PROMISES = """\
[functions]
take = ["*"]
[groups]
both = ["put_user_page.adds", "put_user_page.dr*"]
[[promise]]
of = ["take"]
words = '''
One reference
is taken.'''
cases = ["put_user_page.adds"]
[[promise]]
of = ["take"]
words = "It may fail."
reason = "Nobody knows."
[[says]]
of = ["take"]
words = ["take() - take a page", "@page: the page"]
[[guard]]
cases = ["put_user_page.drops"]
reason = "What is dropped."
"""


def write_promises(root: Path, text: str = PROMISES, name: str = "take") -> Path:
    """Write a file of config/promises."""
    path = root / f"config/promises/{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
