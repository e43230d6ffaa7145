"""One comment in a pull request, which is written anew each time: by the API of whoever hosts it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.request import Request

from gitupd.errors import GitupdError
from gitupd.service.elsewhere import AnswerFromElsewhere, Unanswered, ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MARK = "<!-- gitupd: this comment is written anew with each push -->"
LONGEST = 60_000
"""Characters of a comment: GitHub takes 65,536."""

_SECONDS = 30
_PER_PAGE, _MOST_PAGES = 100, 50
_LARGEST_ANSWER = 16 * 2**20
_MISSING, _FORBIDDEN = (404, 410), (401, 403)
_CUT = "\n\n… and more; the whole is in the log of this run.\n"


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where the comments of one pull request are: ``listed`` is their address, ``single`` that in front of an id.

    ``headers`` hold the token. ``method`` changes a comment, and ``order`` lists them oldest first.
    """

    listed: str
    single: str
    method: str
    headers: Mapping[str, str] = field(repr=False)
    order: str = ""


def conversation_in(environment: Mapping[str, str]) -> Conversation:
    """Return the conversation of the pull request that a CI job is about, as its *environment* says.

    GitHub, Forgejo and Gitea have the same variables and the same API, GitLab others. Raises GitupdError, which names
    what is missing.
    """
    if environment.get("GITLAB_CI"):
        return _of_gitlab(environment)
    if environment.get("GITHUB_ACTIONS") or environment.get("GITEA_ACTIONS"):
        return _of_github(environment)
    raise GitupdError("this is no job of GitHub, Forgejo, Gitea or GitLab: neither GITHUB_ACTIONS nor GITLAB_CI is set")


def put_comment(conversation: Conversation, text: str) -> bool:
    """Write *text* into our comment, or into a new one if there is none yet; return whether there was one.

    Raises GitupdError if the host can't be asked, or refuses.
    """
    body = {"body": f"{MARK}\n{_bounded(text)}"}
    for number in _ours(conversation):
        try:
            _ask(conversation, conversation.method, f"{conversation.single}/{number}", body)
        except _Refused as refused:
            if refused.status not in (*_MISSING, *_FORBIDDEN):
                raise
            continue  # somebody has deleted it meanwhile, or it only looks like ours
        return True
    _ask(conversation, "POST", conversation.listed, body)
    return False


def _of_github(environment: Mapping[str, str]) -> Conversation:
    api, repository, reference, token = _wanted(
        environment, "GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_REF", "GITHUB_TOKEN"
    )
    parts = reference.split("/")
    if parts[:2] != ["refs", "pull"] or len(parts) < 3 or not parts[2].isdecimal():  # noqa: PLR2004 - refs/pull/N/merge
        raise GitupdError(
            f"GITHUB_REF is {reference!r}, which is no pull request: let the job run on pull_request only"
        )
    root = f"{api.rstrip('/')}/repos/{repository}/issues"
    headers = {"Authorization": f"token {token}", "Accept": "application/json"}
    return Conversation(f"{root}/{parts[2]}/comments", f"{root}/comments", "PATCH", headers)


def _of_gitlab(environment: Mapping[str, str]) -> Conversation:
    api, project, number, token = _wanted(
        environment, "CI_API_V4_URL", "CI_PROJECT_ID", "CI_MERGE_REQUEST_IID", "GITUPD_COMMENT_TOKEN"
    )
    notes = f"{api.rstrip('/')}/projects/{project}/merge_requests/{number}/notes"
    return Conversation(notes, notes, "PUT", {"PRIVATE-TOKEN": token}, "&sort=asc&order_by=created_at")


def _wanted(environment: Mapping[str, str], *names: str) -> tuple[str, ...]:
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise GitupdError(f"the environment of the job lacks {', '.join(missing)}")
    return tuple(environment[name] for name in names)


def _ours(conversation: Conversation) -> Iterator[int]:
    """Yield the ids of comments that are ours, or look so, the oldest first."""
    for page in range(1, _MOST_PAGES + 1):
        address = f"{conversation.listed}?per_page={_PER_PAGE}&limit={_PER_PAGE}&page={page}{conversation.order}"
        comments = _ask(conversation, "GET", address)
        if not isinstance(comments, list):
            raise GitupdError(f"{conversation.listed} answers with something else than a list of comments")
        for comment in comments:
            if str(comment.get("body", "")).startswith(MARK):
                yield int(comment["id"])
        if len(comments) < _PER_PAGE:
            return


class _Refused(GitupdError):
    """An answer that says no."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def _ask(conversation: Conversation, method: str, address: str, body: Mapping[str, str] | None = None) -> Any:
    """Return what the host answers, parsed; raises GitupdError."""
    if not address.startswith(("https://", "http://")):
        raise GitupdError(f"{address} is no address of an API")
    data = None if body is None else json.dumps(body).encode()
    headers = {**conversation.headers, "Content-Type": "application/json", "User-Agent": "gitupd"}
    request = Request(address, data, headers, method=method)  # noqa: S310 - looked at above
    try:
        answer = ask(request, _SECONDS, _LARGEST_ANSWER)
        if not answer.is_good:
            raise _Refused(answer.status, f"{method} {address} is answered with {answer.status}: {_reason(answer)}")
        return json.loads(answer.content or b"null")
    except (Unanswered, ValueError) as error:
        raise GitupdError(f"{method} {address} is not answered: {error}") from error


def _reason(answer: AnswerFromElsewhere) -> str:
    """Return what the host says of a refusal, in a line."""
    with suppress(ValueError, RecursionError):
        said = json.loads(answer.content[:2_000])
        if isinstance(said, dict) and said.get("message"):
            return " ".join(str(said["message"]).split())[:200]
    return answer.reason


def _bounded(text: str) -> str:
    """Return *text* as it fits into a comment: cut at a line, with a fence closed that was open there."""
    if len(text) <= LONGEST:
        return text
    kept = text[: LONGEST - len(_CUT) - 10].rpartition("\n")[0]
    fence = "\n```" if kept.count("\n```") % 2 else ""
    return f"{kept}{fence}{_CUT}"
