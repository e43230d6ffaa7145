"""What is printed of a server's certificate, and what keeps a server from starting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from support.calling import called

from gitupd.store.certificates.server import read_server_certificate

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def gitupd(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return called(*arguments, cwd=cwd)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("made")
    return folder / "site", gitupd("init", "site", cwd=folder).stdout


def test_init_prints_the_fingerprint_of_the_certificate_that_it_makes(made: tuple[Path, str]) -> None:
    place, printed = made
    fingerprint = read_server_certificate(place / "tls" / "server.pem").fingerprint
    assert f"TLS:    tls/server.pem, made just now, SHA-256 {fingerprint}\n" in printed


@pytest.mark.parametrize("option", ["--http", "--https", "--mtls"])
def test_an_address_that_is_none_is_wrong_usage(made: tuple[Path, str], option: str) -> None:
    done = gitupd("serve", option, "nowhere", cwd=made[0])
    assert done.returncode == 2
    assert "'nowhere' is no ADDRESS:PORT" in done.stderr


def test_files_that_can_not_be_used_keep_a_server_from_starting(made: tuple[Path, str]) -> None:
    (made[0] / "gitupd.toml").write_text('[tls]\ncertificate = "tls/server.pem"\nkey = "missing.key"\n')
    done = gitupd("serve", "--https", "127.0.0.1:0", cwd=made[0])
    assert done.returncode == 1
    assert re.search(r"missing\.key: No such file or directory", done.stderr)
    assert "Traceback" not in done.stderr
