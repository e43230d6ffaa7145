"""Plans for the devices of a site: what is encrypted, computed, or named in the configuration alone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.fleets import device
from support.secrets import CANARY

from gitupd.core.comparison.numbers import numbers
from gitupd.core.endpoint import Endpoint
from gitupd.core.identity import Identity
from gitupd.resources import template_files
from gitupd.service.clock import now
from gitupd.service.comparison.planning import Planning
from gitupd.service.deployments.deploying import deploy
from gitupd.store.comparison.written import written
from gitupd.store.secrets import encrypt

if TYPE_CHECKING:
    from conftest import Sample

    from gitupd.core.comparison.grouping import FleetComparison
    from gitupd.core.snapshot import CommitId

PROVED = Identity(is_trusted=True, reason="good certificate")
SEALED = "snippets/update-phone-all.txt.age"
PLAIN = "snippets/all-all-all.txt"
CODE = "class X:\n    def post(self, device): return ['computed {}']\n"


def planned(sample: Sample, base: CommitId, head: CommitId) -> FleetComparison:
    planning = Planning(sample.site)
    return planning.plan(base, head, planning.state(now()), now())


def lines(comparison: FleetComparison) -> list[str]:
    return [line for group in comparison.groups for hunk in group.difference.hunks for line in hunk.added]


@pytest.fixture
def phone(sample: Sample) -> Sample:
    """A phone that has proved who it is, and one that has not."""
    both = [device(number, sample.first, now()) for number in (7, 13)]  # IP232
    request = replace(both[0].request, endpoint=Endpoint("https", "upd.example", 443)) if both[0].request else None
    sample.site.inventory.save_sightings([replace(both[0], request=request, identity=PROVED), both[1]])
    return sample


def test_what_is_encrypted_counts_and_is_told_to_nobody(phone: Sample) -> None:
    recipient = phone.site.secrets_key.create()
    template = {path: text for path, text in template_files().items() if path != SEALED.removesuffix(".age")}
    commits = [
        phone.site.config.commit_files(
            {**template, SEALED: encrypt(f"config add X /pw {CANARY}\n{more}".encode(), [recipient])},
            "Encrypt",
            "Ada <ada@example.org>",
        )
        for more in ("", "", "config add Y /z 1\n")
    ]
    comparison = planned(phone, commits[0], commits[1])
    assert all(line.startswith("# ") for line in lines(comparison)), "encrypted anew, it has another digest only"
    assert not any(group.difference.consequences for group in comparison.groups)
    comparison = planned(phone, commits[1], commits[2])
    proved = [group for group in comparison.groups if group.members[0].serial.digits == "009033000007"]
    assert [hunk.added for hunk in proved[0].difference.hunks if hunk.path] == [("***",)]
    for one, other in ((phone.first, commits[0]), (commits[0], phone.first)):
        comparison = planned(phone, one, other)
        assert comparison.changed
        assert CANARY not in str(comparison)
        assert CANARY.encode() not in written(comparison)


def test_code_that_nobody_has_deployed_is_not_run(phone: Sample) -> None:
    (phone.site.path / "gitupd.toml").write_text("scripting = true\n")
    again = type(phone.site)(phone.site.path)
    one, other = (phone.commit({"scripting.py": CODE.format(number)}) for number in (1, 2))
    planning = Planning(again)
    comparison = planning.plan(one, other, planning.state(now()), now())
    assert (comparison.changed, lines(comparison)) == (0, [])
    assert comparison.remarks == ("lines computed by scripting.py are left out, for that code was never deployed",)
    deploy(again, one, who="ada", now=now())
    deploy(again, other, who="ada", now=now())
    comparison = planning.plan(one, other, planning.state(now()), now())
    assert (comparison.changed, comparison.remarks) == (2, ())
    assert "computed 2" in lines(comparison)
    again.close()


def test_devices_that_never_called_are_planned_and_are_not_active(phone: Sample) -> None:
    named = "devices:\n  009033000999: {type: IP222, phase: update, name: Reception}\n"
    one = phone.commit({"devices.yaml": named})
    other = phone.commit({"devices.yaml": named, PLAIN: "config add X /y z\n"})
    comparison = planned(phone, one, other)
    assert numbers(comparison).changed == 3
    assert numbers(comparison, only_active=True).changed == 2


def test_it_is_told_how_far_it_is(sample: Sample) -> None:
    sample.site.inventory.save_sightings(device(number, sample.first, now()) for number in range(450))
    head, told = sample.commit({PLAIN: "config add X /y z\n"}), list[tuple[int, int]]()
    planning = Planning(sample.site)
    planning.plan(sample.first, head, planning.state(now()), now(), lambda *how_far: told.append(how_far))
    assert told == [(0, 450), (200, 450), (400, 450)]
