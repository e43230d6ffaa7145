"""Fleets of any size for tests and benchmarks, written straight into a site's database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gitupd.core.caller import Request, Serial
from gitupd.core.device import Device, Message
from gitupd.core.endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gitupd.core.snapshot import CommitId
    from gitupd.service.site import Site

ENDPOINT = Endpoint("http", "upd.example", 8080, "/mtls")
MODELS = ("IP222", "IP232", "IP112", "IP6010", "IP811", "IP1130")
_CHUNK = 2_000
_SNIPPETS = tuple(f"snippets/{name}.txt" for name in ("all-all-all", "update-phone-all", "update-phone-default"))


def fill(site: Site, count: int, now: datetime, messages: int = 0) -> None:
    """Give *site* so many devices, of which one in ten waits, one in fifty is missing, and one in a hundred is odd."""
    live = site.deployments.live()
    assert live is not None
    for first in range(0, count, _CHUNK):
        numbers = range(first, min(first + _CHUNK, count))
        site.inventory.save_sightings(device(number, live.commit, now, messages) for number in numbers)


def device(number: int, commit: CommitId, now: datetime, messages: int = 0) -> Device:
    """Return device *number* of such a fleet."""
    model = MODELS[number % len(MODELS)]
    serial = Serial(f"009033{number:06x}")
    environments = ("homeoffice", "intranet") if number % 3 == 0 else ("default",)
    waits, missing, odd = number % 10 == 0, number % 50 == 1, number % 100 == 2
    seen = now - (timedelta(days=20) if missing else timedelta(seconds=number % 900))
    request = Request(
        {
            "phase": "staging" if waits else "update",
            "polling": "0",
            "type": model,
            "sn": str(serial),
            "hwid": f"{model}-{str(serial)[-8:]}",
            "ip": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
            "env": environments[0],
            "PROT": "137213",
            "BOOT": "137213",
        },
        ENDPOINT,
    )
    return Device(
        serial,
        hardware_id=request.arguments["hwid"],
        model=model,
        given_name=f"Desk {number}" if number % 2 else None,
        address=request.arguments["ip"],
        own_address=request.arguments["ip"],
        environments=environments,
        unknown_environments=("nowhere",) if odd else (),
        classes=("phone", "phone_newui", model.lower()),
        phase=request.arguments["phase"],
        phase_before=None if waits else "staging",
        settled=not waits,
        firmware="134250" if number % 7 == 0 else "137213",
        bootcode="137213",
        check="d41d8cd98f00b204e9800998ecf8427e",
        first_seen=now - timedelta(days=100),
        last_seen=seen,
        sent=commit,
        sent_at=seen,
        snippets=_SNIPPETS,
        confirmed=None if waits else commit,
        confirmed_at=None if waits else seen,
        request=request,
        sent_request=request,
        messages=tuple(_messages(messages, seen)),
    )


def _messages(count: int, at: datetime) -> Iterator[Message]:
    for number in range(count):
        yield Message(at - timedelta(minutes=number), f"message {number}: the device said something worth a line or so")
