"""``<backup>`` and ``<status>``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.importer import values
from gitupd.importer.defaults import DEFAULT_BACKUP_URL
from gitupd.importer.queries import upload_url

if TYPE_CHECKING:
    from gitupd.importer.elements import Element
    from gitupd.importer.report import Report

_DURATIONS = {
    "missing": ("missing_after", 604_800),
    "expire": ("forget_after", 7_776_000),
    "logkeep": ("log_keep", 1800),
}
_LONGEST_REFRESH = 86_400


def backup(tree: Element, report: Report) -> dict[str, object]:
    """Return what the policy on backups is to say."""
    section = tree.first("backup")
    enabled = bool(section.get("dir") and section.get("nbackups") and section.get("scfg"))
    document: dict[str, object] = {"enabled": enabled}
    if section.get("scfg") not in ("", DEFAULT_BACKUP_URL):
        document["upload_url"] = upload_url(section, report)
    return document


def status(tree: Element, report: Report) -> dict[str, object]:
    """Return what the policy on the status of devices is to say."""
    section = tree.first("status")
    document: dict[str, object] = {}
    for attribute, (key, default) in _DURATIONS.items():
        seconds = values.number(section, attribute, report)
        if seconds not in (None, default):
            document[key] = values.duration(seconds or 0)
    refresh = values.number(section, "refresh", report, most=_LONGEST_REFRESH)
    if refresh:
        document["refresh"] = refresh
    if not values.is_on(section, "usehttpsdevlinks", report):
        document["device_links"] = "http"
    return document
