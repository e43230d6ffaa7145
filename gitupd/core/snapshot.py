"""What one commit says: its policies, its snippets, the order in which they apply, and the CHECK serial."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NewType

from gitupd.core.concealing import Values, written
from gitupd.core.deployments.signers import CommitSigners
from gitupd.core.names import ALL, SERIAL_PLACE, fold
from gitupd.core.secrets.sealed import SECRETS
from gitupd.core.secrets.template import PERSONAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gitupd.core.policy import Policy
    from gitupd.core.secrets.sealed import Seal, Secrets
    from gitupd.core.secrets.template import Template

CommitId = NewType("CommitId", str)
"""A Git commit id: 40 lower-case hexadecimal digits."""

_TRIMMED = b" \t\n\r\0\x0b"
"""What the PHP server's trim removed. A trim that knows Unicode would give another serial, and re-run the fleet."""


@dataclass(frozen=True)
class Snippet:
    """A file of commands; ``phase``, ``device_class`` and ``place`` are the folded parts of its name.

    With a ``template`` the content is its source until it is filled in for a device. With a ``seal`` it is encrypted in
    the commit; content is what was in it, empty if that is closed. ``shown`` are the lines that people see, None for
    the lines themselves, and ``note`` is what they are told besides the path.
    """

    path: str
    phase: str
    device_class: str
    place: str
    content: bytes = field(repr=False)
    template: Template | None = field(default=None, repr=False, compare=False)
    seal: Seal | None = None
    shown: tuple[bytes, ...] | None = None
    note: str = ""

    @cached_property
    def lines(self) -> tuple[bytes, ...]:
        """The lines as they are sent, without line ends; a lone carriage return stays inside its line."""
        # Bytes, not text: scripts come in any encoding, and are sent and counted as they are (recording 192).
        lines = self.content.split(b"\n")
        if not lines[-1]:
            lines.pop()
        return tuple(line.removesuffix(b"\r") for line in lines)

    @cached_property
    def sent(self) -> bytes:
        """The snippet as a device receives it: every line ended by CR LF."""
        return b"".join(line + b"\r\n" for line in self.lines)

    @cached_property
    def checked(self) -> bytes:
        """What counts for the CHECK serial: the lines trimmed, empty ones left out, joined by nothing."""
        return b"".join(line.strip(_TRIMMED) for line in self.content.split(b"\n"))


@dataclass(frozen=True, slots=True)
class SnippetName:
    """A name under which a device would get a snippet; ``path`` is that of the snippet, None where there is none."""

    name: str
    path: str | None


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """What ``devices.yaml`` says of one device; ``environments`` None leaves them to the update URL.

    ``model``, ``phase`` and ``hardware_id`` say how it will call, if it never did; once it calls, it says so itself.
    """

    name: str | None = None
    environments: tuple[str, ...] | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    notes: str = ""
    model: str | None = None
    phase: str | None = None
    hardware_id: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """One commit, parsed. It never changes, so it may be kept for ever under its ``commit``.

    ``devices`` maps serial digits to what ``devices.yaml`` says; ``chain`` are the authority's certificates that go
    along with a signed one (DER), in the order of their files; ``scripting`` is the source of the computed lines, or
    None, and ``secrets`` are more variables, None if there is no such file. ``signers`` are who may sign commits.
    """

    commit: CommitId
    policy: Policy
    snippets: tuple[Snippet, ...] = ()
    devices: Mapping[str, KnownDevice] = field(default_factory=dict)
    chain: tuple[bytes, ...] = field(default=(), repr=False)
    scripting: bytes | None = field(default=None, repr=False)
    secrets: Secrets | None = field(default=None, repr=False)
    signers: CommitSigners = field(default_factory=CommitSigners, repr=False)

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str, str], Snippet]:
        return {(snippet.phase, snippet.device_class, snippet.place): snippet for snippet in self.snippets}

    @cached_property
    def serial_places(self) -> frozenset[str]:
        """The serial numbers that snippets are named after, as they stand in the names."""
        return frozenset(snippet.place for snippet in self.snippets if SERIAL_PLACE.fullmatch(snippet.place))

    @cached_property
    def named(self) -> frozenset[str]:
        """The digits of the serial numbers of devices of which documents say something."""
        return frozenset(self.devices) | frozenset(self.secrets.devices if self.secrets else ())

    @cached_property
    def plain_names(self) -> frozenset[str]:
        """The names of all variables that are no secrets."""
        environments = self.policy.environments.values()
        own = (*(each.variables for each in environments), *(device.variables for device in self.devices.values()))
        return frozenset(name for variables in own for name in variables)

    @cached_property
    def secret_names(self) -> frozenset[str]:
        """The names of all variables that are."""
        return self.secrets.names if self.secrets else frozenset()

    @cached_property
    def sealed(self) -> Values:
        """What nobody is shown: the values of the secrets, in the ways that they are written."""
        return Values(form for text in (self.secrets.texts if self.secrets else ()) for form in written(text))

    @property
    def closed(self) -> tuple[str, ...]:
        """What is encrypted and could not be opened, each with the reason."""
        seals = [(snippet.path, snippet.seal) for snippet in self.snippets if snippet.seal is not None]
        if self.secrets is not None:
            seals.append((SECRETS, self.secrets.seal))
        return tuple(f"{path} can't be decrypted: {seal.fault}" for path, seal in seals if seal.fault is not None)

    @cached_property
    def is_personal(self) -> bool:
        """Whether a snippet may be another one for each device, though the configuration does not name the device."""
        return any(snippet.template and PERSONAL & snippet.template.facts for snippet in self.snippets)

    def select(self, phase: str, classes: Iterable[str], places: Iterable[str]) -> tuple[Snippet, ...]:
        """Return the snippets for a device in order of delivery, each once.

        Phases vary slowest, then classes, then places (a serial number and environments); ``all`` stands before the
        names in each of the three.
        """
        return tuple(dict.fromkeys(self._existing(_names(phase, classes, places))))

    def names(self, phase: str, classes: Iterable[str], places: Iterable[str]) -> tuple[SnippetName, ...]:
        """Return the names that :meth:`select` looks for, in order of delivery, each once."""
        paths = {name: snippet.path for name, snippet in self._by_name.items()}
        asked = dict.fromkeys(_names(phase, classes, places))
        return tuple(SnippetName("-".join(name), paths.get(name)) for name in asked)

    def _existing(self, names: Iterable[tuple[str, str, str]]) -> Iterator[Snippet]:
        by_name = self._by_name
        return (by_name[name] for name in names if name in by_name)


def _names(phase: str, classes: Iterable[str], places: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    # The order of every class, phase and environment in turn is the PHP server's (recording 008).
    ordered_classes = [ALL, *map(fold, classes)]
    ordered_places = [ALL, *map(fold, places)]
    return (
        (phase_name, class_name, place_name)
        for phase_name in (ALL, fold(phase))
        for class_name in ordered_classes
        for place_name in ordered_places
    )


def check_serial(before: Sequence[str], snippets: Iterable[Snippet], after: Sequence[str]) -> str:
    """Return the CHECK serial of computed lines *before*, *snippets*, and computed lines *after*.

    It is the MD5 of all of them joined by nothing, as the PHP server computed it, so that devices which come over from
    there find nothing changed.
    """
    digest = hashlib.md5("".join(before).encode(errors="surrogateescape"), usedforsecurity=False)
    for snippet in snippets:
        digest.update(snippet.checked)
    digest.update("".join(after).encode(errors="surrogateescape"))
    return digest.hexdigest()
