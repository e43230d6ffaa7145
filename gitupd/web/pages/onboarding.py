"""The page that says what to enter into a new device, so that it comes into the fleet."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request

from gitupd.core.onboarding import Onboarding
from gitupd.web.context import reached, served
from gitupd.web.pages import paging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitupd.core.policy import Environment

bp = Blueprint("onboarding", __name__)

_LONGEST_NAME = 60
_MOST_LISTED = 50
_LONGEST_INTERVAL = 255  # DHCP hands it out as one byte


@bp.get("/add")
def index() -> tuple[str, int]:
    """Show the update URL of an environment, and the ways to get it into a device."""
    live = served().live
    environments = live.snapshot.policy.environments if live else {}
    name, named = request.args.get("name", "").strip(), request.args.getlist("env")
    chosen = [each for value in named for each in map(str.strip, value.split(",")) if each]
    errors = _errors(name, chosen, environments)
    offered = tuple(dict.fromkeys(each for each in chosen if each in environments)) or tuple(environments)[:1]
    base = reached().full("")
    device = Onboarding(
        base=base,
        environments=offered,
        name="" if "name" in errors else name,
        interval=paging.number(request.args.get("interval"), 1, _LONGEST_INTERVAL),
    )
    page = render_template(
        "onboarding.html",
        live=live,
        device=device,
        name=name,
        errors=errors,
        environments=list(environments.values()),
        listed=[(each, Onboarding(base, (each.name,))) for each in environments.values()][:_MOST_LISTED],
        loopback=reached().host if _is_loopback(reached().host) else None,
    )
    return page, 400 if errors else 200


def _errors(name: str, chosen: list[str], environments: Mapping[str, Environment]) -> dict[str, str]:
    errors: dict[str, str] = {}
    if len(name) > _LONGEST_NAME:
        errors["name"] = f"more than {_LONGEST_NAME} characters"
    elif not name.isprintable():
        errors["name"] = "control characters can't be in a name"
    unknown = [each[:_LONGEST_NAME] for each in chosen if each not in environments]
    if unknown:
        errors["env"] = f"there is no environment {unknown[0]!r} in the deployed commit"
    return errors


def _is_loopback(host: str) -> bool:
    """Whether *host* means the machine that asks itself."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost" or host.lower().endswith(".localhost")
