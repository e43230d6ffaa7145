"""What a device would get that may not exist, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint

from gitupd.core.caller import parse_serial
from gitupd.core.imagined import SERIAL, ImaginedDevice
from gitupd.core.people.person import Role
from gitupd.errors import InvalidConfiguration
from gitupd.service.clock import now
from gitupd.service.deployments.live import basis_of
from gitupd.service.facts import line_facts
from gitupd.service.imagining import Imagining, of_readable_size
from gitupd.web.access import actor
from gitupd.web.api.answering import answer, missing
from gitupd.web.api.deployments import LONGEST_REVISION, commit_of
from gitupd.web.api.reading import RefusedRequest, query, text
from gitupd.web.context import reached, served
from gitupd.web.revisions import computing_for, readable_problems, veil

if TYPE_CHECKING:
    from flask import Response

    from gitupd.core.snapshot import Snapshot

bp = Blueprint("preview", __name__)
_FACT = text(200)
_MODEL = text(64, 1, "[A-Za-z0-9_.+-]+")


@bp.get("/preview")
def show() -> Response:
    """Tell what such a device would get."""
    said = query(
        type=_MODEL,
        sn=lambda value: str(parse_serial(value)),
        env=_FACT,
        phase=_FACT,
        polling=_FACT,
        firmware=_FACT,
        bootcode=_FACT,
        check=_FACT,
        rev=text(LONGEST_REVISION, 1),
    )
    if "type" not in said:
        raise RefusedRequest(400, "type: missing")
    snapshot = _snapshot(said.get("rev"))
    imagining = Imagining(basis_of(served().site, snapshot), now(), computing_for(snapshot), reached())
    device = _device(said)
    script = of_readable_size(imagining.poll(device)).script
    hide = veil(snapshot)
    lines = [line_facts(line, hide) for line in script.lines]
    warnings = [slip.text for slip in imagining.slips(device)]
    return answer({"commit": script.commit, "failure": script.failure, "warnings": warnings, "lines": lines})


def _device(said: dict[str, str]) -> ImaginedDevice:
    return ImaginedDevice(
        model=said["type"],
        serial=said.get("sn", SERIAL),
        environments=said.get("env"),
        phase=said.get("phase"),
        polling=said.get("polling"),
        firmware=said.get("firmware"),
        bootcode=said.get("bootcode"),
        check=said.get("check") if actor().role.allows(Role.OPERATOR) else None,  # it tells of secrets
    )


def _snapshot(revision: str | None) -> Snapshot:
    live = served().live
    if revision is not None:
        commit = commit_of(revision)
        try:
            return live.snapshot if live and commit == live.deployment.commit else served().snapshots.of(commit)
        except InvalidConfiguration as error:
            raise InvalidConfiguration(readable_problems(error.problems, commit)) from error
    if live is None:
        raise missing("deployment yet; name a revision")
    return live.snapshot
