"""The page of environments: how each office stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request

from gitupd.service.listing.environments import ORDERS, environments_of, rank
from gitupd.web.context import served
from gitupd.web.language.texts import marked
from gitupd.web.pages import paging
from gitupd.web.pages.charts import state_parts
from gitupd.web.pages.links import pair
from gitupd.web.wording import here

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

    from gitupd.service.listing.environments import Order

bp = Blueprint("environments", __name__)

_COLUMNS: tuple[tuple[str, Order | None], ...] = (
    (marked("Environment"), "name"),
    (marked("Devices"), "devices"),
    (marked("State"), "worst"),
    (marked("Missing"), "missing"),
    (marked("Waiting"), "waiting"),
    (marked("Warned"), "warned"),
    (marked("Commit"), None),
    (marked("Firmware"), None),
    (marked("Drifted"), "drifted"),
    (marked("Backup overdue"), "overdue"),
)
"""The columns of the list, and what each is sorted by."""

_OF_BACKUPS = ("Drifted", "Backup overdue")


@bp.get("/environments")
def index() -> str | BaseResponse:
    """Show the environments that devices are in, and how these stand."""
    fleet = served().fleet()
    order: Order = next((each for each in ORDERS if each == request.args.get("sort")), "worst")
    environments = environments_of(fleet, order)
    number, size = paging.asked(request.args)
    pages = paging.Paging(number, size, len(environments))
    if number > pages.pages:
        return redirect(here(page=pages.pages))
    with_backups = fleet.yardstick.backups
    return render_template(
        "environments.html",
        columns=[each for each in _COLUMNS if with_backups or each[0] not in _OF_BACKUPS],
        with_backups=with_backups,
        order=order,
        environments=environments[pages.first - 1 : pages.last],
        whole=sum(not each.missing for each in environments),
        worst=min(environments, key=rank, default=None),
        paging=pages,
        live=served().live,
        parts=state_parts,
        pair=pair,
    )
