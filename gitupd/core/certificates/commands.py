"""What a device is told at each stage of a roll-out, in the words of the server that gitupd replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.actions import Do
from gitupd.core.certificates.request import request_command
from gitupd.core.certificates.rollout import Stage
from gitupd.core.endpoint import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.actions import Action
    from gitupd.core.caller import Caller
    from gitupd.core.situation import Situation

REQUEST = "X509/REQUEST"
REQUEST_KEY = "X509/REQUESTKEY"
REQUEST_ERROR = "X509/REQUESTERROR"
RESPONSE = "X509/REQUESTRESPONSE"

_FILES = {REQUEST: "request.p10.der", REQUEST_ERROR: "requesterror"}
_FURTHER = {REQUEST: "&proc=var2bin&postproc=createPemFromDer", REQUEST_ERROR: ""}

_ASKED_FOR_ERROR = frozenset({Stage.REQUEST, Stage.FETCH, Stage.SIGNING, Stage.INSTALL})
"""Stages at which a device is asked for its last error, if it has one, before all else."""

_REMOVED = {
    Stage.CLEAN_UP: (REQUEST, REQUEST_KEY),
    Stage.START_OVER: (REQUEST, REQUEST_KEY, REQUEST_ERROR),
}


def stage_commands(s: Situation, stage: Stage) -> Iterator[Action]:
    """Yield what the device of *s* is told at *stage*, if that holds up all else."""
    if stage in _ASKED_FOR_ERROR:
        yield _dump(s.caller, REQUEST_ERROR)
    if stage is Stage.REQUEST and s.enrolment is not None:
        yield Do(request_command(s.policy.certificates, s.enrolment.words, s.caller.model).rstrip())
    elif stage is Stage.FETCH:
        yield _dump(s.caller, REQUEST)
    elif stage is Stage.INSTALL:
        for number, certificate in enumerate(_whole_chain(s)):
            yield Do(f"vars create {RESPONSE}/{number:05} pb {certificate.hex()}")
    elif stage is Stage.FAILED:
        yield Do("ser")  # which does nothing, and is in the recordings (172b)
    for variable in _REMOVED.get(stage, ()):
        yield Do(f"vars del {variable}")


def asked_file(serial: str, variable: str) -> str | None:
    """Return the file name that goes along with an upload of *variable*, None for one that nobody is asked for.

    *serial* is as the device writes it. Nothing is stored under that name; it is what the upload has to carry
    (recordings 165, 173).
    """
    return f"certs/{serial}-{_FILES[variable]}" if variable in _FILES else None


def _dump(caller: Caller, variable: str) -> Do:
    """Return the command that has a device upload the value of *variable*."""
    file = quoted(asked_file(caller.get("sn") or "", variable) or "")
    url = f"{caller.endpoint.full('update.php')}?mode=vardump&sn=#m&var={variable}&file={file}{_FURTHER[variable]}"
    return Do(f"mod cmd UP0 scfg {url} ser nop /always {quoted(f'vars read {variable}')}")


def _whole_chain(s: Situation) -> tuple[bytes, ...]:
    """Return what the device is to install: its own certificate, what came with it, and the authority's, each once."""
    signed = () if s.enrolment is None else s.enrolment.rollout.signed
    return tuple(dict.fromkeys((*signed, *s.snapshot.chain)))
