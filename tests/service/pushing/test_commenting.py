"""A comment is made once and then written over, at a small server that speaks the APIs of the hosts."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gitupd.errors import GitupdError
from gitupd.service.pushing.commenting import LONGEST, MARK, conversation_in, put_comment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TOKEN = "secret-of-the-job"
HOSTS = {
    "github": {
        "comments": "/repos/acme/phones/issues/7/comments",
        "single": "/repos/acme/phones/issues/comments",
        "method": "PATCH",
        "header": ("Authorization", f"token {TOKEN}"),
    },
    "gitlab": {
        "comments": "/projects/42/merge_requests/7/notes",
        "single": "/projects/42/merge_requests/7/notes",
        "method": "PUT",
        "header": ("PRIVATE-TOKEN", TOKEN),
    },
}
HOSTS["gitea"] = HOSTS["github"]


class Host(ThreadingHTTPServer):
    """Keeps comments as one of the hosts does; ``refusals`` are statuses for comments of these ids."""

    def __init__(self, kind: str) -> None:
        self.kind, self.shape = kind, HOSTS[kind]
        self.comments: list[dict[str, Any]] = []
        self.refusals: dict[int, int] = {}
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def environment(self) -> Mapping[str, str]:
        api = f"http://127.0.0.1:{self.server_address[1]}"
        if self.kind == "gitlab":
            facts = {"CI_API_V4_URL": api, "CI_PROJECT_ID": "42", "CI_MERGE_REQUEST_IID": "7"}
            return {**facts, "GITLAB_CI": "true", "GITUPD_COMMENT_TOKEN": TOKEN}
        facts = {"GITHUB_API_URL": f"{api}/", "GITHUB_REPOSITORY": "acme/phones", "GITHUB_REF": "refs/pull/7/merge"}
        return {**facts, f"{self.kind.upper()}_ACTIONS": "true", "GITHUB_TOKEN": TOKEN}

    def say(self, body: str) -> int:
        self.comments.append({"id": 1000 + len(self.comments), "body": body})
        return int(self.comments[-1]["id"])


class Handler(BaseHTTPRequestHandler):
    server: Host

    def _answer(self, status: int, content: Any) -> None:
        self.send_response(status)
        if status in (301, 307):
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        body = json.dumps(content).encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _handle(self) -> None:
        host, address = self.server, urlsplit(self.path)
        host.asked.append(f"{self.command} {address.path}")
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
        name, value = host.shape["header"]
        if self.headers.get(name) != value:
            self._answer(401, {"message": "Bad credentials"})
        elif self.command == "GET" and address.path == host.shape["comments"]:
            page, size = (int(parse_qs(address.query)[name][0]) for name in ("page", "per_page"))
            self._answer(200, host.comments[(page - 1) * size : page * size])
        elif self.command == "POST" and address.path == host.shape["comments"]:
            self._answer(201, {"id": host.say(body["body"])})
        elif self.command == host.shape["method"] and address.path.startswith(f"{host.shape['single']}/"):
            number = int(address.path.rpartition("/")[2])
            known = next((comment for comment in host.comments if comment["id"] == number), None)
            status = host.refusals.get(number, 200 if known else 404)
            if known and status == 200:
                known["body"] = body["body"]
            self._answer(status, {"message": "no"} if status != 200 else known)
        else:
            self._answer(404, {"message": "Not Found"})

    do_GET = do_POST = do_PUT = do_PATCH = _handle  # noqa: N815 - as they are called there

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def hosting(kind: str) -> Iterator[Host]:
    with Host(kind) as host:
        thread = threading.Thread(target=host.serve_forever)
        thread.start()
        try:
            yield host
        finally:
            host.shutdown()
            thread.join()


@pytest.fixture(params=sorted(HOSTS))
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    with hosting(request.param) as host:
        yield host


def put(host: Host, text: str) -> bool:
    return put_comment(conversation_in(host.environment), text)


def test_it_is_made_once_and_then_written_over(host: Host) -> None:
    for number in range(250):  # more than a page has
        host.say(f"I say {number}, and quote: {MARK}")
    assert not put(host, "412 devices change")
    assert put(host, "nothing changes")
    assert put(host, "12 restart: ä — 中")
    ours = [comment["body"] for comment in host.comments if comment["body"].startswith(MARK)]
    assert ours == [f"{MARK}\n12 restart: ä — 中"]
    assert len(host.comments) == 251


@pytest.mark.parametrize("status", [403, 404, 410])
def test_one_that_only_looks_like_ours_is_left(host: Host, status: int) -> None:
    other = host.say(f"{MARK}\nnot ours")
    host.refusals[other] = status
    assert not put(host, "one")
    assert put(host, "two")
    assert [comment["body"] for comment in host.comments] == [f"{MARK}\nnot ours", f"{MARK}\ntwo"]


def test_a_refusal_is_told_with_what_the_host_says(host: Host) -> None:
    host.refusals[host.say(f"{MARK}\nours")] = 422
    with pytest.raises(GitupdError, match=r"is answered with 422: no$"):
        put(host, "x")
    with pytest.raises(GitupdError, match="401: Bad credentials") as refused:
        put_comment(conversation_in({**host.environment, "GITHUB_TOKEN": "x", "GITUPD_COMMENT_TOKEN": "x"}), "x")
    assert TOKEN not in str(refused.value)


def test_a_token_is_not_taken_elsewhere(host: Host) -> None:
    host.refusals[host.say(f"{MARK}\nours")] = 307
    with pytest.raises(GitupdError, match="is answered with 307"):
        put(host, "x")


def test_a_long_one_is_cut_at_a_line_and_its_fences_are_closed(host: Host) -> None:
    put(host, "# Plan\n```diff\n" + "+ config add A /b c\n" * 10_000 + "```\n")
    body = host.comments[-1]["body"]
    assert len(body) <= LONGEST + len(MARK) + 1
    assert body.count("\n```") == 2
    assert "+ config add A /b c\n```\n\n… and more" in body


def test_a_host_that_is_not_there_is_named() -> None:
    with hosting("github") as host:
        environment = host.environment
    with pytest.raises(GitupdError, match="is not answered"):
        put_comment(conversation_in(environment), "x")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "no job of GitHub, Forgejo, Gitea or GitLab"),
        (
            {"GITLAB_CI": "true", "CI_PROJECT_ID": "1"},
            "lacks CI_API_V4_URL, CI_MERGE_REQUEST_IID, GITUPD_COMMENT_TOKEN",
        ),
        ({"GITHUB_ACTIONS": "true"}, "lacks GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_REF, GITHUB_TOKEN"),
        (
            {
                "GITHUB_ACTIONS": "true",
                "GITHUB_API_URL": "https://x",
                "GITHUB_REPOSITORY": "a/b",
                "GITHUB_REF": "refs/heads/main",
                "GITHUB_TOKEN": "x",
            },
            "refs/heads/main', which is no pull request",
        ),
    ],
)
def test_what_the_environment_lacks_is_named(environment: dict[str, str], message: str) -> None:
    with pytest.raises(GitupdError, match=message):
        conversation_in(environment)
