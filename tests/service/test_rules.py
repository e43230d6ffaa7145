"""What pages say of the rules of a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.service.deployments.snapshots import Snapshots
from gitupd.service.rules import Places, Rule, chapters

if TYPE_CHECKING:
    from conftest import Sample


def test_rules_know_the_lines_that_say_so(sample: Sample) -> None:
    commit = sample.commit({"policies/delivery.yaml": "# polls\ninterval: 7\n", "policies/status.yaml": ""})
    snapshot = Snapshots(sample.site).of(commit)
    places = Places(lambda path: sample.site.config.file(commit, path))
    found = {each.title: each for each in chapters(snapshot, places)}
    assert found["Delivery"].path == "policies/delivery.yaml"
    assert found["Delivery"].rules[0] == Rule("Devices poll every 7 minutes.", 2)
    assert found["Delivery"].rules[1] == Rule("While phases remain, they poll every 5 seconds.", None)
    assert found["Status"].path is None
    assert {rule.line for rule in found["Status"].rules} == {None}
    assert found["Queries"].path == "queries.yaml"
    assert found["Queries"].rules == (
        Rule("Certificate: Asks no device for the output of “mod cmd X509 xml-info”.", None),
        Rule("Admin: Asks no device for the output of “mod cmd CMD0 xml-info” and shows Name.", 4),
    )
    assert places.line("environments", ("environments", "homeoffice")) == 6
    assert places.line("environments", ("environments", "mars")) is None
    assert places.line("environments", ("environments", "homeoffice", "implies", "0")) is None


def test_rules_of_documents_that_can_not_be_read_have_no_lines(sample: Sample) -> None:
    snapshot = Snapshots(sample.site).of(sample.first)
    found = chapters(snapshot, Places(lambda _path: None))
    assert {each.path for each in found} == {None}
    assert {rule.line for each in found for rule in each.rules} == {None}
