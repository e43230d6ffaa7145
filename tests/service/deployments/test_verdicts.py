"""What is wrong with a commit, found once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.service.deployments.verdicts import Verdicts, has_errors

if TYPE_CHECKING:
    from conftest import Sample


def test_a_verdict_is_found_once(sample: Sample) -> None:
    verdicts = Verdicts(sample.site)
    broken = sample.commit({"policies/delivery.yaml": "intervall: 1\n"})
    assert verdicts.errors(broken) == ()
    problems = verdicts.of(broken)
    assert [each.path for each in problems] == ["policies/delivery.yaml"]
    assert has_errors(problems)
    assert verdicts.errors(broken) == problems
    assert verdicts.of(broken) is problems
    odd = sample.commit({"snippets/update-gw-all.txt": "config write\n"})
    assert len(verdicts.of(odd)) == 1
    assert not has_errors(verdicts.of(odd))
    assert verdicts.errors(odd) == ()


def test_a_commit_too_large_to_be_meant_is_a_verdict_too(sample: Sample) -> None:
    large = sample.commit({"snippets/update-gw-all.txt": b"x" * (4 * 2**20 + 1)})
    assert "bytes, more than" in Verdicts(sample.site).of(large)[0].message
