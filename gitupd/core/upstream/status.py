"""The status of a commit, as hosts of repositories show it beside the commit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, assert_never
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gitupd.core.snapshot import CommitId
    from gitupd.core.upstream.address import UpstreamAddress

CONTEXT = "gitupd"
"""Under which name it is shown."""

_LONGEST = 140
_MOST_TRIES = 8
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 600.0


class StatusState(StrEnum):
    """What a host is told of a commit."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """What is told of a commit: its ``state``, why in one line, and a ``link`` to more; empty for none."""

    state: StatusState
    description: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """A POST to the API of a host, with JSON as its body; ``header`` is the one that the token goes into."""

    url: str
    body: Mapping[str, str]
    header: str
    token_prefix: str


def api_of(host: Literal["github", "gitlab", "gitea"], address: UpstreamAddress, named: str) -> str:
    """Return the address of the API of a kind of *host* at which the repository at *address* is; *named* wins."""
    if named:
        return named.rstrip("/")
    origin = address.origin or f"https://{address.host}"
    match host:
        case "github":
            return "https://api.github.com" if address.host == "github.com" else f"{origin}/api/v3"
        case "gitlab":
            return f"{origin}/api/v4"
        case "gitea":
            return f"{origin}/api/v1"
        case _:
            assert_never(host)


def status_request(
    host: Literal["github", "gitlab", "gitea"], api: str, project: str, commit: CommitId, status: CommitStatus
) -> StatusRequest:
    """Return how the API at *api* of a kind of *host* is told the *status* of a *commit* of *project*."""
    line = _one_line(status.description)
    link = {"target_url": status.link} if status.link else {}
    match host:
        case "github" | "gitea":
            url = f"{api}/repos/{quote(project)}/statuses/{commit}"
            body = {"state": status.state.value, "context": CONTEXT, "description": line, **link}
            return StatusRequest(url, body, "Authorization", "Bearer " if host == "github" else "token ")
        case "gitlab":
            url = f"{api}/projects/{quote(project, safe='')}/statuses/{commit}"
            state = "failed" if status.state is StatusState.FAILURE else status.state.value
            return StatusRequest(
                url, {"state": state, "name": CONTEXT, "description": line, **link}, "PRIVATE-TOKEN", ""
            )
        case _:
            assert_never(host)


def pause_before_telling(tries: int) -> float | None:
    """Return the seconds until a status is told again that could not be told, *tries* times; None for never."""
    return None if tries >= _MOST_TRIES else min(_FIRST_PAUSE * 2.0 ** (tries - 1), _LONGEST_PAUSE)


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
