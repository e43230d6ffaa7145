"""What all commands on a site share: opening it, and common options."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitupd.cli.completion.kinds import SITE
from gitupd.cli.lazy import NAMED_SITE
from gitupd.service.site import Site
from gitupd.settings import site_from_environment

if TYPE_CHECKING:
    from collections.abc import Callable


def on_site(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command ``--site``, and open that site as its first argument, its database up to date."""
    return _opening(function, migrate=True)


def on_untouched_site(function: Callable[..., None]) -> Callable[..., None]:
    """Do the same without a change to anything: the database may be older, newer, or missing."""
    return _opening(function, migrate=False)


def _opening(function: Callable[..., None], *, migrate: bool) -> Callable[..., None]:
    @click.option("--site", "place", type=SITE, help="The site; else GITUPD_SITE, else here.")
    @wraps(function)
    def wrapped(place: Path | None, **others: Any) -> None:
        NAMED_SITE.set(place)
        site = Site(place or Path(site_from_environment() or "."))
        try:
            if migrate:
                site.database.migrate()
            function(site, **others)
        finally:
            site.close()

    return wrapped


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
