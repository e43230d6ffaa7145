from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.ports import free_port

from gitupd.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"), ("DATE", "1700000000 +0100"))
}
_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


@dataclass(frozen=True)
class Git:
    """A real, bare repository, and the real program to work on it."""

    path: Path

    def __call__(self, *arguments: str, stdin: bytes = b"", index: Path | None = None, date: str = "") -> str:
        """Run git; return what it says."""
        environment = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date} if date else {}
        if index:
            environment["GIT_INDEX_FILE"] = str(index)
        done = subprocess.run(
            ["git", "-C", self.path, *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            env=_ENVIRONMENT | _AUTHOR | environment,
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="replace").strip()

    def blob(self, content: bytes) -> str:
        return self("hash-object", "-w", "--stdin", stdin=content)

    def tree(self, *entries: tuple[str, str, bytes]) -> str:
        """Write a tree of entries: mode, object id, name; whatever git thinks of them."""
        raw = b"".join(
            mode.lstrip("0").encode() + b" " + name + b"\0" + bytes.fromhex(found) for mode, found, name in entries
        )
        return self("hash-object", "-w", "--stdin", "-t", "tree", "--literally", stdin=raw)

    def commit(self, tree: str, *parents: str, message: str = "x", date: str = "1700000000 +0100") -> str:
        """Commit a tree on main."""
        arguments = [word for parent in parents for word in ("-p", parent)]
        commit = self("commit-tree", tree, *arguments, "-m", message, date=date)
        self("update-ref", "refs/heads/main", commit)
        return commit

    def commit_files(
        self, files: Mapping[str, bytes], *parents: str, message: str = "x", date: str = "1700000000 +0100"
    ) -> str:
        """Commit files on main, by way of an index as everybody does."""
        index = self.path / "index-of-tests"
        index.unlink(missing_ok=True)
        listed = "".join(f"100644 {self.blob(content)}\t{path}\n" for path, content in files.items())
        self("update-index", "--add", "--index-info", stdin=listed.encode(), index=index)
        return self.commit(self("write-tree", index=index), *parents, message=message, date=date)

    def loose(self, found: str) -> Path:
        return self.path / "objects" / found[:2] / found[2:]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    path = tmp_path / "config.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True, env=_ENVIRONMENT)
    return Git(path)


_READ = """
import json, resource, sys, time
from pathlib import Path
from gitupd.errors import InvalidConfiguration, UnreadableRepository
from gitupd.service.sources import read_source
from gitupd.config.loader import load
limit = 400 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
started = time.process_time()
try:
    source = read_source(Path(sys.argv[1]), sys.argv[2] or None)
    load(source.files)
    said = {"files": len(source.files)}
except (InvalidConfiguration, UnreadableRepository) as error:
    said = {"refused": type(error).__name__, "text": str(error)}
print(json.dumps({**said, "seconds": time.process_time() - started}))
"""


@dataclass(frozen=True)
class Outcome:
    """What became of reading a configuration: how it was refused, None if it was not, the reasons, and the work."""

    refused: str | None
    text: str
    seconds: float


def _read_confined(path: Path, revision: str = "") -> Outcome:
    done = subprocess.run(
        [sys.executable, "-c", _READ, path, revision],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said: dict[str, Any] = json.loads(done.stdout)
    return Outcome(said.get("refused"), said.get("text", ""), said["seconds"])


class Confined:
    """Reads configurations in a process of 400 MiB, loads them, and tells how that went."""

    def __call__(self, path: Path, revision: str = "") -> Outcome:
        return _read_confined(path, revision)

    def refusal(self, path: Path, revision: str = "", *, within: float = 10) -> str:
        """Return why a configuration was refused; it must be, *within* so many seconds of computing."""
        outcome = self(path, revision)
        assert outcome.refused in ("InvalidConfiguration", "UnreadableRepository")
        assert outcome.seconds < within
        return outcome.text


@pytest.fixture(scope="session")
def confined() -> Confined:
    return Confined()


# PostgreSQL


@dataclass(frozen=True)
class Cluster:
    """A running PostgreSQL that nobody else uses."""

    programs: Path
    home: Path
    port: int

    def fresh_database(self, name: str) -> str:
        """Return the URL of a new, empty database."""
        _as_postgres(self.programs / "createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "gitupd", name)
        return f"postgresql+psycopg://gitupd:secret@127.0.0.1:{self.port}/{name}"


def _as_postgres(*command: str | Path) -> None:
    """Run a program of PostgreSQL, which refuses to be run by root."""
    user = "postgres" if os.geteuid() == 0 else None
    done = subprocess.run(
        command, check=False, user=user, group=user, extra_groups=[] if user else None, capture_output=True, cwd="/"
    )
    if done.returncode:
        pytest.fail(f"{command[0]}: {done.stderr.decode()}{done.stdout.decode()}")


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.fail("these tests need PostgreSQL's programs; install them: apt-get install postgresql")
    return found[-1].parent if found else Path(str(on_path)).parent


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL server of our own, for the time of the tests."""
    programs, port = _programs(), free_port()
    # Not below pytest's folder, which pytest closes to other users again and again.
    with tempfile.TemporaryDirectory(prefix="gitupd-postgresql-") as name:
        home = Path(name)
        if os.geteuid() == 0:
            shutil.chown(home, "postgres")
        place, control = home / "cluster", programs / "pg_ctl"
        _as_postgres(programs / "initdb", "-D", place, "-U", "gitupd", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = f"-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories={home} -c fsync=off"
        _as_postgres(control, "start", "-w", "-D", place, "-o", options, "-l", home / "log")
        try:
            yield Cluster(programs, home, port)
        finally:
            _as_postgres(control, "stop", "-w", "-m", "immediate", "-D", place)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of one kind after the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gitupd.db'}"
    cluster: Cluster = request.getfixturevalue("postgresql")
    return cluster.fresh_database(f"db{abs(hash(tmp_path))}")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    opened.migrate()
    yield opened
    opened.close()
