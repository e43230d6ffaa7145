"""The log: one structured line per event on standard error, as JSON or as text."""

from __future__ import annotations

import json
import logging
import math
import re
import sys
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TextIO

import structlog

from gitupd.service.background import Recurring, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Scope

FLUSH_SECONDS = 0.2
_MOST_WAITING = 20_000
_STOP_SECONDS = 2.0
_SERIAL = re.compile(rb"(?:^|&)sn=([^&]{0,17})")
_quoted = json.encoder.encode_basestring_ascii

log = structlog.get_logger()


class _Forgiving:
    """A stream that drops what can't be written: a log on a full disk must end no thread that tells of it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def configure_log(log_format: str) -> None:
    """Write the log as *log_format*, ``json`` or ``text``, from now on; what libraries log as well."""
    shared: list[structlog.types.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.types.Processor = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    if log_format == "json":
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(_Forgiving(sys.stderr)),  # type: ignore[arg-type] # all it asks for
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


class _Entry(NamedTuple):
    at: float
    scope: Scope
    status: int
    size: int
    seconds: float
    note: str


class Seldom:
    """Logs each event once a minute at the most, and for each reason: strangers may cause it all day.

    Events and reasons are texts that stand in a program, so that there are only so many.
    """

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds, self._last = seconds, dict[tuple[str, str], float]()

    def __call__(self, event: str, *, why: str = "", **values: object) -> None:
        """Log *event*, *why* it came to it, and further *values*, or keep still."""
        at = time.monotonic()
        if at - self._last.get((event, why), -math.inf) >= self._seconds:
            self._last[event, why] = at
            log.warning(event, **({"why": why} if why else {}), **values)


class RequestLog:
    """One line per request, written a few times a second: a write for each took longer than the answer.

    A thread writes, so that a log which is read slowly, or lies on a full disk, holds up no request.
    """

    def __init__(self, log_format: str, dropped: Callable[[], None] = lambda: None) -> None:
        """Write lines as *log_format*, ``json`` or ``text``; call *dropped* for each that gets lost."""
        self._dropped = dropped
        self._line: Callable[[_Entry], str] = _json_line if log_format == "json" else _text_line
        self._waiting: deque[_Entry] = deque(maxlen=_MOST_WAITING)  # the oldest are dropped if nobody takes them
        trouble = Trouble("requests were not logged")
        self._writing = Recurring("log", FLUSH_SECONDS, self._flush, trouble, at_end=True, patience=_STOP_SECONDS)

    def start(self) -> None:
        """Start to write in the background."""
        self._writing.start()

    def stop(self) -> None:
        """Write what waits, and stop."""
        self._writing.stop()

    def add(self, scope: Scope, status: int, size: int, seconds: float, note: str) -> None:
        """Note down a request that was answered just now, with *size* bytes after *seconds*."""
        if len(self._waiting) == _MOST_WAITING:
            self._dropped()
        self._waiting.append(_Entry(time.time(), scope, status, size, seconds, note))

    def _flush(self) -> None:
        entries = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if entries:
            with suppress(OSError, ValueError):  # there is no better place to tell that the log can't be written
                sys.stderr.write("".join([self._line(entry) for entry in entries]))
                sys.stderr.flush()


def _parts(at: float, scope: Scope) -> tuple[str, str, str, str]:
    """Return when, from where, which path and which serial number a request says."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03}Z"
    query = scope["query_string"]
    match = _SERIAL.search(query)
    serial = match[1] if match else b""
    client = scope["client"]
    path = scope["raw_path"][:200].decode("ascii", errors="backslashreplace")
    return stamp, client[0] if client else "", path, serial.decode("ascii", errors="backslashreplace")


def _json_line(entry: _Entry) -> str:
    at, scope, status, size, seconds, note = entry
    stamp, peer, path, serial = _parts(at, scope)
    noted = f', "note": {_quoted(note)}' if note else ""
    return (
        f'{{"event": "request", "level": "info", "timestamp": "{stamp}", "method": "{scope["method"]}", '
        f'"path": {_quoted(path)}, "status": {status}, "sn": {_quoted(serial)}, "peer": {_quoted(peer)}, '
        f'"bytes": {size}, "ms": {seconds * 1000:.2f}{noted}}}\n'
    )


def _text_line(entry: _Entry) -> str:
    at, scope, status, size, seconds, note = entry
    stamp, peer, path, serial = _parts(at, scope)
    noted = "".join(letter if letter.isprintable() else " " for letter in note)
    return (
        f"{stamp} {peer} {scope['method']} {path} {serial} {status} {size} {seconds * 1000:.2f}ms {noted}".rstrip()
        + "\n"
    )
