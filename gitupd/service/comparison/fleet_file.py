"""A fleet as ``gitupd devices --json`` tells it: written so that it can be planned with elsewhere, and read again.

What is read may come from an earlier or later version, from the API, or from people: what is not known of a device is
left out, and what is wrong is told with its place, all of it at once.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gitupd.core.admission.admittance import Admittance, Decision
from gitupd.core.admission.codes import ARGUMENT
from gitupd.core.caller import Request, parse_serial
from gitupd.core.concealing import HIDDEN, looks_secret
from gitupd.core.device import Device
from gitupd.core.endpoint import Endpoint
from gitupd.core.identity import NOT_SHOWN, PRESUMED
from gitupd.core.imagined import SOMEWHERE, ImaginedDevice
from gitupd.core.snapshot import CommitId
from gitupd.errors import GitupdError, MalformedRequest
from gitupd.service.comparison.fleets import ComparedFleet
from gitupd.service.facts import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gitupd.core.concealing import Veil
    from gitupd.core.policy import Policy

VERSION = 1
_MOST_TOLD = 20
_UPDATE = "/update.php"
_TRUST = {"trusted": True, "untrusted": False}


def poll_facts(device: Device, hide: Veil = OPEN) -> dict[str, Any] | None:
    """Return what the last poll of *device* said, so that it can be asked what it would get; None if it never polled.

    Arguments that look secret are left out; *hide* hides what else whoever asks may not see.
    """
    if device.request is None:
        return None
    arguments = {
        name: hide.variable(name, value)
        for name, value in device.request.arguments.items()
        if name != ARGUMENT and not (looks_secret(name) and name != "CHECK")
    }
    identity = device.identity
    return {
        "version": VERSION,
        "url": device.request.endpoint.base + _UPDATE,
        "arguments": arguments,
        "certificate": None if identity is None else "trusted" if identity.is_trusted else "untrusted",
    }


class _Wrong(Exception):
    """An entry of a fleet can't be taken; the text says where in it, and why."""


def read_fleet(name: str, text: str, policy: Policy) -> ComparedFleet:
    """Return the fleet in *text*, which is called *name*; devices that say no more call as *policy* requires it.

    Raises GitupdError with everything that is wrong with it.
    """
    return told_fleet(name, _entries(name, text), policy)


def told_fleet(name: str, entries: Iterable[Any], policy: Policy) -> ComparedFleet:
    """Return the fleet of which *entries* tell, a device each; see :func:`read_fleet`."""
    devices: dict[str, Device] = {}
    decisions: dict[str, Decision] = {}
    faults: list[str] = []
    for number, entry in enumerate(entries):
        try:
            device = _device(entry, policy)
        except _Wrong as error:
            faults.append(f"{name}: [{number}]{error}")
            continue
        if device.serial.digits in devices:
            faults.append(f"{name}: [{number}].serial: {device.serial} a second time; leave one out")
        devices[device.serial.digits] = device
        if device.admission is Admittance.ACCEPTED:
            decisions[device.serial.digits] = Decision.ACCEPTED
        elif device.admission is Admittance.REFUSED and policy.admission.unknown != "refuse":
            decisions[device.serial.digits] = Decision.REFUSED
    if faults:
        more = [f"and {len(faults) - _MOST_TOLD:,} more"] if len(faults) > _MOST_TOLD else []
        raise GitupdError("\n".join([*faults[:_MOST_TOLD], *more]))
    return ComparedFleet(devices.values(), len(devices), decisions)


def _entries(name: str, text: str) -> Iterator[Any]:
    """Yield the entries of a list, or of what the API answers, one after the other: all at once they take much memory.

    Raises GitupdError where it is no JSON.
    """
    decoder = json.JSONDecoder()
    at = _after_blanks(text, 0)
    if text[at : at + 1] != "[":
        whole = _decoded(name, text, at, decoder)[0]
        listed = whole.get("devices") if isinstance(whole, dict) else None
        if not isinstance(listed, list):
            raise GitupdError(f"{name}: no list of devices; make it by: gitupd devices --json > {name}")
        yield from listed
        return
    at = _after_blanks(text, at + 1)
    while text[at : at + 1] != "]":
        entry, at = _decoded(name, text, at, decoder)
        yield entry
        at = _after_blanks(text, at)
        if text[at : at + 1] == ",":
            at = _after_blanks(text, at + 1)
        elif text[at : at + 1] != "]":
            raise _broken(name, text, at, "a comma or the end of the list is missing")


def _after_blanks(text: str, at: int) -> int:
    while text[at : at + 1] in (" ", "\n", "\r", "\t", "\ufeff"):
        at += 1
    return at


def _decoded(name: str, text: str, at: int, decoder: json.JSONDecoder) -> tuple[Any, int]:
    try:
        return decoder.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise _broken(name, text, error.pos, error.msg) from error
    except RecursionError as error:
        raise _broken(name, text, at, "nested too deeply") from error
    except ValueError as error:  # a number of thousands of digits
        raise _broken(name, text, at, str(error)) from error


def _broken(name: str, text: str, at: int, fault: str) -> GitupdError:
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return GitupdError(f"{name}:{line}:{column}: no JSON: {fault}; make it by: gitupd devices --json > {name}")


def _device(entry: Any, policy: Policy) -> Device:
    if not isinstance(entry, dict):
        raise _Wrong(": no device; it is to be an object with serial and type")
    try:
        serial = parse_serial(_text(entry, "serial") or "")
    except MalformedRequest as error:
        raise _Wrong(f".serial: {error}") from error
    poll = _object(entry, "last_poll")
    model = _text(entry, "type")
    device = Device(
        serial,
        model=model,
        own_name=_text(entry, "name"),
        address=_text(entry, "address"),
        admission=_admission(entry),
        confirmed=_commit(entry),
    )
    if poll is not None:
        return _polled(device, poll)
    if model is None:
        return device  # it never polled, and nobody knows what it is
    return _described(device, entry, policy)


def _commit(entry: Mapping[str, Any]) -> CommitId | None:
    """Return the commit that a device is known to have executed, None if nobody says so."""
    confirmed = _text(entry, "confirmed")
    return CommitId(confirmed) if confirmed else None


def _polled(device: Device, poll: Mapping[str, Any]) -> Device:
    version = poll.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise _Wrong(f".last_poll.version: {version!r}, of which this version of gitupd knows nothing; upgrade it")
    url, arguments = _text(poll, "url", "last_poll.") or "", poll.get("arguments")
    if not isinstance(arguments, dict) or not all(isinstance(value, str) for value in arguments.values()):
        raise _Wrong(".last_poll.arguments: no object of texts")
    is_plain = url.isascii() and url.isprintable() and " " not in url  # of it commands are made
    if not is_plain or not url.startswith(("http://", "https://")) or not url.endswith(_UPDATE):
        raise _Wrong(f".last_poll.url: {url[:80]!a} is no update URL such as http://upd.example/update.php")
    try:
        endpoint = Endpoint.parsed(url.removesuffix(_UPDATE))
    except ValueError as error:
        raise _Wrong(f".last_poll.url: {error}") from error
    said = {name: value for name, value in arguments.items() if value != HIDDEN}
    shown = _text(poll, "certificate", "last_poll.")
    if shown is not None and shown not in _TRUST:
        raise _Wrong(f".last_poll.certificate: {shown!r} is neither trusted nor untrusted")
    identity = None if shown is None else PRESUMED if _TRUST[shown] else NOT_SHOWN
    check = HIDDEN if arguments.get("CHECK") == HIDDEN else None
    return replace(device, request=Request(said, endpoint), identity=identity, check=check)


def _described(device: Device, entry: Mapping[str, Any], policy: Policy) -> Device:
    """Return a device of which only facts are known, as it would call."""
    environments = entry.get("environments") or []
    if not isinstance(environments, list) or not all(isinstance(each, str) for each in environments):
        raise _Wrong(".environments: no list of texts")
    phase = _text(entry, "phase")
    imagined = ImaginedDevice(
        device.model or "",
        str(device.serial),
        environments=",".join(environments) or None,
        phase=phase,
        polling="0" if phase == policy.staged_phases[-1] else None,
        firmware=_text(entry, "firmware"),
        bootcode=_text(entry, "bootcode"),
        check=_hidden_is_unknown(_text(entry, "check")),
        hardware_id=_text(entry, "hardware_id"),
    )
    try:
        caller = imagined.caller(policy.transport, SOMEWHERE)
    except MalformedRequest as error:
        raise _Wrong(f": {error}") from error
    identity = PRESUMED if policy.transport.client_certificate == "required" else None
    return replace(device, request=Request(caller.arguments, caller.endpoint), identity=identity)


def _hidden_is_unknown(check: str | None) -> str | None:
    return None if check == HIDDEN else check


def _text(entry: Mapping[str, Any], key: str, within: str = "") -> str | None:
    value = entry.get(key)
    if value is not None and not isinstance(value, str):
        raise _Wrong(f".{within}{key}: no text")
    return value or None


def _object(entry: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    value = entry.get(key)
    if value is not None and not isinstance(value, dict):
        raise _Wrong(f".{key}: no object")
    return value


def _admission(entry: Mapping[str, Any]) -> Admittance | None:
    text = _text(entry, "admission")
    try:
        return None if text is None else Admittance(text)
    except ValueError as error:
        known = ", ".join(verdict.value for verdict in Admittance)
        raise _Wrong(f".admission: {text!r} is none of {known}") from error
