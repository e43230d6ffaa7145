"""One version of a device's configuration: with numbered lines, and as a file."""

from __future__ import annotations

from flask import Response, abort, render_template, request, url_for

from gitupd.web.backup_reading import version_name, viewed, visible_history
from gitupd.web.context import served
from gitupd.web.pages import paging
from gitupd.web.pages.backups.story import deployment_behind
from gitupd.web.pages.backups.views import change_of, device_serial, permanent, title_of, version_named
from gitupd.web.showing import downloaded

_LINES_OF_A_PAGE = 2_000
_LAST = 10**9


def version(serial: str, revision: str) -> str:
    """Show one version, with numbered lines."""
    number = device_serial(serial)
    history = visible_history()
    chosen = version_named(history, number, revision)
    page = paging.number(request.args.get("page"), 1, _LAST)
    lines, total = history.some_lines(chosen, (page - 1) * _LINES_OF_A_PAGE + 1, _LINES_OF_A_PAGE)
    pages = paging.Paging(page, _LINES_OF_A_PAGE, total)
    if page > pages.pages:
        abort(404)
    viewed(str(number), version_name(chosen))
    timeline = served().site.backup_timeline
    return render_template(
        "backups/version.html",
        serial=number,
        title=title_of(number, served().site.inventory.device(number), chosen),
        version=chosen,
        previous=timeline.before(chosen),
        following=timeline.after(chosen),
        had=deployment_behind(chosen),
        link=permanent(url_for("backups.version", serial=str(number), revision=chosen.commit)),
        latest=history.version(number),
        lines=lines,
        paging=pages,
        change=change_of,
        hides=any(line.secret for line in lines),
    )


@downloaded
def raw(serial: str, revision: str) -> Response:
    """Return one version as a file, as it was uploaded but for secrets that the reader may not see."""
    number = device_serial(serial)
    history = visible_history()
    chosen = version_named(history, number, revision)
    viewed(str(number), f"{version_name(chosen)} as a file")
    name = f"{number}-{chosen.received:%Y%m%d-%H%M%S}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(history.raw(chosen), content_type="text/plain; charset=utf-8", headers=headers)
