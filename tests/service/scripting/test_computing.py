"""Lines that the configuration's own code computes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.waiting import until

from gitupd.config.loader import load
from gitupd.core.actions import script
from gitupd.core.caller import parse_caller
from gitupd.core.endpoint import Endpoint
from gitupd.core.plan import plan
from gitupd.core.situation import Computed, Situation
from gitupd.service.scripting.child_process import ChildProcess, NoAnswer
from gitupd.service.scripting.computing import Computing, _understood
from gitupd.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60.0
"""Seconds that are enough for everything that ends, on a machine that has other things to do."""

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
_FILES = {
    "environments.yaml": b"""\
environments:
  default: {variables: {gatekeeper: 10.0.0.1, a: default}}
  berlin: {implies: [intranet], variables: {gatekeeper: 10.1.0.1, b: berlin}}
  intranet: {variables: {gatekeeper: 10.9.0.1, c: intranet}}
""",
    "devices.yaml": b"devices: {00-90-33-30-00-b0: {name: Boss, environments: [berlin], variables: {a: own}}}\n",
}


@pytest.fixture
def computing() -> Iterator[Computing]:
    started = Computing(Settings(scripting=True, scripting_seconds=PATIENCE, scripting_memory=128))
    yield started
    started.stop()


@contextmanager
def haste(computing: Computing) -> Iterator[None]:
    """Allow the code next to no time while the block runs, which is for code that never ends."""
    patient = computing._settings
    computing._settings = replace(patient, scripting_seconds=0.8)
    yield
    computing._settings = patient


def _situation(source: str | None, **arguments: str) -> Situation:
    files = _FILES if source is None else {**_FILES, "scripting.py": source.encode()}
    said = {"type": "IP222", "sn": "00-90-33-30-00-af", "hwid": "h", "ip": "10.0.0.7", **arguments}
    return Situation(load(files), parse_caller(said, Endpoint("http", "x", 80)), NOON)


def _computed(computing: Computing, source: str | None, **arguments: str) -> Computed | None:
    return computing.completed(_situation(source, **arguments)).computed


def _own(body: str, *more: str) -> str:
    """Return a class whose ``pre`` has this one-line body."""
    return "\n".join(["class Own:", "    def pre(self, device):", f"        {body}", *more])


def test_lines_before_and_after_and_whether_snippets_are_sent(computing: Computing) -> None:
    source = _own(
        "return ['# é', 'config add A /b 1']",
        "    def post(self, device): return ('vars create X p 1', 2)",
        "    def standard(self, device): return device.type != 'IP222'",
    )
    expected = Computed(("# é", "config add A /b 1"), ("vars create X p 1", "2"), standard=False)
    assert _computed(computing, source) == expected
    assert _computed(computing, source, type="IP232") == Computed(expected.before, expected.after)


@pytest.mark.parametrize("demanded", ["https: required", "client_certificate: required"])
def test_strangers_set_no_code_going_and_hear_nothing_of_it(computing: Computing, demanded: str) -> None:
    files = {**_FILES, "scripting.py": _own('raise ValueError("a secret")').encode()}
    said = {"type": "IP222", "sn": "00-90-33-30-00-af", "hwid": "IP222-30-00-af", "ip": "10.0.0.7"}
    caller = parse_caller(said, Endpoint("http", "x", 80))
    assert computing.completed(Situation(load(files), caller, NOON)).computed is not None
    files["policies/transport.yaml"] = f"{demanded}\n".encode()
    situation = computing.completed(Situation(load(files), caller, NOON))
    assert situation.computed is None
    assert b"a secret" not in script(plan(situation))


def test_what_is_missing_says_nothing(computing: Computing) -> None:
    assert _computed(computing, "class Own:\n    def standard(self, device): return True\n") == Computed()
    assert _computed(computing, None) is None


def test_what_the_code_is_told(computing: Computing) -> None:
    source = _own(
        "d = device; return [repr(each) for each in (d.sn, d.serial, d.type, d.hwid, d.ip, d.name, d.phase,"
        " d.environments, d.classes[-1], d.firmware, d.bootcode, d.arguments['room'], sorted(d.variables.items()),"
        " d.xml.find('device').get('sn'), d.xml.find('firmware').get('build'))]"
    )
    told = _computed(computing, source, sn="00-90-33-30-00-B0", PROT="134250", BOOT="1", room="a&<b", env="default")
    assert told == Computed(
        (
            *("'00-90-33-30-00-B0'", "'00-90-33-30-00-b0'", "'IP222'", "'h'", "'10.0.0.7'", "'Boss'", "'update'"),
            *("['berlin', 'intranet']", "'ip222'", "'134250'", "'1'", "'a&<b'"),
            "[('a', 'own'), ('b', 'berlin'), ('c', 'intranet'), ('gatekeeper', '10.1.0.1')]",
            *("'00-90-33-30-00-B0'", "'134250'"),
        )
    )


def test_bytes_that_are_no_characters_reach_the_code(computing: Computing) -> None:
    source = _own("return [repr(device.hwid), repr(device.xml.find('device').get('hwid'))]")
    computed = _computed(computing, source, hwid="x\udcff")
    assert computed == Computed(("'x\\udcff'", "'x\ufffd'"))


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        ("return [device.variables['nothing']]", "scripting.py:4: KeyError: 'nothing'"),
        ("return 1 / 0", "scripting.py:4: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "scripting.py:4: SystemExit: 3"),
        ("return bytearray(10**9)", "scripting.py:4: MemoryError: "),
        ("return pre(device)", "scripting.py:4: NameError: name 'pre' is not defined"),
        ("import os; os.write(os.memfd_create('x'), b'x')", "scripting.py:4: OSError: [Errno 27] File too large"),
        ("return None", "scripting.py: TypeError: 'NoneType' object is not iterable"),
        ("return 'x'", "scripting.py: TypeError: a text instead of a list of lines"),
        ("return b'x'", "scripting.py: TypeError: a text instead of a list of lines"),
        ("return 5", "scripting.py: TypeError: 'int' object is not iterable"),
        ("return ['config write\\nreset']", "not a list of lines: not one line: 'config write\\nreset'"),
        ("return ['config write\\rreset']", "not a list of lines: not one line: 'config write\\rreset'"),
        ("return ['\\udcff']", "not a list of lines: 'utf-8' codec can't encode"),
        ("return ['x' * 20_001]", "a line that is too long to be meant"),
        ("return ['x'] * 10_001", "more lines than can be meant"),
        ("import os; os._exit(3)", "its process ended with 3"),
        ("raise ValueError('a\\nb\\x00c\\udcffd')", "scripting.py:4: ValueError: a b\ufffdc\ufffdd"),
    ],
)
def test_a_failure_is_told_and_the_next_device_is_served(computing: Computing, body: str, failure: str) -> None:
    source = _own(f"if device.sn.endswith('af'):\n            {body}", "        return ['fine']")
    computed = _computed(computing, source)
    assert computed is not None
    assert computed.failure is not None
    assert computed.failure.startswith(failure)
    assert _computed(computing, source, sn="00-90-33-30-00-01") == Computed(("fine",))


def test_code_that_can_not_be_loaded(computing: Computing) -> None:
    for source, failure in (
        ("import nowhere\n" + _own("return []"), "scripting.py:1: ModuleNotFoundError: No module named 'nowhere'"),
        ("x = 1 / 0\n" + _own("return []"), "scripting.py:1: ZeroDivisionError: division by zero"),
        (_own("return []", "    def __init__(self, x): pass"), "scripting.py: TypeError: "),
    ):
        computed = _computed(computing, source)
        assert computed is not None
        assert computed.failure is not None
        assert computed.failure.startswith(failure)


def test_code_that_never_ends_to_load(computing: Computing) -> None:
    with haste(computing):
        assert _failure(computing, "while True: pass\n" + _own("return []")) == TOO_LONG
        assert _failure(computing, "import time; time.sleep(600)\n" + _own("return []")) == TOO_LONG


def test_code_that_never_ends_is_ended_and_the_next_device_is_served(computing: Computing) -> None:
    source = _own("while device.sn.endswith('af'): pass", "        return ['fine']")
    with haste(computing):
        assert _failure(computing, source) == TOO_LONG
    assert _line(computing, source, sn="00-90-33-30-00-01") == "fine"


def test_printing_does_not_disturb(computing: Computing) -> None:
    source = _own(
        "import os, sys; print('{\"pre\": [\"reset\"]}', flush=True); print('x', file=sys.stderr);"
        " os.write(1, b'{}\\n'); return ['fine']"
    )
    for _ in range(2):
        assert _computed(computing, source) == Computed(("fine",))


def test_one_process_serves_until_the_code_changes(computing: Computing) -> None:
    source = "import os\n" + _own("return [str(os.getpid())]")
    first, second = _computed(computing, source), _computed(computing, source, type="IP232")
    assert first == second
    changed = _computed(computing, source + "\n# changed\n")
    assert changed is not None
    assert changed.failure is None
    assert changed != first
    computing.stop()
    assert _computed(computing, source) not in (first, changed)


def test_code_does_not_run_where_that_is_not_allowed() -> None:
    computing = Computing(Settings())
    assert _computed(computing, _own("return ['reset']")) == Computed(
        failure="this server does not run scripting.py; set scripting = true in gitupd.toml"
    )
    computing.stop()


TOO_LONG = "it took longer than 0.8 s, or more memory than is allowed"
# What the code has to do to write where its process answers.
_SAY = """\
import json, os, sys, time
def say(what):
    for each in os.listdir('/proc/self/fd'):
        try:
            if int(each) > 2:
                while what:
                    what = what[os.write(int(each), what):]
        except OSError:
            pass
"""
_READ_UP = """\
import fcntl, termios
def until_read():
    while any(waiting(int(each)) for each in os.listdir('/proc/self/fd') if int(each) > 2):
        time.sleep(0.001)
def waiting(pipe):
    try:
        return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
    except OSError:
        return 0
"""
forks = pytest.mark.skipif(os.geteuid() != 0, reason="Linux lets only root exceed the number of processes")


def _failure(computing: Computing, source: str, **arguments: str) -> str:
    computed = _computed(computing, source, **arguments)
    assert computed is not None
    assert computed.failure is not None
    return computed.failure


def _line(computing: Computing, source: str, **arguments: str) -> str:
    computed = _computed(computing, source, **arguments)
    assert computed is not None
    assert computed.failure is None
    return computed.before[0]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _members(group: int) -> list[int]:
    """Return the processes of *group* that run."""
    members = []
    for pid in [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]:
        try:
            if os.getpgid(pid) == group and _runs(pid):
                members.append(pid)
        except ProcessLookupError:
            continue
    return members


def _soon(ends: int) -> bool:
    """Return whether the process *ends*, which may take a while where there is much else to do."""
    return until(lambda: not _runs(ends), "it is still there")


@forks
def test_a_process_left_behind_holds_up_nothing_and_is_ended(computing: Computing) -> None:
    body = "pid = os.fork(); (pid or time.sleep(600)); return [f'{os.getpid()} {pid}']"
    first, left = _line(computing, "import os, time\n" + _own(body)).split()
    assert _soon(ends=int(left))
    assert not _runs(int(first))


@forks
def test_a_process_that_is_waited_for_ends_with_the_time(computing: Computing) -> None:
    source = "import multiprocessing, os, time\n" + _own(
        "each = multiprocessing.get_context('fork').Process(target=time.sleep, args=(600,)); yield str(os.getpid())",
        "        if device.sn.endswith('af'): each.start(); each.join()",
    )
    group = int(_line(computing, source, sn="00-90-33-30-00-01"))
    with haste(computing):
        assert _failure(computing, source) == TOO_LONG
    assert all(_soon(ends=each) for each in _members(group))


@forks
def test_a_fork_can_not_answer(computing: Computing) -> None:
    source = "import os, time\n" + _own("pid = os.fork(); pid and time.sleep(0.1); return ['own' if pid else 'fork']")
    assert _line(computing, source) == "own"


@forks
def test_a_fork_that_answers_too_is_not_taken_for_the_next_device(computing: Computing) -> None:
    # A fork that Python does not notice keeps the way to answer.
    source = "import ctypes, os\n" + _own("ctypes.CDLL(None).fork(); return [device.sn]")
    for number in range(10, 15):
        computed = _computed(computing, source, sn=f"00-90-33-30-00-{number}")
        assert computed in (
            Computed((f"00-90-33-30-00-{number}",)),
            Computed(failure="it said something else than its answer"),
        )


@pytest.mark.skipif(os.geteuid() == 0, reason="Linux does not limit the processes of root")
def test_code_can_not_start_processes(computing: Computing) -> None:
    assert _failure(computing, _own("import os; os.fork()")).startswith("scripting.py:3: BlockingIOError")


def test_threads_left_behind_end_with_their_process(computing: Computing) -> None:
    source = "import os, threading, time\n" + _own(
        "device.sn.endswith('af') and threading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
        "        return [str(os.getpid())]",
    )
    computed = _computed(computing, source)
    assert computed is not None
    if computed.failure is None:  # else there is a limit on threads too
        assert not _runs(int(computed.before[0]))
    assert _runs(int(_line(computing, source, sn="00-90-33-30-00-01")))


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        ("b'[' * 100_000 + b'\\n'", "no usable answer: maximum recursion depth exceeded"),
        ("b'9' * 10_000 + b'\\n'", "no usable answer: Exceeds the limit"),
        ("b'\\xff\\n'", "no usable answer: 'utf-8' codec can't decode"),
        ("b'\\n'", "no usable answer: Expecting value"),
        ('b\'{"id": "", "pre": ["reset"], "post": []}\\n\'', "it said something else than its answer"),
        ("b'[]\\n'", "it said something else than its answer"),
        ("b'[]\\n[]\\n'", "it said something else than its answer"),
        ("b'x' * 11_000_000", "its answer is too long to be meant"),
    ],
)
def test_what_is_no_answer_is_a_failure(computing: Computing, said: str, failure: str) -> None:
    source = _SAY + _own(f"device.sn.endswith('af') and (say({said}), time.sleep(600)); return ['fine']")
    assert _failure(computing, source).startswith(failure)
    assert _computed(computing, source, sn="00-90-33-30-00-01") == Computed(("fine",))


def test_what_is_said_unasked_is_not_taken_for_the_next_answer(computing: Computing) -> None:
    # The real answer comes once the forged one was read: so many bytes wait in a pipe, at whichever end one asks.
    source = (
        _SAY
        + _READ_UP
        + _own(
            "name = sys._getframe(3).f_locals['question']['id']",
            "        mine = {'id': name, 'pre': [device.sn], 'post': [], 'standard': True, 'idle': True}",
            "        say(json.dumps(mine).encode() + b'\\n'); until_read(); return [device.sn]",
        )
    )
    for number in range(10, 13):
        assert _line(computing, source, sn=f"00-90-33-30-00-{number}") == f"00-90-33-30-00-{number}"
        child = computing._child
        until(lambda child=child: child is None or not child.is_waiting(), "the real answer never comes")


def test_input_and_low_descriptors_are_not_the_way_to_the_server(computing: Computing) -> None:
    source = "import os, sys\n" + _own("os.closerange(3, 512); return [repr(sys.stdin.read())]")
    for _ in range(2):
        assert _line(computing, source) == "''"


def test_code_that_is_longer_than_a_pipe_takes_at_once(computing: Computing) -> None:
    deaf = "import time; time.sleep(600)\n" + _own("return []") + "\n#" + "x" * 300_000
    with haste(computing):
        assert _failure(computing, deaf) == TOO_LONG
    assert _line(computing, _own("return ['fine']") + "\n#" + "x" * 300_000) == "fine"


@pytest.mark.parametrize(
    ("program", "failure"),
    [
        ("import os, time; os.write(1, b'x\\n'); time.sleep(600)", "it said something else"),
        ("import os; os.write(1, b'x')", "its process ended with 0"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "its process ended with -15"),
        ("while True: print('x' * 100, end='')", "its answer is too long to be meant"),
    ],
)
def test_a_process_that_does_not_read_its_question(program: str, failure: str) -> None:
    with python(program) as child, pytest.raises(NoAnswer, match=failure):
        child.ask(b"x" * 1_000_000 + b"\n", PATIENCE)


def test_a_process_that_never_answers(tmp_path: Path) -> None:
    with python("import time; time.sleep(600)") as child:
        for _ in range(2):
            with pytest.raises(NoAnswer, match=r"it took longer than 0\.2 s, or more memory than is allowed"):
                child.ask(b"x" * 1_000_000 + b"\n", 0.2)
    closed = tmp_path / "closed"
    with python(f"import os, time; os.close(1); open({str(closed)!r}, 'w').close(); time.sleep(600)") as child:
        until(closed.exists)
        with pytest.raises(NoAnswer, match="it does not answer any more"):
            child.ask(b"x" * 1_000_000 + b"\n", 0.2)


@contextmanager
def python(program: str) -> Iterator[ChildProcess]:
    child = ChildProcess(["/usr/bin/env", "python3", "-S", "-c", program])
    try:
        yield child
    finally:
        child.end()


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        ({"failure": ["x"]}, "not understood"),
        ({"failure": "x" * 10_000}, "x" * 300),
        ({}, "not a list of lines"),
        ({"pre": "abc", "post": []}, "a text instead of a list of lines"),
        ({"pre": [], "post": {"a": "b"}}, "not a list of lines"),
        ({"pre": [], "post": [["a"]]}, "not a list of lines: something else than a text"),
        ({"pre": [1], "post": []}, "not a list of lines: something else than a text"),
        ({"pre": [], "post": [], "standard": 1}, "not understood"),
        ({"pre": [], "post": []}, "not understood"),
    ],
)
def test_answers_of_wrong_types(reply: dict[str, object], failure: str) -> None:
    assert _understood(json.loads(json.dumps(reply))) == Computed(failure=failure)


def test_a_child_outlives_the_thread_of_a_poll(computing: Computing) -> None:
    source, lines = "import os\n" + _own("return [str(os.getpid())]"), []
    for _ in range(2):
        poll = threading.Thread(target=lambda: lines.append(_line(computing, source)))
        poll.start()
        poll.join()
    assert lines[0] == lines[1]


def test_a_poll_does_not_wait_for_ever_for_its_turn() -> None:
    computing = Computing(Settings(scripting=True, scripting_seconds=0.2, scripting_memory=128))
    with ThreadPoolExecutor(24) as polls:
        failures = list(polls.map(lambda _: _failure(computing, "while True: pass\n" + _own("return []")), range(24)))
    computing.stop()
    late = [each for each in failures if each.startswith("it did not get its turn within 0.6 s")]
    turns = [each for each in failures if each.startswith("it took longer than 0.2 s")]
    assert len(late) + len(turns) == 24
    assert 1 <= len(turns) < len(late), "four turns, and some more only if polls came late"


def _ask_for_ever() -> None:
    computing = Computing(Settings(scripting=True, scripting_seconds=600))
    source = "import os, time\n" + _own("device.sn.endswith('01') and time.sleep(600); return [str(os.getpid())]")
    print(_line(computing, source), flush=True)
    _computed(computing, source, sn="00-90-33-30-00-01")


def test_a_killed_worker_leaves_no_orphan() -> None:
    program = f"import runpy, sys; sys.path = {sys.path!r}; runpy.run_path({__file__!r})['_ask_for_ever']()"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        child = int(worker.stdout.readline())
        time.sleep(0.1)  # it is to be asked something that it never answers
        assert _runs(child)
        worker.kill()
    assert worker.returncode == -signal.SIGKILL
    assert _soon(ends=child)
