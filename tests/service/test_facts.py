"""Facts are the same on the command line and over HTTP, whichever listing they are in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from support.fleets import fill
from support.programs import Program, keys_of_each_role
from support.serving import serving

from gitupd.cli.main import cli
from gitupd.core.answers import AnsweredQuery, QueryAnswer
from gitupd.core.caller import parse_serial
from gitupd.core.device import Message
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.facts import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gitupd.service.site import Site

SERIAL = "00-90-33-00-00-02"
BY_HAND = {"policies/deploy.yaml": b"mode: manual\n"}


def test_times_are_told_in_one_form() -> None:
    noon = datetime(2026, 5, 1, 12, 0, 0, 123456, UTC)
    assert plain(noon) == plain(noon.astimezone(timezone(timedelta(hours=2)))) == "2026-05-01T12:00:00Z"
    assert (plain(None), plain(("a", "b"))) == (None, ["a", "b"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with something in each listing: a block, a token, a message, an answer, an unknown environment."""
    made, first = create_site(tmp_path_factory.mktemp("facts") / "site", who="test", now=now())
    files = {**made.config.files(made.config.resolve("main")), **BY_HAND}
    made.config.commit_files(files, "By hand", "Ada <ada@example.org>")
    deploy(made, "main", who="test", now=now())
    rollback(made, first.commit, who="test", now=now(), reason="phones ring")
    fill(made, 8, now())
    serial = parse_serial(SERIAL)
    made.inventory.tell(serial, Message(now(), "odd"))
    made.answers.save([AnsweredQuery(serial, QueryAnswer("admin", now(), '<info name="Reception"/>'), "Reception")])
    yield made
    made.close()


@pytest.fixture(scope="module")
def over_http(site: Site) -> Iterator[Callable[[str], Any]]:
    key = keys_of_each_role(site)[Role.ADMINISTRATOR]
    with serving(site.path) as server, Program(server, key) as program:
        server.ready()
        yield lambda path: program.get(path).json()


def on_the_command_line(site: Site, *arguments: str) -> Any:
    done = CliRunner().invoke(cli, [*arguments, "--json", "--site", str(site.path)], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("path", "key", "command"),
    [
        ("/devices", "devices", "devices"),
        ("/deployments", "deployments", "deployments"),
        ("/users", "users", "users list"),
        ("/users/administrator/tokens", "tokens", "users tokens administrator"),
        ("/audit", "entries", "audit"),
    ],
)
def test_listings_are_the_same(path: str, key: str, command: str, site: Site, over_http: Callable[[str], Any]) -> None:
    listed = over_http(path)[key]
    assert listed
    assert on_the_command_line(site, *command.split()) == listed


def test_a_device_is_the_same(site: Site, over_http: Callable[[str], Any]) -> None:
    known = over_http(f"/devices/{SERIAL}")
    answers = over_http(f"/devices/{SERIAL}/answers")["answers"]
    assert known["messages"]
    assert [answer["query"] for answer in answers if answer["received"]] == ["admin"]
    assert on_the_command_line(site, "device", SERIAL) == {**known, "answers": answers}


def test_the_fleet_in_numbers_is_the_same(site: Site, over_http: Callable[[str], Any]) -> None:
    fleet = over_http("/fleet")
    status = on_the_command_line(site, "status")
    assert fleet["deployment"] == over_http("/deployments/live")
    assert fleet.pop("convergence")  # goes until now, which is another moment
    assert status.pop("convergence")
    ahead = {each: status.pop(each) for each in ("next", "freeze", "frozen", "upstream")}
    assert {each: ahead[each] for each in ("freeze", "frozen", "upstream")} == {
        "freeze": None,
        "frozen": [],
        "upstream": None,
    }
    certificates = over_http("/certificates/summary")
    assert status == {**fleet, "trouble": None, "stalled": None, "certificates": certificates, "concerns": []}
