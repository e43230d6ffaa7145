"""The clock on the wall of a site: the time zone in which its pages tell times, and cut days."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING

from flask import current_app, has_app_context

from gitupd.service.clock import now
from gitupd.zones import zone_named

if TYPE_CHECKING:
    from datetime import date, tzinfo

    from flask import Flask

_ZONE = "GITUPD_TIME_ZONE"


def install(app: Flask, name: str) -> None:
    """Have the pages of *app* tell times in the zone called *name*, that of the machine for none."""
    app.config[_ZONE] = name


def zone() -> tzinfo:
    """Return the time zone of the site, that of the machine outside of a request."""
    return zone_named(_name())


def _name() -> str:
    name: str = current_app.config.get(_ZONE, "") if has_app_context() else ""
    return name


def zone_name() -> str:
    """Return what the zone is called where somebody enters a day: ``Europe/Berlin``, or ``CET`` if it has no name."""
    return _name() or f"{now().astimezone(zone()):%Z}"


def local(at: datetime) -> datetime:
    """Return *at* by the clock of the site."""
    return at.astimezone(zone())


def today() -> date:
    """Return which day it is there."""
    return local(now()).date()


def midnight(day: date) -> datetime:
    """Return when *day* begins there; if the clock skips that moment, when the clock goes on."""
    return datetime.combine(day, time(), zone())
