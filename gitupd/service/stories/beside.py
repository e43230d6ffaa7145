"""Two devices beside each other: what is known of them, and what they would get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitupd.core.script import differences
from gitupd.service.facts import line_facts, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.concealing import Veil
    from gitupd.core.device import Device
    from gitupd.core.script import Row, Script, ScriptLine

    Known = str | tuple[str, ...] | None

MOST_LINES = 3_000
"""Longer scripts are not compared: whoever asks would have to wait."""

_COMMITS = ("sent", "confirmed")
_SHORT = 12


@dataclass(frozen=True, slots=True)
class PairedFact:
    """What is known of two devices by one ``name``; ``title`` is that in words, None is for what was never said."""

    name: str
    title: str
    left: Known
    right: Known

    @property
    def differs(self) -> bool:
        """Whether it is not the same of both."""
        return self.left != self.right

    @property
    def texts(self) -> tuple[str, str]:
        """What people read of both; empty for nothing."""
        return self._text(self.left), self._text(self.right)

    def _text(self, value: Known) -> str:
        text = ", ".join(value) if isinstance(value, tuple) else value or ""
        return text[:_SHORT] if self.name in _COMMITS else text


@dataclass(frozen=True, slots=True)
class PairedScripts:
    """The ``rows`` in which two devices' scripts of today differ, and what is not in these scripts as it would be.

    ``rows`` is None where it is not known what they would get, or that is too much to be compared.
    """

    rows: tuple[Row, ...] | None
    failures: tuple[str, ...] = ()


def paired_facts(device: Device, other: Device) -> Iterator[PairedFact]:
    """Yield what is known of *device* beside what is known of another one."""
    others = {name: value for name, _, value in _known(other)}
    for name, title, value in _known(device):
        yield PairedFact(name, title, value, others[name])


def _known(device: Device) -> Iterator[tuple[str, str, Known]]:
    yield "type", "type", device.model
    yield "hardware_id", "hardware id", device.hardware_id
    yield "address", "address", device.address
    yield "phase", "phase", device.phase
    yield "environments", "environments", device.environments
    yield "classes", "classes", device.classes
    yield "firmware", "firmware", device.firmware
    yield "bootcode", "boot code", device.bootcode
    yield "sent", "was sent", device.sent
    yield "confirmed", "confirmed", device.confirmed
    yield "certificate", "certificate", device.certificate.stage.value if device.certificate else None


def paired_scripts(left: Script | None, right: Script | None) -> PairedScripts:
    """Hold two scripts against each other; None is for one that is not known.

    They are compared as they are, so that a secret that differs shows as a difference once it is hidden.
    """
    if left is None or right is None or max(len(left.lines), len(right.lines)) > MOST_LINES:
        return PairedScripts(None)
    failures = dict.fromkeys(each.failure for each in (left, right) if each.failure)
    return PairedScripts(tuple(row for row in differences(left, right) if row.changed), tuple(failures))


def pair_facts(device: Device, other: Device, scripts: PairedScripts, hide: Veil) -> dict[str, Any]:
    """Return two devices beside each other, as plain facts; *hide* hides secrets."""
    rows = scripts.rows
    return {
        "serial": str(device.serial),
        "with": str(other.serial),
        "facts": [
            {"name": each.name, "left": plain(each.left), "right": plain(each.right), "differs": each.differs}
            for each in paired_facts(device, other)
        ],
        "rows": None if rows is None else [_row_facts(row, hide) for row in rows],
        "failures": list(scripts.failures),
    }


def _row_facts(row: Row, hide: Veil) -> dict[str, Any]:
    return {"left": _line_facts(row.left, hide), "right": _line_facts(row.right, hide)}


def _line_facts(line: ScriptLine | None, hide: Veil) -> dict[str, Any] | None:
    return None if line is None else line_facts(line, hide)
