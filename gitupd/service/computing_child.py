"""The child process that runs ``scripting.py``: its source on the first line of input, a device on each further one.

It is started as a program by :mod:`gitupd.service.computing`, and answers each line by one line of JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
from types import SimpleNamespace
from typing import Any, TextIO
from xml.etree import ElementTree as ET


def _confine(memory: int) -> TextIO:
    """Limit this process to *memory* bytes and no new files or processes; return the way back to the parent."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the code prints must not be taken for an answer
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return answers


def _loaded(source: str) -> Any:
    """Return an instance of the class that *source* defines."""
    names: dict[str, Any] = {"__name__": "scripting"}
    exec(compile(source, "scripting.py", "exec"), names)  # noqa: S102 - running it is what this process is for
    classes = [each for each in names.values() if isinstance(each, type) and each.__module__ == "scripting"]
    return classes[0]()


def _lines(said: Any) -> list[str]:
    if isinstance(said, str):
        raise TypeError("a text instead of a list of lines")
    return [str(line) for line in said]


def _answer(own: Any, facts: dict[str, Any]) -> dict[str, Any]:
    device = SimpleNamespace(**{**facts, "xml": ET.fromstring(facts["xml"])})  # noqa: S314 - made by the parent

    lines = {name: _lines(getattr(own, name)(device)) if hasattr(own, name) else [] for name in ("pre", "post")}
    return {**lines, "standard": bool(own.standard(device)) if hasattr(own, "standard") else True}


def _where(error: BaseException) -> str:
    """Return *error* with the line of scripting.py it came from."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "scripting.py"]
    place = f"scripting.py:{frames[-1].lineno}: " if frames else "scripting.py: "
    return f"{place}{type(error).__name__}: {error}"


def main() -> None:
    """Answer until there are no more questions."""
    answers = _confine(int(sys.argv[1]))
    source = json.loads(sys.stdin.readline())
    own, failure = None, None
    try:
        own = _loaded(source)
    except BaseException as error:  # noqa: BLE001 - whatever the code does is its failure, SystemExit included
        failure = _where(error)
    for line in sys.stdin:
        try:
            reply = {"failure": failure} if failure else _answer(own, json.loads(line))
        except BaseException as error:  # noqa: BLE001 - as above
            reply = {"failure": _where(error)}
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
