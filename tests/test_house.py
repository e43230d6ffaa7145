"""How the house is divided, where linting can't say it: circles, crowded folders, names that stand for two things."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

from grimp import build_graph

from gitupd.store.tables import REVISION

PACKAGE = Path(__file__).parents[1] / "gitupd"
MOST_MODULES = 25

_EMULATOR = "the emulator shares no code with the server, and plays the other side of the same things"
_IMPORTER = "the importer reads what the PHP server called so"

TWINS = {
    "Certificate": _EMULATOR,
    "Connection": _EMULATOR,
    "Device": _EMULATOR,
    "Fleet": f"{_EMULATOR}; {_IMPORTER}",
    "Identity": _EMULATOR,
    "Request": _EMULATOR,
    "Summary": _EMULATOR,
    "Tally": _EMULATOR,
}
"""Names of more than one class, each with the reason why it may be."""


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for annotations alone don't count: they are not there when the program runs."""
    graph = build_graph("gitupd", exclude_type_checking_imports=True, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert sum(map(len, imports.values())) > 500
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the circle


def test_no_folder_has_more_modules_than_a_reader_can_keep_apart() -> None:
    folders = [path for path in (PACKAGE, *PACKAGE.rglob("*")) if path.is_dir()]
    crowded = {
        str(folder.relative_to(PACKAGE)): count
        for folder in folders
        if (count := len([path for path in folder.glob("*.py") if path.name != "__init__.py"])) > MOST_MODULES
    }
    assert crowded == {}


def test_the_name_of_a_class_stands_for_one_thing() -> None:
    places = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(str(path.relative_to(PACKAGE)))
    twins = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert {name: paths for name, paths in twins.items() if name not in TWINS} == {}
    assert sorted(TWINS.keys() - twins.keys()) == [], "names that stand for one thing now need no reason"


def test_twins_of_the_emulator_are_twins_of_the_emulator() -> None:
    classes = {
        node.name
        for path in (PACKAGE / "emulator").rglob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef)
    }
    assert [name for name, reason in TWINS.items() if _EMULATOR in reason and name not in classes] == []


def numbers(folder: Path, form: str) -> list[int]:
    return sorted(int(match[1]) for path in folder.iterdir() if (match := re.fullmatch(form, path.name)))


def test_decisions_and_migrations_are_numbered_one_after_the_other() -> None:
    decisions = numbers(PACKAGE.parent / "docs/decisions", r"(\d{4})-.*\.md")
    migrations = numbers(PACKAGE / "store/migrations/versions", r"r(\d{4})_.*\.py")
    assert decisions == list(range(1, len(decisions) + 1))
    assert migrations == list(range(1, len(migrations) + 1))
    assert migrations[-1] == int(REVISION)


def test_what_is_unreleased_is_told_once_with_the_revision_of_the_database() -> None:
    told = (PACKAGE.parent / "CHANGELOG.md").read_text("utf-8").partition("## Unreleased")[2].partition("\n## ")[0]
    assert re.findall(r"brought to revision (\d+)", told) == [REVISION]
    entries = re.findall(r"^\* .*$", told, flags=re.MULTILINE)
    assert len(entries) > 50
    assert sorted({each for each in entries if entries.count(each) > 1}) == []
