"""Real servers of Git as upstream, good ones and bad ones: whatever they do, what was here before stays, and is served.

A failure has words of its own, and leaves nothing behind but these.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.ports import free_port
from support.upstreams import Elsewhere, elsewhere, follow, git_daemon, ssh_host, web_host

from gitupd.errors import GitupdError
from gitupd.service.clock import now
from gitupd.service.deployments.live import live_now
from gitupd.service.site import Site
from gitupd.service.upstream.fetching import Fetching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from service.conftest import Sample
    from support.upstreams import WebHost

    from gitupd.service.upstream.fetching import Fetched

TOKEN = "glpat-not-for-everybody"
PACK = "application/x-git-upload-pack-result"
Answer = tuple[int, list[tuple[str, str]], bytes]


class Here:
    """A site that follows what is at some address."""

    def __init__(self, sample: Sample, there: Elsewhere) -> None:
        self.sample, self.there, self.site = sample, there, sample.site

    def follow(self, url: str, **others: str | int) -> None:
        follow(self.sample.site, url, **others)
        self.site = Site(self.sample.site.path)

    def fetch(self) -> Fetched:
        return Fetching(self.site, now).fetch(live_now(self.site))

    def fails(self, words: str, seconds: float = 60) -> None:
        """Fetch in vain, for a reason in these *words*: quickly, and nothing is changed by it."""
        before = self.kept()
        started = time.monotonic()
        with pytest.raises(GitupdError, match=re.escape(words)) as error:
            self.fetch()
        assert time.monotonic() - started < seconds
        assert TOKEN not in str(error.value)
        assert "\n" not in str(error.value)
        assert self.kept() == before
        assert self.site.settings.upstream.address is not None
        stands = self.site.upstreams.of(self.site.settings.upstream.address.text, "main")
        assert (stands.failures, stands.error) == (1, str(error.value))
        self.there.git("fsck", "--no-dangling")

    def sees_another_failure(self, words: str) -> None:
        before = self.kept()
        with pytest.raises(GitupdError, match=re.escape(words)):
            self.fetch()
        assert self.kept() == before

    def kept(self) -> object:
        """What a failure leaves alone: branches, objects, what is served, and the folder of the site."""
        repository = self.site.path / "config.git"
        objects = sorted(path for path in repository.glob("objects/**/*") if path.is_file())
        live = live_now(self.site)
        left = list(self.site.path.glob("incoming-*"))
        return self.site.config.branches(), objects, live and live.deployment.commit, left


@pytest.fixture
def here(sample: Sample, tmp_path: Path) -> Iterator[Here]:
    (tmp_path / "hosted").mkdir()
    made = Here(sample, elsewhere(sample.site, tmp_path / "hosted/there.git"))
    yield made
    made.site.close()


@pytest.fixture
def web(here: Here) -> Iterator[WebHost]:
    with web_host(here.there.path.parent) as host:
        here.follow(f"{host.base}/there.git", seconds=120, idle=60, largest=1)
        yield host


# Good ones


def test_by_http_with_a_token_that_nobody_sees(here: Here, web: WebHost) -> None:
    web.token = TOKEN
    (here.site.path / "token").write_text(f"{TOKEN}\n")
    here.follow(f"{web.base}/there.git", token_file="token")
    web.pause, web.at_once = 0.05, 200
    seen: list[str] = []
    watching = threading.Event()

    def watch() -> None:
        while not watching.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.append(path.read_bytes().decode(errors="replace"))
                except OSError:
                    continue

    thread = threading.Thread(target=watch)
    thread.start()
    commit = here.there.commit()
    assert here.fetch().stands.head == commit
    watching.set()
    thread.join()
    asked = [line for line in seen if "git" in line and web.base in line]
    assert asked
    assert not any(TOKEN in line for line in asked)
    assert TOKEN not in (here.site.path / "config.git/config").read_text()
    web.token = "another"
    here.fails("the host refuses name and token; put a new one into token_file")


def test_by_gits_own_protocol(here: Here) -> None:
    with git_daemon(here.there.path.parent) as base:
        here.follow(f"{base}/there.git")
        commit = here.there.commit()
        assert here.fetch().stands.head == commit
        here.follow(f"{base}/nothing.git")
        here.fails("there is no such repository")


def test_by_ssh_from_a_host_that_is_known_with_a_key_that_it_knows(here: Here, tmp_path: Path) -> None:
    key, other = here.site.path / "upstream.key", tmp_path / "other"
    for each in (key, other):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(each)], check=True)
    known = here.site.path / "upstream.known_hosts"
    with ssh_host(tmp_path / "sshd", key.with_suffix(".key.pub")) as (base, line):
        here.follow(f"{base}{here.there.path}")
        here.fails("known_hosts_file of [upstream]: there is no")
        known.write_text(line)
        commit = here.there.commit()
        assert here.fetch().stands.head == commit
        public = other.with_suffix(".pub").read_text().split()
        known.write_text(f"{line.split()[0]} {public[0]} {public[1]}\n")
        here.fails("the host key is not the one in known_hosts_file")
        known.write_text("")
        with pytest.raises(GitupdError, match="the host key is not the one in known_hosts_file"):
            here.fetch()
        known.write_text(line)
        shutil.copy(other, key)
        with pytest.raises(GitupdError, match="the host refuses the key in ssh_key_file"):
            here.fetch()


# Bad ones


def test_it_refuses(here: Here) -> None:
    here.follow(f"http://127.0.0.1:{free_port()}/there.git")
    here.fails("nobody answers there")


@contextmanager
def silent() -> Iterator[int]:
    """Listen at a port, and never say anything."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "git", "ssh"])
def test_it_hangs(here: Here, scheme: str) -> None:
    for name in ("upstream.key", "upstream.known_hosts"):
        (here.site.path / name).touch(0o600)
    with silent() as port:
        here.follow(f"{scheme}://127.0.0.1:{port}/there.git", idle=1, seconds=15)
        words = {"http": "it is too slow", "git": "nothing came for 1 s", "ssh": "it is too slow"}[scheme]
        with pytest.raises(GitupdError) as error:
            here.fetch()
        assert words in str(error.value) or "nothing came for 1 s" in str(error.value)


def test_it_answers_slowly(here: Here, web: WebHost) -> None:
    here.follow(f"{web.base}/there.git", seconds=2, idle=5)
    web.at_once, web.pause = 1, 0.05
    here.fails("it took longer than 2 s")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, "returned error: 500"),
        (403, "the token may not read this repository"),
        (404, "there is no such repository"),
        (302, "returned error: 302"),
    ],
)
def test_it_says_no(here: Here, web: WebHost, status: int, words: str) -> None:
    web.status = status
    here.fails(words)


def spoiled(how: str, kept: list[bytes]) -> Callable[[int, list[tuple[str, str]], bytes], Answer]:
    """Return what spoils packs: cut off, with a byte changed, or another one."""

    def spoil(status: int, headers: list[tuple[str, str]], body: bytes) -> Answer:
        if ("Content-Type", PACK) not in headers or b"PACK" not in body:
            return status, headers, body
        at = body.index(b"PACK")
        match how:
            case "cut off":
                return status, headers, body[: at + (len(body) - at) // 2]
            case "changed":
                return status, headers, body[: at + 40] + bytes([body[at + 40] ^ 0xFF]) + body[at + 41 :]
            case "checksum":
                end = body.rindex(b"0000")
                return status, headers, body[: end - 30] + bytes([body[end - 30] ^ 1]) + body[end - 29 :]
            case "keep":
                kept.append(body)
                return status, headers, body[:-20]
            case _:
                return status, headers, kept[0]

    return spoil


@pytest.mark.parametrize("how", ["cut off", "changed", "checksum"])
def test_it_sends_what_is_damaged(here: Here, web: WebHost, how: str) -> None:
    here.there.commit()
    web.spoil = spoiled(how, [])
    with pytest.raises(GitupdError) as error:
        here.fetch()
    assert "damaged or cut off" in str(error.value) or "broke off" in str(error.value)
    web.spoil = lambda *answer: answer
    assert here.fetch().stands.head == here.there.head, "nothing needs a hand afterwards"


def test_it_lies_about_what_it_sends(here: Here, web: WebHost) -> None:
    first, kept = here.there.head, list[bytes]()
    here.there.commit()
    web.spoil = spoiled("keep", kept)
    with pytest.raises(GitupdError):
        here.fetch()
    here.there.commit(parents=(first,))
    web.spoil = spoiled("other", kept)
    here.sees_another_failure("it does not send all of its branch")


def test_it_names_a_commit_that_it_does_not_have(here: Here, web: WebHost) -> None:
    head = here.there.head.encode()
    web.spoil = lambda status, headers, body: (status, headers, body.replace(head, b"1" * 40))
    with pytest.raises(GitupdError):
        here.fetch()
    assert here.site.config.head("main") == here.there.head


def test_it_sends_more_than_is_taken(here: Here, web: WebHost) -> None:
    noise = os.urandom(4 * 2**20)
    here.there.commit(noise, path="noise")
    here.fails("it sends more than largest")
    here.follow(f"{web.base}/there.git", largest=8)
    assert here.fetch().moved is not None


def test_it_sends_what_unfolds_to_more_than_fits_into_memory(here: Here, web: WebHost) -> None:
    """A file of zeros becomes a pack that is a thousandth of it: it is taken, or refused, within the bounds."""
    here.there.commit(bytes(64 * 2**20), path="zeros")
    assert here.fetch().moved is not None
    assert web.asked


def test_it_talks_without_end(here: Here, web: WebHost) -> None:
    here.there.commit()
    line = b"\x02" + b"remote says something that nobody wants to know\n" * 1_000
    packet = f"{len(line) + 4:04x}".encode() + line

    def spoil(status: int, headers: list[tuple[str, str]], body: bytes) -> Answer:
        return status, headers, body.replace(b"000dpackfile\n", b"000dpackfile\n" + packet * 60)

    web.spoil = spoil
    here.fails("it sends more than largest, which is 1 MiB")


def test_it_vanishes_and_comes_back(here: Here, web: WebHost) -> None:
    commit = here.there.commit()
    away = here.there.path.with_name("away.git")
    here.there.path.rename(away)
    with pytest.raises(GitupdError, match="there is no such repository"):
        here.fetch()
    away.rename(here.there.path)
    assert here.fetch().stands.head == commit
    assert web.asked


def test_it_has_many_branches_and_names_of_every_kind(here: Here, web: WebHost) -> None:
    commit = here.there.commit()
    names = [f"refs/heads/topic-{number}" for number in range(2_000)]
    odd = ["refs/heads/a'b", "refs/heads/$(x)", "refs/heads/\N{SNOWMAN}", "refs/heads/-x", "refs/tags/main"]
    lines = "".join(f"create {name} {commit}\n" for name in (*names, *odd, "refs/heads/x/refs/heads/main"))
    here.there.git("update-ref", "--stdin", stdin=lines.encode())
    assert here.fetch().stands.head == commit
    assert list(here.site.config.branches()) == ["main"]
    assert web.asked
