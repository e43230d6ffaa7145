"""Render tests: what a configuration itself says that devices must or must not get."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gitupd.config.documents import TESTS, read_document
from gitupd.core.firmware import Builds
from gitupd.core.imagined import ImaginedDevice
from gitupd.errors import InvalidConfiguration, MalformedRequest, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gitupd.config.documents import Document
    from gitupd.service.imagining import Imagining


@dataclass(frozen=True, slots=True)
class RenderResult:
    """How one render test went; ``failures`` is empty if it passed."""

    path: str
    name: str
    failures: tuple[str, ...]


def run_tests(imagining: Imagining, files: Mapping[str, bytes]) -> list[RenderResult]:
    """Run the render tests among *files*; raises InvalidConfiguration if one of them can't be read."""
    return list(results(imagining, files))


def results(imagining: Imagining, files: Mapping[str, bytes]) -> Iterator[RenderResult]:
    """Yield how each of the render tests among *files* went; raises as :func:`run_tests` does, in the end."""
    problems: list[Problem] = []
    for path, content in files.items():
        if path.startswith(TESTS) and path.endswith(".yaml"):
            document, faults = read_document(path, "tests", content)
            problems += faults
            yield from _results(imagining, document)
    if problems:
        raise InvalidConfiguration(problems)


def _results(imagining: Imagining, document: Document) -> Iterator[RenderResult]:
    for test in document.get("tests", default=()):
        try:
            failures = tuple(_failures(test, _commands(imagining, test)))
        except MalformedRequest as error:
            failures = (f"no device polls like this: {error}",)
        yield RenderResult(document.path, test["name"], failures)


def _commands(imagining: Imagining, test: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what the device of a *test* executes."""
    device = ImaginedDevice(**{_FIELDS.get(key, key): value for key, value in test["device"].items()})
    master = test.get("master")
    if master is not None:
        builds = Builds(master["firmware"], master.get("bootcode", master["firmware"]))
        imagining = replace(imagining, basis=replace(imagining.basis, builds=builds))
    answers = {query: xml.encode() for query, xml in test.get("answers", {}).items()}
    return imagining.poll(device, answers or None).script.commands


_FIELDS = {
    "type": "model",
    "sn": "serial",
    "env": "environments",
    "hwid": "hardware_id",
    "ip": "address",
    "host": "place",
}
"""What keys of a test that are called as arguments of an update URL are called here."""


def _failures(test: Mapping[str, list[str]], commands: tuple[str, ...]) -> Iterator[str]:
    for line in test.get("contains", ()):
        if line.strip() not in commands:
            yield f"lacks: {line}"
    for line in test.get("lacks", ()):
        if line.strip() in commands:
            yield f"contains: {line}"
    if "script" in test and tuple(line.strip() for line in test["script"]) != commands:
        yield "the script is:" + "".join(f"\n        {line}" for line in commands)
