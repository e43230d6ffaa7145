"""The child process that runs ``scripting.py``: its source on the first line of input, a device on each further one.

It is started as a program by :mod:`gitupd.service.scripting.computing`, with its limits and the number of its parent as
arguments. It answers each device by one line of JSON, which carries the id of the question.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import math
import os
import resource
import signal
import sys
import threading
import traceback
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

_OPEN_FILES = 32
_HIDDEN_BELOW = 1024  # a higher number would need a larger table of open files


def _die_with(parent: int) -> None:
    """Have the kernel kill this process, but none that it starts, when the thread of *parent* that started it ends."""
    set_parent_death_signal = 1
    ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _hidden(descriptor: int) -> int:
    """Return a new number for *descriptor*, which becomes ``/dev/null``, and close it in every fork.

    Code that reads its input, prints, or closes all low numbers misses it. Code that looks for it finds it.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    new = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, min(limit, _HIDDEN_BELOW) - 2)
    os.dup2(2, descriptor)
    os.register_at_fork(after_in_child=lambda: os.close(new))
    return new


def _confine(memory: int) -> None:
    """Limit this process: *memory* in bytes, no writing to files, few of them open, no new processes.

    Each process it starts has the same limits once more. Root can raise them again, and Linux does not apply the last
    one to root at all; where it does apply, it is about threads too. What is open already stays so.
    """
    for limit, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_NPROC, 0),
    ):
        _, allowed = resource.getrlimit(limit)
        most = _lower(value, allowed)
        resource.setrlimit(limit, (most, most))


def _lower(value: int, allowed: int) -> int:
    return value if allowed == resource.RLIM_INFINITY else min(value, allowed)


def _allow(seconds: float) -> None:
    """Allow this process, and each one it starts, a little more than *seconds* of computing from now on.

    The parent's patience ends earlier: this is for a process that the parent can't kill. The code can raise it.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    limit = math.ceil(usage.ru_utime + usage.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (_lower(limit, most), most))


def _is_idle() -> bool:
    """Return whether the code has left neither a thread of Python nor a child process behind."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return threading.active_count() == 1
    return False


def _loaded(source: str) -> Any:
    """Return an instance of the class that *source* defines."""
    names: dict[str, Any] = {"__name__": "scripting"}
    exec(compile(source, "scripting.py", "exec"), names)  # noqa: S102 - running it is what this process is for
    classes = [defined for defined in names.values() if isinstance(defined, type) and defined.__module__ == "scripting"]
    return classes[0]()


def _lines(result: Any) -> list[str]:
    if isinstance(result, str | bytes | bytearray):
        raise TypeError("a text instead of a list of lines")
    return [str(line) for line in result]


def _answer(own: Any, facts: dict[str, Any]) -> dict[str, Any]:
    device = SimpleNamespace(**{**facts, "xml": ET.fromstring(facts["xml"])})  # noqa: S314 - made by the parent

    lines = {name: _lines(getattr(own, name)(device)) if hasattr(own, name) else [] for name in ("pre", "post")}
    return {**lines, "standard": bool(own.standard(device)) if hasattr(own, "standard") else True}


def _where(error: BaseException) -> str:
    """Return *error* with the line of scripting.py it came from."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "scripting.py"]
    place = f"scripting.py:{frames[-1].lineno}: " if frames else "scripting.py: "
    return f"{place}{type(error).__name__}: {error}"


def _reply(own: Any, failure: str | None, question: dict[str, Any]) -> str:
    """Return the answer to *question* as a line; *failure* is that of loading the code."""
    try:
        answer = {"failure": failure} if failure else _answer(own, question["device"])
        return json.dumps({**answer, "id": question["id"], "idle": _is_idle()})
    except BaseException as error:  # noqa: BLE001 - whatever the code does is its failure, SystemExit included
        return json.dumps({"failure": _where(error), "id": question["id"], "idle": _is_idle()})


def main() -> None:
    """Answer until there are no more questions."""
    memory, seconds, parent = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    _die_with(parent)
    questions, answers = os.fdopen(_hidden(0), "rb"), os.fdopen(_hidden(1), "w")
    _confine(memory)
    _allow(seconds)
    own, failure = None, None
    try:
        own = _loaded(json.loads(questions.readline()))
    except BaseException as error:  # noqa: BLE001 - as above
        failure = _where(error)
    for line in questions:
        _allow(seconds)
        answers.write(_reply(own, failure, json.loads(line)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
