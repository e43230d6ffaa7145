"""Whether each module that decides or parses is covered, branches too, by the tests in its own file alone.

    python tests/individual_coverage.py [MODULE …]        such as core/url.py; else all of core/ and config/

Whoever changes such a module then runs one file of tests, and it is enough. The idea is mitmproxy's. ``NOT_YET`` names
the modules that are not there yet; it may only shrink: one that is covered has to be taken off. A module of values and
protocols alone, without any function that does something, needs no tests of its own.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "gitupd"

NOT_YET: set[str] = set()


def modules() -> list[str]:
    """Return all modules that are held to it, as paths within the package."""
    paths = (path for layer in ("core", "config") for path in (PACKAGE / layer).rglob("*.py"))
    return sorted(str(path.relative_to(PACKAGE)) for path in paths if _does_something(path))


def _does_something(path: Path) -> bool:
    """Return whether any function in *path* has more than a docstring."""
    functions = (node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.FunctionDef))
    return any(len(function.body) > 1 or not ast.get_docstring(function) for function in functions)


def _last_cases(path: Path) -> Iterator[int]:
    """Yield the lines of the last case of each ``match`` in *path* of which every case returns.

    No test gets behind such a match: mypy holds that one of its cases is taken, or misses a return.
    """
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Match) and all(isinstance(case.body[-1], ast.Return) for case in node.cases):
            yield node.cases[-1].pattern.lineno


def tests_of(module: str) -> Path:
    return ROOT / "tests" / Path(module).with_name(f"test_{Path(module).name}")


def trouble(module: str) -> str | None:
    """Return what of a module its own tests leave out, None if that is nothing."""
    if not tests_of(module).is_file():
        return f"there is no {tests_of(module).relative_to(ROOT)}"
    name = f"gitupd.{module.removesuffix('.py').replace('/', '.')}"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        coverage = (f"--cov={name}", "--cov-branch", f"--cov-report=json:{report}")
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests_of(module)), *coverage],
            cwd=ROOT,
            env={**os.environ, "COVERAGE_FILE": f"{folder}/coverage"},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            return ended.stdout.strip().splitlines()[-1]
        files = json.loads(report.read_text())["files"]
    (measured,) = [figures for path, figures in files.items() if path.endswith(module)]
    beyond = {*_last_cases(PACKAGE / module)}
    branches = [branch for branch in measured["missing_branches"] if branch[0] not in beyond or branch[1] > 0]
    lines = measured["missing_lines"]
    return f"lines {lines}, branches {branches}" if lines or branches else None


def main() -> None:
    chosen = sys.argv[1:] or modules()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        troubles = dict(zip(chosen, pool.map(trouble, chosen), strict=True))
    asked = {*sys.argv[1:]}
    faults = [
        f"{name}: {fault}" for name, fault in troubles.items() if fault and (name not in NOT_YET or name in asked)
    ]
    faults += [
        f"{name}: covered by its own tests; take it off NOT_YET" for name in NOT_YET if troubles.get(name, "") is None
    ]
    faults += [f"{name}: is no module; take it off NOT_YET" for name in sorted(NOT_YET - {*modules()})]
    print(*faults, f"{sum(not fault for fault in troubles.values())} of {len(chosen)} covered", sep="\n")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
