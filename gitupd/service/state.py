"""What is known of a device as XML, in the shape that the vendor's article on its own server gives it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from gitupd.core.plan import Situation

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def state_xml(situation: Situation) -> str:
    """Return the tree ``/state`` with ``device``, ``firmware`` and ``bootcode`` for the device that polls."""
    caller = situation.caller
    root = etree.Element("state")
    device = {
        "sn": caller.get("sn"),
        "hwid": caller.get("hwid"),
        "type": caller.model,
        "realip": caller.get("ip"),
        "phase": situation.phase,
        "environments": ", ".join(situation.environments),
        "classes": ", ".join(each.name for each in situation.classes),
    }
    _child(root, "device", device)
    _child(root, "firmware", {"build": caller.get("PROT")})
    _child(root, "bootcode", {"build": caller.get("BOOT")})
    return etree.tostring(root, encoding="unicode")


def _child(parent: etree._Element, name: str, attributes: dict[str, str | None]) -> None:
    child = etree.SubElement(parent, name)
    for key, value in attributes.items():
        if value is not None:
            child.set(key, _NOT_IN_XML.sub("\ufffd", value))
