"""Since when each line of a version has been there: beside it, the change that brought it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import abort, render_template, request, url_for

from gitupd.web.backup_reading import version_name, viewed, visible_history
from gitupd.web.context import served
from gitupd.web.pages import paging
from gitupd.web.pages.backups.views import change_of, device_serial, permanent, title_of, version_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gitupd.core.backups.version import BackupVersion
    from gitupd.service.backups.origins import LineSource

_LINES_OF_A_PAGE = 2_000
_LAST = 10**9
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Beside:
    """A line as a page shows it: ``told`` if its origin is another one than that of the line above."""

    origin: LineSource
    told: bool


@dataclass(frozen=True, slots=True)
class Contribution:
    """A change, and how many lines of a version it brought that are still there."""

    version: BackupVersion
    lines: int


def since(serial: str, revision: str) -> str:
    """Show the lines of a version, each with the change that brought it."""
    number = device_serial(serial)
    history = visible_history()
    chosen = version_named(history, number, revision)
    page = paging.number(request.args.get("page"), 1, _LAST)
    lines = history.origins(chosen, _SECONDS)
    pages = paging.Paging(page, _LINES_OF_A_PAGE, len(lines))
    if page > pages.pages:
        abort(404)
    viewed(str(number), f"since when the lines of {version_name(chosen)} are there")
    return render_template(
        "backups/since.html",
        serial=number,
        title=title_of(number, served().site.inventory.device(number), chosen),
        version=chosen,
        link=permanent(url_for("backups.since", serial=str(number), revision=chosen.commit)),
        lines=_beside(lines[(page - 1) * _LINES_OF_A_PAGE : page * _LINES_OF_A_PAGE]),
        changes=_changes(lines),
        unsure=sum(line.is_older for line in lines),
        paging=pages,
        change=change_of,
        hides=any(line.line.secret for line in lines),
    )


def _beside(lines: Sequence[LineSource]) -> list[Beside]:
    shown: list[Beside] = []
    above: BackupVersion | None = None
    for line in lines:
        shown.append(Beside(line, told=line.version is not None and line.version != above))
        above = line.version
    return shown


def _changes(lines: Iterable[LineSource]) -> list[Contribution]:
    """Return the changes that brought the lines, the newest first."""
    versions = {line.version.commit: line.version for line in lines if line.version}
    counts = Counter(line.version.commit for line in lines if line.version)
    contributions = (Contribution(version, counts[commit]) for commit, version in versions.items())
    return sorted(contributions, key=lambda contribution: contribution.version.received, reverse=True)
