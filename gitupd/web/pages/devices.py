"""The page of all devices: found, counted, listed, written to a file, touched, forgotten, let in and kept out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from gitupd.core.admission.admittance import Decision
from gitupd.core.caller import parse_serial
from gitupd.core.people.person import Role
from gitupd.core.search import ADMISSIONS, KEYS, InState, Pair, parse_search
from gitupd.service.clock import now
from gitupd.service.fleet import EVERYTHING, SORTS, Fleet
from gitupd.service.listing.columns import IN_A_TABLE, USUAL, chosen, columns_for
from gitupd.service.rollouts.overview import CertificateOverview
from gitupd.web.access import actor, needs
from gitupd.web.context import reached, served
from gitupd.web.language.texts import gettext, ngettext, plural, translated
from gitupd.web.pages import completing, device_page, paging
from gitupd.web.pages.charts import Bar, curve, place_bars, share_bars
from gitupd.web.pages.finding import columns as kept
from gitupd.web.pages.finding import polling, saved
from gitupd.web.pages.links import pair
from gitupd.web.pages.listing import Adding, alike, columns_shown, listing_of, policy, rows_of, title_of, usual_columns
from gitupd.web.pages.stories import beside, requests, timeline
from gitupd.web.showing import downloaded
from gitupd.web.tables import spreadsheet
from gitupd.web.wording import here

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from werkzeug.wrappers import Response as BaseResponse

    from gitupd.core.caller import Serial
    from gitupd.core.device import Device
    from gitupd.core.search import Search
    from gitupd.service.fleet import Sort, Summary
    from gitupd.service.listing.columns import Column

_SAVED = "/devices/searches/<int:number>"
bp = Blueprint("devices", __name__)
bp.add_url_rule("/devices/words.json", "words", completing.words)
bp.add_url_rule("/devices/poll", "poll", polling.show)
bp.add_url_rule("/devices/poll", "poll_chosen", polling.choose, methods=["POST"])
bp.add_url_rule("/devices/columns", "keep_columns", kept.keep, methods=["POST"])
bp.add_url_rule("/devices/searches", "searches", saved.index)
bp.add_url_rule("/devices/searches", "save_search", saved.save, methods=["POST"])
bp.add_url_rule(f"{_SAVED}/rename", "no_search_deed", saved.nothing_asked)
bp.add_url_rule(f"{_SAVED}/share", "no_search_deed", saved.nothing_asked)
bp.add_url_rule(f"{_SAVED}/remove", "no_search_deed", saved.nothing_asked)
bp.add_url_rule(f"{_SAVED}/rename", "rename_search", saved.rename, methods=["POST"])
bp.add_url_rule(f"{_SAVED}/share", "share_search", saved.share, methods=["POST"])
bp.add_url_rule(f"{_SAVED}/remove", "remove_search", saved.remove, methods=["POST"])
bp.add_url_rule("/devices/<serial>", "device", device_page.show)
bp.add_url_rule("/devices/<serial>/timeline", "timeline", timeline.show)
bp.add_url_rule("/devices/<serial>/compare", "beside", beside.show)
bp.add_url_rule("/devices/<serial>/state.xml", "state", device_page.state)
bp.add_url_rule("/devices/<serial>/requests", "requests", requests.show)
bp.add_url_rule("/devices/<serial>/requests.txt", "requests_text", requests.as_text)
bp.add_url_rule("/devices/<serial>/requests.json", "requests_json", requests.as_json)
bp.add_url_rule("/devices/<serial>/requests/record", "record", requests.start, methods=["POST"])
bp.add_url_rule("/devices/<serial>/requests/stop", "stop_recording", requests.stop, methods=["POST"])

_NAMED_IN_A_QUESTION = 10
_TWO = 2

Deed = Literal["forget", "touch", "accept", "refuse", "withdraw"]
_DECISIONS: Mapping[Deed, Decision] = {
    "accept": Decision.ACCEPTED,
    "refuse": Decision.REFUSED,
    "withdraw": Decision.WITHDRAWN,
}
_DONE: Mapping[Deed, tuple[str, str]] = {
    "forget": plural(
        "%(number)s device forgotten. Each comes back when it polls again.",
        "%(number)s devices forgotten. Each comes back when it polls again.",
    ),
    "touch": plural("%(number)s device counted as seen just now.", "%(number)s devices counted as seen just now."),
    "accept": plural(
        "%(number)s device accepted. With the next poll the configuration is sent.",
        "%(number)s devices accepted. With the next poll the configuration is sent.",
    ),
    "refuse": plural(
        "%(number)s device refused. From the next poll on nothing is sent any more.",
        "%(number)s devices refused. From the next poll on nothing is sent any more.",
    ),
    "withdraw": plural("%(number)s device left to the policy again.", "%(number)s devices left to the policy again."),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """A word of the search at hand, and the page without it."""

    word: str
    without: str


@bp.get("/devices")
def index() -> str | BaseResponse:
    """Show the fleet: whether all is well, and the devices that a search finds."""
    if len(named := request.args.getlist("columns")) > 1:  # boxes that were ticked
        return redirect(here(columns=_ticked(named)))
    live = served().live
    fleet = Fleet(served().site, live, now())
    search = fleet.understood(request.args.get("q", ""))
    sort, descending = _order()
    page, size = paging.asked(request.args)
    devices = fleet.listed(search, sort=sort, descending=descending, limit=size, offset=(page - 1) * size)
    # A search that finds nothing has nothing to count, and one for everything is the fleet.
    within = fleet.summary(search) if devices or page > 1 or not search.terms else None
    pages = paging.Paging(page, size, within.total if within else 0)
    if page > pages.pages:
        return redirect(here(page=pages.pages))
    whole = fleet.standings(EVERYTHING) if within is None or search.terms else within
    with_certificates = policy().certificates.enabled or any(device.certificate for device in devices)
    choice = columns_shown(with_certificates=with_certificates)
    columns = choice.columns
    return render_template(
        "devices.html",
        live=live,
        summary=whole,
        alarmed=fleet.count(parse_search("alarmed")) if fleet.yardstick.needs_trust else 0,
        strangers=within.strangers if within else fleet.strangers(),
        ends=CertificateOverview(served().site, live, now()).summary() if with_certificates else None,
        admission=policy().admission,
        about_strangers=any(isinstance(term, InState) and term.state in ADMISSIONS for term in search.terms),
        search=search,
        found=within if search.terms else None,
        place=_place(search),
        stateless=not any(isinstance(term, InState) for term in search.terms),
        instead=fleet.instead(search) if not pages.total and not search.fault else (),
        filters=[Filter(word, here(q=search.without(at), page=None)) for at, word in enumerate(search.words)],
        rows=list(rows_of(fleet, columns, devices)),
        adding=Adding(search, len(devices) * sum(column.key is not None for column in columns)),
        phases_alike=alike(devices),
        paging=pages,
        columns=columns,
        choice=choice,
        has_numbers=any(column.name == "sn" for column in columns),
        every_column=columns_for(policy().queries).values(),
        titles=_titles(columns_for(policy().queries).values()),
        pair=pair,
        keys=KEYS,
        answered=[name for name, column in columns_for(policy().queries).items() if column.asked][:3],
        may_act=actor().role.allows(Role.OPERATOR),
        sort=sort,
        descending=descending,
        saved=saved.saved_menu(search, sort, descending=descending),
        charts=_charts(within, search) if within else (),
        curve=curve(within.convergence, within.total) if within else None,
        within=within or whole,
        update_url=reached().full("update.php"),
    )


def _ticked(names: list[str]) -> str:
    """Return what the address says for columns that were ticked; boxes have no order, so that it may be the usual."""
    kinds = (usual_columns(with_certificates=each) for each in (True, False))
    return USUAL if any({column.name for column in each} == set(names) for each in kinds) else ",".join(names)


def _order() -> tuple[Sort, bool]:
    named = request.args.get("sort")
    sort: Sort = next((each for each in SORTS if each == named), "serial")
    return sort, request.args.get("desc") == "1"


def _charts(within: Summary, search: Search) -> list[tuple[str, list[Bar]]]:
    charts = [
        (gettext("Environments, worst first"), place_bars(within.places, within.total, search)),
        (gettext("Types"), share_bars("type", within.models, gettext("not said"), search)),
        (gettext("Firmware"), share_bars("firmware", within.firmware, gettext("unknown"), search)),
    ]
    return [(title, drawn) for title, drawn in charts if drawn]


def _titles(columns: Iterable[Column]) -> dict[str, str]:
    """Return the titles of *columns* by their names; those of queries are as the configuration has them."""
    return {column.name: title_of(column) for column in columns}


def _place(search: Search) -> str:
    """Return the environment that alone is looked for, empty if it is something else or more."""
    match search.terms:
        case [Pair("env", name, wild=False)]:
            return name
        case _:
            return ""


@bp.post("/devices/forget")
@needs(Role.OPERATOR)
def forget() -> str | BaseResponse:
    """Forget the chosen devices, once that was confirmed."""
    return _do("forget")


@bp.post("/devices/touch")
@needs(Role.OPERATOR)
def touch() -> str | BaseResponse:
    """Let the chosen devices count as seen now, once that was confirmed."""
    return _do("touch")


@bp.post("/devices/accept")
@needs(Role.OPERATOR)
def accept() -> str | BaseResponse:
    """Let the chosen devices in, once that was confirmed."""
    return _do("accept")


@bp.post("/devices/refuse")
@needs(Role.OPERATOR)
def refuse() -> str | BaseResponse:
    """Keep the chosen devices out, once that was confirmed."""
    return _do("refuse")


@bp.post("/devices/withdraw")
@needs(Role.OPERATOR)
def withdraw() -> str | BaseResponse:
    """Take back what was decided on the chosen devices, once that was confirmed."""
    return _do("withdraw")


def _do(deed: Deed) -> str | BaseResponse:
    fleet = served().fleet()
    serials = _chosen(fleet)
    if not serials:
        flash(
            gettext("No device was chosen, so nothing was done. Tick some, or the box below the list for all of them."),
            "warning",
        )
        return redirect(_back())
    confirmed = paging.number(request.form.get("confirmed"), 0, 10**9, least=0)
    # More than somebody has agreed to are not touched: by now the same search may find others.
    if len(serials) > confirmed:
        return _question(deed, fleet, serials, more=confirmed > 0)
    if deed == "forget":
        count = fleet.forget(serials, actor())
    elif deed == "touch":
        count = fleet.touch(serials, actor())
    else:
        count = fleet.decide(serials, _DECISIONS[deed], actor())
    flash(ngettext(*_DONE[deed], count))
    return redirect(_back(gone=deed == "forget"))


@bp.post("/devices/compare")
def compare_chosen() -> BaseResponse:
    """Lead to what differs between the two chosen devices."""
    serials = _chosen(served().fleet())
    if len(serials) != _TWO:
        if serials:
            flash(gettext("Choose two devices to compare; you chose %(number)s.", number=len(serials)), "warning")
        else:
            flash(gettext("Choose two devices to compare; you chose none."), "warning")
        return redirect(_back())
    one, other = map(str, serials)
    return redirect(f"{url_for('backups.against', serial=one)}?with={other}")


@bp.post("/devices/chosen.csv")
def chosen_table() -> Response:
    """Return the chosen devices as a table for spreadsheets, in the columns that the list has."""
    fleet, columns = served().fleet(), _columns_of_a_table(request.form.get("columns"))
    if request.form.get("all") == "1":
        return _table_of(fleet, columns, fleet.each(fleet.checked(request.form.get("q", ""))))
    known = (fleet.device(serial) for serial in _chosen(fleet))
    return _table_of(fleet, columns, (device for device in known if device is not None))


def _chosen(fleet: Fleet) -> list[Serial]:
    if request.form.get("all") == "1":
        return fleet.serials(fleet.checked(request.form.get("q", "")))
    return [parse_serial(text) for text in dict.fromkeys(request.form.getlist("sn"))]


def _question(deed: Deed, fleet: Fleet, serials: Sequence[Serial], *, more: bool) -> str:
    named = [device for each in serials[:_NAMED_IN_A_QUESTION] if (device := fleet.device(each))]
    return render_template(
        "devices_confirm.html",
        deed=deed,
        count=len(serials),
        named=named,
        serials=() if request.form.get("all") == "1" else serials,
        search=request.form.get("q", ""),
        more=more,
        back=_back(),
    )


def _back(*, gone: bool = False) -> str:
    """Return where the form came from: the list as it was searched, or the page of one device unless it is *gone*."""
    one = request.form.get("device", "")
    if one and not gone:
        return url_for("devices.device", serial=str(parse_serial(one)))
    return url_for("devices.index", q=request.form.get("q") or None)


@bp.get("/devices/forget")
@bp.get("/devices/touch")
@bp.get("/devices/accept")
@bp.get("/devices/refuse")
@bp.get("/devices/withdraw")
@bp.get("/devices/compare")
@bp.get("/devices/chosen.csv")
def nothing_asked() -> BaseResponse:
    """Lead back to the list whoever reloads a question."""
    return redirect(url_for("devices.index"))


@bp.get("/devices.csv")
def table() -> Response:
    """Return all devices that a search finds as a table for spreadsheets."""
    fleet, columns = served().fleet(), _columns_of_a_table(request.args.get("columns"))
    return _table_of(fleet, columns, fleet.each(fleet.checked(request.args.get("q", ""))))


def _columns_of_a_table(named: str | None) -> tuple[Column, ...]:
    if named == USUAL:
        return usual_columns(with_certificates=policy().certificates.enabled)
    return chosen(named, policy().queries) if named else IN_A_TABLE


@downloaded
def _table_of(fleet: Fleet, columns: tuple[Column, ...], devices: Iterable[Device]) -> Response:
    listing = listing_of(fleet, columns)
    headings = [column.heading if column.asked else translated(column.heading) for column in listing.columns]
    return spreadsheet("devices.csv", headings, listing.each(devices))
