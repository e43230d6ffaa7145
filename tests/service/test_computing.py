"""Lines that the configuration's own code computes."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.config.loader import load
from gitupd.core.device import parse_caller
from gitupd.core.plan import Computed, Situation
from gitupd.core.url import Endpoint
from gitupd.service.computing import Computing
from gitupd.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    started = Computing(Settings(scripting=True, scripting_seconds=0.8, scripting_memory=128))
    yield started
    started.stop()


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
        ("return 5", "scripting.py: TypeError: 'int' object is not iterable"),
        ("return ['config write\\nreset']", "not a list of lines: not one line: 'config write\\nreset'"),
        ("return ['config write\\rreset']", "not a list of lines: not one line: 'config write\\rreset'"),
        ("return ['\\udcff']", "not a list of lines: 'utf-8' codec can't encode"),
        ("return ['x' * 20_001]", "a line that is too long to be meant"),
        ("return ['x'] * 10_001", "more lines than can be meant"),
        ("import os; os._exit(3)", "its process ended with 3"),
        ("while True: pass", "it took longer than 0.8 s, or more memory than is allowed"),
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
    started = time.monotonic()
    computed = _computed(computing, "while True: pass\n" + _own("return []"))
    assert computed is not None
    assert computed.failure == "it took longer than 0.8 s, or more memory than is allowed"
    assert time.monotonic() - started < 3


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
