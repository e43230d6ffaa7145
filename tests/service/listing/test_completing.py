"""What completes a search: everything that it may say, and not too much of that."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitupd.core.deployments.deployment import Deployment
from gitupd.core.policy import DeviceClass, Environment, Policy
from gitupd.core.search import KEYS, STATES, parse_search
from gitupd.core.snapshot import CommitId
from gitupd.service.listing.completing import MOST, OfferedWord, completions, keys
from gitupd.store.fleet import DeviceKind

if TYPE_CHECKING:
    from collections.abc import Iterable

AT = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
POLICY = Policy(
    phases=("staging", "update"),
    environments={"default": Environment("default"), "berlin": Environment("berlin")},
    classes=(DeviceClass("phone", frozenset({"ip222"}), "phone"),),
)


def of(key: str, completed: Iterable[OfferedWord]) -> dict[str, str]:
    return {each.value: each.note for each in completed if each.key == key}


def test_every_key_says_what_it_looks_for() -> None:
    assert [key for key, _ in keys()] == list(KEYS)


def test_values_are_counted_and_those_of_the_configuration_are_there_before_any_device_has_them() -> None:
    kinds = [
        DeviceKind("update", "137213", None, "IP222", ("berlin", "intranet"), 3),
        DeviceKind("update", "134250", "137213", "IP222", ("berlin",), 1),
    ]
    told = list(completions(POLICY, kinds, ()))
    assert of("env", told) == {"berlin": "4 devices", "intranet": "3 devices", "default": "0 devices"}
    assert of("phase", told) == {"update": "4 devices", "staging": "0 devices"}
    assert of("firmware", told) == {"137213": "3 devices", "134250": "1 device"}
    assert of("bootcode", told) == {"137213": "1 device"}
    assert set(of("class", told)) == {"phone"}
    assert set(of("", told)) == set(of("state", told)) == set(STATES)


def test_commits_are_those_that_were_deployed_each_once() -> None:
    made = [
        Deployment(3, CommitId("a" * 40), AT, "tess", "rollback", CommitId("b" * 40), "French after all"),
        Deployment(2, CommitId("b" * 40), AT, "ada", "deploy", CommitId("a" * 40), ""),
        Deployment(1, CommitId("a" * 40), AT, "ada", "deploy", None, ""),
    ]
    told = list(completions(POLICY, (), made))
    for key in ("commit", "sent", "runs", "never"):
        assert of(key, told) == {"a" * 12: "deployed 2026-05-01 by tess", "b" * 12: "deployed 2026-05-01 by ada"}


def test_all_of_them_can_be_searched_for() -> None:
    for each in completions(POLICY, (), ()):
        assert not parse_search(f"{each.key}:{each.value}" if each.key else each.value).fault, each


def test_there_is_an_end_to_what_devices_invent() -> None:
    kinds = [DeviceKind(None, None, None, f"IP{number}", (), number) for number in range(MOST * 3)]
    told = of("type", completions(POLICY, kinds, ()))
    assert len(told) == MOST
    assert next(iter(told)) == f"IP{MOST * 3 - 1}"
