"""What changed lines of a configuration are about, in words of the field.

The words are a closed list: devices upload what they like, and nothing of it may get from there into a title.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OTHER = "other"
_MOST_LINES = 10_000
_OPTION_OF_A_GATEKEEPER = re.compile(rb"\s/gk-")
_MODULE = re.compile(rb"(?:config\s+(?:add|change|rem)|mod\s+cmd)\s+([A-Z0-9-]+)(?:[/\s]([A-Z0-9-]*)|$)")
_VARIABLE = re.compile(rb"vars\s+create\s+([A-Z0-9-]+)(?:[/\s]|$)")
_PHONE = {
    b"DIR-UI": "directory",
    b"REG": "registration",
    b"SIG": "registration",
    b"USER": "users",
    b"USER-UI": "users",
    b"CONF-UI": "users",
}
_TOPICS = {
    "access": (b"HTTP", b"TELNET", b"SSH"),
    "certificates": (b"X509", b"TLS"),
    "DECT": (b"GW-DECT", b"DECT", b"RADIO"),
    "directory": (b"LDAP", b"LDAPDIR", b"LDAPREP", b"FLASHDIR"),
    "log": (b"LOG", b"CDR", b"SNMP"),
    "media": (b"MEDIA", b"TONES", b"AC-DSP"),
    "administration": (b"CMD",),
    "network": (b"ETH", b"IP", b"DHCP", b"VLAN", b"QOS", b"PPP", b"WLAN", b"STUN", b"TURN"),
    "PBX": (b"PBX",),
    "phone": (b"PHONE",),
    "routes and lines": (b"RELAY", b"GW", b"TEL", b"PRI", b"BRI", b"FXS", b"FXO"),
    "SIP and H.323": (b"SIP", b"SIPS", b"H323"),
    "time": (b"NTP",),
    "updates": (b"UP", b"UPDATE"),
}
_BY_MODULE = {module: topic for topic, modules in _TOPICS.items() for module in modules}


def topics(lines: Mapping[bytes, int]) -> tuple[str, ...]:
    """Return what the keys of *lines* are about, each of them so many times, with what most are about first.

    What is in no list of ours comes last, as ``other``. Of very many lines only the first ten thousand are looked at.
    """
    counts: Counter[str] = Counter()
    for line, count in islice(lines.items(), _MOST_LINES):
        counts[_topic(line)] += abs(count)
    return tuple(sorted(counts, key=lambda topic: (topic == OTHER, -counts[topic], topic)))


def _topic(line: bytes) -> str:
    if (module := _MODULE.match(line)) is not None:
        if module[1] == b"PHONE":
            is_about_gatekeeper = _OPTION_OF_A_GATEKEEPER.search(line) is not None
            return "gatekeeper" if is_about_gatekeeper else _PHONE.get(module[2], "phone")
        return _of(module[1]) or OTHER
    variable = _VARIABLE.match(line)
    return OTHER if variable is None else _of(variable[1]) or "variables"


def _of(module: bytes) -> str | None:
    """Return what a module is about, whichever of several it is: ``ETH1`` is another ``ETH``."""
    return _BY_MODULE.get(module) or _BY_MODULE.get(module.rstrip(b"0123456789"))
