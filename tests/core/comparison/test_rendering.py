from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.core.actions import BootcodeRequested, FirmwareRequested
from gitupd.core.comparison.rendering import ComparedLine
from gitupd.core.situation import Computed

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.core.comparison.rendering import Rendering

SNIPPET = "snippets/all-all-all.txt"
FILES = {
    "phases.yaml": "phases: {staging: {order: 1}, update: {order: 2}}",
    "policies/backup.yaml": "enabled: false",
    SNIPPET: "config add A\n# comment\n\n config add B \n",
}


def test_lines_are_those_that_say_what_a_device_is_to_be(render: Callable[..., Rendering]) -> None:
    made = render(FILES)
    assert made.lines == (
        ComparedLine(b"# phase update, environments default, classes phone pre_opus_phone phone_newui ip222"),
        ComparedLine(b"# from snippets/all-all-all.txt"),
        *(ComparedLine(text, SNIPPET) for text in (b"config add A", b"# comment", b"", b" config add B ")),
        ComparedLine(b"config write"),
        ComparedLine(b"config activate"),
        ComparedLine(b"iresetn"),
    )
    assert made.onward == ()
    assert made.check is not None
    assert len(made.check) == 32
    assert made.size == 2
    assert made.executed == (b"config add A", b"config add B")
    assert made.failure is None


def test_what_leads_on_is_told_apart(render: Callable[..., Rendering]) -> None:
    staging = render(FILES, "phase=staging&type=IP222&sn=00-90-33-30-00-af&hwid=h&ip=10.0.0.7")
    assert [line.split()[1] for line in staging.onward] == [b"cmd", b"add", b"add", b"add"]
    assert not any(line.text.startswith(b"config add UP1") for line in staging.lines)
    assert staging.check is None


def test_what_is_executed_already_is_executed_no_more(render: Callable[..., Rendering]) -> None:
    done = render(FILES, executed=FILES)
    assert (done.is_executed, done.executed, done.size) == (True, (), 2)
    assert done.lines == render(FILES).lines
    assert not render({**FILES, SNIPPET: "config add C"}, executed=FILES).is_executed


def test_computed_lines_are_from_the_code_and_its_failure_is_told(render: Callable[..., Rendering]) -> None:
    files = {**FILES, "scripting.py": "class X:\n    def pre(self, device): return []\n"}
    made = render(files, computed=Computed(("config add C", "# no command"), ()))
    assert made.lines[1:3] == (
        ComparedLine(b"config add C", "scripting.py"),
        ComparedLine(b"# no command", "scripting.py"),
    )
    assert made.size == 3
    failed = render(files, computed=Computed(failure="it is broken"))
    assert failed.failure is not None
    assert "it is broken" in failed.failure


def test_builds_are_those_to_be_loaded(render: Callable[..., Rendering]) -> None:
    wanted = render({**FILES, "policies/firmware.yaml": "firmware: 137213\nbootcode: 131286\n"})
    assert wanted.builds == (FirmwareRequested("137213"), BootcodeRequested("131286"))


def test_where_the_essence_is_equal_all_else_is(render: Callable[..., Rendering]) -> None:
    other = "phase=update&polling=0&type=IP222&sn=00-90-33-30-00-b0&hwid=IP222-30-00-b0&ip=10.0.0.8"
    assert render(FILES).essence == render(FILES, other).essence
    assert render(FILES).essence != render(FILES, executed=FILES).essence
    assert render(FILES).essence != render(FILES, f"{other}&PROT=137213").essence
