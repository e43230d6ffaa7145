"""Pushes as no Git sends them: each is refused in words, takes little, and leaves everything as it was."""

from __future__ import annotations

import http.client
import os
import subprocess
import time
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from support import packs
from support.pace import slowness
from support.packs import BLOB, COMMIT, REFERENCE, TREE, ZERO, command, entry, object_id, pack, push
from support.serving import Server, serving
from support.visitors import add_key, add_person

from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 2**20
TEXT = b"config add A /b c\n"
BLOB_ID = object_id("blob", TEXT)
PATH = "/git/config.git/git-receive-pack"


class Target:
    """A site that is served, and pushes to it, byte for byte."""

    def __init__(self, path: Path, server: Server, key: str) -> None:
        self.repository, self.server = path / "config.git", server
        kind = "application/x-git-receive-pack-request"
        self._headers = {"Content-Type": kind, "Authorization": "Basic " + b64encode(f"x:{key}".encode()).decode()}

    def push(self, body: bytes) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=120)
        try:
            connection.request("POST", PATH, body, self._headers)
            response = connection.getresponse()
            return response.status, packs.said(response.read())
        finally:
            connection.close()

    def refs(self) -> str:
        command = ["git", "-C", self.repository, "for-each-ref"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def size(self) -> int:
        return sum(path.stat().st_size for path in self.repository.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    site, _ = create_site(tmp_path_factory.mktemp("hostile") / "site", who="test", now=now())
    add_person(site, "olga", Role.OPERATOR)
    key = add_key(site, "olga")
    with serving(site.path, workers=1) as server:
        server.ready()
        yield Target(site.path, server, key)
    site.close()


def of_tree(*rows: tuple[str, bytes, str]) -> bytes:
    """Return the push of a commit of a tree of *rows* to a branch that nobody follows."""
    made = packs.tree(*rows)
    on_top = packs.commit(object_id("tree", made))
    packed = pack(entry(BLOB, TEXT), entry(TREE, made), entry(COMMIT, on_top))
    return push(ZERO, object_id("commit", on_top), "refs/heads/idea", packed)


def exploding(size: int, count: int = 1) -> bytes:
    """Return a push of *count* blobs of about *size* bytes, each of which takes some bytes as a difference to a MiB."""
    base = bytes(range(256)) * (MIB // 256)
    digest = object_id("blob", base)
    bombs = [entry(REFERENCE, packs.exploding(MIB, size - number * MIB), base=digest) for number in range(count)]
    return push(ZERO, digest, "refs/heads/idea", pack(entry(BLOB, base), *bombs))


GOOD = pack(entry(BLOB, TEXT))
HOSTILE = {
    "no pack": (push(ZERO, BLOB_ID, "refs/heads/idea", b"PACKnothing of that kind"), "413|more than|objects"),
    "cut off": (push(ZERO, BLOB_ID, "refs/heads/idea", GOOD[:-25]), "unpack"),
    "one bit is another": (push(ZERO, BLOB_ID, "refs/heads/idea", GOOD[:-30] + b"\x00" + GOOD[-29:]), "unpack"),
    "smaller than said": (push(ZERO, BLOB_ID, "refs/heads/x", pack(entry(BLOB, TEXT, size=2**40))), "unpack"),
    "larger than said": (push(ZERO, BLOB_ID, "refs/heads/x", pack(entry(BLOB, bytes(10 * MIB), size=10))), "unpack"),
    "more than there is": (push(ZERO, BLOB_ID, "refs/heads/x", pack(entry(BLOB, TEXT), count=199_999)), "unpack"),
    "a base that is nowhere": (
        push(ZERO, BLOB_ID, "refs/heads/x", pack(entry(REFERENCE, packs.exploding(MIB, MIB), base="12" * 20))),
        "unpack",
    ),
    "a gigabyte out of a MiB": (exploding(1024 * MIB), "over limit"),
    "many times 128 MiB": (exploding(128 * MIB, 30), "over limit"),
    ".git": (of_tree(("40000", b".git", object_id("tree", b""))), "hasDotgit"),
    "..": (of_tree(("40000", b"..", object_id("tree", b""))), "hasDotdot"),
    "a path": (of_tree(("100644", b"/etc/passwd", BLOB_ID)), "fullPathname"),
    "a name twice": (of_tree(("100644", b"phases.yaml", BLOB_ID), ("100644", b"phases.yaml", BLOB_ID)), "duplicate"),
    "no commit": (
        push(ZERO, BLOB_ID, "refs/heads/idea", GOOD),
        "idea 7107b1230b62 is refused: it can't be read as a commit",
    ),
    "a tree that is not there": (of_tree(("40000", b"snippets", "34" * 20)), "missing necessary objects|unpack"),
    "ours": (push(ZERO, BLOB_ID, "refs/gitupd/deployed/x", GOOD), "hidden ref"),
    "no name": (of_tree(("100644", b"phases.yaml", BLOB_ID)).replace(b"heads/idea", b"heads/../x"), "funny refname"),
    "100,000 references": (
        b"".join(command(f"{ZERO} {BLOB_ID} refs/heads/{number}\0report-status") for number in range(100_000))
        + b"0000",
        "more than 1,000 references in one push",
    ),
    "200,001 objects": (push(ZERO, BLOB_ID, "refs/heads/x", pack(entry(BLOB, TEXT), count=200_001)), "push less"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_in_words_and_leaves_nothing(target: Target, name: str) -> None:
    body, said = HOSTILE[name]
    refs, size = target.refs(), target.size()
    work = target.server.work()
    status, answer = target.push(body)
    assert status in (200, 400, 413)
    assert any(part in answer for part in said.split("|")), answer
    assert target.refs() == refs
    assert target.size() - size < 2 * MIB
    assert target.server.work() - work < 20 * slowness(), "seconds of a processor"


def test_links_in_a_tree_are_told(target: Target) -> None:
    target_id = object_id("blob", TEXT)
    status, answer = target.push(of_tree(("120000", b"classes.yaml", target_id), ("100644", b"phases.yaml", target_id)))
    assert status == 200
    assert "classes.yaml: a symbolic link; put the file itself here" in answer
    assert target.push(command(f"{target.refs().split()[0]} {ZERO} refs/heads/idea\0report-status") + b"0000")[0] == 200


def test_the_history_of_another_project_is_told_what_it_lacks(target: Target, tmp_path: Path) -> None:
    """Two thousand commits of files that mean nothing here, to the branch that is deployed from and beside it."""
    work = tmp_path / "work"
    subprocess.run(["git", "init", "-q", "-b", "main", work], check=True)
    stream = b"".join(
        b"blob\nmark :%d\ndata 2000\n%s\n" % (2 * number + 1, os.urandom(1000).hex().encode())
        + b"commit refs/heads/main\nmark :%d\ncommitter A <a@b> %d +0000\ndata 1\nx\n"
        % (2 * number + 2, 10**9 + number)
        + b"M 100644 :%d src/module_%d/file.c\n\n" % (2 * number + 1, number % 300)
        for number in range(2_000)
    )
    subprocess.run(["git", "-C", work, "fast-import", "--quiet"], input=stream, check=True)
    before, started = target.refs(), time.monotonic()
    url = f"http://{target.server.base.removeprefix('http://')}/git/config.git"
    header = f"http.extraHeader=Authorization: {target._headers['Authorization']}"
    for where, said in (
        ("main", "is refused: it is the branch that is deployed from"),
        ("other", "no document and no snippet"),
    ):
        command = ["git", "-C", work, "-c", header, "push", "--force", url, f"HEAD:refs/heads/{where}"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert said in ended.stderr, ended.stderr
    assert before.splitlines()[-1] in target.refs(), "main is where it was"
    assert time.monotonic() - started < 100
