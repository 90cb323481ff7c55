# SPDX-License-Identifier: GPL-2.0-only
"""What gcc and sparse say of the files that a series touches."""

from collections.abc import Iterator
from pathlib import Path

from .. import config, queue
from ..kernel import tree
from ..kernel.spec import UNPATCHED, WHOLE, TreeSpec
from ..kernel.state import Tree
from ..run import buildlog
from ..system import files, process
from ..system.errors import EnvironmentFault
from ..system.paths import Layout
from ..system.terminal import Progress
from .baseline import unheard
from .patches import Check


def build(layout: Layout, name: str) -> Iterator[Check]:
    """W=1 and sparse on the .c files that the series of a base touches.

    They are compiled in the folders of the cell on UML, with and without the
    series. Raises EnvironmentFault when one of the two was never built.
    """
    own = config.base(layout, name)
    said: list[dict[str, list[str]]] = []
    for contents in (WHOLE, UNPATCHED):
        out = layout.out(name, "um", contents.name)
        if not (out / ".config").exists():
            raise EnvironmentFault(
                f"base {name}: {layout.named(out)} was never configured; "
                f"run gup kunit --base {name}{'' if contents.whole else ' --unpatched'}")
        with tree.use(TreeSpec(layout, own, contents)) as ready, \
                files.locked(out.parent / "lock", f"cell {name}/um"):
            units = [file for file in queue.touched(layout, name)
                     if file.endswith(".c") and (ready.path / file).exists()]
            said.append(_compiled(ready, out, units))
    after, before = said
    for file, lines in after.items():
        exempt = config.exemptions(layout, "build", file)
        yield f"W=1 and sparse {name} {file}", unheard(
            lines, before.get(file, []), exempt)


def _compiled(ready: Tree, out: Path, units: list[str]) -> dict[str, list[str]]:
    """What gcc -W1 and sparse say of each unit; the objects are made anew.

    The next build of the cell makes them once more, as their flags differ.
    """
    said = {}
    for unit in units:
        target = str(Path(unit).with_suffix(".o"))
        configured = (out / target).exists()
        (out / target).unlink(missing_ok=True)
        with Progress(f"{ready.spec.call}: W=1 C=1 {target}") as progress:
            result = process.run(["make", "-s", "ARCH=um", f"O={out}", "W=1", "C=1",
                                  target], cwd=ready.path, check=False,
                                 env={"LC_ALL": "C"}, watch=progress.tick)
        if result.returncode:
            raise EnvironmentFault(f"{ready.spec.call}: {target} does not build with "
                                   f"W=1 C=1: {result.last_line}")
        if not configured:
            (out / target).unlink()
        said[unit] = [line.replace(f"{ready.path}/", "")
                      for line in result.output.splitlines()
                      if buildlog.MESSAGE.match(line)]
    return said
