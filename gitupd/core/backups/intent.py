"""What a script wants a device's configuration to be, held against what the device says that it is.

Only options of modules can be compared: what ``config`` lines set, and what a backup has as ``config change`` lines.
Commands leave nothing in a backup, variables of a script may be gone once they have done their work, and secrets are
written by devices in a form of their own (docs/reference/device-protocol.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from gitupd.core.backups.config_line import parse_config_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_WITHOUT_TRACE = frozenset({"config write", "config activate"})

Option = tuple[str, str]
"""A module and one of its options, such as ``("PHONE/SIG", "/gatekeeper")``."""


class Verdict(StrEnum):
    """How what is wanted stands to what is there."""

    MET = "as wanted"
    DIFFERENT = "different"
    ABSENT = "not there"
    PRESENT = "still there"
    SECRET = "can't be compared"  # noqa: S105 - a verdict, no secret


@dataclass(frozen=True, slots=True)
class Finding:
    """One option of a module, as it is wanted and as it is found.

    The values are as lines have them, percent-encoded, several with a comma between them and empty for an option
    without a value; ``wanted`` is None if the option is to be absent, ``found`` if it is. ``line`` is the number of
    the line of the script that said so last.
    """

    module: str
    option: str
    wanted: str | None
    found: str | None
    line: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Intent:
    """All that could be compared, in the order of the script, and how many of its lines could not."""

    findings: tuple[Finding, ...]
    incomparable: int

    def of(self, *verdicts: Verdict) -> tuple[Finding, ...]:
        """Return the findings with one of *verdicts*."""
        return tuple(finding for finding in self.findings if finding.verdict in verdicts)


@dataclass(slots=True)
class _Wish:
    values: Sequence[str] | None
    line: int


@dataclass(slots=True)
class _Wishes:
    options: dict[Option, _Wish] = field(default_factory=dict)
    incomparable: int = 0


def intent(script: Iterable[tuple[int, str]], backup: Iterable[str], is_secret: Callable[[str], bool]) -> Intent:
    """Hold the numbered lines of a *script*, executed in their order, against the lines of a *backup*.

    *is_secret* tells whether a line such as ``config change M /option value`` has a secret in it.
    """
    wishes, present = _wishes(script), _options(backup)
    findings = tuple(_finding(option, wish, present, is_secret) for option, wish in wishes.options.items())
    return Intent(findings, wishes.incomparable)


def _wishes(script: Iterable[tuple[int, str]]) -> _Wishes:
    """Return what is left of a script's wishes once it has come to its end: later lines overrule earlier ones."""
    wishes = _Wishes()
    for number, text in script:
        line = text.strip()
        if not line or line.startswith("#") or line in _WITHOUT_TRACE:
            continue
        parsed = parse_config_line(line)
        if parsed is None:
            wishes.incomparable += 1
            continue
        for name, values in parsed.options.items():
            option = (parsed.module, name)
            wishes.options.pop(option, None)  # so that it stands where it was said last
            wishes.options[option] = _Wish(None if parsed.verb == "rem" else values, number)
    return wishes


def _options(backup: Iterable[str]) -> Mapping[Option, Sequence[str]]:
    options: dict[Option, Sequence[str]] = {}
    for line in backup:
        parsed = parse_config_line(line)
        if parsed is not None and parsed.verb != "rem":
            for name, values in parsed.options.items():
                options[parsed.module, name] = values
    return options


def _finding(
    option: Option, wish: _Wish, present: Mapping[Option, Sequence[str]], is_secret: Callable[[str], bool]
) -> Finding:
    module, name = option
    actual = present.get(option)
    verdict = _verdict(wish.values, actual)
    if verdict is Verdict.DIFFERENT and any(
        is_secret(f"config change {module} {name} {value}") for value in (*(wish.values or ()), *(actual or ()))
    ):
        verdict = Verdict.SECRET
    return Finding(module, name, _joined(wish.values), _joined(actual), wish.line, verdict)


def _verdict(expected: Sequence[str] | None, actual: Sequence[str] | None) -> Verdict:
    if expected is None:
        return Verdict.MET if actual is None else Verdict.PRESENT
    if actual is None:
        return Verdict.ABSENT
    return Verdict.MET if _plain(expected) == _plain(actual) else Verdict.DIFFERENT


def _plain(values: Sequence[str]) -> list[bytes]:
    """Return values as they are meant: the same can be percent-encoded in several ways."""
    return sorted(unquote_to_bytes(value.replace("+", " ")) for value in values)


def _joined(values: Sequence[str] | None) -> str | None:
    return None if values is None else ", ".join(values)
