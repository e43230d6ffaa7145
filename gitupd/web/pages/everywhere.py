"""One search over all that people look for: pages, saved searches, devices, commits, people, backups, help."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, jsonify, render_template, request, url_for

from gitupd.core.people.person import Role
from gitupd.errors import GitupdError
from gitupd.web.access import actor
from gitupd.web.context import served
from gitupd.web.help.library import library
from gitupd.web.language.texts import counted, gettext, marked, translated
from gitupd.web.layout import navigation
from gitupd.web.pages.finding.saved import address_of
from gitupd.web.revisions import describe, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Response

    from gitupd.core.device import Device

bp = Blueprint("everywhere", __name__)

LONGEST = 200
"""Characters that are looked for."""

_MOST, _MOST_COMMITS = 5, 300
_SHORTEST_ID = 4
_FURTHER = (
    (marked("Account"), "people.account", Role.VIEWER),
    (marked("Saved searches"), "devices.searches", Role.VIEWER),
    (marked("Commits"), "seen.index", Role.VIEWER),
    (marked("Plan of a change"), "plans.index", Role.VIEWER),
    (marked("Drift"), "backups.drift", Role.VIEWER),
    (marked("Search in backups"), "backups.search", Role.VIEWER),
    (marked("Notices"), "notices.index", Role.VIEWER),
    (marked("Authority"), "certificates.authority", Role.VIEWER),
    (marked("Trust"), "trust.index", Role.OPERATOR),
    (marked("Help"), "help.index", Role.VIEWER),
)
"""Pages that the bar at the top does not have: title, endpoint, and the role that one needs."""


@dataclass(frozen=True, slots=True)
class Lead:
    """Something that was found, and where it is; ``detail`` stands beside its title."""

    title: str
    url: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Leads:
    """What was found of one kind, a few of it; ``more`` leads to the rest, or on, None if there is nothing there."""

    title: str
    some: tuple[Lead, ...]
    more: Lead | None = None


@bp.get("/search")
def index() -> str:
    """Show what is found of each kind."""
    return render_template("search.html", text=_text(), found=_found(_text()))


@bp.get("/search.json")
def suggestions() -> Response:
    """Return the same for the box at the top, as somebody types."""
    text = _text()
    return jsonify(
        [
            {
                "title": kind.title,
                "leads": [
                    {"title": lead.title, "detail": lead.detail, "url": lead.url}
                    for lead in (*kind.some, *([kind.more] if kind.more else ()))
                ],
            }
            for kind in _found(text)
        ]
    )


def _text() -> str:
    return " ".join(request.args.get("q", "")[:LONGEST].split())


def _found(text: str) -> list[Leads]:
    """Return what there is for *text*, kind by kind; a kind of which nothing is found is left out."""
    if not text:
        return []
    return [kind for kind in _each(text) if kind.some or kind.more]


def _each(text: str) -> Iterator[Leads]:
    yield Leads(gettext("Pages"), tuple(_pages(text.casefold()))[:_MOST])
    yield Leads(gettext("Saved searches"), tuple(_searches(text.casefold()))[:_MOST])
    fleet = served().fleet()
    search = fleet.understood(text)
    if not search.fault:
        found = fleet.find(search, limit=_MOST)
        rest = Lead(
            gettext("All %(devices)s", devices=counted(found.total, "device")), url_for("devices.index", q=text)
        )
        yield Leads(gettext("Devices"), tuple(map(_device, found.devices)), rest if found.total > _MOST else None)
        backups = tuple(_backups(found.devices))
    else:
        backups = ()
    yield Leads(gettext("Commits"), tuple(_commits(text))[:_MOST])
    yield Leads(gettext("People"), tuple(_people(text.casefold()))[:_MOST])
    words = Lead(gettext("Backups with “%(words)s” in them", words=text), url_for("backups.search", q=text))
    yield Leads(gettext("Backups"), backups, words)
    passages = library().search(text, _MOST + 1)
    more = Lead(gettext("All of the help on “%(words)s”", words=text), url_for("help.index", q=text))
    shown = tuple(Lead(each.heading, each.url, each.title if each.title != each.heading else "") for each in passages)
    yield Leads(gettext("Help"), shown[:_MOST], more if len(passages) > _MOST else None)


def _pages(words: str) -> Iterator[Lead]:
    for item in navigation():
        if words in item.title.casefold():
            yield Lead(item.title, item.url)
    for title, endpoint, role in _FURTHER:
        if actor().role.allows(role) and words in gettext(title).casefold():
            yield Lead(gettext(title), url_for(endpoint))


def _searches(words: str) -> Iterator[Lead]:
    """Yield the saved searches of whoever asks and those for everybody that have *words* in their names."""
    for search in served().site.saved_searches.seen_by(actor().name):
        if words in search.name.casefold():
            yield Lead(search.name, address_of(search.view), search.view.text or gettext("all devices"))


def _device(device: Device) -> Lead:
    serial = str(device.serial)
    about = (serial if device.name else "", device.model or "", device.address or "")
    return Lead(device.name or serial, url_for("devices.device", serial=serial), ", ".join(filter(None, about)))


def _backups(devices: tuple[Device, ...]) -> Iterator[Lead]:
    """Yield the histories of the devices found, as far as they have one."""
    for device in devices:
        if count := served().site.backup_timeline.extent(device.serial).count:
            where = url_for("backups.device", serial=str(device.serial))
            yield Lead(device.name or str(device.serial), where, counted(count, "version"))


def _commits(text: str) -> Iterator[Lead]:
    """Yield the commit that *text* names, and those lately seen or deployed that say it in their first line."""
    site, words = served().site, text.casefold()
    commits: dict[str, str] = {}
    if len(text) >= _SHORTEST_ID and " " not in text:
        with suppress(GitupdError):  # it need not be the name of a commit
            named = resolve(text)
            commits.update({commit: info.subject for commit, info in describe(named).items()})
    for record in site.commits.latest(_MOST_COMMITS):
        if words in record.arrival.subject.casefold():
            commits.setdefault(record.arrival.commit, record.arrival.subject)
    for deployment in site.deployments.latest(_MOST_COMMITS):
        if words in deployment.reason.casefold():
            commits.setdefault(deployment.commit, deployment.reason)
    for commit, subject in commits.items():
        yield Lead(commit[:8], url_for("commits.show", rev=commit), subject)


def _people(words: str) -> Iterator[Lead]:
    """Yield people, who lead to what they did; for those who may see both."""
    if not actor().role.allows(Role.ADMINISTRATOR):
        return
    for person in served().site.people.users():
        if words in person.name.casefold():
            yield Lead(person.name, url_for("people.audit", who=person.name), translated(person.role))
