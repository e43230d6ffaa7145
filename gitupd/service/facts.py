"""What there is to tell as plain facts, the same for programs on the command line and over HTTP.

All of them are values of JSON, and times are after RFC 3339, in UTC, as 2026-05-01T09:30:00Z.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gitupd.core.concealing import Veil
from gitupd.core.deployments.convergence import QUORUMS, Force
from gitupd.core.script import hiding

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from gitupd.core.admission.codes import Code
    from gitupd.core.certificates.standing import CertificateStanding
    from gitupd.core.deployments.convergence import Convergence, Progress
    from gitupd.core.deployments.deployment import Deployment
    from gitupd.core.device import Device
    from gitupd.core.identity import Certificate, Identity
    from gitupd.core.people.audit import AuditEntry
    from gitupd.core.people.person import Token, User
    from gitupd.core.script import ScriptLine
    from gitupd.core.searches.saved import SavedSearch
    from gitupd.core.snapshot import CommitId, SnippetName
    from gitupd.core.stories.happening import Happening
    from gitupd.errors import Problem
    from gitupd.service.answers import ShownAnswer
    from gitupd.service.fleet import Fleet, Share, Summary

OPEN = Veil(lifted=True)
_OF_A_DEVICE = (
    "hardware_id",
    "previous_hardware_id",
    "key",
    "previous_key",
    "key_changed",
    "address",
    "own_address",
    "proxy",
    "previous_address",
    "environments",
    "unknown_environments",
    "classes",
    "admission",
    "phase",
    "settled",
    "firmware",
    "firmware_wanted",
    "firmware_requested",
    "bootcode",
    "bootcode_wanted",
    "bootcode_requested",
    "check",
    "first_seen",
    "last_seen",
    "sent",
    "sent_at",
    "snippets",
    "confirmed",
    "confirmed_at",
)
"""What is told under the name it has in :class:`~gitupd.core.device.Device`."""


def plain(value: Any) -> Any:
    """Return a remembered value as one of JSON."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


def device_facts(fleet: Fleet, device: Device, put: Callable[[Any], Any] = plain, hide: Veil = OPEN) -> dict[str, Any]:
    """Return what is known of *device*, each value put as *put* puts it; None for what was never said.

    As they are put by itself, all of them are values of JSON, and times are after RFC 3339. *hide* says who asks.
    """
    return {
        "serial": str(device.serial),
        "state": fleet.state(device).value,
        "name": device.name,
        "type": device.model,
        "warnings": list(fleet.warnings(device)),
        "alarmed": fleet.is_alarming(device),
        **{name: put(getattr(device, name)) for name in _OF_A_DEVICE},
        "check": put(hide.check(device.check)),
        "certificate": device.certificate and standing_facts(device.certificate, put),
    }


def standing_facts(standing: CertificateStanding, put: Callable[[Any], Any] = plain) -> dict[str, Any]:
    """Return what a device's certificate is at."""
    return {"stage": standing.stage.value, "expires": put(standing.expires)}


def inspected_facts(
    fleet: Fleet, device: Device, next_step: str, hide: Veil, progress: Progress | None
) -> dict[str, Any]:
    """Return all that is remembered of *device*, with what happens next; *hide* hides secrets.

    *progress* is what it has reached in the deployment that is live, None if it does not count in it.
    """
    messages = [{"at": plain(message.at), "text": hide.line(message.text)} for message in device.messages]
    return {
        **device_facts(fleet, device, hide=hide),
        "identity": device.identity and identity_facts(device.identity),
        "messages": messages,
        "next_step": hide.line(next_step),
        "progress": progress and progress_facts(progress),
    }


def progress_facts(progress: Progress) -> dict[str, Any]:
    """Return what a device has reached in a deployment; whether that is in force is None if it can't be told."""
    told = {Force.IN_FORCE: True, Force.DRIFTED: False}
    return {
        **{name: getattr(progress, name) for name in ("asked", "delivered", "confirmed", "unchanged")},
        "in_force": progress.force and told.get(progress.force),
    }


def identity_facts(identity: Identity) -> dict[str, Any]:
    """Return what a device has proved of who it is."""
    return {
        "trusted": identity.is_trusted,
        "reason": identity.reason,
        "certificate": identity.certificate and _certificate_facts(identity.certificate),
        "path": [_certificate_facts(above) for above in identity.path],
    }


def _certificate_facts(certificate: Certificate) -> dict[str, Any]:
    return {name: plain(value) for name, value in asdict(certificate).items()}


def answer_facts(answer: ShownAnswer, hide: Veil) -> dict[str, Any]:
    """Return what is shown of the answer to a query; *hide* hides secrets."""
    return {
        "query": answer.query,
        "title": answer.title,
        "received": plain(answer.received),
        "values": [{"title": title, "value": hide.variable(title, value)} for title, value in answer.values],
        "error": answer.error and hide.line(answer.error),
    }


def happening_facts(happening: Happening) -> dict[str, Any]:
    """Return something that happened to a device."""
    return {**asdict(happening), "at": plain(happening.at), "topic": happening.topic.value}


def line_facts(line: ScriptLine, hide: Veil) -> dict[str, Any]:
    """Return a line of a script, with what *hide* hides."""
    return {
        "number": line.number,
        "text": hiding(line, hide)(line.text),
        "kind": line.kind,
        "path": line.path,
        "line": line.line,
    }


def name_facts(names: Iterable[SnippetName]) -> list[dict[str, Any]]:
    """Return under which *names* a device would get snippets."""
    return [{"name": each.name, "path": each.path} for each in names]


def fleet_facts(
    summary: Summary,
    deployment: Deployment | None,
    blocked: Container[CommitId],
    convergence: Convergence | None = None,
    pace: str = "",
) -> dict[str, Any]:
    """Return the fleet in numbers, with the *deployment* they are about, None if nothing was deployed yet.

    *convergence* is that deployment in numbers, None if it was not measured, and *pace* what is said of its speed.
    """
    return {
        "total": summary.total,
        "present": summary.present,
        "missing": summary.missing,
        "current": summary.current,
        "waiting": summary.waiting,
        "warned": summary.warned,
        "alarmed": summary.alarmed,
        "phases": _shares(summary.phases),
        "firmware": _shares(summary.firmware),
        "models": _shares(summary.models),
        "environments": _shares(summary.environments),
        "last_seen": [asdict(bucket) for bucket in summary.last_seen],
        "convergence": [{"at": plain(point.at), "count": point.count} for point in summary.convergence],
        "strangers": asdict(summary.strangers),
        "deployment": deployment and deployment_facts(deployment, blocked, convergence, pace),
    }


def _shares(shares: Iterable[Share]) -> list[dict[str, Any]]:
    return [{"value": share.value, "count": share.count} for share in shares]


def deployment_facts(
    deployment: Deployment, blocked: Container[CommitId], convergence: Convergence | None = None, pace: str = ""
) -> dict[str, Any]:
    """Return a deployment; *blocked* are all commits that must not be deployed.

    *convergence* is how far it has come, None if it was not measured; *pace* what is said of its speed.
    """
    return {
        "id": deployment.id,
        "commit": deployment.commit,
        "at": plain(deployment.at),
        "who": deployment.who,
        "kind": deployment.kind,
        "replaced": deployment.replaced,
        "reason": deployment.reason,
        "blocked": deployment.commit in blocked,
        "convergence": convergence and convergence_facts(convergence, pace),
    }


def convergence_facts(convergence: Convergence, pace: str = "") -> dict[str, Any]:
    """Return how far a deployment has come, in numbers of devices; *pace* is what is said of its speed."""
    counts = ("counted", "asked", "delivered", "confirmed", "unchanged", "unconfirmed", "silent", "later")
    return {
        **{name: getattr(convergence, name) for name in (*counts, "in_force", "drifted", "untold")},
        "seconds": dict(zip(map(str, QUORUMS), convergence.seconds, strict=True)),
        "lasted": round(convergence.lasted, 3) if convergence.ended else None,
        "ended": plain(convergence.ended),
        "pace": pace or None,
    }


def problem_facts(problem: Problem) -> dict[str, str | int]:
    """Return a problem of a configuration."""
    return {
        "path": problem.path,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "hint": problem.hint,
        "severity": problem.severity.value,
    }


def user_facts(user: User) -> dict[str, Any]:
    """Return somebody who may log in."""
    return {
        "name": user.name,
        "role": user.role.value,
        "created": plain(user.created),
        "disabled": user.disabled,
    }


def token_facts(token: Token) -> dict[str, Any]:
    """Return a token, of which the key is not known."""
    return {
        "id": token.id,
        "user": token.user,
        "title": token.title,
        "role": token.role.value,
        "created": plain(token.created),
        "expires": plain(token.expires),
        "used": plain(token.used),
    }


def code_facts(code: Code, now: datetime) -> dict[str, Any]:
    """Return a one-time code, of which what devices show is not known; *now* tells whether it is still good."""
    return {
        "id": code.id,
        "title": code.title,
        "who": code.who,
        "created": plain(code.created),
        "expires": plain(code.expires),
        "state": code.state(now),
        "used": plain(code.used),
        "serial": code.serial and str(code.serial),
    }


def search_facts(search: SavedSearch) -> dict[str, Any]:
    """Return a saved search; what it says nothing of is empty, and the reader's choice or the usual."""
    view = search.view
    return {
        "id": search.id,
        "name": search.name,
        "shared": search.is_shared,
        "q": view.text,
        "columns": view.columns,
        "sort": view.order,
        "desc": view.descending,
        "at": plain(search.at),
        "who": search.who,
    }


def entry_facts(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry of the audit."""
    return {
        "id": entry.id,
        "at": plain(entry.at),
        "who": entry.who,
        "address": entry.address,
        "kind": entry.kind,
        "subject": entry.subject,
        "detail": entry.detail,
    }
