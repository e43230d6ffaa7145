"""The command that fetches, and what others tell of the repository that a site follows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support.upstreams import Elsewhere, elsewhere, follow

from gitupd.cli.main import cli
from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


class Scene:
    """A site on disk, and the repository that it follows."""

    def __init__(self, site: Path, there: Elsewhere) -> None:
        self.site, self.there = site, there

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, [*arguments, "--site", str(self.site)])


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    site, _ = create_site(tmp_path / "site", who="test", now=now())
    there = elsewhere(site, tmp_path / "there.git")
    follow(site, there.path)
    site.close()
    return Scene(site.path, there)


def test_it_tells_what_has_moved_and_others_tell_how_it_stands(scene: Scene) -> None:
    before, commit = scene.there.head, scene.there.commit()
    assert "not fetched yet" in scene.run("status").output
    assert scene.run("fetch").output == f"main {before[:12]}..{commit[:12]}\n"
    assert scene.run("fetch").output == f"main is at {commit[:12]} there and here\n"
    told = json.loads(scene.run("fetch", "--json").output)
    assert (told["state"], told["head"], told["moved"]) == ("following", commit, False)
    assert f"upstream {scene.there.path}, branch main, fetched " in scene.run("status").output
    assert json.loads(scene.run("status", "--json").output)["upstream"]["head"] == commit


def test_a_refusal_says_how_to_agree(scene: Scene) -> None:
    commit = scene.there.commit(parents=())
    refused = scene.run("fetch")
    assert refused.exit_code == 1
    assert f"gitupd fetch --site {scene.site} --accept {commit[:12]} --reason WHY" in refused.output
    assert "warning" in scene.run("status").output
    assert commit[:12] in scene.run("doctor").output
    assert scene.run("fetch", "--accept", commit[:12]).exit_code == 2
    assert scene.run("fetch", "--accept", commit[:12], "--reason", "begin anew").exit_code == 0
    assert json.loads(scene.run("fetch", "--json").output)["refused"] is None


def test_the_doctor_sees_secrets_that_others_can_read(scene: Scene) -> None:
    (scene.site / "token").write_text("s3cret")
    (scene.site / "token").chmod(0o644)
    text = (scene.site / "gitupd.toml").read_text()
    url = 'url = "http://127.0.0.1:1/b.git"\ntoken_file = "token"\nwebhook_secret_file = "nowhere"'
    (scene.site / "gitupd.toml").write_text(f"{text.partition('[upstream]')[0]}[upstream]\n{url}\n")
    said = scene.run("doctor").output
    assert "others on this machine can read this secret" in said
    assert "webhook_secret_file of [upstream]" in said
    assert "http is not encrypted" in said
    assert "s3cret" not in said
