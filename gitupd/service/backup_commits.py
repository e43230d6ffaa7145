"""Turning the inbox of backups into commits: one committer for a site, and nothing is there twice or half."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import structlog

from gitupd.core.backup import Delta, Fingerprint, Volatile, counting, delta, lines_of
from gitupd.core.device import parse_serial
from gitupd.errors import GitupdError, MalformedRequest
from gitupd.store.backup_inbox import unpacked
from gitupd.store.backup_index import Indexed
from gitupd.store.backups import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from gitupd.core.device import Device
    from gitupd.core.policy import Backup
    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site
    from gitupd.store.backup_inbox import Incoming

_MOST = 200
_MOST_BYTES = 16 * 2**20
_TRAILER = re.compile(r"^([A-Z][A-Za-z-]*): (.*)$", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_LONGEST_FACT = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Pending:
    """A version of the inbox that becomes a commit."""

    incoming: Incoming
    version: Version
    lines: int
    delta: Delta
    facts: Mapping[str, Any]


class BackupCommits:
    """Commits what waits in the inbox of a site; there must be only one at a time."""

    def __init__(self, site: Site) -> None:
        """Commit for *site*."""
        self._site = site

    def recover(self) -> int:
        """Take commits into the index that it does not know yet, because somebody was killed; return how many.

        An index that does not fit the history at all is made anew.
        """
        tip = self._site.backups.tip()
        known = self._site.backup_index.tip()
        if tip == known:
            return 0
        missing = self._site.backups.since(known)
        if known is not None and (not missing or self._site.backups.parent(missing[0][0]) != known):
            log.warning("the index of the backups does not fit the history, and is made anew")
            self._site.backup_index.clear()
            missing = self._site.backups.since(None)
        for first in range(0, len(missing), _MOST):
            self._index(missing[first : first + _MOST])
        return len(missing)

    def commit(self, policy: Backup) -> int:
        """Commit some of what waits, the oldest first; return how many versions left the inbox."""
        self.recover()
        waiting = self._site.backup_inbox.waiting(_MOST, _MOST_BYTES)
        if not waiting:
            return 0
        with ExitStack() as stack:
            pending = list(self._pending(waiting, Volatile(policy.ignore), stack))
            committed = self._site.backups.append([each.version for each in pending]) if pending else []
        versions = [
            Indexed(
                each.incoming.serial,
                each.incoming.received,
                found.commit,
                found.blob,
                each.incoming.fingerprint,
                each.incoming.length,
                each.lines,
                each.delta,
                each.facts,
            )
            for each, found in zip(pending, committed, strict=True)
        ]
        self._site.backup_index.add(versions, [incoming.key for incoming in waiting])
        for incoming in waiting:
            if incoming.body is None:
                (self._site.inbox_folder / incoming.key).unlink(missing_ok=True)
        return len(waiting)

    def _pending(self, waiting: Sequence[Incoming], volatile: Volatile, stack: ExitStack) -> Iterator[_Pending]:
        serials = {incoming.serial for incoming in waiting}
        latest = self._site.backup_index.latest(serials)
        contents = self._site.backups.contents(version.blob for version in latest.values())
        last = {serial: (version.fingerprint, contents[version.blob]) for serial, version in latest.items()}
        devices = self._site.inventory.some(serials)
        for incoming in waiting:
            content = self._content(incoming, stack)
            if content is None:
                continue
            before = last.get(incoming.serial)
            if before is not None and before[0] == incoming.fingerprint:
                continue  # two workers took in the same at the same time
            whole = content if isinstance(content, bytes) else content.read()
            counted = list(counting(lines_of(whole), volatile))
            changed = delta(counting(lines_of(before[1]), volatile) if before else (), counted)
            last[incoming.serial] = incoming.fingerprint, whole
            facts = _facts(incoming, devices.get(incoming.serial))
            message = _message(incoming, facts, len(counted), changed, first=before is None)
            author = " ".join(filter(None, (facts.get("type"), str(incoming.serial))))
            version = Version(incoming.serial, incoming.received, author, message, whole)
            yield _Pending(incoming, version, len(counted), changed, facts)

    def _content(self, incoming: Incoming, stack: ExitStack) -> bytes | IO[bytes] | None:
        if incoming.body is not None:
            return unpacked(incoming.body)
        path: Path = self._site.inbox_folder / incoming.key
        try:
            return stack.enter_context(path.open("rb"))
        except OSError as error:
            log.error("a backup is lost: its file can't be read", path=str(path), error=str(error))
            return None

    def _index(self, commits: Sequence[tuple[CommitId, str]]) -> None:
        versions, keys = [], []
        for commit, message in commits:
            said = dict(_TRAILER.findall(message))
            try:
                versions.append(self._indexed(commit, said))
            except (KeyError, ValueError, GitupdError, MalformedRequest) as error:
                log.warning("a commit of the backup history is no version", commit=commit, error=repr(error))
            keys += [said["Upload"]] if "Upload" in said else []
        self._site.backup_index.add(versions, keys)

    def _indexed(self, commit: CommitId, said: Mapping[str, str]) -> Indexed:
        serial = parse_serial(said["Device"])
        entry = self._site.backups.entry(commit, serial)
        counted, added, removed = map(int, said["Lines"].replace("+", "").replace("-", "").split())
        facts = {fact: said[title] for fact, title in _TITLES.items() if title in said}
        found, change = Fingerprint(said["Fingerprint"]), Delta(added, removed)
        return Indexed(serial, entry.at, commit, entry.blob, found, entry.length, counted, change, facts)


_TITLES = {
    "hardware_id": "Hardware-Id",
    "type": "Type",
    "name": "Name",
    "firmware": "Firmware",
    "address": "Address",
    "authenticated": "Authenticated",
    "deployed": "Deployed",
    "delivered": "Delivered",
}
"""Facts of a version, and the trailers that tell them."""


def _facts(incoming: Incoming, device: Device | None) -> dict[str, str]:
    """Return what is worth telling of a version: what the upload said, and what is remembered of the device."""
    said = dict(incoming.facts)
    if device is not None:
        remembered = {
            "hardware_id": device.hardware_id,
            "type": device.model,
            "name": device.name,
            "firmware": device.firmware,
            "delivered": device.sent,
        }
        said = {**remembered, **{name: value for name, value in said.items() if value}}
    return {name: _CONTROL.sub(" ", str(said[name]))[:_LONGEST_FACT] for name in _TITLES if said.get(name)}


def _message(incoming: Incoming, facts: Mapping[str, str], lines: int, changed: Delta, *, first: bool) -> str:
    name = f' "{facts["name"]}"' if "name" in facts else ""
    title = " ".join(filter(None, (facts.get("type"), str(incoming.serial)))) + name
    trailers = [
        ("Device", str(incoming.serial)),
        *((title, facts[fact]) for fact, title in _TITLES.items() if fact in facts),
        ("Lines", f"{lines} +{changed.added} -{changed.removed}"),
        ("Fingerprint", incoming.fingerprint),
        ("Upload", incoming.key),
    ]
    listed = "".join(f"{title}: {value}\n" for title, value in trailers)
    return f"{title}: {change_in_words(changed, lines, first=first)}\n\n{listed}"


def change_in_words(changed: Delta, lines: int, *, first: bool) -> str:
    """Return what a version changed, such as ``4 lines changed``; *lines* is how many it has."""
    if first:
        return f"first version, {lines} line{'' if lines == 1 else 's'}"
    if changed.changed == 0:
        return "the order of lines changed"
    return f"{changed.changed} line{'' if changed.changed == 1 else 's'} changed"
