"""What is wrong with an upstream."""

from __future__ import annotations

from dataclasses import replace

from gitupd.core.upstream.standing import UpstreamStanding

FRESH = UpstreamStanding("https://host/b.git", "main")


def test_a_failure_comes_before_a_refusal_and_nothing_is_no_trouble() -> None:
    assert FRESH.trouble is None
    refused = replace(FRESH, refusal="branch main was rewound")
    assert refused.trouble == "branch main was rewound"
    failing = replace(refused, failures=1, error="nobody answers there")
    assert failing.trouble == "https://host/b.git can't be fetched: nobody answers there"
