"""Commands on devices that nobody knows: whom to let in, and whom not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from gitupd.cli.acting import actor
from gitupd.cli.completion.kinds import FILTER
from gitupd.cli.on_site import as_json, on_site
from gitupd.core.admission.admittance import Decision
from gitupd.core.caller import parse_serial
from gitupd.core.search import InState, typed
from gitupd.core.words import capital, counted
from gitupd.errors import MalformedRequest, SiteError
from gitupd.service.clock import now
from gitupd.service.deployments.live import live_now
from gitupd.service.fleet import Fleet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.core.caller import Serial
    from gitupd.service.site import Site

_NAMED = 10


@click.command()
@click.argument("words", metavar="FILTER...", nargs=-1, required=True, type=FILTER)
@click.option("--refuse", "decision", flag_value=Decision.REFUSED, type=Decision, help="Refuse them instead.")
@click.option(
    "--withdraw",
    "decision",
    flag_value=Decision.WITHDRAWN,
    type=Decision,
    help="Take back what was decided: the policy decides again.",
)
@click.option("--yes", is_flag=True, help="Don't ask whether these are the ones.")
@as_json
@on_site
def accept(site: Site, *, words: tuple[str, ...], decision: Decision | None, yes: bool, as_json: bool) -> None:
    """Accept devices that nobody knows, so that they are served: those that FILTER finds.

    FILTER is that of gitupd devices; it finds those for which neither devices.yaml, nor a rule of
    policies/admission.yaml, nor a person speaks yet. A serial number is taken as it is, also of a device that has yet
    to call. What is decided holds until it is withdrawn, even if the device is forgotten meanwhile.
    """
    decided = decision or Decision.ACCEPTED
    fleet = Fleet(site, live_now(site), now())
    serials = _meant(fleet, words, decided)
    if not serials:
        raise SiteError(f"no such device; see: gitupd devices {_state(decided)}")
    question = f"{capital(_VERBS[decided])} {counted(len(serials), 'device')}: {_listed(serials)}?"
    if not (yes or as_json) and not click.confirm(question, err=True):
        raise SiteError("nothing was changed")
    count = fleet.decide(serials, decided, actor())
    if as_json:
        click.echo(json.dumps({"decision": decided.value, "devices": [str(serial) for serial in serials]}, indent=2))
        return
    click.echo(f"{_DONE[decided]} {counted(count, 'device')}")


_VERBS = {Decision.ACCEPTED: "accept", Decision.REFUSED: "refuse", Decision.WITHDRAWN: "withdraw what was decided on"}
_DONE = {Decision.ACCEPTED: "accepted", Decision.REFUSED: "refused", Decision.WITHDRAWN: "withdrew what was decided on"}


def _state(decision: Decision) -> str:
    return "accepted" if decision is Decision.WITHDRAWN else "unknown"


def _meant(fleet: Fleet, words: Sequence[str], decision: Decision) -> list[Serial]:
    """Return the devices that *words* mean: as serial numbers, if they are nothing else, or as a search."""
    try:
        return list(dict.fromkeys(map(parse_serial, words)))
    except MalformedRequest:
        pass
    search = fleet.checked(typed(words))
    if decision is Decision.WITHDRAWN:
        return fleet.decided(search)
    return fleet.serials(replace(search, terms=(*search.terms, InState("unknown"))))


def _listed(serials: Sequence[Serial]) -> str:
    more = len(serials) - _NAMED
    return ", ".join(map(str, serials[:_NAMED])) + (f" and {more:,} more" if more > 0 else "")
