"""gitupd plan on a site, on a fleet in a file, and on a mere repository."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support import fleets
from support.secrets import Keyholder
from support.serving import serving
from support.visitors import add_key, add_person

from gitupd.cli.main import cli
from gitupd.config.loader import load
from gitupd.core.comparison.rendering import Rendering
from gitupd.core.people.person import Role
from gitupd.core.situation import Basis
from gitupd.core.snapshot import CommitId
from gitupd.errors import GitupdError, InvalidConfiguration
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.imagining import Imagining
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SNIPPET = "snippets/update-phone-homeoffice.txt"
SECRET = "correct-horse-battery-staple"


class Scene:
    """A site with devices, and commits of its repository."""

    def __init__(self, folder: Path) -> None:
        self.place = folder / "site"
        site = create_site(self.place, who="test", now=now())[0]
        fleets.fill(site, 60, now())
        self.base = site.deployments.live().commit  # type: ignore[union-attr]
        content = template_files()[SNIPPET]

        def commit(title: str, **changes: bytes) -> str:
            files = {name.replace("__", "/") + ".yaml": text for name, text in changes.items()}
            return site.config.commit_files({**template_files(), **files}, title, "Test <test@localhost>")

        self.readme = site.config.commit_files({**template_files(), "README.md": b"x"}, "x", "Test <t@localhost>")
        secret = content + f"config add PHONE/REG /pw {SECRET}\n".encode()
        self.head = site.config.commit_files({**template_files(), SNIPPET: secret}, "x", "Test <t@localhost>")
        self.broken = commit("x", phases=b"phases: []\n", policies__delivery=b"interval: soon\n")
        self.computing = site.config.commit_files(
            {**template_files(), "scripting.py": b"class X:\n    def post(self, device): return [device.sn]\n"},
            "x",
            "Test <t@localhost>",
        )
        more = template_files()["snippets/update-gw-all.txt"] + b"config add GW /more 1\n"
        gateways = {**template_files(), "snippets/update-gw-all.txt": more}
        self.gateways = site.config.commit_files(gateways, "x", "Test <t@localhost>")
        self.firmware = commit("x", policies__firmware=b"firmware: 999999\n")
        site.close()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("plan"))


def plan(*arguments: object, **more: object) -> Result:
    return CliRunner().invoke(cli, ["plan", *map(str, arguments)], **more)  # type: ignore[arg-type]


def test_a_site_is_asked_for_its_devices(scene: Scene) -> None:
    told = plan("--site", scene.place, scene.base, scene.head)
    assert told.exit_code == 2
    assert told.stdout.startswith("8 of 60 devices get something else: nothing follows from it beyond that.\n")
    assert "   + config add PHONE/REG /pw ***\n" in told.stdout
    assert SECRET not in told.stdout
    assert told.stderr == "", "there is no terminal to show progress on"
    assert plan(scene.place, scene.base, scene.head).stdout == told.stdout, "a site is a repository with devices"
    assert SECRET in plan(scene.place, scene.base, scene.head, "--show-secrets").stdout


def test_nothing_changes_by_a_file_that_concerns_no_device(scene: Scene) -> None:
    told = plan(scene.place, scene.base, scene.readme)
    assert (told.exit_code, told.stdout) == (0, "Nothing changes for any of 60 devices.\n")


def test_a_fleet_in_a_file_gets_the_same_plan(scene: Scene, tmp_path: Path) -> None:
    listed = CliRunner().invoke(cli, ["devices", "--json", "--site", str(scene.place)]).stdout
    (tmp_path / "fleet.json").write_text(listed)
    repository = scene.place / "config.git"
    for head in (scene.head, scene.firmware):
        here = json.loads(plan(scene.place, scene.base, head, "--format", "json").stdout)
        there = plan(repository, scene.base, head, "--format", "json", "--devices", tmp_path / "fleet.json")
        assert there.exit_code == 2
        elsewhere = json.loads(there.stdout)
        for group in (*here["groups"], *elsewhere["groups"]):
            for consequence in group["consequences"]:
                consequence.pop("present", None)  # only a site knows which files it has
                consequence.pop("text")
        assert [sorted(group["serials"]) for group in here["groups"]] != []
        if head == scene.head:
            assert elsewhere == here
    piped = plan(repository, scene.base, scene.head, "--devices", "-", input=listed)
    assert piped.stdout == plan(scene.place, scene.base, scene.head).stdout


def test_a_file_that_is_no_text_is_told(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "fleet.json").write_bytes(b'[{"serial": "\xff"}]')
    told = plan(scene.place, scene.base, scene.head, "--devices", tmp_path / "fleet.json")
    assert isinstance(told.exception, GitupdError)
    assert "fleet.json: no UTF-8" in str(told.exception)


def test_without_a_fleet_devices_are_imagined(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = scene.place / "config.git"
    told = plan(repository, scene.base, scene.head, "--format", "markdown")
    assert told.exit_code == 2
    assert "imagined devices get something else" in told.stdout
    assert "No fleet was given" in told.stdout
    monkeypatch.chdir(scene.place)
    assert plan(scene.base, scene.head).stdout.startswith("8 of 60 devices")
    monkeypatch.chdir(repository)
    assert plan(scene.base, scene.head, "--format", "markdown").stdout == told.stdout
    monkeypatch.setenv("GITUPD_SITE", str(scene.place))
    assert plan(scene.base, scene.head).stdout.startswith("8 of 60 devices")


def test_a_firmware_that_the_site_lacks_is_told(scene: Scene) -> None:
    told = plan(scene.place, scene.base, scene.firmware).stdout
    assert "firmware 999999 (now 137213), which is not on this server" in told
    assert " restart" not in told


def test_all_problems_of_the_commit_are_told(scene: Scene) -> None:
    told = plan(scene.place, scene.base, scene.broken)
    assert isinstance(told.exception, InvalidConfiguration)
    assert {problem.path for problem in told.exception.problems} >= {"phases.yaml", "policies/delivery.yaml"}


def test_a_commit_that_nothing_can_be_compared_with_is_told_apart(scene: Scene) -> None:
    told = plan(scene.place, scene.broken, scene.base)
    assert str(told.exception).startswith("nothing can be compared with BASE, for it has errors:\n")
    assert "policies/delivery.yaml:1:11: " in str(told.exception)


def test_whether_code_is_run_has_to_be_said(scene: Scene) -> None:
    repository = scene.place / "config.git"
    refused = plan(repository, scene.base, scene.computing)
    assert isinstance(refused.exception, GitupdError)
    assert "--no-scripting" in str(refused.exception)
    left_out = plan(scene.place, scene.base, scene.computing)  # the settings of the site say no
    assert left_out.exit_code == 0
    run = plan(scene.place, scene.base, scene.computing, "--scripting", "--full")
    assert run.exit_code == 2
    assert "+ 00-90-33-00-00-01" in run.stdout


@pytest.mark.parametrize("arguments", [(), ("main",), ("a", "b", "c", "d"), ("nowhere", "a", "b")])
def test_wrong_usage_is_told(arguments: tuple[str, ...]) -> None:
    assert plan(*arguments).exit_code == 2


def test_a_commit_that_is_not_there_is_told(scene: Scene) -> None:
    assert isinstance(plan(scene.place, scene.base, "nosuch").exception, GitupdError)


def test_what_is_encrypted_differs_by_its_digest_and_is_not_told(scene: Scene) -> None:
    site, someone = Site(scene.place), Keyholder()
    sealed = "snippets/update-phone-default.txt.age"
    before, after = (
        site.config.commit_files(
            {
                **{path: text for path, text in template_files().items() if path != sealed.removesuffix(".age")},
                sealed: someone.seal(f"config add PHONE/REG /pw {SECRET}{version}\n"),
            },
            "x",
            "Test <t@localhost>",
        )
        for version in (1, 2)
    )
    site.close()
    told = plan(scene.place, before, after)
    assert told.exit_code == 2, told.output
    assert f"{sealed} (encrypted, SHA-256 " in told.stdout
    assert SECRET not in told.stdout
    assert SECRET not in plan(scene.place, before, after, "--show-secrets").stdout
    assert plan(scene.place, after, after).exit_code == 0


@pytest.fixture(scope="module")
def served(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[Role, Path]]]:
    """Serve the site; return its URL, and files with a token for a viewer and one for an operator."""
    folder, files = tmp_path_factory.mktemp("tokens"), {}
    site = Site(scene.place)
    for role in (Role.VIEWER, Role.OPERATOR):
        add_person(site, f"a-{role}", role)
        files[role] = folder / role.value
        files[role].write_text(f"{add_key(site, f'a-{role}')}\n")
    site.close()
    with serving(scene.place) as server:
        server.ready()
        yield server.base, files


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_the_api_of_a_site_tells_the_fleet(scene: Scene, served: tuple[str, dict[Role, Path]], role: Role) -> None:
    repository, (url, tokens) = scene.place / "config.git", served
    told = plan(repository, scene.base, scene.head, "--from", f"{url}/", "--token-file", tokens[role])
    assert told.stdout == plan("--site", scene.place, scene.base, scene.head).stdout


def test_devices_that_have_executed_it_are_known_to_who_is_not_told_check(
    scene: Scene, served: tuple[str, dict[Role, Path]]
) -> None:
    repository, (url, tokens) = scene.place / "config.git", served
    site = Site(scene.place)
    device = next(each for each in site.inventory.polls() if each.request and each.model == "IP6010")
    base = Imagining(Basis(load(site.config.files(CommitId(scene.base)), CommitId(scene.base))), now())
    poll = base.again(device.request, device)
    check = Rendering(poll, poll).check
    asking = replace(device.request, arguments={**device.request.arguments, "CHECK": check})
    whole = site.inventory.device(device.serial)
    site.inventory.save_sightings([replace(whole, request=asking, confirmed=scene.base, messages=())])
    site.close()
    for token in tokens.values():
        told = plan(repository, scene.base, scene.readme, "--from", url, "--token-file", token)
        assert told.stdout.startswith("Nothing changes"), told.stdout
        told = plan(repository, scene.base, scene.gateways, "--from", url, "--token-file", token)
        assert "1 device: gets 1 line more; executes everything again" in told.stdout


@pytest.mark.parametrize(
    ("place", "token", "fault"),
    [
        ("ftp://x", "t", "is no URL of a site"),
        ("http://127.0.0.1:1", "t", "can't be asked"),
        ("{}", "t", "answers with 401"),
        ("{}", "a b", "no line of letters"),
        ("{}", "", "no line of letters"),
        ("{}/devices", "t", "answers with 303"),
    ],
)
def test_a_site_that_does_not_answer_is_told(
    scene: Scene, served: tuple[str, dict[Role, Path]], place: str, token: str, fault: str
) -> None:
    asked = ("--from", place.format(served[0]), "--token-file", "-")
    told = plan(scene.place / "config.git", scene.base, scene.head, *asked, input=token)
    assert told.exit_code == 1
    assert isinstance(told.exception, GitupdError)
    assert fault in str(told.exception)


def test_a_site_without_a_token_and_two_fleets_are_wrong_usage(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("[]")
    assert plan(scene.place, scene.base, scene.head, "--from", "http://x").exit_code == 2
    both = ("--from", "http://x", "--token-file", tmp_path / "x", "--devices", tmp_path / "x")
    assert "either --devices or --from" in plan(scene.place, scene.base, scene.head, *both).stderr
