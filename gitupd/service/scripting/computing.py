"""Lines that the configuration's own code computes for a device, in a process that can't do much harm.

The code is trusted enough to be run at all (an operator has allowed it), but not to end in time, to be modest with
memory, or to leave the server's own process alone.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from gitupd.core.actions import Compute
from gitupd.core.situation import Computed
from gitupd.errors import GitupdError
from gitupd.service.scripting.child_process import ChildProcess, NoAnswer
from gitupd.service.scripting.device_xml import state_xml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.core.answers import QueryAnswer
    from gitupd.core.situation import Situation
    from gitupd.service.site import Site
    from gitupd.settings import Settings

_LONGEST_LINE = 20_000
_MOST_LINES = 10_000
_LONGEST_FAILURE = 300
_PATIENCE = 3  # how many others may use up their time before a poll gives up

log = structlog.get_logger()


class Computing:
    """Runs ``scripting.py`` in one child process, which is replaced when it fails, hangs, or the code changes."""

    def __init__(self, settings: Settings, site: Site | None = None) -> None:
        """Run code within the limits that *settings* give, or none at all.

        The code is told what *site* remembers of a device; None means that nothing is.
        """
        self._settings, self._site = settings, site
        # One thread asks for all polls, in their order. It also has to live on because the kernel takes the thread that
        # started the child for its parent, and kills the child when that thread ends.
        self._turns = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scripting")
        self._child: ChildProcess | None = None
        self._source: bytes | None = None

    def completed(self, situation: Situation, answers: Sequence[QueryAnswer] | None = None) -> Situation:
        """Return *situation* with its computed lines, or with the failure to compute them.

        The device has given *answers* to queries, None for those that are remembered. A device that only gets its
        update URL completed gets no lines, nor does one that must not have what needs trust: whatever the code says
        may be a secret, the reason why it failed as well, and strangers could keep it busy. That takes
        ``scripting_seconds`` once the poll has its turn, and three times as long until it gives that up.
        """
        if situation.snapshot.scripting is None or situation.caller.missing or situation.refusal is not None:
            return situation
        computed = self._compute(situation, situation.snapshot.scripting, answers)
        if computed.failure:  # it may quote what the code was told
            computed = replace(computed, failure=situation.snapshot.sealed.hidden(computed.failure))
        return replace(situation, computed=computed)

    def stop(self) -> None:
        """End the child process, after those polls that wait already."""
        self._turns.submit(self._end).result()

    def _compute(self, situation: Situation, source: bytes, answers: Sequence[QueryAnswer] | None) -> Computed:
        if not self._settings.scripting:
            return Computed(failure="this server does not run scripting.py; set scripting = true in gitupd.toml")
        try:
            facts = _facts(*self._remembered(situation, answers))
        except GitupdError as error:
            log.error("what is remembered of a device can't be read", error=str(error))
            return Computed(failure="what is remembered of the device can't be read")
        patience = _PATIENCE * self._settings.scripting_seconds
        future = self._turns.submit(self._ask, source, facts)
        try:
            return future.result(patience)
        except TimeoutError:
            if future.cancel():
                return Computed(
                    failure=f"it did not get its turn within {patience:g} s, so slow is it for other devices"
                )
            return future.result()  # it has its turn, which ends in time

    def _remembered(
        self, situation: Situation, answers: Sequence[QueryAnswer] | None
    ) -> tuple[Situation, Sequence[QueryAnswer]]:
        """Return *situation* with the device that is remembered, and its answers to queries."""
        serial = situation.caller.serial
        if self._site is None or serial is None:
            return situation, answers or ()
        device = situation.device or self._site.inventory.device(serial)
        return replace(situation, device=device), self._site.answers.of(serial) if answers is None else answers

    def _ask(self, source: bytes, facts: dict[str, Any]) -> Computed:
        name = secrets.token_hex(16)
        question = json.dumps({"id": name, "device": facts}).encode() + b"\n"
        try:
            reply = _reply(self._answer(source, question), name)
            if reply.get("idle") is not True:
                self._end()
            return _understood(reply)
        except NoAnswer as error:
            self._end()
            return Computed(failure=str(error))
        except (OSError, ValueError, RecursionError) as error:
            self._end()
            return Computed(failure=_storable(f"no usable answer: {error}"))

    def _answer(self, source: bytes, question: bytes) -> bytes:
        """Return what the child answers, which is started if there is none for *source*."""
        seconds = self._settings.scripting_seconds
        if self._child is not None and source == self._source and self._child.is_waiting():
            return self._child.ask(question, seconds)
        self._end()
        limits = (self._settings.scripting_memory * 2**20, seconds, os.getpid())
        self._child = ChildProcess([sys.executable, "-I", "-m", "gitupd.service.scripting.child", *map(str, limits)])
        self._source = source
        return self._child.ask(json.dumps(source.decode()).encode() + b"\n" + question, seconds)

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()


def _facts(situation: Situation, answers: Sequence[QueryAnswer]) -> dict[str, Any]:
    """Return what the code is told of the device, which has given *answers*."""
    caller = situation.caller
    serial = "" if caller.serial is None else str(caller.serial)
    return {
        "sn": caller.get("sn") or "",
        "serial": serial,
        "type": caller.model,
        "hwid": caller.get("hwid") or "",
        "ip": caller.get("ip") or "",
        "name": situation.known.name or "",
        "phase": situation.phase,
        "environments": list(situation.environments),
        "classes": [device_class.name for device_class in situation.classes],
        "firmware": caller.get("PROT") or "",
        "bootcode": caller.get("BOOT") or "",
        "arguments": dict(caller.arguments),
        "variables": dict(situation.variables),
        "secrets": dict(situation.secrets),
        "xml": state_xml(situation, answers),
    }


def _reply(answer: bytes, name: str) -> dict[str, Any]:
    """Return what the child says to the question of this *name*; raises NoAnswer, ValueError, or RecursionError."""
    reply = json.loads(answer)
    if not isinstance(reply, dict) or reply.get("id") != name:
        raise NoAnswer("it said something else than its answer")
    return reply


def _understood(reply: dict[str, Any]) -> Computed:
    """Return what the child's *reply* means; every line must be one."""
    if "failure" in reply:
        return Computed(failure=_storable(reply["failure"]) if isinstance(reply["failure"], str) else "not understood")
    try:
        before, after = _lines(reply.get("pre")), _lines(reply.get("post"))
    except ValueError as error:
        return Computed(failure=_storable(str(error)))
    if len(before) + len(after) > _MOST_LINES:
        return Computed(failure="more lines than can be meant")
    standard = reply.get("standard")
    return Computed(before, after, standard) if isinstance(standard, bool) else Computed(failure="not understood")


def _lines(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        raise ValueError("a text instead of a list of lines")  # noqa: TRY004 - an answer is wrong, not a call
    if not isinstance(value, list):
        raise ValueError("not a list of lines")  # noqa: TRY004 - as above
    return tuple(_line(line) for line in value)


def _line(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a list of lines: something else than a text")  # noqa: TRY004 - as above
    if len(value) > _LONGEST_LINE:
        raise ValueError("a line that is too long to be meant")
    try:
        Compute(value)
        value.encode()
    except ValueError as error:
        raise ValueError(f"not a list of lines: {error}") from error
    return value


def _storable(failure: str) -> str:
    """Return *failure* as it can be stored and shown: short, on one line, and made of characters."""
    return "".join(map(_visible, failure[:_LONGEST_FAILURE]))


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    return character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
