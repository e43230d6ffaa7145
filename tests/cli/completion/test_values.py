"""Values of a site are offered, and nothing ever happens to a site or to whoever types."""

from __future__ import annotations

import shutil
import signal
import socket
import sqlite3
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.completing import completed, offers

from gitupd.service.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def state_of(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Return all that can be seen of a folder: names, modes, times of change, and contents."""
    return {
        str(path.relative_to(folder)): (
            (stat := path.lstat()).st_mode,
            stat.st_mtime_ns,
            stat.st_size,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in (folder, *folder.rglob("*"))
    }


@pytest.fixture(autouse=True)
def untouched(place: Path) -> Iterator[None]:
    """Hold that nothing is created or changed, whatever is completed."""
    before = state_of(place)
    yield
    assert state_of(place) == before


@pytest.fixture
def copied(place: Path, tmp_path: Path) -> Path:
    """A copy of the site, to be damaged."""
    return shutil.copytree(place, tmp_path / "copy", symlinks=True)


def git(place: Path, *arguments: str) -> str:
    command = ["git", f"--git-dir={place / 'config.git'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_devices_are_offered_by_serial_number_name_and_address(place: Path) -> None:
    assert offers("device", "00-90-33-00-00-0", where=place)["00-90-33-00-00-03"] == "Desk 3 IP6010"
    assert offers("device", "0090330000", where=place).keys() >= {"009033000003"}
    assert offers("device", "00:90:33:00:00:1d", where=place) == {"00:90:33:00:00:1d": "Desk 29 IP1130"}
    assert offers("device", "desk\\ 1", where=place)["Desk 11"] == "00-90-33-00-00-0b"
    assert offers("timeline", "10.9.9.1", where=place).keys() == {"10.9.9.1", "10.9.9.10", "10.9.9.11"}
    both = offers("requests", "", where=place)
    assert {"00-90-33-00-00-03", "Desk 3"} <= both.keys()
    assert offers("device", "%", where=place) == {}
    assert offers("device", "Desk_", where=place) == {}


def test_serial_numbers_alone_where_nothing_else_is_taken(place: Path) -> None:
    for command in (("certificates", "approve"), ("certificates", "restart", "00-90-33-00-00-02"), ("render", "--sn")):
        offered = offers(*command, "00-90-33-00-00-03", where=place)
        assert offered == {"00-90-33-00-00-03": "Desk 3 IP6010"}
        assert offers(*command, "Desk", where=place) == {}


def test_revisions_are_branches_tags_the_deployed_commit_and_the_latest_ones(place: Path) -> None:
    head = git(place, "rev-parse", "main")
    subject = git(place, "log", "-1", "--format=%s", "main")
    offered = offers("deploy", "", where=place)
    assert list(offered)[:2] == ["main", head[:12]]
    assert offered["main"] == f"branch: {subject}"
    assert offered[head[:12]].startswith("deployed: ")
    assert offers("approve", head[:5], where=place).keys() == {head[:12]}
    assert offers("render", ".", "--rev", "ma", where=place).keys() == {"main"}
    assert offers("plan", "ma", where=place).keys() == {"main", "dir"}
    assert offers("plan", ".", "ma", where=place).keys() == {"main"}
    assert offers("rollback", "", where=place) == {}  # nothing else was deployed
    assert offers("unblock", "", where=place) == {}
    assert offers("fetch", "--accept", "", where=place) == {}


def test_what_else_is_at_a_site(place: Path) -> None:
    assert offers("users", "passwd", "", where=place) == {"ada": "operator"}
    assert offers("audit", "--who", "a", where=place) == {"ada": "operator"}
    assert offers("users", "revoke", "", where=place) == {"1": "ada: for the dashboard"}
    assert offers("firmware", "add", "137", where=place) == {"137213": ""}
    assert offers("schema", "pha", where=place) == {"phases": ""}
    assert offers("render", "--env", "home", where=place) == {"homeoffice": ""}
    assert offers("render", "--env", "default,in", where=place) == {"default,intranet": ""}
    assert offers("explain", "--phase", "", where=place).keys() == {"staging", "update"}
    assert {"IP222", "IP6010"} <= offers("render", "--type", "ip", where=place).keys()
    assert offers("emulate", "http://x/", "--type", "IP222,IP23", where=place).keys() >= {"IP222,IP232"}
    assert offers("render", "--name", "Desk\\ 3", where=place).keys() == {"Desk 3"}


def test_versions_of_the_device_that_is_named(copied: Path) -> None:
    rows = [("009033000003", f"{number:x}" * 40, f"2026-05-0{number} 12:00:00.000000") for number in (1, 2)]
    rows.append(("009033000004", "3" * 40, "2026-05-03 12:00:00.000000"))
    with sqlite3.connect(copied / "gitupd.db") as connection:
        connection.executemany(
            'INSERT INTO backup_versions (serial, "commit", received, blob, fingerprint, length, lines, added, removed,'
            " facts) VALUES (?, ?, ?, '', '', 1, 9, 0, 0, '{}')",
            rows,
        )
        connection.executemany(
            "INSERT INTO backup_heads (serial, fingerprint, length, received, seen) VALUES (?, '', 1, ?, ?)",
            [(serial, at, at) for serial, _, at in (*rows[1:], ("0090330000ee", "", rows[0][2]))],
        )
    connection.close()
    two = {"2" * 12: "2026-05-02 12:00 UTC, 9 lines", "1" * 12: "2026-05-01 12:00 UTC, 9 lines"}
    assert offers("backups", "restore", "00-90-33-00-00-03", "", where=copied) == {**two, "latest": ""}
    assert offers("backups", "diff", "00-90-33-00-00-03", "1" * 12, "2", where=copied).keys() == {"2" * 12}
    of_another = offers("backups", "diff", "00-90-33-00-00-03", "1" * 12, "00-90-33-00-00-04@", where=copied)
    assert of_another.keys() == {f"00-90-33-00-00-04@{'3' * 12}"}
    kept = {"00-90-33-00-00-03": "Desk 3 IP6010", "00-90-33-00-00-04": "IP811", "00-90-33-00-00-ee": ""}
    for command in ("log", "show", "since", "diff", "restore", "cancel"):
        assert offers("backups", command, "00-", where=copied) == kept
        assert offers("backups", command, "Desk\\ 29", where=copied) == {"Desk 29": "00-90-33-00-00-1d"}
    assert offers("backups", "restore", "Desk\\ 3", "", where=copied) == {**two, "latest": ""}
    assert offers("backups", "show", "desk\\ 3@1", where=copied).keys() == {f"desk 3@{'1' * 12}"}
    assert offers("backups", "since", "00-90-33-00-00-03@1", where=copied).keys() == {f"00-90-33-00-00-03@{'1' * 12}"}


def test_searches_are_completed_by_states_keys_and_their_values(place: Path) -> None:
    assert offers("devices", "mis", where=place) == {"missing": "state"}
    assert offers("devices", "--", "-mis", where=place) == {"-missing": "state"}
    assert offers("devices", "en", where=place).keys() == {"env:"}
    assert offers("devices", "env:h", where=place).keys() == {"env:homeoffice"}
    assert offers("devices", "env:default,h", where=place).keys() == {"env:default,homeoffice"}
    assert offers("devices", "has:w", where=place).keys() == {"has:warning"}
    assert offers("devices", "phase:", where=place).keys() == {"phase:staging", "phase:update"}
    assert offers("accept", "state:unk", where=place).keys() == {"state:unknown"}


def test_a_configuration_is_read_wherever_it_lies(place: Path, tmp_path: Path) -> None:
    """As a work tree with what is not committed yet, bare, or by its site."""
    bare = place / "config.git"
    work, further = tmp_path / "work", tmp_path / "further"
    subprocess.run(["git", "clone", "-q", str(bare), str(work)], check=True, timeout=60)
    (work / "environments.yaml").write_text("environments:\n  default: {}\n  oslo: {}\n  'x y': {}\n  3: {}\n")
    assert offers("render", "--env", "", where=work).keys() == {"default", "oslo", "x y"}
    assert offers("render", str(work), "--env", "o", where=tmp_path).keys() == {"oslo"}
    assert offers("render", str(bare), "--env", "", where=tmp_path).keys() == {"default", "homeoffice", "intranet"}
    assert offers("explain", str(place), "--phase", "up", where=tmp_path).keys() == {"update"}
    assert offers("validate", str(work), "--rev", "ma", where=tmp_path).keys() == {"main"}
    assert offers("test", "--rev", "ma", where=tmp_path) == {}
    subprocess.run(["git", "-C", str(work), "worktree", "add", "-q", str(further)], check=True, timeout=60)
    assert offers("validate", str(further), "--rev", "", where=tmp_path).keys() >= {"main", "further"}
    (work / "environments.yaml").write_text("environments: [")
    assert offers("render", "--env", "", where=work) == {}


def test_what_lies_in_files(copied: Path, tmp_path: Path) -> None:
    (copied / "gitupd.toml").write_text('[notify.to.ops]\nchat = "https://chat.example/x"\n')
    (copied / "trust/office.pem").write_text("x")
    (copied / "trust/.hidden").write_text("x")
    recipients = tmp_path / "age-recipients.txt"
    recipients.write_text("# the site\nage1one\n\nage1two\n")
    assert offers("notify", "test", "", where=copied) == {"ops": "chat"}
    assert offers("trust", "remove", "of", where=copied).keys() == {"office.pem"}
    assert offers("trust", "remove", "", where=copied).keys() == {"office.pem"}
    assert offers("secrets", "recipients", "--remove", "age1t", where=tmp_path).keys() == {"age1two"}
    assert offers("secrets", "recipients", str(tmp_path), "--remove", "", where=copied).keys() == {"age1one", "age1two"}


def test_what_can_not_be_typed_is_no_trouble(place: Path) -> None:
    for typed in ("\udce4", "a\x1b", "'", '"', "\\", "$(", "x" * 5000, "%", "\x7f"):
        for words in (
            ("device", typed),
            ("render", "--env", f"{typed},"),
            ("deploy", typed),
            ("devices", f"env:{typed}"),
        ):
            assert all(each.isprintable() for each in offers(*words, where=place)), words


def test_the_site_is_the_one_that_the_command_would_take(place: Path, tmp_path: Path) -> None:
    asked = ("device", "00-90-33-00-00-03")
    assert offers(*asked, where=tmp_path) == {}
    assert offers(*asked, where=tmp_path, GITUPD_SITE=str(place))
    assert offers("device", "--site", str(place), asked[1], where=tmp_path)
    assert offers("device", f"--site={place}", asked[1], where=tmp_path, GITUPD_SITE="/nowhere")
    further_on = {"COMP_WORDS": "\n".join(("gitupd", *asked, "--site", str(place))), "COMP_CWORD": "2"}
    assert offers(*asked, where=tmp_path, **further_on)
    home = {"HOME": str(place.parent)}
    assert offers("device", "--site", "~/site", asked[1], where=tmp_path, **home)
    assert list(tmp_path.iterdir()) == []


def nothing_happens(site: Path) -> None:
    """Hold that nothing of the database is offered, said or changed."""
    before = state_of(site)
    for words in (("device", "00"), ("rollback", ""), ("users", "passwd", ""), ("devices", "env:")):
        assert offers(*words, where=site) == {}
    assert state_of(site) == before


def test_a_database_that_is_missing_damaged_or_of_another_revision_offers_nothing(copied: Path) -> None:
    database = copied / "gitupd.db"
    content = database.read_bytes()
    database.write_bytes(content[:5000] + b"\xff" * 5000)
    nothing_happens(copied)
    database.unlink()
    nothing_happens(copied)
    database.write_bytes(b"")
    nothing_happens(copied)
    database.write_bytes(content)
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    nothing_happens(copied)


def test_settings_that_are_not_understood_offer_nothing(copied: Path) -> None:
    (copied / "gitupd.toml").write_text("wrokers = [\n")
    nothing_happens(copied)
    (copied / "gitupd.toml").write_text('database = "mysql://db/gitupd"\n')
    nothing_happens(copied)


def test_a_database_that_nobody_answers_for_is_not_waited_for(copied: Path) -> None:
    (copied / "gitupd.toml").write_text('database = "postgresql://x:y@127.0.0.1:1/gitupd"\n')
    nothing_happens(copied)


def test_a_database_that_does_not_answer_is_given_up(copied: Path) -> None:
    """Whoever listens there says nothing, so that the program would wait for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"postgresql://x:y@127.0.0.1:{listening.getsockname()[1]}/gitupd"
        before = state_of(copied)
        ended = completed(("device", "00"), copied, GITUPD_DATABASE=url)
    assert (ended.stdout.strip(), ended.stderr) == ("", "")
    assert ended.returncode in (0, -signal.SIGALRM)
    assert state_of(copied) == before


def test_a_database_that_somebody_keeps_for_himself_is_not_waited_for(copied: Path) -> None:
    holder = sqlite3.connect(copied / "gitupd.db", isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("UPDATE users SET role = role")
    try:
        assert offers("users", "passwd", "", where=copied) in ({}, {"ada": "operator"})
    finally:
        holder.close()


def test_what_stands_in_the_log_of_an_open_database_is_offered(copied: Path) -> None:
    site = Site(copied)
    with site.database.connection() as connection:
        connection.exec_driver_sql("UPDATE users SET name = 'grace' WHERE name = 'ada'")
    before = sorted(path.name for path in copied.iterdir())
    assert "gitupd.db-wal" in before
    assert offers("users", "passwd", "", where=copied) == {"grace": "operator"}
    assert sorted(path.name for path in copied.iterdir()) == before
    aside = shutil.copytree(copied, copied.with_name("killed"))  # as somebody leaves it who is killed
    site.close()
    before_all = state_of(aside)
    assert offers("users", "passwd", "", where=aside) == {"grace": "operator"}
    assert state_of(aside) == before_all
    (aside / "gitupd.db-shm").unlink()
    nothing_happens(aside)


def test_a_repository_that_is_none_offers_nothing(copied: Path) -> None:
    shutil.rmtree(copied / "config.git")
    assert offers("render", "--rev", "", where=copied) == {}
    assert list(offers("deploy", "", where=copied)) != []  # the database knows the deployed commit


@pytest.mark.parametrize("name", ["", "00-90-33", "Desk"])
def test_no_more_is_offered_than_can_be_read(name: str, copied: Path) -> None:
    connection = sqlite3.connect(copied / "gitupd.db")
    columns = [row[1] for row in connection.execute("PRAGMA table_info(devices)")]
    others = ", ".join(f'"{each}"' for each in columns if each not in ("serial", "given_name"))
    connection.executemany(
        f"INSERT INTO devices (serial, given_name, {others})"  # noqa: S608 - columns of a table
        f" SELECT ?, ?, {others} FROM devices WHERE serial = '009033000001'",
        [(f"009033ee{number:04x}", f"Desk X{number}") for number in range(1000)],
    )
    connection.commit()
    connection.close()
    assert 50 < len(offers("device", name, where=copied)) <= 200
