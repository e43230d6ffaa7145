"""Answers to queries, in a real SQLite file and in a real PostgreSQL."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text
from support.serving import serving
from support.uploading import deploy_queries, hammer

from gitupd.core.answers import AnsweredQuery, QueryAnswer
from gitupd.core.caller import Origin, Serial, parse_caller
from gitupd.core.device import Device, Message, Recognised
from gitupd.core.endpoint import Endpoint
from gitupd.errors import SiteError
from gitupd.resources import template_files
from gitupd.service.site import Site
from gitupd.store.answers import Answers, Told
from gitupd.store.database import Database
from gitupd.store.inventory import Inventory

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Cluster

NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)
LATER, EARLIER = NOON + timedelta(minutes=1), NOON - timedelta(minutes=1)
SERIAL, OTHER = Serial("0090333000af"), Serial("0090333000b0")


def _answer(query: str = "admin", at: datetime = NOON, xml: str = "<info/>") -> QueryAnswer:
    return QueryAnswer(query, at, xml)


def test_the_latest_answer_to_each_query_is_kept(database: Database) -> None:
    answers = Answers(database)
    assert answers.of(SERIAL) == ()
    answers.save(
        [AnsweredQuery(SERIAL, _answer("z")), AnsweredQuery(OTHER, _answer("z")), AnsweredQuery(SERIAL, _answer("a"))]
    )
    answers.save([AnsweredQuery(SERIAL, _answer("z", LATER, "<ä>\N{GRINNING FACE}</ä>"))])
    assert answers.of(SERIAL) == (_answer("a"), _answer("z", LATER, "<ä>\N{GRINNING FACE}</ä>"))
    assert answers.of(OTHER) == (_answer("z"),)
    answers.save([AnsweredQuery(SERIAL, _answer(xml="<x/>")), AnsweredQuery(SERIAL, _answer(xml="<y/>"))])
    assert answers.of(SERIAL)[1] == _answer(xml="<y/>")
    answers.save([])


def test_answers_are_found_by_what_they_may_say(database: Database) -> None:
    answers = Answers(database)
    answers.save(
        [
            AnsweredQuery(SERIAL, _answer(xml="<info name='Ring_100%'/>")),
            AnsweredQuery(OTHER, _answer(xml="<info name='&#114;ing'/>")),
            AnsweredQuery(OTHER, _answer("z", xml="<info name='ring'/>")),
        ]
    )
    assert set(answers.holding("admin", "RING")) == {SERIAL, OTHER}
    assert answers.holding("admin", "ring_100%") == {SERIAL: answers.of(SERIAL)[0], OTHER: answers.of(OTHER)[0]}
    assert set(answers.holding("z", "rings")) == set()
    assert set(answers.holding("z", "")) == {OTHER}
    assert sorted(answers.answering()) == sorted([SERIAL, OTHER])


def test_what_was_written_last_wins_whatever_the_clocks_say(database: Database) -> None:
    Answers(database).save([AnsweredQuery(SERIAL, _answer(at=LATER, xml="<old/>"))])
    Answers(database).save([AnsweredQuery(SERIAL, _answer(at=EARLIER, xml="<new/>"))])
    assert Answers(database).of(SERIAL) == (_answer(at=EARLIER, xml="<new/>"),)


def test_a_device_that_never_polled_is_known_by_its_answer(database: Database) -> None:
    Answers(database).save([AnsweredQuery(SERIAL, _answer("other"))])
    assert Inventory(database).device(SERIAL) == Device(SERIAL, first_seen=NOON, last_seen=NOON)


def test_an_answer_is_a_sign_of_life_and_changes_nothing_else(database: Database) -> None:
    inventory, answers = Inventory(database), Answers(database)
    said = {"type": "IP222", "sn": str(SERIAL), "hwid": "h", "ip": "10.0.0.7", "PROT": "1"}
    caller = parse_caller(said, Endpoint("http", "x", 80))
    polled = Device(SERIAL).seen(caller, Recognised(("default",), (), ("phone",), "Boss"), Origin("192.0.2.1"), NOON)
    inventory.save_sightings([replace(polled, settled=True, phase="update")])
    before = inventory.device(SERIAL)
    assert before is not None
    answers.save([AnsweredQuery(SERIAL, _answer(at=EARLIER))])
    assert inventory.device(SERIAL) == before
    answers.save([AnsweredQuery(SERIAL, _answer(at=LATER))])
    assert inventory.device(SERIAL) == replace(before, last_seen=LATER)


def test_a_poll_behind_an_answer_completes_the_device(database: Database) -> None:
    inventory = Inventory(database)
    Answers(database).save([AnsweredQuery(SERIAL, _answer(), "Desk")])
    caller = parse_caller({"type": "IP222", "sn": str(SERIAL)}, Endpoint("http", "x", 80))
    inventory.save_sightings([Device(SERIAL).seen(caller, Recognised(), Origin("192.0.2.1"), LATER)])
    device = inventory.device(SERIAL)
    assert device is not None
    assert (device.first_seen, device.last_seen, device.own_name) == (NOON, LATER, "Desk")
    assert (device.model, device.address, device.address_changed) == ("IP222", "192.0.2.1", None)


def test_a_name_is_taken_kept_and_cleared(database: Database) -> None:
    names = []
    for said in ("One", None, "Two", "", None, "Thr\0ee"):
        Answers(database).save([AnsweredQuery(SERIAL, _answer(), said)])
        device = Inventory(database).device(SERIAL)
        assert device is not None
        names.append(device.own_name)
    assert names == ["One", "One", "Two", None, None, "Thr ee"]
    Answers(database).save([AnsweredQuery(OTHER, _answer(), "A"), AnsweredQuery(OTHER, _answer(), "B")])
    other = Inventory(database).device(OTHER)
    assert other is not None
    assert other.own_name == "B"


def test_messages_come_with_the_answers(database: Database) -> None:
    Answers(database).save([Told(SERIAL, Message(NOON, "x\0\udcff" + "y" * 600)), AnsweredQuery(SERIAL, _answer())])
    device = Inventory(database).device(SERIAL)
    assert device is not None
    assert device.messages == (Message(NOON, "x ?" + "y" * 497),)


def test_all_is_written_or_nothing(database: Database, database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE messages"))
    with pytest.raises(SiteError, match="can't be used"):
        Answers(database).save([AnsweredQuery(SERIAL, _answer(), "Desk"), Told(SERIAL, Message(NOON, "x"))])
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM devices")).scalar() == 0
    engine.dispose()
    assert Answers(database).of(SERIAL) == ()


def test_several_processes_write_at_the_same_time(database: Database, database_url: str) -> None:
    queries, rounds, writers = ("admin", "b", "c"), 40, 4
    failures: list[BaseException] = []

    def write(number: int) -> None:
        own = Database(database_url)
        try:
            for turn in range(rounds):
                value = f"{number}-{turn}"
                batch = [AnsweredQuery(SERIAL, _answer(each, NOON, value), value) for each in queries]
                batch += [AnsweredQuery(Serial(f"{n:012x}"), _answer("b", NOON, value)) for n in range(20)]
                Answers(own).save(batch[:: 1 if number % 2 else -1])
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    device = Inventory(database).device(SERIAL)
    assert device is not None
    (value,) = {answer.xml for answer in Answers(database).of(SERIAL)}
    assert value == device.own_name
    assert value.endswith(f"-{rounds - 1}")


@pytest.mark.postgresql
def test_answers_of_many_clients_at_the_same_time(postgresql: Cluster, tmp_path: Path) -> None:
    url = postgresql.fresh_database("hammered")
    site = Site.create(tmp_path / "site", {"GITUPD_DATABASE": url})
    site.config.commit_files(template_files(), "Start", "Test <test@localhost>")
    commit = deploy_queries(site)
    with serving(site.path, workers=2, database=url) as server:
        server.ready(commit)
        hammer(server, site, clients=16, turns=50)
    site.close()
