"""Commands on deployments: what they say of those that are to come."""

from __future__ import annotations

from pathlib import Path

from support.calling import called
from support.fleets import fill

from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.keeper import Keeper

_API = Path(__file__).parents[2] / "gitupd/web/openapi.yaml"


def test_what_may_be_overruled_is_named_where_one_looks(tmp_path: Path) -> None:
    help_ = " ".join(called("deploy", "--help", cwd=tmp_path).stdout.split())
    forced = " ".join(_API.read_text("utf-8").partition("operationId: deploy\n")[2].partition("responses:")[0].split())
    for said in (help_, forced):
        for word in ("builds on a blocked", "no history in common", "render tests", "brake", "frozen", "signed"):
            assert word in said


def test_what_comes_next_is_told_with_its_state_and_the_numbers_of_its_plan(tmp_path: Path) -> None:
    rule = {"policies/deploy.yaml": b"mode: automatic\ngrace: 0s\n"}
    site, first = create_site(tmp_path / "site", who="test", now=now())
    site.config.commit_files({**template_files(), **rule}, "By itself", "Ada <ada@example.org>")
    deploy(site, "main", who="test", now=now())
    assert called("deployments", cwd=site.path).stdout.startswith("   2  "), "nothing waits"
    fill(site, 40, now())
    more = {**template_files(), **rule, "snippets/all-all-all.txt": b"config add X /y\n"}
    head = site.config.commit_files(more, "For all", "Ada <ada@example.org>")
    Keeper(site, clock=now).tick()
    lines = called("deployments", cwd=site.path).stdout.splitlines()
    assert lines[0].startswith(f"next  {head[:12]} 'For all': braked, ")
    assert lines[1].startswith("      40 devices change, as of ")
    assert lines[2].startswith("   2  ")
    deploy(site, head, who="test", now=now(), reason="it is meant", force=True)
    rollback(site, first.commit, who="test", now=now())
    assert called("deployments", cwd=site.path).stdout.startswith("   4  "), "the list says that"
    site.close()


def test_a_rollback_tells_which_lines_nothing_takes_back(tmp_path: Path) -> None:
    site, first = create_site(tmp_path / "site", who="test", now=now())
    fill(site, 40, now())
    lines = b"config add X /y 1 /z 2\nconfig add X /pw hush\n"
    demanding = {"policies/deploy.yaml": b"rollback_reason: required\n", "snippets/all-all-all.txt": lines}
    head = site.config.commit_files({**template_files(), **demanding}, "More", "Ada <ada@example.org>")
    deploy(site, head, who="test", now=now(), reason="it is meant", force=True)
    refused = called("rollback", first.commit, cwd=site.path)
    assert refused.returncode == 1
    assert "a rollback needs a reason here, for policies/deploy.yaml says rollback_reason: required" in refused.stderr
    told = called("rollback", first.commit, "--reason", "silent phones", cwd=site.path).stdout.splitlines()
    assert told[0].startswith(f"rolled back to {first.commit[:12]}")
    assert told[2:] == [
        "stays on devices that have executed it (40 devices): config add X /pw ***",
        "stays on devices that have executed it (40 devices): config add X /y 1 /z 2",
    ]
    site.close()
