"""People and the audit on the command line: what it prints, and its exit codes."""

from __future__ import annotations

import getpass
import json
import os
import pty
import re
import socket
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from support.calling import called

from gitupd.core.people.audit import Kind
from gitupd.service.clock import now
from gitupd.service.people.access import Access, LoggedIn
from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "correct horse battery"
ME = f"{getpass.getuser()}@{socket.gethostname()}"
GENERATED = re.compile(r"(?:[a-z2-9]{5}-){3}[a-z2-9]{5}")


def gitupd(*arguments: str, cwd: Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return called(*arguments, cwd=cwd, stdin=stdin)


def said(*arguments: str, cwd: Path, stdin: str = "") -> str:
    done = gitupd(*arguments, cwd=cwd, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, ""), arguments
    return done.stdout


def refused(*arguments: str, cwd: Path, stdin: str = "") -> str:
    done = gitupd(*arguments, cwd=cwd, stdin=stdin)
    assert (done.returncode, done.stdout) == (1, ""), arguments
    return done.stderr


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A site made by the program, and what it printed."""
    folder = tmp_path_factory.mktemp("people")
    return folder / "site", said("init", "site", cwd=folder)


@pytest.fixture
def place(made: tuple[Path, str]) -> Path:
    return made[0]


@pytest.fixture
def access(place: Path) -> Iterator[Access]:
    site = Site(place)
    yield Access(site)
    site.close()


def test_init_prints_the_password_of_the_administrator_once(made: tuple[Path, str], access: Access) -> None:
    place, printed = made
    found = GENERATED.findall(printed)
    assert f"log in: admin, with the password {found[0]} (shown only now)\n" in printed
    assert len(found) == 1
    assert isinstance(access.log_in("admin", found[0], "127.0.0.1", now()), LoggedIn)
    assert found[0].encode() not in b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())


def test_people_come_change_and_go(place: Path, access: Access) -> None:
    printed = said("users", "add", "Eve", "--role", "auditor", "--password-stdin", cwd=place, stdin=f"{PASSWORD}\r\n")
    assert printed == "added eve as auditor\n"
    assert isinstance(access.log_in("eve", PASSWORD, None, now()), LoggedIn)
    assert said("users", "role", "EVE", "operator", cwd=place) == "eve is operator now\n"
    assert said("users", "disable", "eve", cwd=place) == "eve is disabled\n"
    assert re.search(r"^eve +operator +\d{4}-.*  disabled$", said("users", "list", cwd=place), re.MULTILINE)
    listed = json.loads(said("users", "list", "--json", cwd=place))
    assert [(each["name"], each["role"], each["disabled"]) for each in listed] == [
        ("admin", "administrator", False),
        ("eve", "operator", True),
    ]
    assert said("users", "enable", "eve", cwd=place) == "eve may log in again\n"
    printed = said("users", "passwd", "eve", "--generate", cwd=place)
    found = GENERATED.search(printed)
    assert found
    assert printed == f"eve has another password\npassword: {found[0]}\n"
    assert isinstance(access.log_in("eve", found[0], None, now()), LoggedIn)
    assert said("users", "remove", "eve", cwd=place) == "eve is removed\n"
    entries = json.loads(said("audit", "--json", "--who", ME, "--limit", "6", cwd=place))
    assert [(each["kind"], each["detail"]) for each in entries] == [
        ("user-remove", "was operator"),
        ("password", ""),
        ("user-change", "enabled"),
        ("user-change", "disabled"),
        ("user-change", "operator instead of auditor"),
        ("user-add", "as auditor"),
    ]
    assert {(each["subject"], each["who"], each["address"]) for each in entries} == {("eve", ME, None)}


def test_tokens(place: Path, access: Access) -> None:
    done = gitupd("users", "token", "admin", "--title", "metrics", "--role", "viewer", "--days", "3", cwd=place)
    assert done.returncode == 0
    key = done.stdout.strip()
    assert re.fullmatch(r"gitupd_[\w-]{43}", key)
    actor = access.by_token(key, None, now())
    assert actor is not None
    assert (actor.name, actor.role) == ("admin", "viewer")
    [listed] = json.loads(said("users", "tokens", "admin", "--json", cwd=place))
    assert (listed["title"], listed["role"], listed["expires"] is None, listed["used"] is None) == (
        "metrics",
        "viewer",
        False,
        False,
    )
    shown = said("users", "tokens", "admin", cwd=place)
    assert re.fullmatch(r" +\d+  metrics +viewer +until \d{4}-.*, used \d{4}-.*\n", shown)
    assert key not in shown
    number = str(listed["id"])
    assert said("users", "revoke", number, cwd=place) == f"token {number} of admin, 'metrics', is revoked\n"
    assert access.by_token(key, None, now()) is None
    assert f"there is no token {number}" in refused("users", "revoke", number, cwd=place)
    assert "there is nobody called eve" in refused("users", "tokens", "eve", cwd=place)


@pytest.mark.parametrize(
    ("arguments", "stdin", "fault"),
    [
        (("add", "bob", "--role", "viewer"), "", "there is no terminal to ask for a password; use --generate, or"),
        (("add", "bob", "--role", "viewer", "--password-stdin"), "short\n", "a password has 10 to 1024 characters"),
        (("add", "bob", "--role", "viewer", "--password-stdin"), "", "a password has 10 to 1024 characters"),
        (("add", "a b", "--role", "viewer", "--generate"), "", "a name starts with a letter or digit"),
        (("add", "Admin", "--role", "viewer", "--generate"), "", "somebody called admin already; choose another name"),
        (("passwd", "eve", "--generate"), "", "there is nobody called eve; see: gitupd users list"),
        (("role", "admin", "viewer"), "", "admin is the last administrator who can log in; make another one first"),
        (("disable", "admin"), "", "admin is the last administrator"),
        (("remove", "admin"), "", "admin is the last administrator"),
        (("token", "admin", "--title", " "), "", "a token needs a title"),
    ],
)
def test_what_is_refused(place: Path, arguments: tuple[str, ...], stdin: str, fault: str) -> None:
    with closing(Site(place)) as site:
        before = site.people.users(), site.people.tokens("admin"), site.audit.entries(100)
        assert fault in refused("users", *arguments, cwd=place, stdin=stdin)
        assert (site.people.users(), site.people.tokens("admin"), site.audit.entries(100)) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("users", "add", "bob", "--role", "root", "--generate"),
        ("users", "add", "bob"),
        ("users", "add", "bob", "--role", "viewer", "--generate", "--password-stdin"),
        ("users", "token", "admin", "--days", "0"),
        ("users", "revoke", "99999999999999999999"),
        ("audit", "--kind", "nonsense"),
        ("audit", "--limit", "0"),
    ],
)
def test_wrong_usage(place: Path, arguments: tuple[str, ...]) -> None:
    assert gitupd(*arguments, cwd=place).returncode == 2


def test_a_password_is_asked_for_at_a_terminal_and_not_shown(place: Path, access: Access) -> None:
    main, terminal = pty.openpty()
    command = [sys.executable, "-m", "gitupd", "users", "add", "tess", "--role", "viewer"]
    with subprocess.Popen(
        command, cwd=place, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    ) as process:
        os.close(terminal)
        shown = b""
        for prompt in (b"Password: ", b"Repeat for confirmation: "):
            while not shown.endswith(prompt):
                shown += os.read(main, 1024)
            os.write(main, f"{PASSWORD}\n".encode())
        while not shown.endswith(b"as viewer\r\n"):
            shown += os.read(main, 1024)
        assert process.wait(30) == 0
    os.close(main)
    assert PASSWORD.encode() not in shown
    assert isinstance(access.log_in("tess", PASSWORD, None, now()), LoggedIn)


def test_deployments_and_firmware_are_in_the_audit(place: Path, tmp_path: Path) -> None:
    (tmp_path / "ip222.bin").write_bytes(b"x" * 1234)
    said("firmware", "add", "137213", str(tmp_path / "ip222.bin"), cwd=place)
    shown = said("audit", "--kind", "firmware-add", cwd=place)
    assert re.fullmatch(rf"\d{{4}}-.*  firmware-add +{re.escape(ME)}  fw/137213/ip222.bin  1,234 bytes\n", shown)
    shown = said("audit", "--kind", "deploy", cwd=place)
    assert re.fullmatch(rf"\d{{4}}-.*  deploy +{re.escape(ME)}  [0-9a-f]{{40}}  the first one\n", shown)


def test_the_audit_is_narrowed_down(place: Path) -> None:
    with closing(Site(place)) as site:
        for number in range(3):
            at = datetime(2020, 5, 1 + number, 12, tzinfo=UTC)
            site.audit.add(at, "zoe", Kind.DEPLOY if number else Kind.LOGIN, f"s{number}", "Office moves")

    def subjects(*options: str) -> str:
        entries = json.loads(said("audit", "--json", "--who", "zoe", *options, cwd=place))
        return " ".join(each["subject"] for each in entries)

    assert subjects() == subjects("--since", "2020-05", "--until", "2020-05") == "s2 s1 s0"
    assert subjects("--since", "2020-05-02", "--until", "2020-05-02") == "s1"
    assert subjects("--since", "2020-05-02T12:00:01Z") == "s2"
    assert subjects("--until", "2020-05-02T12:00Z") == "s1 s0"
    assert subjects("--since", "7d") == ""
    assert (subjects("--show", "log-ins"), subjects("--show", "changes"), subjects("--show", "looks")) == (
        *("s0", "s2 s1", ""),
    )
    assert (subjects("--text", "OFFICE"), subjects("--subject", "s1"), subjects("--text", "x")) == (
        "s2 s1 s0",
        "s1",
        "",
    )
    assert "'soon' is no time; write a day, " in refused("audit", "--since", "soon", cwd=place)
    cut = gitupd("audit", "--who", "zoe", "--limit", "2", cwd=place)
    assert cut.stderr == "the latest 2 of 3 entries; more: --limit\n"
    first, _ = cut.stdout.splitlines()
    assert re.fullmatch(r"2020-05-03 \d\d:\d\d:00[+-]\d\d:\d\d  deploy         zoe  s2  Office moves", first)
    assert subjects("--since", first[:25], "--until", first[:25]) == "s2"
    (place / "gitupd.toml").write_text('time_zone = "Asia/Tokyo"\n', "utf-8")
    try:
        assert "2020-05-03 21:00:00+09:00" in said("audit", "--subject", "s2", cwd=place)
        assert subjects("--since", "2020-05-03 21:01") == ""
        assert subjects("--since", "2020-05-03 21:00") == "s2"
    finally:
        (place / "gitupd.toml").unlink()
