"""Devices that the PHP server remembered become devices of a site: its list is filled before any of them calls."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from gitupd.core.caller import Serial
from gitupd.core.device import Device
from gitupd.service.answers import UnusableAnswer, answered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gitupd.core.answers import AnsweredQuery
    from gitupd.core.policy import Policy
    from gitupd.importer.devices import RememberedBuild, RememberedDevice
    from gitupd.service.site import Site

_AT_ONCE = 1_000


def import_devices(
    site: Site, devices: Sequence[RememberedDevice], policy: Policy, now: datetime
) -> list[tuple[str, str]]:
    """Remember *devices* and what they answered; return what is left out of which files, and why.

    Nobody has judged them: the PHP server knew whoever had called (docs/decisions/0019-what-an-import-remembers.md).
    Nor are they said to have executed a commit, which they prove with their next poll.
    """
    for first in range(0, len(devices), _AT_ONCE):
        some = devices[first : first + _AT_ONCE]
        site.inventory.save_sightings([_device(device, policy, now) for device in some])
    left_out: list[tuple[str, str]] = []
    for first in range(0, len(devices), _AT_ONCE):
        answers = [
            answer for device in devices[first : first + _AT_ONCE] for answer in _answers(device, policy, now, left_out)
        ]
        site.answers.save(answers)
    return left_out


def time_of(seconds: float, now: datetime) -> datetime:
    """Return a time of the PHP server, which is in *seconds* since 1970; what it has yet to come is now."""
    return min(datetime.fromtimestamp(seconds, UTC), now)


def _device(device: RememberedDevice, policy: Policy, now: datetime) -> Device:
    phases = policy.staged_phases
    firmware, bootcode = device.firmware, device.bootcode
    return Device(
        Serial(device.serial),
        hardware_id=device.hardware_id or None,
        model=device.model or None,
        address=device.address or None,
        own_address=device.own_address or None,
        proxy=device.proxy or None,
        environments=device.environments,
        classes=tuple(each.name for each in policy.classes_of(device.model)) if device.model else (),
        phase=device.phase or None,
        phase_before=next((before for before, phase in pairwise(phases) if phase == device.phase), None),
        firmware=firmware.build or None,
        bootcode=bootcode.build or None,
        firmware_wanted=firmware.wanted or None,
        firmware_requested=_requested(firmware, now),
        bootcode_wanted=bootcode.wanted or None,
        bootcode_requested=_requested(bootcode, now),
        first_seen=time_of(min(device.since, device.seen), now),
        last_seen=time_of(device.seen, now),
    )


def _requested(build: RememberedBuild, now: datetime) -> datetime | None:
    return time_of(build.requested, now) if build.wanted and build.requested else None


def _answers(
    device: RememberedDevice, policy: Policy, now: datetime, left_out: list[tuple[str, str]]
) -> Iterator[AnsweredQuery]:
    """Yield what *device* had answered to queries that there still are; say in *left_out* what can't be kept."""
    for answer in device.answers:
        if all(answer.query != query.id for query in policy.queries):
            left_out.append(
                (device.place, f"left out: its answer to the query {answer.query[:64]!r}, which does not exist")
            )
            continue
        try:
            yield answered(Serial(device.serial), answer.query, answer.xml, time_of(answer.at, now))
        except UnusableAnswer as error:
            left_out.append((device.place, f"left out: its answer to the query {answer.query!r}: {error}"))
