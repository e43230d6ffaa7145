"""Columns of lists of devices: their names, who may choose which, and what stands in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from gitupd.core.answers import AnsweredQuery, QueryAnswer
from gitupd.core.caller import Serial
from gitupd.core.concealing import Veil
from gitupd.core.device import Device
from gitupd.core.policy import Query, Show
from gitupd.core.search import KEYS
from gitupd.errors import InvalidEntry
from gitupd.service.fleet import SORTS, Fleet
from gitupd.service.listing.columns import MOST, OWN, Listing, chosen, column_name, columns_for, still_there

if TYPE_CHECKING:
    from service.conftest import Sample

AT = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
DESK, BARE = Serial("009033000001"), Serial("009033000002")
QUERIES = (
    Query("admin", "Admin", "mod cmd CMD0 xml-info", (), (Show("Name", "/info/@name"), Show("PIN", "/info/@pin"))),
    Query("lan", "LAN", "mod cmd ETH0 xml-info", (), (Show("Link Speed (MBit/s)", "/info/@speed"),)),
)


def test_names_are_unique_and_say_what_finds_their_values() -> None:
    assert len({column.name for column in OWN}) == len(OWN)
    assert {column.key for column in OWN} - {None} <= set(KEYS)
    assert {column.sort for column in OWN} - {None} <= set(SORTS)
    assert all(column.name == column.name.lower() and "." not in column.name for column in OWN)


@pytest.mark.parametrize(
    ("query", "title", "name"),
    [
        ("admin", "Name", "admin.name"),
        ("certificates", "Issued by", "certificates.issued-by"),
        ("LAN", "Größe (MBit/s)", "lan.größe-mbit-s"),
        ("lan", "***", "lan.value"),
    ],
)
def test_values_of_queries_have_names(query: str, title: str, name: str) -> None:
    assert column_name(query, title) == name


def test_columns_are_chosen_in_any_order_and_once() -> None:
    names = [column.name for column in chosen("seen, Admin.Name,sn,seen,,lan.link-speed-mbit-s", QUERIES)]
    assert names == ["seen", "admin.name", "sn", "lan.link-speed-mbit-s"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("sn,serial", "'serial' is no column; columns are state, name, sn, type"),
        ("lan.speed", "lan.link-speed-mbit-s"),
        ("", "name 1 to 40 columns"),
        (",,", "name 1 to 40 columns"),
        ("sn," * 200, "in 500 characters"),
        (",".join(f"x{number}" for number in range(MOST + 1)), "name 1 to 40 columns"),
    ],
)
def test_what_is_no_column_is_said(text: str, fault: str) -> None:
    with pytest.raises(InvalidEntry, match=fault.replace("(", r"\(")):
        chosen(text, QUERIES)


def test_columns_that_were_kept_and_are_gone_are_left_out() -> None:
    assert [column.name for column in still_there("sn,lan.gone,admin.name", QUERIES)] == ["sn", "admin.name"]
    assert still_there("lan.gone", ()) == ()


def test_rows_have_what_devices_say_and_answered(sample: Sample) -> None:
    desk = Device(
        DESK,
        own_name="Desk 1",
        environments=("berlin", "intranet"),
        phase="",
        first_seen=AT,
        last_seen=AT,
        sent="a" * 40,
        sent_at=AT,
    )
    sample.site.inventory.save_sightings([desk, Device(BARE, first_seen=AT, last_seen=AT)])
    sample.site.answers.save([AnsweredQuery(DESK, QueryAnswer("admin", AT, '<info name="Reception" pin="1234"/>'))])
    columns = chosen(
        "sn,name,env,phase,seen,sent-at,admin.name,admin.pin,lan.link-speed-mbit-s,certificate-ends", QUERIES
    )
    devices = list(sample.site.inventory.devices())
    listing = Listing(sample.site, Fleet(sample.site, None, AT), columns, QUERIES, Veil(lifted=True))
    known = (str(DESK), "Desk 1", ("berlin", "intranet"), None, AT, AT, "Reception", "1234", None, None)
    assert list(listing.rows(devices)) == [known, (str(BARE), None, None, None, AT, *(None,) * 5)]
    facts = next(listing.facts(devices))
    assert facts["env"] == ["berlin", "intranet"]
    assert facts["seen"] == "2026-05-01T09:30:00Z"
    assert facts["admin.name"] == "Reception"
    hiding = Listing(sample.site, Fleet(sample.site, None, AT), columns, QUERIES, Veil())
    assert next(hiding.facts(devices))["admin.pin"] == "***"


def test_every_column_has_a_value_of_every_device(sample: Sample) -> None:
    sample.site.inventory.save_sightings([Device(BARE, first_seen=AT, last_seen=AT)])
    listing = Listing(sample.site, Fleet(sample.site, None, AT), tuple(columns_for(QUERIES).values()), QUERIES, Veil())
    (facts,) = listing.facts(list(sample.site.inventory.devices()))
    assert {name for name, value in facts.items() if value} == {"state", "sn", "first-seen", "seen"}
