"""What a device would get: as text, as lines with their origins, and held against render tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.config.documents import TESTS, read_document
from gitupd.core.actions import Compute, Deliver, Do, lines
from gitupd.core.caller import parse_caller
from gitupd.core.endpoint import Endpoint
from gitupd.core.plan import plan
from gitupd.core.situation import Basis
from gitupd.errors import InvalidConfiguration, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from gitupd.config.documents import Document
    from gitupd.core.actions import Line
    from gitupd.core.firmware import Builds
    from gitupd.core.snapshot import Snapshot
    from gitupd.service.scripting.computing import Computing

_SHOWN_ENDPOINT = Endpoint("http", "gitupd.example", 80)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is said of a device that doesn't exist, or not yet; None leaves the argument out of its update URL."""

    model: str
    serial: str
    environments: str | None = None
    phase: str | None = None
    polling: str | None = None
    firmware: str | None = None
    bootcode: str | None = None
    check: str | None = None
    hardware_id: str | None = None
    address: str = "192.0.2.1"

    def arguments(self) -> Mapping[str, str]:
        """Return the arguments of the update URL that such a device would poll with."""
        hardware = self.hardware_id or f"{self.model.upper()}-{self.serial[-8:]}"
        said = {
            "polling": self.polling,
            "phase": self.phase,
            "type": self.model,
            "sn": self.serial,
            "hwid": hardware,
            "ip": self.address,
            "env": self.environments,
            "PROT": self.firmware,
            "BOOT": self.bootcode,
            "CHECK": self.check,
        }
        return {name: value for name, value in said.items() if value is not None}


class Preview:
    """Answers as a server would, for a snapshot and devices that may not exist.

    Lines that the configuration's own code computes come from *computing*; None leaves them, and whether snippets are
    sent at all, out of account.
    """

    def __init__(
        self, snapshot: Snapshot, now: datetime, *, builds: Builds | None = None, computing: Computing | None = None
    ) -> None:
        """Answer from *snapshot* at the time *now*; *builds* are the master device's, None if not known."""
        self._snapshot, self._now, self._builds, self._computing = snapshot, now, builds, computing

    def lines(self, facts: Facts) -> list[Line]:
        """Return the lines that such a device would get, each with its origin.

        Raises MalformedRequest for facts that no device has.
        """
        caller = parse_caller(facts.arguments(), _SHOWN_ENDPOINT)
        situation = Basis(self._snapshot, self._builds).situation(caller, self._now)
        return list(lines(plan(self._computing.completed(situation) if self._computing else situation)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one render test went; ``failures`` is empty if it passed."""

    path: str
    name: str
    failures: tuple[str, ...]


def run_tests(preview: Preview, files: Mapping[str, bytes]) -> list[Outcome]:
    """Run the render tests among *files*; raises InvalidConfiguration if one of them can't be read."""
    problems: list[Problem] = []
    outcomes: list[Outcome] = []
    for path, content in files.items():
        if path.startswith(TESTS) and path.endswith(".yaml"):
            document, found = read_document(path, "tests", content)
            problems += found
            outcomes += _outcomes(preview, document)
    if problems:
        raise InvalidConfiguration(problems)
    return outcomes


def _outcomes(preview: Preview, document: Document) -> Iterator[Outcome]:
    for test in document.get("tests", default=()):
        device = test["device"]
        facts = Facts(
            model=device["type"],
            serial=device.get("sn", "00-90-33-00-00-01"),
            environments=device.get("env"),
            phase=device.get("phase"),
            firmware=device.get("firmware"),
            bootcode=device.get("bootcode"),
            check=device.get("check"),
        )
        rendered = preview.lines(facts)
        commands = [
            text
            for each in rendered
            if isinstance(each.origin, Compute | Deliver | Do)
            and (text := each.text.decode(errors="replace").strip())
            and not text.startswith("#")
        ]
        yield Outcome(document.path, test["name"], tuple(_failures(test, commands)))


def _failures(test: Mapping[str, list[str]], commands: list[str]) -> Iterator[str]:
    for line in test.get("contains", ()):
        if line.strip() not in commands:
            yield f"lacks: {line}"
    for line in test.get("lacks", ()):
        if line.strip() in commands:
            yield f"contains: {line}"
    if "script" in test and [line.strip() for line in test["script"]] != commands:
        yield "the script is:" + "".join(f"\n        {line}" for line in commands)
