"""What people do on the pages of certificates, to one device or to many, once they have agreed to the number."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, assert_never

from flask import flash, redirect, render_template, request, url_for

from gitupd.core.caller import parse_serial
from gitupd.core.certificates.rollout import SETTLED, Stage
from gitupd.core.people.person import Role
from gitupd.errors import GitupdError, InvalidEntry, SiteError
from gitupd.service.certificates.handing_in import LARGEST
from gitupd.service.certificates.rolling import RequestNames, RolloutView
from gitupd.service.certificates.signing import Signing
from gitupd.service.clock import now
from gitupd.service.rollouts.collecting import hand_in_matching
from gitupd.service.rollouts.overview import CertificateOverview
from gitupd.web.access import actor, needs
from gitupd.web.context import served
from gitupd.web.language.forms import grouped
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext, ngettext, plural
from gitupd.web.pages import paging
from gitupd.web.pages.certificate_choice import RolloutsAsked

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from flask import Blueprint
    from werkzeug.wrappers import Response as Redirection

    from gitupd.core.caller import Serial
    from gitupd.core.policy import Certificates
    from gitupd.service.certificates.rolling import DeviceRollout
    from gitupd.service.certificates.signing import SigningOutcome

Deed = Literal["approve", "reject", "restart", "revoke"]

_NAMED = 10
_TOLD = 5
_APPLIES: Mapping[Deed, tuple[Stage, ...]] = {
    "approve": (Stage.SIGNING,),
    "reject": (Stage.SIGNING,),
    "restart": tuple(stage for stage in Stage if stage not in SETTLED),
    "revoke": tuple(Stage),
}
"""Of all that are listed, at which stages a deed means a device."""


@dataclass(frozen=True, slots=True)
class Concerned:
    """A device that a question names, and what its request asks for."""

    record: DeviceRollout
    names: RequestNames | None


def install(bp: Blueprint) -> None:
    """Have *bp* answer what is posted, and lead back who reloads a question."""
    bp.add_url_rule("/certificates/upload", "collect", collect, methods=["POST"])
    bp.add_url_rule("/certificates/<serial>/upload", "upload", upload, methods=["POST"])
    for deed in _APPLIES:
        bp.add_url_rule(f"/certificates/{deed}", deed, _doing(deed), methods=["POST"])
        bp.add_url_rule(f"/certificates/{deed}", "nothing_asked", nothing_asked)


def offered(policy: Certificates | None, stages: Collection[Stage] = ()) -> tuple[Deed, ...]:
    """Return what can be done to devices at *stages* (none: any) whose certificates are rolled out by *policy*."""
    is_approved = policy is not None and policy.signing != "manual"
    has_authority = served().site.authority.current() is not None
    possible: dict[Deed, bool] = {"approve": is_approved, "reject": True, "restart": True, "revoke": has_authority}
    applying = {deed for deed, its in _APPLIES.items() if not stages or not set(its).isdisjoint(stages)}
    return tuple(deed for deed, is_possible in possible.items() if is_possible and deed in applying)


@needs(Role.OPERATOR)
def upload(serial: str) -> Redirection:
    """Hand in the signed certificate for the request of a device: a file, or its text."""
    device = parse_serial(serial)
    file = request.files.get("file")
    content = (file.stream.read(LARGEST + 1) if file else b"") or request.form.get("text", "").encode()
    try:
        RolloutView(served().site).hand_in(device, content, actor(), now())
    except (InvalidEntry, SiteError) as error:
        flash(
            gettext("The certificate for %(device)s was not taken: %(error)s.", device=device, error=in_words(error)),
            "danger",
        )
    else:
        flash(gettext("%(device)s installs its certificate when it polls next.", device=device), "success")
    return redirect(_back(), 303)


@needs(Role.OPERATOR)
def collect() -> Redirection:
    """Hand in any number of signed certificates, each for the request that waits with its key."""
    files = [(each.filename or "", each.stream.read(LARGEST + 1)) for each in request.files.getlist("files") if each]
    if text := request.form.get("text", "").strip():
        files.append((gettext("the text"), text.encode()))
    ended = list(hand_in_matching(served().site, files, actor(), now()))
    taken = [each for each in ended if each.serial is not None]
    refused = [f"{each.file}: {each.fault}" for each in ended if each.serial is None]
    if not ended:
        flash(gettext("No file was chosen, so nothing was done."), "warning")
    if taken:
        done = ngettext(
            "%(number)s certificate was taken, and installed with the next poll.",
            "%(number)s certificates were taken, and installed with the next poll.",
            len(taken),
        )
        flash(done, "success")
    if refused:
        failed = ngettext(
            "%(number)s file was not taken: %(files)s.",
            "%(number)s files were not taken: %(files)s.",
            len(refused),
            files=_some(refused),
        )
        flash(failed, "danger")
    return redirect(_back(), 303)


def _doing(deed: Deed) -> Callable[[], str | Redirection]:
    @needs(Role.OPERATOR)
    def done() -> str | Redirection:
        return _do(deed)

    return done


def _do(deed: Deed) -> str | Redirection:
    serials = _chosen(deed)
    if not serials:
        lacking = gettext(
            "No device was chosen that this could be done to. Tick some, or the box below the list for all of them."
        )
        flash(lacking, "warning")
        return redirect(_back())
    view = RolloutView(served().site)
    records = [record for serial in serials if (record := view.of(serial))]
    seal = _seal(records)
    confirmed = paging.number(request.form.get("confirmed"), 0, 10**9, least=0)
    if len(serials) > confirmed or request.form.get("seal") != seal:
        return _question(deed, records, seal, again=confirmed > 0)
    try:
        _carry_out(deed, records)
    except GitupdError as error:
        flash(gettext("Nothing was done: %(error)s.", error=in_words(error)), "danger")
    return redirect(_back(), 303)


def _carry_out(deed: Deed, records: Sequence[DeviceRollout]) -> None:
    """Do it, and say what became of it; raises GitupdError if nothing did."""
    serials, view = [record.serial for record in records], RolloutView(served().site)
    if deed == "restart":
        for serial in serials:
            view.start_over(serial, actor(), now())
        flash(_restarted(serials), "success")
        return
    signing, reason = Signing(served().site), request.form.get("reason", "")
    match deed:
        case "approve":
            outcomes = signing.approve(serials, actor(), now(), view.digests(records))
        case "reject":
            outcomes = signing.reject(serials, reason, actor(), now())
        case "revoke":
            outcomes = signing.revoke(serials, reason, actor(), now())
        case _:
            assert_never(deed)
    _tell(deed, outcomes)


_DONE: Mapping[Deed, tuple[str, str]] = {
    "approve": plural(
        "The requests of %(number)s device are approved. Certificates are installed with the next poll.",
        "The requests of %(number)s devices are approved. Certificates are installed with the next poll.",
    ),
    "reject": plural(
        "The requests of %(number)s device are rejected.", "The requests of %(number)s devices are rejected."
    ),
    "revoke": plural(
        "The certificates of %(number)s device are revoked, and prove nothing any more.",
        "The certificates of %(number)s devices are revoked, and prove nothing any more.",
    ),
}


def _tell(deed: Deed, outcomes: Sequence[SigningOutcome]) -> None:
    done = [each for each in outcomes if each.is_done]
    lacking = [f"{each.serial}: {each.detail}" for each in outcomes if not each.is_done]
    if done:
        flash(ngettext(*_DONE[deed], len(done)), "success")
    if lacking:
        left = ngettext(
            "%(number)s device was left as they are: %(devices)s.",
            "%(number)s devices were left as they are: %(devices)s.",
            len(lacking),
            devices=_some(lacking),
        )
        flash(left, "danger")


def _restarted(serials: Sequence[Serial]) -> str:
    return ngettext(
        "%(device)s starts over when it polls next.",
        "%(number)s devices start over when they poll next.",
        len(serials),
        device=serials[0],
    )


def _chosen(deed: Deed) -> list[Serial]:
    if request.form.get("all") != "1":
        return [parse_serial(text) for text in dict.fromkeys(request.form.getlist("sn"))]
    overview = CertificateOverview(served().site, served().live, now())
    asked = RolloutsAsked.in_arguments(request.form, request.form.getlist("stage"))
    if asked.fault:
        raise InvalidEntry(asked.fault)
    listed = asked.choice(overview)
    stages = tuple(stage for stage in listed.stages or Stage if stage in _APPLIES[deed])
    return overview.serials(replace(listed, stages=stages)) if stages else []


def _seal(records: Sequence[DeviceRollout]) -> str:
    """Return what is another if any of the requests is: nobody agrees to what was not shown."""
    digest = hashlib.sha256()
    for record in records:
        digest.update(record.serial.digits.encode())
        digest.update(hashlib.sha256(record.rollout.request or b"").digest())
    return digest.hexdigest()


def _question(deed: Deed, records: Sequence[DeviceRollout], seal: str, *, again: bool) -> str:
    named = [
        Concerned(record, RequestNames.of(record.rollout.request) if record.rollout.request else None)
        for record in records[:_NAMED]
    ]
    everybody = request.form.get("all") == "1"
    return render_template(
        "certificates/confirm.html",
        deed=deed,
        count=len(records),
        named=named,
        serials=() if everybody else [record.serial for record in records],
        seal=seal,
        again=again,
        reason=request.form.get("reason", ""),
        back=_back(),
    )


def nothing_asked() -> Redirection:
    """Lead back to the list whoever reloads a question."""
    return redirect(url_for("certificates.index"))


def _back() -> str:
    """Return where the form came from: the page of one device, or the list as it was filtered."""
    if one := request.form.get("device", ""):
        return url_for("devices.device", serial=str(parse_serial(one)), _anchor="rollout")
    q, week = (request.form.get(name) or None for name in ("q", "week"))
    return url_for("certificates.index", stage=request.form.getlist("stage") or None, q=q, week=week)


def _some(texts: Sequence[str]) -> str:
    more = [gettext("and %(number)s more", number=grouped(len(texts) - _TOLD))] if len(texts) > _TOLD else []
    return "; ".join([*texts[:_TOLD], *more])
