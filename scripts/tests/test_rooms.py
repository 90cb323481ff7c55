# SPDX-License-Identifier: GPL-2.0-only
"""The rooms of the tool: a room uses only those ahead of it, and nothing in circles."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import SCRIPTS
from guplib import ROOMS


def imported(path: Path, package: Path) -> Iterator[str]:
    """The modules of a package that one of its files imports, wherever it does."""
    inside = [package.name, *path.relative_to(package).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            ahead = inside[:len(inside) - node.level + 1] if node.level else []
            name = ".".join([*ahead, *([node.module] if node.module else [])])
            yield from (f"{name}.{alias.name}" for alias in node.names)


def uses(package: Path) -> dict[str, set[str]]:
    """What each module of a package uses of it; a room is its own __init__."""
    names = {".".join([package.name, *path.relative_to(package).with_suffix("").parts]
                      ).removesuffix(".__init__"): path for path in package.rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, path in names.items():
        owners = {what if what in names else what.rpartition(".")[0]
                  for what in imported(path, package)}
        found[name] = (owners & {*names}) - {name, package.name}
    return found


def room(module: str) -> str:
    """The room of a module; empty for one that lies in none."""
    return module.split(".")[1] if "." in module else ""


def faults(package: Path, rooms: tuple[str, ...]) -> list[str]:
    """What a package has against the order of its rooms."""
    table = uses(package)
    found = [f"{name} lies in no room" for name in table
             if name != package.name and room(name) not in rooms]
    found += [f"{name} has no __init__.py" for name in rooms
              if not (package / name / "__init__.py").exists()]
    for name, used in table.items():
        found += [f"{name} uses {other}, which is behind it" for other in sorted(used)
                  if {room(name), room(other)} <= {*rooms}
                  and rooms.index(room(name)) < rooms.index(room(other))]
    while table:
        wanted = set().union(*table.values())
        free = {name for name, used in table.items()
                if not used & {*table} or name not in wanted}
        if not free:
            return [*found, f"a circle: {', '.join(sorted(table))}"]
        table = {name: used for name, used in table.items() if name not in free}
    return found


def test_a_room_uses_only_those_ahead_of_it():
    assert faults(SCRIPTS / "guplib", ROOMS) == []


def test_every_use_is_seen():
    table = uses(SCRIPTS / "guplib")
    assert table["guplib.check.summary"] == {"guplib.system.terminal"}
    assert table["guplib.queue.range_diff"] >= {"guplib.queue", "guplib.system.git"}


def test_tests_lie_in_the_rooms_of_what_they_try():
    assert {path.parent.name for path in (SCRIPTS / "tests").glob("*/test_*.py")} <= {*ROOMS}


@pytest.mark.parametrize("path, text, part", [
    ("low/one.py", "from ..high import two\n", "low.one uses tool.high.two"),
    ("low/one.py", "from ..high.two import X\n", "low.one uses tool.high.two"),
    ("low/one.py", "from .. import high\n", "low.one uses tool.high, "),
    ("low/one.py", "import tool.high.two\n", "low.one uses tool.high.two"),
    ("low/one.py", "def f():\n    from ..high import two\n", "low.one uses tool.high.two"),
    ("low/__init__.py", "from ..high import two\n", "tool.low uses tool.high.two"),
    ("low/one.py", "from . import other\n", "a circle: tool.low.one, tool.low.other"),
    ("loose.py", "", "tool.loose lies in no room"),
    ("cellar/one.py", "", "tool.cellar.one lies in no room")])
def test_fault_is_found(tmp_path, path, text, part):
    package = tmp_path / "tool"
    for name, content in {"__init__.py": "", "low/__init__.py": "", "low/one.py": "",
                          "low/other.py": "from . import one\n", "high/__init__.py": "",
                          "high/two.py": "from ..low import one\nX = one\n"}.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(content)
    assert faults(package, ("low", "high")) == []
    (package / path).parent.mkdir(exist_ok=True)
    (package / path).write_text(text)
    assert any(part in fault for fault in faults(package, ("low", "high")))
