"""Addresses in scripts: the update URL that a device is to use next, firmware files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from gitupd.core.actions import Do, Say
from gitupd.core.endpoint import Endpoint, quoted
from gitupd.core.names import fold

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from gitupd.core.actions import Action
    from gitupd.core.caller import Caller
    from gitupd.core.policy import Delivery, Firmware, Transport

PLACEHOLDERS: Mapping[str, str | None] = {
    "sn": "#m",
    "type": "#t",
    "hwid": "#h",
    "ip": "#i",
    **{
        name + suffix: None
        for name in ("PROT", "BOOT", "BMC", "CFG", "SCFG", "CHECK", "CFG-BACKUP-NUM")  # the serials it keeps
        for suffix in ("", "date")
    },
    "ver": None,
}
"""Arguments that the device fills in: the placeholder a rewritten URL carries, or None if the device appends it by
itself (docs/reference/device-protocol.md)."""

_MOST_DIGITS = 9


_STRUCTURE = re.compile(r"[&=#%+?\s]")
"""What in an argument's name would give the URL another meaning; the PHP server carried names on as they were."""

POLL_SLOWLY = ""
"""What the ``polling`` argument is to say once a device has reached the last phase."""


def fast_polling(delivery: Delivery) -> str:
    """Return what the ``polling`` argument is to say while phases remain."""
    return POLL_SLOWLY if delivery.fast_poll is None else str(delivery.fast_poll)


def _is_number(polling: str | None) -> bool:
    # A device may say anything, and Python refuses to read thousands of digits as a number.
    return polling is not None and polling.isascii() and polling.isdigit() and len(polling) <= _MOST_DIGITS


def is_zero(polling: str) -> bool:
    """Whether the argument says that fast polling is off."""
    return _is_number(polling) and int(polling) == 0


def poll_url(
    caller: Caller,
    delivery: Delivery,
    *,
    polling: str | None,
    phase: str | None,
    first_contact: bool = False,
    secure: Transport | None = None,
) -> Generator[Action, None, bool]:
    """Tell the device its next update URL if that differs from the present one; return whether it does.

    *polling* and *phase* are what the next URL is to say; None leaves what it says now, and POLL_SLOWLY is satisfied by
    a URL that says nothing of polling. *secure* moves the device to HTTPS as that policy says. A one-time code is never
    in the next URL.
    """
    now_polling, now_phase = caller.get("polling"), caller.get("phase")
    next_polling = _next_polling(now_polling, polling)
    next_phase = now_phase if phase is None else phase
    changed = (next_polling, next_phase) != (now_polling, now_phase)
    missing = caller.missing if first_contact else ()
    if not (changed or missing or secure or caller.code is not None):
        return False
    announced = next_polling if changed and (first_contact or next_polling != now_polling) else None
    if announced:
        yield from _switch_polling(announced, delivery)
    # The order in which the PHP server wrote them: polling and phase, what was missing, then what the device had
    # (recordings 001, 003).
    arguments: dict[str, str] = {}
    if changed:
        arguments |= {"polling": next_polling or "", "phase": next_phase or ""}
    for name in missing:
        arguments.setdefault(name, "")
    for name, value in caller.arguments.items():
        arguments.setdefault(name, value)
    url = _address(caller.endpoint, secure) + "?" + "&".join(_written(arguments, delivery.url_arguments))
    if secure and secure.https_rewrite:  # of the whole URL, arguments included (recording 123)
        url = secure.https_rewrite(url)
    if missing:
        yield Say(f"completing the update URL: {', '.join(missing)}")
    yield Do(f"config add UP1 /url {quoted(url)}")
    yield Do("config add UP1 /no-dhcp")
    yield Do("config write")
    yield Do("config activate")
    return True


def _next_polling(now: str | None, target: str | None) -> str | None:
    """Return the ``polling`` argument of the next URL.

    A URL without the argument polls slowly already, so there is nothing to switch off.
    """
    if target is None:
        return now
    if target == POLL_SLOWLY:
        return now if now is None or is_zero(now) else "0"
    same = now == target or (_is_number(now) and _is_number(target) and int(now or 0) == int(target))
    return now if same else target


def _switch_polling(polling: str, delivery: Delivery) -> Generator[Action, None, None]:
    # What "provision" counts is not known; "/poll 1" beside it is a minute (docs/reference/device-protocol.md).
    if is_zero(polling):
        yield Do("mod cmd UP1 provision 0")
        yield Do("config rem UP1 /provision")
        yield Do(f"config add UP1 /poll {delivery.interval}")
    else:
        yield Do(f"mod cmd UP1 provision {delivery.fast_poll or 0}")
        yield Do("config add UP1 /poll 1")


def _address(endpoint: Endpoint, secure: Transport | None) -> str:
    if secure is None:
        return f"{endpoint.base}/update.php"
    host = endpoint.host if secure.https_port is None else f"{endpoint.host}:{secure.https_port}"
    return f"https://{host}{endpoint.directory}/update.php"


def _written(arguments: Mapping[str, str], own: Mapping[str, str | None]) -> Generator[str, None, None]:
    placeholders = {**PLACEHOLDERS, **own}
    for name, value in arguments.items():
        if name not in placeholders:
            yield f"{_STRUCTURE.sub(lambda match: quoted(match[0]), name)}={quoted(value)}"
        elif (placeholder := placeholders[name]) is not None:
            yield f"{name}={placeholder}"


def firmware_url(
    endpoint: Endpoint, firmware: Firmware, build: str, model: str, filetype: Literal["prot", "boot"]
) -> str:
    """Return where *model* finds *build*: the storage address with its placeholders filled in.

    ``{filename}`` is made of the model up to its first dash: ``ip222.bin``, ``boot222.bin``.
    """
    # The device's own word for its model goes into a command: encoded, it stays one token.
    address = (
        firmware.storage.replace("{build}", build)
        .replace("{model}", quoted(model))
        .replace("{filetype}", filetype)
        .replace("{filename}", firmware_file(firmware, model, filetype))
    )
    return endpoint.full(address)


def firmware_file(firmware: Firmware, model: str, filetype: str) -> str:
    """Return what the file is called that *model* loads as *filetype*, ``prot`` or ``boot``."""
    folded = fold(model)
    root = folded.partition("-")[0]
    name = f"{root}.bin" if filetype == "prot" else f"boot{root.removeprefix('ip')}.bin"
    return firmware.file_names.get(folded, {}).get(filetype) or quoted(name)
