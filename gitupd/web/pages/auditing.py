"""The page of the audit: who did what, narrowed down by the address, and as a table for spreadsheets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import render_template, request

from gitupd.core.moments import beginning, ending
from gitupd.core.people.audit import AuditFilter, Kind, Topic, deed, topic_of
from gitupd.core.people.person import Role
from gitupd.core.words import capital
from gitupd.errors import InvalidEntry
from gitupd.service.clock import now
from gitupd.service.people.auditing import lately, outcomes
from gitupd.web import clock
from gitupd.web.access import needs
from gitupd.web.context import served
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import duration, gettext, marked, translated
from gitupd.web.pages.paging import number
from gitupd.web.tables import spreadsheet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Response
    from flask.typing import ResponseReturnValue

    from gitupd.service.people.auditing import DeploymentOutcome
    from gitupd.web.tables import Cell

_ENTRIES = 25
_LONGEST_DETAIL = 600
_MOST_COUNTED = 10_000
_LARGEST_ID = 2**31 - 1
_FIELDS = ("show", "who", "kind", "subject", "text", "from", "to")
_HEADINGS = (
    marked("id"),
    marked("time (UTC)"),
    marked("who"),
    marked("kind"),
    marked("what"),
    marked("on what"),
    marked("details"),
    marked("from"),
)
_OF_A_DEPLOYMENT = (marked("deployment"), marked("devices"), marked("confirmed"), marked("files changed"))


@dataclass(frozen=True, slots=True)
class AskedOfAudit:
    """What an address asks for: its ``fields`` as they were typed; ``filter`` is None if a time is ``fault``-y."""

    fields: dict[str, str]
    filter: AuditFilter | None
    fault: str = ""

    @property
    def topic(self) -> Topic | None:
        """What is listed: what was chosen, or what the kind belongs to that was; None for everything."""
        return self.filter.topic if self.filter else None


def _asked() -> AskedOfAudit:
    fields = {name: request.args.get(name, "").strip() for name in _FIELDS}
    zone, present = clock.zone(), now()
    topic = Topic(fields["show"]) if fields["show"] in set(Topic) else None
    kind = fields["kind"] or None
    if kind in set(Kind) and topic is not None:
        topic = topic_of(kind)
    words = {name: fields[name] or None for name in ("who", "subject", "text")}
    try:
        since = beginning(fields["from"], zone, present) if fields["from"] else None
        until = ending(fields["to"], zone, present) if fields["to"] else None
    except InvalidEntry as error:
        return AskedOfAudit(fields, None, f"{capital(in_words(error))}.")
    return AskedOfAudit(fields, AuditFilter(topic, kind=kind, since=since, until=until, **words))


@needs(Role.AUDITOR)
def audit() -> ResponseReturnValue:
    """Show who did what, newest first."""
    site, asked = served().site, _asked()
    before = number(request.args.get("before"), 0, _LARGEST_ID) or None
    entries = site.audit.found(asked.filter, _ENTRIES + 1, before) if asked.filter else []
    shown = entries[:_ENTRIES]
    page = render_template(
        "audit.html",
        entries=shown,
        older=shown[-1].id if len(entries) > _ENTRIES else None,
        count=site.audit.count(asked.filter, _MOST_COUNTED + 1) if asked.filter else 0,
        most=_MOST_COUNTED,
        longest=_LONGEST_DETAIL,
        asked=asked,
        fields=asked.fields,
        given={name: value for name, value in asked.fields.items() if value},
        filtered=any(value for name, value in asked.fields.items() if name != "show"),
        before=before,
        kinds=[kind for kind in Kind if asked.topic is None or topic_of(kind) is asked.topic],
        topics=list(Topic),
        outcomes=outcomes(site, served().measures(), shown),
        lately=lately(site, now()),
        kept=_kept(),
        zone=clock.zone(),
        zone_name=clock.zone_name(),
    )
    return (page, 400) if asked.fault else page


def _kept() -> list[str]:
    """Return how long what is kept, as what is deployed says it; nothing if that is nothing."""
    if (live := served().live) is None:
        return []
    keeping = live.snapshot.policy.audit
    return [_kept_for(topic, keeping.of(topic)) for topic in Topic]


def _kept_for(topic: Topic, seconds: int | None) -> str:
    if not seconds:
        return gettext("%(entries)s for ever", entries=translated(topic))
    return gettext("%(entries)s for %(span)s", entries=translated(topic), span=duration(seconds))


@needs(Role.AUDITOR)
def audit_table() -> Response:
    """Return all entries that the page would list, whatever page of it, as a table for spreadsheets."""
    asked = _asked()
    if asked.filter is None:
        raise InvalidEntry(asked.fault.removesuffix("."))
    headings = [translated(each) for each in (*_HEADINGS, *_OF_A_DEPLOYMENT)]
    return spreadsheet("audit.csv", headings, _rows(asked.filter))


def _rows(asked: AuditFilter) -> Iterator[tuple[Cell, ...]]:
    site, measures = served().site, served().measures()
    for some in site.audit.each(asked):
        came = outcomes(site, measures, some)
        for each in some:
            done = (
                each.id,
                each.at,
                each.who,
                each.kind,
                translated(deed(each.kind)),
                each.subject,
                each.detail,
                each.address,
            )
            yield (*done, *_reached(came.get(each.id)))


def _reached(outcome: DeploymentOutcome | None) -> tuple[int | None, ...]:
    if outcome is None:
        return (None,) * len(_OF_A_DEPLOYMENT)
    reached = outcome.convergence
    numbers = (reached.counted, reached.confirmed) if reached else (None, None)
    return (outcome.deployment.id, *numbers, outcome.changed)
