from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gitupd.errors import InvalidConfiguration, Severity
from gitupd.importer import Imported, import_installation
from gitupd.importer.defaults import default_configuration

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gitupd.importer.elements import Element


@dataclass(frozen=True)
class Old:
    """An installation of the PHP server under construction."""

    root: Path

    def write(self, path: str, content: bytes = b"config add X /x\n") -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    def configure(self, sections: str) -> None:
        self.write("config/user-config.xml", f"<config>\n{sections}\n</config>".encode())

    def imported(self, sections: str, *scripts: str) -> Imported:
        self.configure(sections)
        for script in scripts:
            self.write(f"scripts/{script}")
        return import_installation(self.root)

    def document(self, path: str, sections: str) -> str:
        """Return a document without its comments, empty if it was not written."""
        return body(self.imported(sections).files, path)

    def refused(self, sections: str) -> str:
        """Return the errors that keep the configuration from being imported."""
        with pytest.raises(InvalidConfiguration) as caught:
            self.imported(sections)
        return "\n".join(str(each) for each in caught.value.problems if each.severity is Severity.ERROR)


def shipped() -> bytes:
    """Return the defaults that come with the last release of the PHP server, as ``config.xml``."""
    return ET.tostring(_written(default_configuration()))


def _written(element: Element) -> ET.Element:
    node = ET.Element(element.tag, {name: element.get(name) for name in element.attributes})
    node.text = element.text
    node.extend(map(_written, element.children))
    return node


def body(files: Mapping[str, bytes], path: str) -> str:
    lines = files.get(path, b"").decode().splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


@pytest.fixture
def old(tmp_path: Path) -> Old:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "config.xml").write_bytes(shipped())
    return Old(tmp_path)
