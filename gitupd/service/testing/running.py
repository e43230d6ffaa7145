"""Render tests: what a configuration itself says that devices must or must not get."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from difflib import unified_diff
from itertools import islice
from typing import TYPE_CHECKING, Any

from gitupd.config.documents import TESTS, read_document
from gitupd.config.loader import load
from gitupd.core.firmware import Builds
from gitupd.core.imagined import ImaginedDevice
from gitupd.core.testing.coverage import Reachable, reached_by
from gitupd.errors import InvalidConfiguration, MalformedRequest, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitupd.config.documents import Document
    from gitupd.core.imagined import ImaginedPoll
    from gitupd.core.snapshot import Snapshot
    from gitupd.service.imagining import Imagining

_MOST_SHOWN = 40
"""So many lines of a difference are shown."""


@dataclass(frozen=True, slots=True)
class GoldenScript:
    """What the file at ``path`` is to hold by a render test: the ``commands`` of its device, a line each.

    With a ``failure`` nothing can be said of them.
    """

    path: str
    commands: tuple[str, ...]
    failure: str | None = None

    @property
    def content(self) -> bytes:
        """The file as it is written."""
        return "".join(f"{command}\n" for command in self.commands).encode()


@dataclass(frozen=True, slots=True)
class RenderResult:
    """How one render test went; ``failures`` is empty if it passed.

    ``golden`` is what its golden script is to hold, None if it names none, and ``reached`` what of the configuration it
    reaches. A test that expects nothing reaches nothing.
    """

    path: str
    name: str
    failures: tuple[str, ...]
    golden: GoldenScript | None = None
    reached: frozenset[Reachable] = field(default=frozenset(), repr=False)


def run_tests(imagining: Imagining, files: Mapping[str, bytes]) -> list[RenderResult]:
    """Run the render tests among *files*; raises InvalidConfiguration if one of them can't be read."""
    return list(results(imagining, files))


def results(imagining: Imagining, files: Mapping[str, bytes]) -> Iterator[RenderResult]:
    """Yield how each of the render tests among *files* went; raises as :func:`run_tests` does, in the end.

    What is encrypted stays closed in them, whoever runs them, so that they go the same everywhere.
    """
    imagining = _without_key(imagining, files)
    problems: list[Problem] = []
    for path, content in files.items():
        if path.startswith(TESTS) and path.endswith(".yaml"):
            document, faults = read_document(path, "tests", content)
            problems += faults
            yield from _results(imagining, document, files)
    if problems:
        raise InvalidConfiguration(problems)


def _without_key(imagining: Imagining, files: Mapping[str, bytes]) -> Imagining:
    snapshot = imagining.basis.snapshot
    if not _is_open(snapshot):
        return imagining
    return replace(imagining, basis=replace(imagining.basis, snapshot=load(files, snapshot.commit)))


def _is_open(snapshot: Snapshot) -> bool:
    """Whether anything that is encrypted in *snapshot* was opened."""
    seals = [snippet.seal for snippet in snapshot.snippets]
    if snapshot.secrets is not None:
        seals.append(snapshot.secrets.seal)
    return any(seal is not None and seal.fault is None for seal in seals)


def _results(imagining: Imagining, document: Document, files: Mapping[str, bytes]) -> Iterator[RenderResult]:
    for test in document.get("tests", default=()):
        try:
            yield _result(document.path, test, _poll(imagining, test), files)
        except MalformedRequest as error:
            yield RenderResult(document.path, test["name"], (f"no device polls like this: {error}",))


def _poll(imagining: Imagining, test: Mapping[str, Any]) -> ImaginedPoll:
    """Return the poll of the device of a *test*."""
    device = ImaginedDevice(**{_FIELDS.get(key, key): value for key, value in test["device"].items()})
    master = test.get("master")
    if master is not None:
        builds = Builds(master["firmware"], master.get("bootcode", master["firmware"]))
        imagining = replace(imagining, basis=replace(imagining.basis, builds=builds))
    answers = {query: xml.encode() for query, xml in test.get("answers", {}).items()}
    return imagining.poll(device, answers or None)


_FIELDS = {
    "type": "model",
    "sn": "serial",
    "env": "environments",
    "hwid": "hardware_id",
    "ip": "address",
    "host": "place",
}
"""What keys of a test that are called as arguments of an update URL are called here."""


def _result(path: str, test: Mapping[str, Any], poll: ImaginedPoll, files: Mapping[str, bytes]) -> RenderResult:
    commands = poll.script.commands
    failures = [*_failures(test, commands)]
    golden = None
    if isinstance(test.get("script"), str):
        golden = GoldenScript(f"{path.rpartition('/')[0]}/{test['script']}", commands, poll.situation.failure)
        failures += _differing(golden, files.get(golden.path))
    expects = any(key in test for key in ("contains", "lacks", "script"))
    reached = frozenset(reached_by(poll.situation, poll.actions)) if expects else frozenset[Reachable]()
    return RenderResult(path, test["name"], tuple(failures), golden, reached)


def _failures(test: Mapping[str, Any], commands: tuple[str, ...]) -> Iterator[str]:
    for line in test.get("contains", ()):
        if line.strip() not in commands:
            yield f"lacks: {line}"
    for line in test.get("lacks", ()):
        if line.strip() in commands:
            yield f"contains: {line}"
    script = test.get("script")
    if isinstance(script, list) and tuple(line.strip() for line in script) != commands:
        yield "the script is:" + "".join(f"\n        {line}" for line in commands)


def _differing(golden: GoldenScript, content: bytes | None) -> Iterator[str]:
    """Yield how the commands differ from those in the file, whose *content* is None if it is not there."""
    if golden.failure is not None:
        yield f"there is no script to hold against {golden.path}: {golden.failure}"
        return
    if content is None:
        yield f"{golden.path} is not there; gitupd test --update writes it"
        return
    expected = commands_in(content)
    if expected != golden.commands:
        lines = [*unified_diff(expected, golden.commands, n=1, lineterm="")][2:]
        more = [f"… {len(lines) - _MOST_SHOWN:,} more"] if len(lines) > _MOST_SHOWN else []
        told = "".join(f"\n        {line}" for line in (*islice(lines, _MOST_SHOWN), *more))
        yield f"the script is not that of {golden.path}; gitupd test --update writes it anew:{told}"


def commands_in(content: bytes) -> tuple[str, ...]:
    """Return the commands in a golden script: its lines without blanks around, comments and empty ones left out."""
    lines = (line.strip() for line in content.decode(errors="replace").split("\n"))
    return tuple(line for line in lines if line and not line.startswith("#"))
