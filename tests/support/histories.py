"""Backup histories of any size for tests and benchmarks, written straight into a site's repository and its index."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from gitupd.core.backups.change import Delta, Volatile, changed_lines, counting, fingerprint, lines_of
from gitupd.core.backups.version import BackupVersion
from gitupd.service.backups.assessing import Assessing
from gitupd.service.backups.messages import message_of
from gitupd.service.backups.reading import TextReading
from gitupd.service.clock import now
from gitupd.service.deployments.live import Follower
from gitupd.store.backups.inbox import Incoming, SeenAgain
from gitupd.store.backups.stream import Version
from gitupd.store.database import upsert
from gitupd.store.tables import backup_heads
from support.fleets import device

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

_AT_ONCE = 1_000
_COMMON = [
    f"config change MODULE{number}/PART /option value-{number} /mode auto /flags 0x00" for number in range(2_000)
]
_VOLATILE = ("vars create UPDATE/CHECK p {}", "config change UP1 /url http%3A%2F%2Fupd.example%2Fupdate.php /poll {}")


@dataclass(frozen=True, slots=True)
class Upload:
    """A version to be: what a device uploaded, and when."""

    serial: Serial
    at: datetime
    content: bytes


def secret(number: int, version: int) -> str:
    """Return what nobody may see without the right, in such a configuration."""
    return f"secret-{number}-{version}"


def content(number: int, version: int, size: int = 20_000) -> bytes:
    """Return the configuration of device *number* in its *version*, of about *size* bytes; secrets are among it."""
    chance = random.Random(number)
    lines = [
        *_COMMON[: size // 85],
        *(f"config change OWN{each}/DEVICE /id {chance.getrandbits(64):016x}" for each in range(size // 250)),
        f"config change CMD0 /name Desk%20{number} /version {version}",
        f"config change PHONE/SIG /gatekeeper 10.{number % 4}.0.{1 + version % 3} /gk-pwd {secret(number, version)}",
        f"config change MODULE{version % 7}/CHANGED /by {version} /at {number + version}",
        _VOLATILE[0].format(version * 7),
        _VOLATILE[1].format(version % 5),
        "config write",
        "config activate",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


def uploads(count: int, versions: int, until: datetime, days: int = 300, size: int = 20_000) -> Iterator[Upload]:
    """Yield *versions* of each of *count* devices within the last *days*, in the order of time."""
    chance = random.Random(1)
    total = count * versions
    times = sorted(chance.random() ** 0.7 for _ in range(total))
    order = [number for _ in range(versions) for number in range(count)]
    chance.shuffle(order)
    seen: Counter[int] = Counter()
    serials = [device(number, "0" * 40, until).serial for number in range(count)]  # type: ignore[arg-type]
    for part, number in zip(times, order, strict=True):
        seen[number] += 1
        at = until - timedelta(days=days * (1 - part), seconds=1)
        yield Upload(serials[number], at, content(number, seen[number], size))


def keep(site: Site, found: Iterator[Upload] | list[Upload], ignore: Volatile, live: CommitId) -> int:
    """Write *found* into the history of *site* and into its index, as the committer does; return how many.

    The latest versions are read for searches, too, as the keeper does.
    """
    last: dict[Serial, list[bytes]] = {}
    devices: dict[Serial, Device | None] = {}
    waiting: list[tuple[Upload, BackupVersion, str]] = []
    total = 0
    for upload in found:
        lines = list(counting(lines_of(upload.content), ignore))
        hashed = [hashlib.blake2b(line, digest_size=8).digest() for line in lines]
        known = last.get(upload.serial)
        changed = Delta.of(changed_lines(known or (), hashed))
        last[upload.serial] = hashed
        if upload.serial not in devices:
            devices[upload.serial] = site.inventory.device(upload.serial)
        made = _version(devices[upload.serial], upload, lines, changed, live, first=known is None)
        waiting.append((upload, *made))
        if len(waiting) >= _AT_ONCE:
            total += _write(site, waiting)
            waiting = []
    total += _write(site, waiting)
    read(site)
    return total


def read(site: Site) -> None:
    """Read the latest versions for searches."""
    follower = Follower(site)
    follower.follow()
    reading = TextReading(site, follower)
    while reading.step():
        pass


def _version(
    known: Device | None, upload: Upload, lines: list[bytes], changed: Delta, live: CommitId, *, first: bool
) -> tuple[BackupVersion, str]:
    """Return the version but for its commit and its blob, and the message of the commit."""
    facts = {"address": "10.0.0.1", "authenticated": "no", "deployed": live, "delivered": live}
    if known is not None:
        about = {"hardware_id": known.hardware_id, "type": known.model, "name": known.name, "firmware": known.firmware}
        facts |= {title: text for title, text in about.items() if text}
    found = fingerprint(lines)
    key = hashlib.sha256(f"{upload.serial}{upload.at}".encode()).hexdigest()[:32]
    incoming = Incoming(key, upload.serial, upload.at, found, len(upload.content), facts, None)
    message = message_of(incoming, facts, len(lines), changed, first=first)
    return BackupVersion(
        upload.serial, upload.at, live, "", found, len(upload.content), len(lines), changed, facts
    ), message


def _write(site: Site, waiting: list[tuple[Upload, BackupVersion, str]]) -> int:
    if not waiting:
        return 0
    versions = [
        Version(upload.serial, upload.at, f"{found.facts.get('type', '')} {upload.serial}", message, upload.content)
        for upload, found, message in waiting
    ]
    committed = site.backups.append(versions)
    site.backup_index.add(
        replace(found, commit=done.commit, blob=done.blob)
        for (_, found, _), done in zip(waiting, committed, strict=True)
    )
    heads = {
        upload.serial.digits: {
            "serial": upload.serial.digits,
            "fingerprint": found.fingerprint,
            "length": found.length,
            "received": upload.at,
            "seen": upload.at,
            "doubtful": None,
        }
        for upload, found, _ in waiting
    }
    with site.database.connection() as connection:
        connection.execute(upsert(backup_heads, site.database.dialect), list(heads.values()))
    return len(waiting)


def judged(site: Site, *serials: Serial) -> None:
    """Let devices have uploaded the same again just now, and hold that against their scripts, as the keeper does."""
    site.backup_inbox.save([SeenAgain(serial, now()) for serial in serials])
    follower = Follower(site)
    follower.follow()
    assessing = Assessing(site, follower, now)
    while assessing.step():
        pass
