"""What is known of a device as XML, in the shape that the vendor's article on its own server gives it.

Names are those of the PHP server where it has one, and times are seconds since 1970, so that code which reads the tree
can be carried over; docs/how-to/computed-lines.md lists all of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from gitupd.service.answers import UnusableAnswer, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from gitupd.core.answers import QueryAnswer
    from gitupd.core.concealing import Veil
    from gitupd.core.device import Device
    from gitupd.core.situation import Situation

    Value = str | datetime | None

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LARGEST_ANSWERS = 2 * 2**20  # for computed lines, whose process has little memory


def state_xml(situation: Situation, answers: Iterable[QueryAnswer] = ()) -> str:
    """Return the tree ``/state`` for the device that polls: what its poll says, what is remembered, its *answers*.

    Answers for which there is no room any more have the attribute ``omitted`` and no content.
    """
    caller, device = situation.caller, situation.device
    root = etree.Element("state", seen=_seconds(situation.now))
    from_poll: dict[str, Value] = {
        "sn": caller.get("sn"),
        "hwid": caller.get("hwid"),
        "type": caller.model,
        "realip": caller.get("ip"),
        "phase": situation.phase,
        "environments": ", ".join(situation.environments),
        "classes": ", ".join(device_class.name for device_class in situation.classes),
        "name": situation.known.name,
        "certstat": situation.identity.reason,
    }
    remembered = {} if device is None else _identity(device)
    _child(root, "device", remembered | {name: value for name, value in from_poll.items() if value is not None})
    _builds(root, device, caller.get("PROT"), caller.get("BOOT"))
    _add_history(root, device)
    _add_answers(root, answers, _LARGEST_ANSWERS)
    return etree.tostring(root, encoding="unicode")


def device_state_xml(device: Device, answers: Iterable[QueryAnswer], hide: Veil) -> bytes:
    """Return the tree ``/state`` of what is remembered of *device*, with its *answers*, as a document for people.

    In it is hidden what *hide* hides.
    """
    root = etree.Element("state")
    if device.last_seen is not None:
        root.set("seen", _seconds(device.last_seen))
    _child(root, "device", _identity(device))
    _builds(root, device, device.firmware, device.bootcode)
    _add_history(root, device)
    _add_answers(root, answers)
    _conceal(root, hide)
    etree.indent(root, "  ")
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)


def _conceal(root: etree._Element, hide: Veil) -> None:
    """Hide secrets in texts and attributes: in the document that these become, they are written in another way."""
    for element in root.iter():
        for name, value in element.attrib.items():
            element.set(name, hide.variable(str(name), str(value)))
        element.text = element.text and hide.variable(str(element.tag), element.text)
        element.tail = element.tail and hide.variable("", element.tail)


def _identity(device: Device) -> dict[str, Value]:
    return {
        "sn": str(device.serial),
        "hwid": device.hardware_id,
        "type": device.model,
        "realip": device.own_address,
        "ip": device.address,
        "rp": device.address and ("false" if device.proxy is None else "true"),
        "proxy": device.proxy,
        "phase": device.phase,
        "environments": ", ".join(device.environments) or None,
        "classes": ", ".join(device.classes) or None,
        "name": device.name,
        "certstat": device.identity.reason if device.identity is not None else None,
    }


def _builds(root: etree._Element, device: Device | None, firmware: str | None, bootcode: str | None) -> None:
    """Add what the device runs, and what it was last told to load."""
    request: dict[str, Value] = {}
    if device is not None:
        request = {"requested": device.firmware_wanted, "requested-at": device.firmware_requested}
    _child(root, "firmware", {"build": firmware, **request})
    if device is not None:
        request = {"requested": device.bootcode_wanted, "requested-at": device.bootcode_requested}
    _child(root, "bootcode", {"build": bootcode, **request})


def _add_history(root: etree._Element, device: Device | None) -> None:
    """Add what was sent, and what there is to tell."""
    if device is None:
        return
    for path in device.snippets:
        _child(root, "config", {"filename": path, "delivered": device.sent_at, "version": device.sent})
    for message in device.messages:
        _child(root, "msgs", {"time": message.at, "msg": message.text})


def _add_answers(root: etree._Element, answers: Iterable[QueryAnswer], largest: int | None = None) -> None:
    """Add an element for each answer, called as its query; *largest* is how many characters there are of them all."""
    queries = etree.SubElement(root, "queries")
    left = largest
    for answer in answers:
        if left is not None and len(answer.xml) > left:
            queries.append(etree.Element(answer.query, omitted="true", seen=_seconds(answer.received)))
            continue
        try:
            added = wrapped(answer.xml, answer.query)
        except UnusableAnswer as error:
            added = etree.Element(answer.query, error=str(error))
        added.set("seen", _seconds(answer.received))
        queries.append(added)
        left = None if left is None else left - len(answer.xml)


def _child(parent: etree._Element, name: str, attributes: Mapping[str, Value]) -> None:
    child = etree.SubElement(parent, name)
    for key, value in attributes.items():
        if isinstance(value, str):
            child.set(key, _NOT_IN_XML.sub("\ufffd", value))
        elif value is not None:
            child.set(key, _seconds(value))


def _seconds(at: datetime) -> str:
    """Return a time as the PHP server wrote it: whole seconds since 1970."""
    return str(int(at.timestamp()))
