"""The wheel of an installation, beside the one that it was installed from."""

from __future__ import annotations

import hashlib
import io
import zipfile
from importlib.metadata import Distribution
from typing import TYPE_CHECKING

import pytest
from support.installing import build_wheel, install

from gitupd.errors import GitupdError
from gitupd.store.wheel import installed_wheel, own_wheel

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel, and what was installed from it."""
    place = tmp_path_factory.mktemp("wheel")
    install(build_wheel(place), place / "installed")
    return place


def distribution(folder: Path) -> Distribution:
    return next(iter(Distribution.discover(name="gitupd", path=[str(folder)])))


def test_it_is_what_was_installed_byte_for_byte(place: Path, tmp_path: Path) -> None:
    (built,) = place.glob("*.whl")
    wheel = installed_wheel(distribution(place / "installed"))
    assert wheel.name == built.name
    assert wheel.sha256 == hashlib.sha256(wheel.content).hexdigest()
    assert wheel.python == ">=3.11"
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as made, zipfile.ZipFile(built) as before:
        assert sorted(made.namelist()) == sorted(before.namelist())
        for name in made.namelist():
            assert name.endswith("/RECORD") or made.read(name) == before.read(name), name
    again = tmp_path / wheel.name
    again.write_bytes(wheel.content)
    assert installed_wheel(distribution(install(again, tmp_path / "again"))) == wheel, "from it, the same is made"


def test_what_was_changed_is_not_handed_on(place: Path) -> None:
    changed = place / "installed/gitupd/__main__.py"
    before = changed.read_bytes()
    try:
        changed.write_bytes(before + b"# mine\n")
        with pytest.raises(GitupdError, match=r"gitupd/__main__\.py is not as it was installed; install it anew"):
            installed_wheel(distribution(place / "installed"))
        changed.unlink()
        with pytest.raises(GitupdError, match=r"gitupd/__main__\.py of the installation can't be read"):
            installed_wheel(distribution(place / "installed"))
    finally:
        changed.write_bytes(before)


def test_what_keeps_no_record_has_no_wheel(tmp_path: Path) -> None:
    (tmp_path / "gitupd-1.dist-info").mkdir()
    (tmp_path / "gitupd-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: gitupd\nVersion: 1\n")
    with pytest.raises(GitupdError, match="whatever has installed gitupd 1 keeps no RECORD"):
        installed_wheel(distribution(tmp_path))


def test_a_checkout_says_that_it_is_one() -> None:
    with pytest.raises(GitupdError, match=r"runs from a checkout \(pip install --editable\)"):
        own_wheel()
