"""Recording what a device asks, and what it is answered: started, stopped and looked at by people."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from gitupd.core.people.audit import Event, Kind
from gitupd.core.stories.recorded import Recording
from gitupd.core.words import counted
from gitupd.errors import SiteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.core.people.person import Actor
    from gitupd.core.stories.recorded import RecordedRequest
    from gitupd.service.site import Site
    from gitupd.store.stories.recordings import Recordings

RECORDED_FOR = timedelta(hours=1)
REQUESTS_KEPT = timedelta(days=1)
MOST_RECORDED = 20
"""Devices that are recorded at a time."""

_AT_ONCE = 100


def start_recording(site: Site, serial: Serial, actor: Actor, now: datetime) -> Recording:
    """Have the requests of a device recorded for an hour from *now* on, also if that goes on already; return how.

    Raises SiteError if there is no such device, or as many are recorded as may be.
    """
    if site.inventory.device(serial) is None:
        raise SiteError(f"no device {serial} ever asked; its requests can be recorded once it has")
    recording = Recording(serial, now, now + RECORDED_FOR, actor.name)
    event = Event(now, actor.name, Kind.DEVICE_RECORD, str(serial), _until(recording), actor.address)
    if not site.recordings.start(recording, MOST_RECORDED, event):
        others = counted(MOST_RECORDED, "other device")
        raise SiteError(f"requests of {others} are recorded at the moment, and more are not; stop one of these first")
    return site.recordings.of(serial) or recording


def stop_recording(site: Site, serial: Serial, actor: Actor, now: datetime) -> bool:
    """Record the requests of a device no longer; return False if they were not. What was recorded stays for its day."""
    event = Event(now, actor.name, Kind.DEVICE_RECORD_STOP, str(serial), address=actor.address)
    return site.recordings.stop(serial, now, event)


def all_requests(recordings: Recordings, serial: Serial) -> Iterator[RecordedRequest]:
    """Yield the recorded requests of a device, the newest first, some at a time."""
    before = None
    while some := recordings.requests(serial, _AT_ONCE, before):
        yield from (request for _, request in some)
        before = some[-1][0]


def recording_facts(recording: Recording, now: datetime) -> dict[str, Any]:
    """Return a recording as plain facts."""
    return {
        "on": recording.is_on(now),
        "since": _written(recording.since),
        "until": _written(recording.until),
        "who": recording.who,
        "gone": recording.gone,
    }


def recorded_facts(recordings: Recordings, serial: Serial, now: datetime) -> dict[str, Any]:
    """Return all that is recorded of a device as plain facts, its requests the newest first."""
    recording = recordings.of(serial)
    return {
        "sn": str(serial),
        "recording": recording_facts(recording, now) if recording else None,
        "requests": [_request_facts(each) for each in all_requests(recordings, serial)],
    }


def _request_facts(request: RecordedRequest) -> dict[str, Any]:
    """Return a recorded request as plain facts."""
    return {
        "at": _written(request.at, precisely=True),
        "method": request.method,
        "target": request.target,
        "address": request.address or None,
        "by_address": request.by_address,
        "certificate": request.certificate or None,
        "headers": _headers(request.headers),
        "received": request.received,
        "status": request.status or None,
        "seconds": round(request.seconds, 6),
        "answer_headers": _headers(request.answer_headers),
        "answered": request.answered,
        "body": request.body,
        "cut": request.is_cut,
    }


def request_lines(request: RecordedRequest) -> Iterator[str]:
    """Yield a recorded request and its answer as lines of text, as they went to and fro; what was not kept in words."""
    yield f"{_written(request.at, precisely=True)} from {request.address or 'nowhere'}{_known_by(request)}"
    yield f"> {request.method} {request.target}"
    yield from (f"> {name}: {value}" for name, value in request.headers)
    if request.received:
        yield f"> ({counted(request.received, 'byte')}, not kept here)"
    yield f"< {request.status or 'no answer'} after {request.seconds * 1000:.1f} ms"
    yield from (f"< {name}: {value}" for name, value in request.answer_headers)
    if request.body is None:
        yield f"< ({counted(request.answered, 'byte')}, not kept here)" if request.answered else "<"
        return
    yield from (f"< {line}" if line else "<" for line in ("", *request.body.rstrip("\n").split("\n")))
    if request.is_cut:
        yield f"< (cut off here; {counted(request.answered, 'byte')} in all)"


def _known_by(request: RecordedRequest) -> str:
    said = f", with the certificate of {request.certificate}" if request.certificate else ""
    return said + (", which says no serial number" if request.by_address else "")


def _headers(headers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers]


def _until(recording: Recording) -> str:
    return f"until {_written(recording.until)}"


def _written(at: datetime, *, precisely: bool = False) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds" if precisely else "seconds").replace("+00:00", "Z")
