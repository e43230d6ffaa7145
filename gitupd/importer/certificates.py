"""``<customcerts>``: the certificates that devices are given."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gitupd.core.certificates.request import MOST_ADDRESSES, MOST_DNS_NAMES, SUBJECT_PARTS
from gitupd.core.identity import VENDOR_AUTHORITIES
from gitupd.importer import values
from gitupd.importer.reading import note_without_effect
from gitupd.importer.report import shown

if TYPE_CHECKING:
    from gitupd.importer.elements import Element
    from gitupd.importer.report import Report

DEFAULT_KEYS = "CAkey*"
_DEFAULT_RENEW = 90
_KEYS = re.compile(r"[A-Za-z0-9._*-]+")
_MOST_DAYS = 36_500
_WHOLE_NAME = re.compile(r"(?:^|[/,])\s*CN\s*=\s*([^/,]+)")
_KNOWN_LATER = ("{name}", "{rdns}")


def certificates(tree: Element, report: Report) -> dict[str, object]:
    """Return what the policy on certificates is to say; nothing if they were off."""
    section = tree.first("customcerts")
    if not section.get("dir"):
        note_without_effect(section, "it has no dir", report)
        return {}
    tracked = bool(tree.first("status").get("dir"))
    if not tracked:
        message = "certificates are not rolled out, because <status> has no dir"
        report.note(section.place, message, "set enabled: true in policies/certificates.yaml to have them")
    if section.get("CAtype") != "manual":
        message = f"CAtype={shown(section.get('CAtype'))} has no equal; signing is by hand"
        report.note(section.place_of("CAtype"), message)
    document: dict[str, object] = {"enabled": tracked} | ({"missing": "leave"} if tracked else {})
    times = tree.first("times")
    is_forced = times.get("forcetrust") == "true"
    authorities = _authorities(section, report)
    if authorities != VENDOR_AUTHORITIES or is_forced:
        document["authorities"] = list(authorities)
    if section.get("CAwildcard"):
        document["wildcard"] = section.get("CAwildcard")
    renew = values.number(section, "renew", report, most=_MOST_DAYS)
    if renew not in (None, _DEFAULT_RENEW):
        document["renew_before"] = f"{renew}d"
    if is_forced and times.get("forcehttps") != "true":
        document["hold"] = True
    request = _request(section)
    if any(word in str(request) for word in _KNOWN_LATER):
        request["unknown_words"] = "leave-out"  # as the PHP server did
    return document | ({"request": request} if request else {})


def _authorities(section: Element, report: Report) -> tuple[str, ...]:
    separator = section.get("CAnamesep")
    said = section.get("CAname")
    names = said.split(separator) if separator else [said]
    authorities = tuple(_common_name(section, name.strip(), report) for name in names if name.strip())
    if not authorities:
        place = section.place_of("CAname") or section.place
        report.error(place, f"CAname={shown(said)} of {section} names no issuer", "write the common name of one")
    return authorities


def _common_name(section: Element, name: str, report: Report) -> str:
    """Return the common name in *name*, which may be a whole name, as some web servers wanted it."""
    match = _WHOLE_NAME.search(name)
    if match is None:
        return name
    message = f"CAname={shown(name)} of {section} becomes {shown(match[1].strip())}: authorities are named by their CN"
    report.note(section.place_of("CAname"), message)
    return match[1].strip()


def _request(section: Element) -> dict[str, object]:
    request: dict[str, object] = {}
    if section.get("CSRkey") not in ("", "2048-bit"):
        request["key"] = section.get("CSRkey")
    # The default is misspelt, and only what the user wrote himself is kept as it is.
    if section.place_of("CSRsignature") and section.get("CSRsignature"):
        request["signature"] = section.get("CSRsignature")
    subject = {part: section.get(f"CSRdn-{part}") for part in SUBJECT_PARTS if section.get(f"CSRdn-{part}")}
    if subject != {"cn": "{sn}"}:
        request["dn"] = subject
    for key, most in (("dns", MOST_DNS_NAMES), ("ip", MOST_ADDRESSES)):
        names = [section.get(f"CSRsan-{key}-{number + 1}") for number in range(most)]
        while names and not names[-1]:
            names.pop()
        if names:
            request[key] = names
    return request


def is_authority(name: str, pattern: str) -> bool:
    """Whether the file called *name* is one of the authority's; as in PHP, no wild card stands for a leading dot."""
    return fnmatchcase(name, pattern) and name.startswith(".") == pattern.startswith(".")


def key_pattern(tree: Element, report: Report) -> str:
    """Return how the files of the certificate folder that are the authority's certificates are called."""
    section = tree.first("customcerts")
    pattern = section.get("CAkeys")
    if _KEYS.fullmatch(pattern):
        return pattern
    message = f"CAkeys={shown(pattern)} of {section} is no pattern of file names; {DEFAULT_KEYS} is used"
    report.note(section.place_of("CAkeys"), message)
    return DEFAULT_KEYS
