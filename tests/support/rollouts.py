"""Roll-outs of certificates in any number, written straight into a site's database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert

from gitupd.core.caller import Serial
from gitupd.core.certificates.rollout import Rollout, Stage
from gitupd.store.certificates.rollouts import RolloutRecord, row_of
from gitupd.store.tables import rollouts
from support.authorities import signing_request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.service.site import Site

_CHUNK = 2_000


def fill_rollouts(site: Site, count: int, now: datetime) -> None:
    """Give so many devices of a fleet a roll-out.

    Of ten, one waits for a signature, one is somewhere else, and the others are good; their ends are spread over two
    years. One in a hundred has failed.
    """
    with site.database.connection() as connection:
        for first in range(0, count, _CHUNK):
            connection.execute(insert(rollouts), list(_rows(range(first, min(first + _CHUNK, count)), now)))


def _rows(numbers: range, now: datetime) -> Iterator[dict[str, Any]]:
    elsewhere = [stage for stage in Stage if stage not in {Stage.GOOD, Stage.SIGNING, Stage.FAILED, Stage.ABSENT}]
    for number in numbers:
        serial, since = Serial(serial_of(number)), now - timedelta(minutes=number % 10_000)
        expires = now + timedelta(days=(number * 7) % 735 - 5)
        record = RolloutRecord(serial, Rollout(), Stage.GOOD, since, "It is good.", expires=expires)
        if number % 100 == 3:
            record = replace(record, stage=Stage.FAILED, error="no match", reason="The device reports an error.")
        elif number % 10 == 1:
            request, address = signing_request(serial.digits), f"10.{number >> 8 & 255}.{number & 255}.1"
            rollout = Rollout().uploaded(request, since, address)
            reason = "The device has no certificate. Its signing request waits for a signature."
            record = RolloutRecord(serial, rollout, Stage.SIGNING, since, reason)
        elif number % 10 == 2:
            stage = elsewhere[number // 10 % len(elsewhere)]
            record = replace(record, stage=stage, reason="It is on its way.")
        yield row_of(record)


def serial_of(number: int) -> str:
    """Return the digits of the serial number of a device of such a fleet."""
    return f"009033{number:06x}"
