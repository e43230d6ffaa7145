"""How hosts are told the status of a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gitupd.core.snapshot import CommitId
from gitupd.core.upstream.address import parse_upstream
from gitupd.core.upstream.status import (
    CommitStatus,
    StatusRequest,
    StatusState,
    api_of,
    pause_before_telling,
    status_request,
)

if TYPE_CHECKING:
    from gitupd.upstream import StatusHost

COMMIT = CommitId("12" * 20)
FAILED = CommitStatus(StatusState.FAILURE, "1 error:\n phases.yaml", "https://updates.example/commits/1")


@pytest.mark.parametrize(
    ("host", "url", "named", "api"),
    [
        ("github", "https://github.com/a/b.git", "", "https://api.github.com"),
        ("github", "git@github.com:a/b.git", "", "https://api.github.com"),
        ("github", "https://git.example/a/b.git", "", "https://git.example/api/v3"),
        ("gitlab", "https://git.example:8443/a/b.git", "", "https://git.example:8443/api/v4"),
        ("gitea", "ssh://git@git.example:22/a/b.git", "", "https://git.example/api/v1"),
        ("gitea", "/srv/b.git", "http://127.0.0.1:3000/api/v1/", "http://127.0.0.1:3000/api/v1"),
    ],
)
def test_where_the_api_is(host: StatusHost, url: str, named: str, api: str) -> None:
    assert api_of(host, parse_upstream(url), named) == api


def test_github_and_gitea_are_told_alike() -> None:
    body = {
        "state": "failure",
        "context": "gitupd",
        "description": "1 error: phases.yaml",
        "target_url": "https://updates.example/commits/1",
    }
    url = f"https://api/repos/a/b/statuses/{COMMIT}"
    for host, prefix in (("github", "Bearer "), ("gitea", "token ")):
        asked = status_request(host, "https://api", "a/b", COMMIT, FAILED)  # type: ignore[arg-type] # it is one of them
        assert asked == StatusRequest(url, body, "Authorization", prefix)


def test_gitlab_is_told_in_its_own_words() -> None:
    asked = status_request("gitlab", "https://api", "a/b/c", COMMIT, FAILED)
    assert asked.url == f"https://api/projects/a%2Fb%2Fc/statuses/{COMMIT}"
    assert (asked.body["state"], asked.body["name"], asked.header) == ("failed", "gitupd", "PRIVATE-TOKEN")
    good = status_request("gitlab", "https://api", "a", COMMIT, CommitStatus(StatusState.SUCCESS, "deployed"))
    assert good.body == {"state": "success", "name": "gitupd", "description": "deployed"}


def test_what_is_long_is_cut() -> None:
    asked = status_request("github", "https://api", "a", COMMIT, CommitStatus(StatusState.PENDING, "x" * 500))
    assert len(asked.body["description"]) == 140


def test_who_does_not_listen_is_told_again_some_times() -> None:
    pauses = [pause_before_telling(tries) for tries in range(1, 10)]
    assert pauses == [5, 10, 20, 40, 80, 160, 320, None, None]
