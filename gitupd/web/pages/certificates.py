"""The page of certificates: whose request waits for a signature, whose roll-out fails, what expires."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import SETTLED, Stage
from gitupd.core.people.person import Role
from gitupd.errors import InvalidEntry, SiteError
from gitupd.service.certificates.handing_in import LARGEST
from gitupd.service.certificates.rolling import RolloutView
from gitupd.service.clock import now
from gitupd.web.access import actor, needs
from gitupd.web.context import served
from gitupd.web.pages import paging
from gitupd.web.pages.paging import Paging

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as Redirection

bp = Blueprint("certificates", __name__)

_SIZE = 50
_SOON = timedelta(days=30)
_LAST_PAGE = 1_000_000
_OPEN = tuple(stage for stage in Stage if stage not in SETTLED)


@bp.get("/certificates")
def index() -> str:
    """Show whom certificates are rolled out to, those that wait for somebody first."""
    live, view = served().live, RolloutView(served().site)
    counts = view.counts()
    stages = [Stage(name) for name in request.args.getlist("stage") if name in set(Stage)] or _OPEN
    at = Paging(
        paging.number(request.args.get("page"), 1, _LAST_PAGE), _SIZE, sum(counts.get(stage, 0) for stage in stages)
    )
    soon = view.expiring(now() + _SOON, _SIZE + 1)
    return render_template(
        "certificates.html",
        live=live,
        is_enabled=live is not None and live.snapshot.policy.certificates.enabled,
        counts=counts,
        chosen=[str(stage) for stage in stages] if request.args.get("stage") else [],
        records=view.listed(stages, _SIZE, (at.page - 1) * _SIZE),
        paging=at,
        soon=soon[:_SIZE],
        more_soon=len(soon) > _SIZE,
        stages=list(Stage),
        open_count=sum(counts.get(stage, 0) for stage in _OPEN),
        may_act=actor().role.allows(Role.OPERATOR),
    )


@bp.get("/certificates/<serial>/request")
@needs(Role.OPERATOR)
def signing_request(serial: str) -> Response:
    """Download the signing request of a device, in PEM."""
    device = parse_serial(serial)
    content = RolloutView(served().site).request(device)
    headers = {"Content-Disposition": f'attachment; filename="{device}.csr"'}
    return Response(content, mimetype="application/pkcs10", headers=headers)


@bp.post("/certificates/<serial>/upload")
@needs(Role.OPERATOR)
def upload(serial: str) -> Redirection:
    """Hand in the signed certificate for the request of a device: a file, or its text."""
    device = parse_serial(serial)
    file = request.files.get("file")
    content = (file.stream.read(LARGEST + 1) if file else b"") or request.form.get("text", "").encode()
    try:
        RolloutView(served().site).hand_in(device, content, actor(), now())
    except (InvalidEntry, SiteError) as error:
        flash(f"The certificate for {device} was not taken: {error}.", "danger")
    else:
        flash(f"{device} installs its certificate when it polls next.", "success")
    return redirect(url_for("certificates.index"), 303)


@bp.post("/certificates/<serial>/restart")
@needs(Role.OPERATOR)
def restart(serial: str) -> Redirection:
    """Have the roll-out to a device start over."""
    device = parse_serial(serial)
    RolloutView(served().site).start_over(device, actor(), now())
    flash(f"{device} starts over when it polls next.", "success")
    return redirect(url_for("certificates.index"), 303)
