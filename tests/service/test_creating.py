"""What a new site begins with."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gitupd.config.documents import PATHS
from gitupd.service.clock import now
from gitupd.service.creating import create_demo_site, create_site, import_site

if TYPE_CHECKING:
    from collections.abc import Callable

    from gitupd.service.site import Site

RICH = Path(__file__).parents[1] / "importer/rich"
MAKERS: dict[str, Callable[[Path], Site]] = {
    "init": lambda path: create_site(path, who="test", now=now())[0],
    "demo": lambda path: create_demo_site(path, who="test", now=now()),
    "import": lambda path: import_site(RICH, path, who="test", now=now())[0],
}


@pytest.mark.parametrize("maker", MAKERS)
def test_the_first_line_of_each_document_leads_to_its_schema(tmp_path: Path, maker: str) -> None:
    MAKERS[maker](tmp_path / "site").close()
    clone = ["git", "clone", "--quiet", str(tmp_path / "site/config.git"), str(tmp_path / "work")]
    subprocess.run(clone, check=True, timeout=60)
    names = {path: name for name, path in PATHS.items()}
    documents = sorted(path for path in (tmp_path / "work").rglob("*.yaml") if ".github" not in path.parts)
    assert len(documents) > 8
    for document in documents:
        first = document.read_text("utf-8").partition("\n")[0]
        found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert found, f"{document} names no schema"
        schema = (document.parent / found[1]).resolve()
        path = document.relative_to(tmp_path / "work").as_posix()
        assert schema.stem == names.get(path, "tests")
        assert json.loads(schema.read_text("utf-8"))["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_what_an_import_can_not_read_is_named(tmp_path: Path) -> None:
    source = tmp_path / "update"
    shutil.copytree(RICH, source)
    (source / "cache/master-info.xml").write_bytes(b"<info/>")
    (source / "backup/IP222-30-00-af").mkdir(parents=True)
    for number, content in enumerate((b"", b"<html>", b"<html>", b"config add A /b\r\n"), 1):
        (source / f"backup/IP222-30-00-af/IP222-30-00-af.{number}.txt").write_bytes(content)
    site, _, notes = import_site(source, tmp_path / "site", who="test", now=now())
    told = [str(note) for note in notes]
    cache, folder = "cache/master-info.xml: warning: left out: ", "backup/IP222-30-00-af/: warning: left out: "
    assert f"{cache}no answer of a master device, which is asked anew: no element sys with an attribute version" in told
    assert f"{folder}it is empty: IP222-30-00-af.1.txt" in told
    names = "IP222-30-00-af.2.txt, IP222-30-00-af.3.txt"
    assert f"{folder}it is no configuration but something like a web page: {names}" in told
    assert site.backup_index.count() == 1
    site.close()
