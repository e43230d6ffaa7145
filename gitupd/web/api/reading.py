"""What a request of the API says, read strictly: each fault is named, and so is all that is not known."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar

from flask import request

from gitupd.core.caller import parse_serial
from gitupd.errors import InvalidEntry, MalformedRequest, SiteError
from gitupd.web.context import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.core.search import Search

    Reader = Callable[[Any], Any]
    E = TypeVar("E", bound=str)

LONGEST_SEARCH = 500
LARGEST_ID = 2**31 - 1
MOST = 1000
_LARGEST_OFFSET = 10_000_000
_FEW = 100
_LONGEST_SHOWN = 40
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TIME = r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?"
_WHOLE = re.compile(r"0|[1-9][0-9]{0,18}")


class RefusedRequest(Exception):
    """A request that the API does not take; ``status`` is that of HTTP, the text says what is wrong."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def query(**readers: Reader) -> dict[str, Any]:
    """Return the values of the query parameters that are there; raises RefusedRequest with all that is wrong."""
    given = {name: values[-1] for name, values in request.args.lists()}
    twice = [f"{name}: given twice" for name, values in request.args.lists() if len(values) > 1]
    return _read(given, readers, "query parameter", twice)


def body(required: Mapping[str, Reader], optional: Mapping[str, Reader] | None = None) -> dict[str, Any]:
    """Return the values in the JSON object that the body is; raises RefusedRequest with all that is wrong with it."""
    given = _json_object()
    missing = [f"{name}: missing" for name in required if name not in given]
    return _read(given, {**required, **(optional or {})}, "key", missing)


def _read(given: Mapping[str, Any], readers: Mapping[str, Reader], what: str, faults: Iterable[str]) -> dict[str, Any]:
    values, faults = {}, list(faults)
    for name, value in given.items():
        if name not in readers:
            known = ", ".join(readers) or "none"
            faults.append(f"unknown {what} {_shown(name)}; known: {known}")
            continue
        try:
            values[name] = readers[name](value)
        except ValueError as error:
            faults.append(f"{name}: {error}")
    if faults:
        raise RefusedRequest(400, "; ".join(faults))
    return values


def _json_object() -> dict[str, Any]:
    if request.mimetype != "application/json":
        raise RefusedRequest(415, "Send JSON, with Content-Type: application/json.")
    request.environ["wsgi.input_terminated"] = True  # a body in chunks has no length, but an end
    try:
        value = json.loads(request.get_data().decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RefusedRequest(400, f"The body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise RefusedRequest(400, "The body is no JSON object.")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("a key is there twice")
    return entries


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is no number of JSON")


def search_of(words: str) -> Search:
    """Return the search for devices in *words*; raises RefusedRequest."""
    try:
        return served().fleet().checked(words)
    except InvalidEntry as error:
        raise RefusedRequest(400, str(error)) from error


# Readers: each returns a value, and raises ValueError for what can't be one


def whole(lowest: int, highest: int) -> Reader:
    """Return a reader of whole numbers."""

    def read(value: Any) -> int:
        number = int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value
        if type(number) is not int or not lowest <= number <= highest:
            raise ValueError(f"{_shown(value)} is no whole number from {lowest} to {highest}")
        return number

    return read


def number(lowest: int, highest: int) -> Reader:
    """Return a reader of numbers in JSON, where one in quotes is none."""
    read = whole(lowest, highest)

    def strict(value: Any) -> int:
        return int(read(None if isinstance(value, str) else value))

    return strict


def one_of(choices: Iterable[E]) -> Callable[[Any], E]:
    """Return a reader of a few words."""
    known = {str(choice): choice for choice in choices}

    def read(value: Any) -> E:
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"{_shown(value)} is none of {', '.join(known)}")
        return known[value]

    return read


def text(longest: int, shortest: int = 0, pattern: str | None = None) -> Reader:
    """Return a reader of one line of text."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not shortest <= len(value) <= longest:
            raise ValueError(f"{_shown(value)} is no text of {shortest} to {longest} characters")
        if _CONTROL.search(value) or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError("holds control characters, or what is no character")
        if pattern is not None and not re.fullmatch(pattern, value):
            raise ValueError(f"{_shown(value)} does not match {pattern}")
        return value

    return read


def serial(value: Any) -> Serial:
    """Return what a query parameter says: a serial number."""
    try:
        return parse_serial(text(_LONGEST_SHOWN, 1)(value))
    except MalformedRequest as error:
        raise ValueError(str(error)) from error


def time_of(read_time: Callable[[str], datetime]) -> Reader:
    """Return a reader of times, ``2026-05-01T12:00Z`` or a day, each as *read_time* reads it; UTC unless it says so."""
    written = text(_LONGEST_SHOWN, 1, _TIME)

    def read(value: Any) -> datetime:
        try:
            return read_time(written(value))
        except (SiteError, InvalidEntry) as error:
            raise ValueError(str(error)) from error

    return read


def listed(each: Reader, most: int) -> Reader:
    """Return a reader of lists of one to so many values, each as another reader reads it."""

    def read(value: Any) -> list[Any]:
        if not isinstance(value, list) or not 1 <= len(value) <= most:
            raise ValueError(f"not a list of 1 to {most} values")
        return list(map(each, value))

    return read


def any_text(longest: int, shortest: int = 0) -> Reader:
    """Return a reader of text that may hold anything, such as a password."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not shortest <= len(value) <= longest:
            raise ValueError(f"not a text of {shortest} to {longest} characters")  # what it is stays secret
        return value

    return read


def switch(value: Any) -> bool:
    """Return what a query parameter says: true or false."""
    if value not in ("true", "false"):
        raise ValueError(f"{_shown(value)} is neither true nor false")
    return bool(value == "true")


def boolean(value: Any) -> bool:
    """Return what a key of JSON says."""
    if not isinstance(value, bool):
        raise ValueError(f"{_shown(value)} is neither true nor false")  # noqa: TRY004 - all faults are told alike
    return value


PAGING: Mapping[str, Reader] = {"limit": whole(1, MOST), "offset": whole(0, _LARGEST_OFFSET)}
LATEST: Mapping[str, Reader] = {"limit": whole(1, MOST), "before": whole(1, LARGEST_ID)}
FEW = _FEW


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"
