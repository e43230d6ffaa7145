"""What a new site begins with."""

from __future__ import annotations

import json
import re
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
    documents = sorted((tmp_path / "work").rglob("*.yaml"))
    assert len(documents) > 8
    for document in documents:
        first = document.read_text("utf-8").partition("\n")[0]
        found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert found, f"{document} names no schema"
        schema = (document.parent / found[1]).resolve()
        path = document.relative_to(tmp_path / "work").as_posix()
        assert schema.stem == names.get(path, "tests")
        assert json.loads(schema.read_text("utf-8"))["$schema"] == "https://json-schema.org/draft/2020-12/schema"
