"""A device's configuration as text, and how that travels in chunks.

The header, the trailer and the order of a real dump are not known; here modules come first, then variables, then the
directory in flash memory, and at the end what makes the text effective when it is executed.
"""

from collections.abc import Iterator
from itertools import pairwise

from gitupd.emulator.configuration import config_line
from gitupd.emulator.misbehaviour import Misbehaviour
from gitupd.emulator.state import Device

CHUNK = 4096
HUGE = 10_000_000
CALL_LIST_LENGTH = 5
FIRST_ITEM = 101
CONTINUATION = 0b10  # the first two bits of all but the first byte of a UTF-8 character


def dump(device: Device) -> str:
    """Write what is stored, lines ending in CR LF; the volatile part differs from one dump to the next."""
    device.tickets += 1
    text = "".join(f"{line}\r\n" for line in _lines(device))
    if device.habits.has(Misbehaviour.HUGE_DUMP):
        text += _filling(HUGE - len(text.encode()))
    return text + "config write\r\nconfig activate\r\n"


def _lines(device: Device) -> Iterator[str]:
    for module, options in device.configuration.flash.items():
        yield config_line(module, options)
    for path, variable in device.variables.items():
        if "p" in variable.flags:
            yield f"vars create {path} {variable.flags} {variable.value}"
    restless = device.habits.has(Misbehaviour.VOLATILE_ONLY)
    if restless or device.configuration.value("UP1", "url").startswith("https:"):
        yield f"vars create TLS0/TICKET/00000 pb {device.rng.getrandbits(256):064x}"
    if not device.identity.is_phone:
        yield f"mod cmd FLASHDIR0 add-item {FIRST_ITEM} (cn=Reception)(e164=0)(h323=reception)"
    if restless or not device.identity.is_phone:
        yield from _call_list(device.tickets)


def _call_list(newest: int) -> Iterator[str]:
    for call in range(newest, newest + CALL_LIST_LENGTH):
        item = FIRST_ITEM + 1 + call
        yield f"mod cmd FLASHDIR0 add-item {item} (cn=Call%20{call})(type=in)(e164={200 + call % 100})(info=missed)"


def _filling(size: int) -> str:
    """Write directory entries of about so many bytes."""
    line = "mod cmd FLASHDIR0 add-item {0:06d} (cn=Person%20{0:06d})(e164={0:06d})(h323=person-{0:06d})\r\n"
    return "".join(line.format(number) for number in range(1000, 1000 + size // len(line.format(0))))


def chunks(body: bytes, size: int = CHUNK) -> tuple[bytes, ...]:
    """Cut a body into pieces of a size."""
    return tuple(body[at : at + size] for at in range(0, len(body), size))


def chunks_inside_letters(body: bytes) -> tuple[bytes, ...]:
    """Cut a body so that no character of more than one byte arrives in one piece."""
    cuts = [at for at, byte in enumerate(body) if at and byte >> 6 == CONTINUATION]
    bounds = [0, *cuts, len(body)]
    return tuple(body[start:end] for start, end in pairwise(bounds) if start < end)
