"""The pages of certificates: whose request waits for a signature, whose roll-out fails, what ends, who did what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, redirect, render_template, request

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.meaning import meaning
from gitupd.core.certificates.rollout import SETTLED, WAITING_FOR_PEOPLE, Stage
from gitupd.core.people.audit import CERTIFICATE_KINDS
from gitupd.core.people.person import Role
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.certificates.own_authority import own_authority
from gitupd.service.certificates.rolling import RequestNames, RolloutView
from gitupd.service.clock import now
from gitupd.service.rollouts.concerns import site_concerns
from gitupd.service.rollouts.overview import ENDED, LATER, CertificateOverview, monday_of, week_of
from gitupd.web.access import actor, needs
from gitupd.web.context import served
from gitupd.web.language.forms import short_day
from gitupd.web.language.sentences import in_words, retold
from gitupd.web.language.texts import gettext, marked, translated
from gitupd.web.pages import certificate_deeds, paging
from gitupd.web.pages.certificate_choice import RolloutsAsked
from gitupd.web.pages.charts import Bar, bars
from gitupd.web.tables import spreadsheet
from gitupd.web.wording import here

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from werkzeug.wrappers import Response as BaseResponse

    from gitupd.core.policy import Certificates
    from gitupd.service.certificates.rolling import DeviceRollout
    from gitupd.service.rollouts.overview import EndingInWeek, RolloutListing
    from gitupd.web.tables import Cell

bp = Blueprint("certificates", __name__)
certificate_deeds.install(bp)

_LISTED = 50
_IN_ORDER = sorted(Stage, key=lambda stage: (stage in SETTLED, stage not in WAITING_FOR_PEOPLE))
"""The stages at which somebody has to do something first, those at which nobody has to do anything last."""
_LAST_ENTRY = 2**31 - 1
_HEADINGS = (
    marked("serial number"),
    marked("name"),
    marked("type"),
    marked("stage"),
    marked("since (UTC)"),
    marked("why"),
    marked("reported error"),
    marked("certificate ends (UTC)"),
    marked("request for"),
    marked("request received (UTC)"),
)


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """A roll-out as the list shows it: what its request asks for, None without one, and what an error means."""

    listed: RolloutListing
    names: RequestNames | None
    meaning: str

    @property
    def record(self) -> DeviceRollout:
        """The roll-out itself."""
        return self.listed.record


@bp.get("/certificates")
def index() -> str | BaseResponse:
    """Show whom certificates are rolled out to, those that wait for somebody first."""
    live = served().live
    overview = CertificateOverview(served().site, live, now())
    asked = RolloutsAsked.in_arguments(request.args, request.args.getlist("stage"))
    page, size = paging.asked(request.args)
    listed, total = overview.listed(asked.choice(overview), size, (page - 1) * size) if not asked.fault else ([], 0)
    pages = paging.Paging(page, size, total)
    if page > pages.pages:
        return redirect(here(page=pages.pages))
    summary = overview.summary()
    return render_template(
        "certificates/index.html",
        **_frame(live.snapshot.policy.certificates if live else None, asked.stages),
        summary=summary,
        asked=asked,
        rows=[_row(each) for each in listed],
        paging=pages,
        stages=list(Stage),
        stage_bars=bars((str(stage), summary.at(stage), str(stage)) for stage in _IN_ORDER if summary.at(stage)),
        week_bars=_week_bars(overview.endings()),
        concerns=site_concerns(served().site, now()),
    )


def _frame(policy: Certificates | None, stages: Collection[Stage] = ()) -> dict[str, Any]:
    """Return what all these pages show."""
    return {
        "is_enabled": policy is not None and policy.enabled,
        "signing_by": policy.signing if policy else "manual",
        "may_act": actor().role.allows(Role.OPERATOR),
        "deeds": certificate_deeds.offered(policy, stages),
    }


def _row(listed: RolloutListing) -> RolloutRow:
    record = listed.record
    names = RequestNames.of(record.rollout.request) if record.rollout.request is not None else None
    return RolloutRow(listed, names, meaning(record.stage, record.rollout, record.error))


def _week_bars(endings: Sequence[EndingInWeek]) -> list[Bar]:
    present = week_of(now())
    return bars((_week_label(each, present), each.count, each.word) for each in endings)


def _week_label(ending: EndingInWeek, present: str) -> str:
    if ending.word == ENDED:
        return gettext("has ended")
    if ending.word == LATER:
        return gettext("later")
    if ending.word == present:
        return gettext("this week")
    return gettext("from %(day)s", day=short_day(monday_of(ending.word)))


@bp.get("/certificates.csv")
def table() -> Response:
    """Return all roll-outs that the page lists so, whatever page of it, as a table for spreadsheets."""
    overview = CertificateOverview(served().site, served().live, now())
    asked = RolloutsAsked.in_arguments(request.args, request.args.getlist("stage"))
    if asked.fault:
        raise InvalidEntry(asked.fault)
    rows = map(_cells, overview.each(asked.choice(overview)))
    return spreadsheet("certificates.csv", [translated(each) for each in _HEADINGS], rows)


def _cells(listed: RolloutListing) -> tuple[Cell, ...]:
    row = _row(listed)
    record, names = row.record, row.names
    return (
        str(record.serial),
        listed.name,
        listed.model,
        str(record.stage),
        record.stage_at,
        retold(record.reason),
        retold(record.error, "errors"),
        record.expires,
        (names.common_name or names.subject, *names.alternative) if names else None,
        record.rollout.request_at,
    )


@bp.get("/certificates/history")
@needs(Role.AUDITOR)
def history() -> str:
    """Show who had what signed, rejected, revoked and handed in, the newest first."""
    live = served().live
    before = paging.number(request.args.get("before"), 0, _LAST_ENTRY) or None
    entries = served().site.audit.of_kinds(CERTIFICATE_KINDS, _LISTED + 1, before)
    return render_template(
        "certificates/history.html",
        **_frame(live.snapshot.policy.certificates if live else None),
        entries=entries[:_LISTED],
        more=entries[_LISTED - 1].id if len(entries) > _LISTED else None,
    )


@bp.get("/certificates/authority")
def authority() -> str:
    """Show the site's own authority: its names and ends, what it has signed, and what it has revoked."""
    live = served().live
    site = served().site
    facts, fault = None, ""
    try:
        facts = own_authority(site, now())
    except SiteError as error:
        fault = in_words(error)
    return render_template(
        "certificates/authority.html",
        **_frame(live.snapshot.policy.certificates if live else None),
        facts=facts,
        fault=fault,
        issued=site.issued.latest(_LISTED) if facts else (),
    )


@bp.get("/certificates/requests.zip")
@needs(Role.OPERATOR)
def requests() -> Response:
    """Download the signing requests that wait, of all devices that are listed."""
    overview = CertificateOverview(served().site, served().live, now())
    asked = RolloutsAsked.in_arguments(request.args, [])
    if asked.fault:
        raise InvalidEntry(asked.fault)
    content = overview.requests_archive(asked.choice(overview))
    headers = {"Content-Disposition": 'attachment; filename="requests.zip"'}
    return Response(content, mimetype="application/zip", headers=headers)


@bp.get("/certificates/<serial>/request")
@needs(Role.OPERATOR)
def signing_request(serial: str) -> Response:
    """Download the signing request of a device, in PEM."""
    device = parse_serial(serial)
    content = RolloutView(served().site).request(device)
    headers = {"Content-Disposition": f'attachment; filename="{device}.csr"'}
    return Response(content, mimetype="application/pkcs10", headers=headers)
