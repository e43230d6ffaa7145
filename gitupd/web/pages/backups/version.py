"""One version of a device's configuration: with numbered lines, and as a file."""

from __future__ import annotations

from flask import Response, abort, render_template, request, url_for

from gitupd.service.backups.messages import change_of
from gitupd.web.context import served
from gitupd.web.pages import paging
from gitupd.web.pages.backups.story import had
from gitupd.web.pages.backups.views import device_serial, history, named, permanent, title_of, viewed
from gitupd.web.pages.backups.views import version as version_named

_LINES_OF_A_PAGE = 2_000
_LAST = 10**9


def version(serial: str, revision: str) -> str:
    """Show one version, with numbered lines."""
    number = device_serial(serial)
    found = history()
    chosen = version_named(found, number, revision)
    page = paging.number(request.args.get("page"), 1, _LAST)
    lines, total = found.some_lines(chosen, (page - 1) * _LINES_OF_A_PAGE + 1, _LINES_OF_A_PAGE)
    pages = paging.Paging(page, _LINES_OF_A_PAGE, total)
    if page > pages.pages:
        abort(404)
    viewed(str(number), named(chosen))
    timeline = served().site.backup_timeline
    return render_template(
        "backups/version.html",
        serial=number,
        title=title_of(number, served().site.inventory.device(number), chosen),
        version=chosen,
        previous=timeline.before(chosen),
        following=timeline.after(chosen),
        had=had(chosen),
        link=permanent(url_for("backups.version", serial=str(number), revision=chosen.commit)),
        latest=found.version(number),
        lines=lines,
        paging=pages,
        change=change_of,
        hides=any(line.secret for line in lines),
    )


def raw(serial: str, revision: str) -> Response:
    """Return one version as a file, as it was uploaded but for secrets that the reader may not see."""
    number = device_serial(serial)
    found = history()
    chosen = version_named(found, number, revision)
    viewed(str(number), f"{named(chosen)} as a file")
    name = f"{number}-{chosen.received:%Y%m%d-%H%M%S}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(found.raw(chosen), content_type="text/plain; charset=utf-8", headers=headers)
