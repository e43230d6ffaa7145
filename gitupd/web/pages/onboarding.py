"""The page that says what to enter into a new device, so that it comes into the fleet."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for

from gitupd.core.onboarding import Onboarding
from gitupd.core.people.person import Role
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.admission.codes import DAYS, make_codes, revoke_codes
from gitupd.service.clock import now
from gitupd.web.access import actor, needs
from gitupd.web.context import reached, served
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext
from gitupd.web.pages import paging

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug.datastructures import MultiDict
    from werkzeug.wrappers import Response

    from gitupd.core.policy import Environment

bp = Blueprint("onboarding", __name__)

_LONGEST_NAME = 60
_MOST_LISTED = 50
_LARGEST_ID = 2**31 - 1
_LONGEST_INTERVAL = 255  # DHCP hands it out as one byte


@bp.get("/add")
def index() -> tuple[str, int]:
    """Show the update URL of an environment, and the ways to get it into a device."""
    return _page(request.args)


@bp.post("/add/codes")
@needs(Role.OPERATOR)
def add_codes() -> tuple[str, int]:
    """Make one-time codes, and show them this once, in the update URLs for the chosen environment."""
    form = request.form
    count = paging.number(form.get("count"), 1, 10**6)
    days = paging.number(form.get("days"), DAYS, 10**6)
    try:
        made = make_codes(served().site, actor(), now(), count=count, days=days, title=form.get("title", ""))
    except (InvalidEntry, SiteError) as error:
        return _page(form, fault=gettext("No code was made: %(error)s.", error=in_words(error)))
    return _page(form, [code for _, code in made])


@bp.post("/add/codes/<int:code>/revoke")
@needs(Role.OPERATOR)
def revoke_code(code: int) -> Response:
    """Revoke a code that no device has used."""
    if revoke_codes(served().site, [min(code, _LARGEST_ID)], actor(), now()):
        flash(gettext("Code %(code)s accepts no device any more.", code=code), "success")
    else:
        flash(gettext("Code %(code)s is not open any more.", code=code), "warning")
    return redirect(url_for("onboarding.index", _anchor="codes"))


def _page(asked: MultiDict[str, str], made: Sequence[str] = (), fault: str | None = None) -> tuple[str, int]:
    """Return the page for what was *asked*, with the codes that were *made*, or the *fault* that kept them from it."""
    live = served().live
    environments = live.snapshot.policy.environments if live else {}
    name, named = asked.get("name", "").strip(), asked.getlist("env")
    chosen = [each for value in named for each in map(str.strip, value.split(",")) if each]
    errors = _errors(name, chosen, environments)
    offered = tuple(dict.fromkeys(each for each in chosen if each in environments)) or tuple(environments)[:1]
    base = reached().full("")
    device = Onboarding(
        base=base,
        environments=offered,
        name="" if "name" in errors else name,
        interval=paging.number(asked.get("interval"), 1, _LONGEST_INTERVAL),
        code=made[0] if len(made) == 1 else "",
    )
    may_act = actor().role.allows(Role.OPERATOR)
    page = render_template(
        "onboarding.html",
        live=live,
        device=device,
        by_dhcp=replace(device, code=""),
        name=name,
        errors=errors,
        environments=list(environments.values()),
        listed=[(each, Onboarding(base, (each.name,))) for each in environments.values()][:_MOST_LISTED],
        loopback=reached().host if _is_loopback(reached().host) else None,
        may_act=may_act,
        made=[replace(device, code=code).url for code in made],
        fault=fault,
        days=DAYS,
        now=now(),
        codes=served().site.codes.listed()[:_MOST_LISTED] if may_act else [],
    )
    return page, 400 if errors or fault else 200


def _errors(name: str, chosen: list[str], environments: Mapping[str, Environment]) -> dict[str, str]:
    errors: dict[str, str] = {}
    if len(name) > _LONGEST_NAME:
        errors["name"] = gettext("more than %(most)s characters", most=_LONGEST_NAME)
    elif not name.isprintable():
        errors["name"] = gettext("control characters can't be in a name")
    unknown = [each[:_LONGEST_NAME] for each in chosen if each not in environments]
    if unknown:
        errors["env"] = gettext("there is no environment %(name)s in the deployed commit", name=repr(unknown[0]))
    return errors


def _is_loopback(host: str) -> bool:
    """Whether *host* means the machine that asks itself."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")
