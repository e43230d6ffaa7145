"""The page that answers what a device would get, from any commit; the whole question is in its address."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request

from gitupd.core.caller import parse_caller, parse_serial
from gitupd.core.imagined import SERIAL, SOMEWHERE, ImaginedDevice
from gitupd.core.people.person import Role
from gitupd.core.script import hiding
from gitupd.errors import GitupdError, MalformedRequest
from gitupd.service.clock import now
from gitupd.service.deployments.live import basis_of
from gitupd.service.imagining import Imagining, of_readable_size
from gitupd.web.access import actor
from gitupd.web.context import reached, served
from gitupd.web.language.sentences import in_words
from gitupd.web.language.texts import gettext
from gitupd.web.pages.links import file_place
from gitupd.web.revisions import chosen, computing_for, describe, offers, readable, veil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gitupd.core.deployments.commit import CommitInfo
    from gitupd.core.imagined import ImaginedPoll
    from gitupd.core.policy import Policy
    from gitupd.core.script import ScriptLine
    from gitupd.core.snapshot import CommitId, Snapshot
    from gitupd.service.imagining import Slip
    from gitupd.web.revisions import Chosen

bp = Blueprint("preview", __name__)

_LONGEST = 200
_MOST_LINES = 750
_MOST_BOXES = 24
_MOST_DATED = 40


@dataclass(frozen=True, slots=True)
class Question:
    """What the form says, as it was entered; empty texts were left out."""

    model: str
    serial: str
    environments: tuple[str, ...]
    phase: str
    firmware: str
    bootcode: str
    check: str

    @property
    def device(self) -> ImaginedDevice:
        """The device that is meant."""
        return ImaginedDevice(
            model=self.model,
            serial=str(parse_serial(self.serial or SERIAL)),
            environments=",".join(self.environments) or None,
            phase=self.phase or None,
            firmware=self.firmware or None,
            bootcode=self.bootcode or None,
            check=self.check or None,
        )


@bp.get("/preview")
def index() -> tuple[str, int]:
    """Show the form, and the answer if it says which device."""
    question, revision = _question(), chosen()
    errors = _errors(question)
    if revision.fault:
        errors["rev"] = revision.fault
    slips: tuple[Slip, ...] = ()
    answer, failure = None, ""
    if question.model and not errors and revision.snapshot:
        try:
            imagining = _imagining(revision.snapshot)
            slips = imagining.slips(question.device)
            answer = of_readable_size(imagining.poll(question.device))
        except GitupdError as error:
            failure = in_words(error)
    commit = revision.commit
    page = render_template(
        "preview.html",
        question=question,
        default_serial=SERIAL,
        revision=revision,
        info=describe(commit).get(commit) if commit else None,
        errors=errors,
        failure=failure,
        answer=answer,
        slips=slips,
        lines=_shown(answer, revision.snapshot) if answer and revision.snapshot else (),
        changed=_changed(answer, commit) if answer and commit else {},
        most_lines=_MOST_LINES,
        origin_url=_origin_url(commit),
        offers=offers(),
        **_choices(question, _policy(revision)),
    )
    return page, 400 if errors or failure else 200


def _question() -> Question:
    said = request.args
    listed = ",".join(said.getlist("env")).split(",")
    return Question(
        model=said.get("type", "").strip(),
        serial=said.get("sn", "").strip(),
        environments=tuple(dict.fromkeys(filter(None, map(str.strip, listed)))),
        phase=said.get("phase", "").strip(),
        firmware=said.get("firmware", "").strip(),
        bootcode=said.get("bootcode", "").strip(),
        check=said.get("check", "").strip() if actor().role.allows(Role.OPERATOR) else "",  # it tells of secrets
    )


def _errors(question: Question) -> dict[str, str]:
    """Return what is wrong with each field, by its name."""
    said = {
        "type": question.model,
        "sn": question.serial,
        "env": ",".join(question.environments),
        "phase": question.phase,
        "firmware": question.firmware,
        "bootcode": question.bootcode,
        "check": question.check,
    }
    errors: dict[str, str] = {}
    for name, value in said.items():
        if len(value) > _LONGEST:
            errors[name] = gettext("more than %(most)s characters", most=_LONGEST)
        elif value:
            try:
                parse_caller({name: value}, SOMEWHERE)
            except MalformedRequest as error:
                only = gettext("letters, digits, and the like only, such as IP222")
                errors[name] = only if name == "type" else in_words(error)
    if not question.model and any(said.values()):
        errors["type"] = gettext("which type of device?")
    return errors


def _imagining(snapshot: Snapshot) -> Imagining:
    return Imagining(basis_of(served().site, snapshot), now(), computing_for(snapshot), reached())


def _shown(answer: ImaginedPoll, snapshot: Snapshot) -> list[ScriptLine]:
    hide = veil(snapshot)
    return [replace(line, text=readable(line.text, hiding(line, hide))) for line in answer.script.lines[:_MOST_LINES]]


def _changed(answer: ImaginedPoll, commit: CommitId) -> Mapping[str, CommitInfo]:
    """Return by path who last changed a snippet, as far as that is quickly told."""
    paths = [each.path for each in answer.script.selected[:_MOST_DATED]]
    try:
        with served().site.open_config() as repository:
            return repository.last_changes(commit, paths)
    except GitupdError:
        return {}  # the deployed commit may be served from its kept copy


def _origin_url(commit: CommitId | None) -> Callable[[str, int], str]:
    return lambda path, line: file_place(path, line, commit)


def _policy(revision: Chosen) -> Policy | None:
    """Return what the form offers choices from: the deployed commit's if that which was asked for can't be read."""
    live = served().live
    snapshot = revision.snapshot or (live.snapshot if live else None)
    return snapshot.policy if snapshot else None


def _choices(question: Question, policy: Policy | None) -> dict[str, object]:
    """Return what the form offers: what was chosen first, in its order, which matters."""
    environments = list(policy.environments) if policy else []
    unknown = [name for name in question.environments if policy and name not in environments]
    rest = [name for name in environments if name not in question.environments]
    return {
        "models": sorted({model for each in policy.classes for model in each.models}) if policy else [],
        "boxes": [*question.environments, *rest] if len(environments) <= _MOST_BOXES else None,
        "environments": environments,
        "unknown": unknown,
        "phases": policy.staged_phases if policy else (),
    }
