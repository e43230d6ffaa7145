"""``gitupd doctor``."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from click.testing import CliRunner, Result

from gitupd.cli.main import cli
from gitupd.service.clock import now
from gitupd.service.creating import create_site

if TYPE_CHECKING:
    from pathlib import Path


def doctor(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["doctor", *arguments, "--site", str(site)])


def look(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Return what is in *folder*, and how it looks from outside."""
    return {
        str(path): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns if path.is_file() else 0,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(folder.rglob("*"))
    }


def test_a_healthy_site_and_one_with_faults(tmp_path: Path) -> None:
    create_site(tmp_path / "site", who="test", now=now())[0].close()
    before = look(tmp_path)
    healthy = doctor(tmp_path / "site")
    assert (healthy.exit_code, healthy.stderr) == (0, "nothing to mend\n")
    assert look(tmp_path) == before
    (tmp_path / "site/tls").mkdir()
    (tmp_path / "site/tls/old.key").write_text("-----BEGIN PRIVATE KEY-----\n")
    (tmp_path / "site/tls/old.key").chmod(0o644)
    (tmp_path / "site/trust").chmod(0o777)
    before = look(tmp_path)
    ill = doctor(tmp_path / "site")
    assert (ill.exit_code, ill.stderr) == (1, "2 things to mend\n")
    assert f"  mend: chmod 600 {tmp_path / 'site/tls/old.key'}" in ill.stdout
    facts = json.loads(doctor(tmp_path / "site", "--json").stdout)
    assert facts["mend"] == 2
    assert {each["where"] for each in facts["findings"] if each["mend"]} == {
        str(tmp_path / "site/tls/old.key"),
        str(tmp_path / "site/trust"),
    }
    assert look(tmp_path) == before, "nothing is changed"
