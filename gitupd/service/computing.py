"""Lines that the configuration's own code computes for a device, in a process that can't do much harm.

The code is trusted enough to be run at all (an operator has allowed it), but not to end in time, to be modest with
memory, or to leave the server's own process alone.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gitupd.core.actions import Compute
from gitupd.core.plan import Computed
from gitupd.service.state import state_xml

if TYPE_CHECKING:
    from gitupd.core.plan import Situation
    from gitupd.settings import Settings

_LONGEST_LINE = 20_000
_MOST_LINES = 10_000


class Computing:
    """Runs ``scripting.py`` in one child process, which is replaced when it fails, hangs, or the code changes."""

    def __init__(self, settings: Settings) -> None:
        """Run code within the limits that *settings* give, or none at all."""
        self._settings = settings
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._source: bytes | None = None

    def completed(self, situation: Situation) -> Situation:
        """Return *situation* with its computed lines, or with the failure to compute them."""
        return replace(situation, computed=self._compute(situation))

    def stop(self) -> None:
        """End the child process."""
        with self._lock:
            self._end()

    def _compute(self, situation: Situation) -> Computed | None:
        source = situation.snapshot.scripting
        if source is None:
            return None
        if not self._settings.scripting:
            return Computed(failure="this server does not run scripting.py; set scripting = true in gitupd.toml")
        question = json.dumps(_facts(situation)).encode(errors="surrogateescape") + b"\n"
        with self._lock:
            reply = self._ask(source, question)
        return _understood(reply)

    def _ask(self, source: bytes, question: bytes) -> Any:
        if self._child is None or self._child.poll() is not None or source != self._source:
            self._end()
            try:
                self._start(source)
            except OSError as error:
                self._end()
                return {"failure": f"it can't be started: {error}"}
        child = self._child
        assert child is not None  # noqa: S101 - it was started just now
        assert child.stdin is not None  # noqa: S101 - it has pipes
        assert child.stdout is not None  # noqa: S101 - it has pipes
        watchdog = threading.Timer(self._settings.scripting_seconds, child.kill)
        watchdog.start()
        try:
            child.stdin.write(question)
            child.stdin.flush()
            line = child.stdout.readline()
            return json.loads(line) if line else {"failure": self._cause_of_death()}
        except (OSError, ValueError) as error:
            self._end()
            return {"failure": f"no usable answer: {error}"}
        finally:
            watchdog.cancel()

    def _start(self, source: bytes) -> None:
        memory = self._settings.scripting_memory * 2**20
        command = [sys.executable, "-I", "-m", "gitupd.service.computing_child", str(memory)]
        self._child = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PYTHONUTF8": "1"}
        )
        self._source = source
        assert self._child.stdin is not None  # noqa: S101 - it has pipes
        self._child.stdin.write(json.dumps(source.decode()).encode() + b"\n")

    def _cause_of_death(self) -> str:
        child = self._child
        code = None if child is None else child.wait()
        self._end()
        if code == -signal.SIGKILL:
            return f"it took longer than {self._settings.scripting_seconds:g} s, or more memory than is allowed"
        return f"its process ended with {code}"

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was still to be written has no reader any more
                    pipe.close()


def _facts(situation: Situation) -> dict[str, Any]:
    """Return what the code is told of the device."""
    caller = situation.caller
    serial = "" if caller.serial is None else str(caller.serial)
    variables: dict[str, str] = {}
    for name in reversed(situation.environments):
        variables |= situation.policy.environments[name].variables
    return {
        "sn": caller.get("sn") or "",
        "serial": serial,
        "type": caller.model,
        "hwid": caller.get("hwid") or "",
        "ip": caller.get("ip") or "",
        "name": situation.known.name or "",
        "phase": situation.phase,
        "environments": list(situation.environments),
        "classes": [each.name for each in situation.classes],
        "firmware": caller.get("PROT") or "",
        "bootcode": caller.get("BOOT") or "",
        "arguments": dict(caller.arguments),
        "variables": {**variables, **situation.known.variables},
        "xml": state_xml(situation),
    }


def _understood(reply: Any) -> Computed:
    """Return what the child's *reply* means; every line must be one."""
    if not isinstance(reply, dict) or "failure" in reply:
        failure = reply.get("failure") if isinstance(reply, dict) else "not understood"
        return Computed(failure=str(failure)[:500])
    try:
        before, after = tuple(reply["pre"]), tuple(reply["post"])
        for line in (*before, *after):
            Compute(line)
            line.encode()
            if len(line) > _LONGEST_LINE:
                return Computed(failure="a line that is too long to be meant")
    except (KeyError, TypeError, ValueError) as error:
        return Computed(failure=f"not a list of lines: {error}"[:500])
    if len(before) + len(after) > _MOST_LINES:
        return Computed(failure="more lines than can be meant")
    return Computed(before, after, reply.get("standard") is not False)
