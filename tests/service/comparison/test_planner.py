"""Plans are made in the background, by a process of its own."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.fleets import fill
from support.waiting import until

from gitupd.service.clock import now
from gitupd.service.comparison.kept import KeptPlan, PlanFailed, PlanInProgress, Plans
from gitupd.service.comparison.planner import Planner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Sample

MORE = {"snippets/update-gw-all.txt": "config add X /y 1\n"}


@contextmanager
def running(sample: Sample) -> Iterator[Planner]:
    planner = Planner(sample.site)
    planner.start()
    yield planner
    planner.stop()


def children() -> list[int]:
    """Return the processes that this one has started and that make plans."""
    return [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdecimal()
        and b"planner_child" in said(folder / "cmdline")
        and f"PPid:\t{os.getpid()}\n".encode() in said(folder / "status")
    ]


def said(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # it has ended meanwhile


def test_what_is_wanted_is_made(sample: Sample) -> None:
    fill(sample.site, 50, now())
    heads = [sample.commit(MORE), sample.commit({**MORE, "snippets/all-all-all.txt": "x\n"})]
    plans = Plans(sample.site)
    with running(sample):
        for head in heads:
            assert isinstance(plans.wanted(sample.first, head, now()), PlanInProgress)
        for head, count in zip(heads, (22, 50), strict=True):
            plan = until(lambda head=head: plans.known(sample.first, head))
            assert plan.numbers.changed == count
            assert isinstance(plans.wanted(sample.first, head, now()), KeptPlan)
    assert children() == []


def test_what_lies_where_the_server_was_started_is_not_run(
    sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "structlog.py").write_text("raise SystemExit(7)\n")
    monkeypatch.chdir(tmp_path)
    fill(sample.site, 10, now())
    plans, head = Plans(sample.site), sample.commit(MORE)
    plans.wanted(sample.first, head, now())
    planner = Planner(sample.site)
    planner.look()
    assert isinstance(plans.wanted(sample.first, head, now()), KeptPlan)
    planner.stop()


def test_no_process_is_started_for_nobody(sample: Sample) -> None:
    planner = Planner(sample.site)
    planner.look()
    assert children() == []
    planner.stop()


@pytest.mark.slow
def test_one_that_is_killed_gives_up_what_it_was_at_and_another_goes_on(sample: Sample) -> None:
    fill(sample.site, 20_000, now())
    named = "\n".join(f"  009033{number:06x}: {{variables: {{desk: 'd{number}'}}}}" for number in range(20_000))
    head = sample.commit({"devices.yaml": f"devices:\n{named}\n", **MORE})
    plans = Plans(sample.site)
    with running(sample):
        plans.wanted(sample.first, head, now())
        row = until(lambda: (row := sample.site.plans.row(sample.first, head)) and row.begun and row)
        assert row.checked is None
        os.kill(until(children)[0], signal.SIGKILL)
        until(lambda: (row := sample.site.plans.row(sample.first, head)) and row.error)
        failed = plans.wanted(sample.first, head, now())
        assert isinstance(failed, PlanFailed)
        assert "ended with -9" in failed.reason
        other = sample.commit(MORE)
        plans.wanted(sample.first, other, now())
        assert until(lambda: plans.known(sample.first, other)).numbers.devices == 20_000


def test_it_ends_with_who_has_started_it(sample: Sample) -> None:
    fill(sample.site, 10, now())
    plans, head = Plans(sample.site), sample.commit(MORE)
    planner = Planner(sample.site)
    plans.wanted(sample.first, head, now())
    planner.look()
    assert isinstance(plans.wanted(sample.first, head, now()), KeptPlan)
    pid = until(children)[0]
    planner.stop()
    assert pid not in children()
