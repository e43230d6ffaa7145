"""Keys of people who sign commits, made by the real programs, and a repository in which they do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gitupd.core.snapshot import CommitId

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OPENPGP = "openpgp"
_QUIET = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C", "PATH": os.environ["PATH"]}
_GPG = ("gpg", "--batch", "--quiet", "--no-tty", "--passphrase", "")


def run(*command: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None, given: bytes = b"") -> str:
    words, environment = [str(part) for part in command], {**_QUIET, **(env or {})}
    done = subprocess.run(words, env=environment, cwd=cwd, input=given, capture_output=True, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout.decode()


@dataclass(frozen=True)
class Key:
    """Somebody's key: of SSH with the ``file`` of its secret part, or of OpenPGP in the folder ``home``."""

    name: str
    public: bytes
    file: Path | None = None
    home: Path | None = None

    @property
    def line(self) -> str:
        """The key as SSH writes it, without a comment."""
        return " ".join(self.public.decode().split()[:2])


@dataclass
class Keyring:
    """Makes keys in a ``folder``, each once."""

    folder: Path
    made: dict[str, Key] = field(default_factory=dict)

    def ssh(self, name: str, *options: str) -> Key:
        if name not in self.made:
            file = self.folder / name
            run("ssh-keygen", "-q", "-t", "ed25519", *options, "-N", "", "-C", f"{name}@example.com", "-f", file)
            self.made[name] = Key(name, file.with_suffix(".pub").read_bytes(), file)
        return self.made[name]

    def certified(self, name: str, authority: Key, *options: str, of: Key | None = None) -> Key:
        """A key with a certificate by *authority*; *of* is the key that gets it, None for a new one."""
        if name not in self.made:
            key = of or self.ssh(f"{name}-key")
            assert authority.file is not None
            assert key.file is not None
            public = self.folder / f"{name}.pub"
            public.write_bytes(key.public)
            run("ssh-keygen", "-q", "-s", authority.file, "-I", name, *options, public)
            file = self.folder / f"{name}-cert"
            shutil.copy(key.file, file)
            certificate = self.folder / f"{name}-cert.pub"
            self.made[name] = Key(name, certificate.read_bytes(), file)
        return self.made[name]

    def gpg(self, name: str, kind: str = "ed25519", *, made: str = "", good_for: str = "never") -> Key:
        """A key of OpenPGP, *made* at a time such as 20200101T000000, now if that is empty."""
        if name not in self.made:
            home = self.folder / name
            home.mkdir(mode=0o700)
            faked = ("--faked-system-time", f"{made}!") if made else ()  # at which the clock stands still
            env = {"GNUPGHOME": str(home)}
            run(*_GPG, *faked, "--quick-gen-key", f"{name} <{name}@example.com>", kind, "sign", good_for, env=env)
            self.made[name] = Key(name, exported(home), home=home)
        return self.made[name]

    def prolonged(self, key: Key, name: str) -> Key:
        """The same key of OpenPGP, which does not expire any more: those who have it before do not know."""
        if name not in self.made:
            assert key.home is not None
            home = self.folder / name
            shutil.copytree(key.home, home, ignore=shutil.ignore_patterns("S.*"))
            env = {"GNUPGHOME": str(home)}
            listed = run("gpg", "--list-keys", "--with-colons", env=env)
            (number,) = re.findall(r"^fpr:*([0-9A-F]{40}):", listed, re.MULTILINE)
            run(*_GPG, "--quick-set-expire", number, "0", env=env)
            self.made[name] = Key(key.name, exported(home), home=home)
        return self.made[name]

    def stop(self) -> None:
        """End the agents that gpg has started."""
        for key in self.made.values():
            if key.home is not None:
                run("gpgconf", "--kill", "all", env={"GNUPGHOME": str(key.home)})


def exported(home: Path) -> bytes:
    return run("gpg", "--batch", "--export", "--armor", env={"GNUPGHOME": str(home)}).encode()


def revoked(key: Key, folder: Path) -> bytes:
    """Return the public part of *key* with its revocation, which gpg has made with the key."""
    assert key.home is not None
    (certificate,) = (key.home / "openpgp-revocs.d").glob("*.rev")
    home = folder / f"{key.name}-revoked"
    home.mkdir(mode=0o700)
    env = {"GNUPGHOME": str(home)}
    text = certificate.read_text().replace(":---", "---")
    run("gpg", "--batch", "--quiet", "--import", env=env, given=key.public)
    run("gpg", "--batch", "--quiet", "--import", env=env, given=text.encode())
    return exported(home)


@contextmanager
def keyring() -> Iterator[Keyring]:
    """Have a folder for keys, whose name is short: gpg puts a socket there."""
    with tempfile.TemporaryDirectory(prefix="k", dir="/tmp") as folder:
        keys = Keyring(Path(folder))
        try:
            yield keys
        finally:
            keys.stop()


@dataclass(frozen=True)
class Work:
    """A repository with a work tree at ``path``, in which commits are signed."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> Work:
        run("git", "init", "-q", "-b", "main", path)
        return cls(path)

    def git(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> str:
        names = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
        return run("git", *names, *arguments, env=env, cwd=self.path).strip()

    def commit(
        self, key: Key | None, *options: str, at: int | None = None, verb: tuple[str, ...] = ("commit", "--allow-empty")
    ) -> CommitId:
        """Commit what is in the index, signed with *key*, *at* so many seconds since 1970; return its id."""
        dates = {} if at is None else {"GIT_COMMITTER_DATE": f"@{at} +0000", "GIT_AUTHOR_DATE": f"@{at} +0000"}
        signing, env = self._signing(key, at)
        self.git(*signing, *verb, "-q", "-m", "change", *options, env={**env, **dates})
        return CommitId(self.git("rev-parse", "HEAD"))

    def _signing(self, key: Key | None, at: int | None) -> tuple[tuple[str, ...], Mapping[str, str]]:
        if key is None:
            return (), {}
        if key.file is not None:
            return ("-c", "gpg.format=ssh", "-c", f"user.signingkey={key.file}", "-c", "commit.gpgsign=true"), {}
        program = self.path.parent / "faked-gpg"
        program.write_text(f'#!/bin/sh\nexec gpg {"" if at is None else f"--faked-system-time {at}!"} "$@"\n')
        program.chmod(0o755)
        options = ("-c", f"gpg.program={program}", "-c", f"user.signingkey={key.name}@example.com")
        return (*options, "-c", "commit.gpgsign=true"), {"GNUPGHOME": str(key.home)}

    def write(self, files: Mapping[str, bytes]) -> None:
        """Put *files* into the work tree, and into the index."""
        for path, content in files.items():
            (self.path / path).parent.mkdir(parents=True, exist_ok=True)
            (self.path / path).write_bytes(content)
        self.git("add", "--all")

    def rewritten(self, commit: CommitId, change: tuple[bytes, bytes]) -> CommitId:
        """Return a commit that is *commit* but for one *change* in what Git has of it, and is at HEAD."""
        content = subprocess.run(
            ["git", "-C", self.path, "cat-file", "commit", commit], check=True, capture_output=True
        ).stdout
        assert change[0] in content
        return self.planted(content.replace(*change, 1))

    def planted(self, content: bytes) -> CommitId:
        """Return the commit that *content* makes, which is at HEAD then."""
        made = run("git", "hash-object", "--literally", "-t", "commit", "-w", "--stdin", cwd=self.path, given=content)
        self.git("update-ref", "HEAD", made.strip())
        return CommitId(made.strip())

    def content(self, commit: CommitId) -> bytes:
        """Return what Git has of *commit*."""
        return subprocess.run(
            ["git", "-C", self.path, "cat-file", "commit", commit], check=True, capture_output=True
        ).stdout

    def vouched(self, commit: CommitId, signers: Mapping[str, bytes], folder: Path) -> bool:
        """Whether ``git verify-commit`` vouches for *commit*, where only *signers*, by path, count."""
        home = folder / "verifying"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700)
        env = {**_QUIET, "GNUPGHOME": str(home)}
        options = []
        for path, content in signers.items():
            name = path.rpartition("/")[2]
            (home / name).write_bytes(content)
            if name.endswith(".asc"):
                run("gpg", "--batch", "--quiet", "--import", env=env, given=content)
        for name, key in (("allowed_signers", "allowedSignersFile"), ("revoked_keys", "revocationFile")):
            if (home / name).exists():
                options += ["-c", f"gpg.ssh.{key}={home / name}"]
        command = ["git", "-C", self.path, *options, "verify-commit", commit]
        done = subprocess.run(command, env=env, capture_output=True, check=False)
        return done.returncode == 0
