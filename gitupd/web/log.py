"""The log: one structured line per event on standard error, as JSON or as text."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

FLUSH_SECONDS = 0.2
_quoted = json.encoder.encode_basestring_ascii


def configure_log(log_format: str) -> None:
    """Write the log as *log_format*, ``json`` or ``text``, from now on."""
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    steps: list[structlog.types.Processor] = [structlog.processors.add_log_level, stamp]
    if log_format == "json":
        steps.append(structlog.processors.JSONRenderer())
    else:
        steps.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    structlog.configure(
        processors=steps,
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s", force=True
    )


class _Entry(NamedTuple):
    at: float
    scope: dict[str, Any]
    status: int
    size: int
    seconds: float
    note: str


class RequestLog:
    """One line per request of a device, written a few times a second: a write for each took longer than the answer."""

    def __init__(self, log_format: str) -> None:
        """Write lines as *log_format*, ``json`` or ``text``."""
        self._line: Callable[[_Entry], str] = _json_line if log_format == "json" else _text_line
        self._waiting: list[_Entry] = []

    def add(self, scope: dict[str, Any], status: int, size: int, seconds: float, note: str) -> None:
        """Note down a request that was answered just now, with *size* bytes after *seconds*."""
        self._waiting.append(_Entry(time.time(), scope, status, size, seconds, note))

    def flush(self) -> None:
        """Write what waits."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            sys.stderr.write("".join([self._line(each) for each in waiting]))
            sys.stderr.flush()


def _parts(at: float, scope: dict[str, Any]) -> tuple[str, str, str, str]:
    """Return when, from where, which path and which serial number a request says."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at % 1 * 1000):03}Z"
    query = scope["query_string"]
    start = query.find(b"sn=")
    serial = b"" if start < 0 else query[start + 3 : start + 20].partition(b"&")[0]
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
