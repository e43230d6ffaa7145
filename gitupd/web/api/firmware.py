"""Firmware files that devices load from this site, for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from flask import Blueprint

from gitupd.web.api.answering import page
from gitupd.web.api.reading import FEW, PAGING, query, text
from gitupd.web.context import served

if TYPE_CHECKING:
    from flask import Response

bp = Blueprint("firmware", __name__)
_BUILD = text(40, 1)


@bp.get("/firmware")
def index() -> Response:
    """Tell the files that there are, by build."""
    asked = query(build=_BUILD, **PAGING)
    limit, offset = asked.get("limit", FEW), asked.get("offset", 0)
    files = [each for each in served().site.firmware.files() if asked.get("build") in (None, each.build)]
    some = files[offset : offset + limit]
    goes_on = some and offset + limit < len(files)
    return page({"files": list(map(asdict, some)), "total": len(files)}, offset=offset + limit if goes_on else None)
