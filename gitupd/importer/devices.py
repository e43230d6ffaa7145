"""What the PHP server remembered of devices: a file ``status/SN.xml`` for each."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lxml import etree

from gitupd.config.xml_tree import xml_tree
from gitupd.core.caller import parse_caller
from gitupd.core.imagined import SOMEWHERE
from gitupd.errors import MalformedRequest
from gitupd.importer.folders import Unusable
from gitupd.importer.report import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from gitupd.importer.folders import Installation
    from gitupd.importer.layout import Layout
    from gitupd.importer.report import Report

_ENDING = ".xml"
_SERIAL = re.compile(r"[0-9a-f]{2}([-:]?[0-9a-f]{2}){5}", re.IGNORECASE | re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,10}")
_LONGEST = 200
_SAID = {"type": "type", "hwid": "hwid", "realip": "ip"}
"""Which argument of a poll became which attribute of ``<device>``; what no device says is no status of one."""


@dataclass(frozen=True, slots=True)
class RememberedAnswer:
    """What a device had answered to a query, when that came (seconds since 1970), as it stands in its status."""

    query: str
    at: float
    xml: bytes


@dataclass(frozen=True, slots=True)
class RememberedBuild:
    """What a device ran, and what it was told to load, and when; empty and 0 for what is not known."""

    build: str = ""
    wanted: str = ""
    requested: float = 0


@dataclass(frozen=True, slots=True)
class RememberedDevice:
    """What the PHP server remembered of a device; an empty text stands for what it did not know.

    ``serial`` are its 12 digits, and ``place`` is the file that says so. ``seen`` is when it called last, ``since`` the
    earliest time that is known, ``skips`` when it was sent a step of a roll-out after which it is only asked how it
    stands, 0 for never: all in seconds since 1970. ``environments`` are with what they imply.
    """

    serial: str
    place: str
    seen: float
    since: float
    skips: float = 0
    model: str = ""
    hardware_id: str = ""
    address: str = ""
    own_address: str = ""
    proxy: str = ""
    phase: str = ""
    environments: tuple[str, ...] = ()
    firmware: RememberedBuild = RememberedBuild()
    bootcode: RememberedBuild = RememberedBuild()
    answers: tuple[RememberedAnswer, ...] = field(default=(), repr=False)


class _Unfit(Exception):
    """A file is no status of a device; the text says why."""


def read_devices(installation: Installation, layout: Layout, report: Report) -> tuple[RememberedDevice, ...]:
    """Return the devices that the status of *installation* knows, by serial number; what is none is reported."""
    folder = layout.status
    found: dict[str, RememberedDevice] = {}
    faults: dict[str, list[str]] = defaultdict(list)
    for name in installation.entries(folder) if folder else ():
        stem = name.removesuffix(_ENDING)
        if folder is None or stem == name or (folder / name).is_dir():
            continue
        try:
            device = _device(installation, folder / name, stem)
        except _Unfit as error:
            faults[str(error)].append(name)
            continue
        other = found.get(device.serial)
        if other is not None:
            older, device = sorted((other, device), key=lambda each: each.seen)
            faults["of this device there is a later one"].append(older.place.rpartition("/")[2])
        found[device.serial] = device
    for fault, names in faults.items():
        report.note_left_out(installation.relative(folder) if folder else "", names, fault)
    return tuple(found[serial] for serial in sorted(found))


def hardware_ids(devices: tuple[RememberedDevice, ...]) -> Mapping[str, str]:
    """Return the digits of serial numbers by hardware id, in small letters."""
    return {device.hardware_id.lower(): device.serial for device in devices if device.hardware_id}


def _device(installation: Installation, path: Path, stem: str) -> RememberedDevice:
    """Return the device in the file at *path*, which is called after the serial number *stem*; raises _Unfit."""
    if not _SERIAL.fullmatch(stem):
        raise _Unfit("its name is no serial number")
    content = installation.content(path)
    if isinstance(content, Unusable):
        raise _Unfit(content.reason)
    try:
        root = xml_tree(content)
    except etree.XMLSyntaxError as error:
        raise _Unfit(f"not well-formed XML: {_one_line(error.msg or 'no reason given')}") from error
    document: Any = root.getroottree().docinfo  # the stubs do not know its type
    if document.doctype:
        raise _Unfit("it has a document type, which the PHP server never wrote")
    device = root.find("device")
    if root.tag != "state" or device is None:
        raise _Unfit("it is no status of a device")
    serial = _digits(stem)
    if _SERIAL.fullmatch(named := device.get("sn", stem)) and _digits(named) != serial:
        raise _Unfit("it is called after one device, and says that it is of another")
    _check(device, stem)
    modified = path.stat().st_mtime
    seen = _time(root.get("seen")) or modified
    answers = tuple(_answers(root, seen))
    times = [_time(node.get(name)) for node in root.iter() for name in ("seen", "time", "delivered", "requested-at")]
    is_proxied = device.get("rp") == "true"
    return RememberedDevice(
        serial,
        shown(installation.relative(path))[1:-1],
        seen,
        min([time for time in times if time] or [seen]),
        _time(root.get("skipnext")),
        _text(device, "type"),
        _text(device, "hwid"),
        _text(device, "ip"),
        _text(device, "realip"),
        _text(device, "proxy") if is_proxied else "",
        _text(device, "phase"),
        tuple(name.strip() for name in _text(device, "environments", 100 * _LONGEST).split(",") if name.strip()),
        _build(root.find("firmware")),
        _build(root.find("bootcode")),
        answers,
    )


def _check(device: etree._Element, serial: str) -> None:
    """Refuse what no device says of itself: it would be refused in a poll as well."""
    said = {argument: str(device.get(name)) for name, argument in _SAID.items() if device.get(name)}
    try:
        parse_caller({**said, "sn": serial}, SOMEWHERE)
    except MalformedRequest as error:
        raise _Unfit(f"no device says of itself what stands there: {error}") from error


def _build(element: etree._Element | None) -> RememberedBuild:
    if element is None:
        return RememberedBuild()
    return RememberedBuild(_text(element, "build"), _text(element, "requested"), _time(element.get("requested-at")))


def _answers(root: etree._Element, seen: float) -> Iterator[RememberedAnswer]:
    """Yield what stands below ``<queries>``: an element for each answer, called as its query."""
    for queries in root.findall("queries"):
        for answer in queries:
            inner = [etree.tostring(child, encoding="utf-8") for child in answer]
            text = (answer.text or "").encode(errors="replace")
            yield RememberedAnswer(str(answer.tag), _time(answer.get("seen")) or seen, text + b"".join(inner))


def _text(element: etree._Element, attribute: str, longest: int = _LONGEST) -> str:
    return _one_line(str(element.get(attribute, "")))[:longest]


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _time(text: str | None) -> float:
    """Return the time in *text*, 0 if there is none."""
    return float(text) if text is not None and _SECONDS.fullmatch(text) else 0


def _digits(serial: str) -> str:
    return serial.replace("-", "").replace(":", "").lower()
