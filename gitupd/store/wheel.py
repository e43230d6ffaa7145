"""The wheel of the very program that runs, made anew of what is installed: the same content, byte for byte.

What an installer has noted in RECORD says which files there are, and by their digests that they are as they came.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from gitupd.errors import GitupdError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from importlib.metadata import Distribution, PackagePath

_OF_THE_INSTALLER = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json"})
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""What a ZIP file takes for the beginning of time: the same installation makes the same file, whenever."""

_PERMISSIONS = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file that pip installs: its ``name``, its SHA-256 in hexadecimal digits, and which ``python`` it needs."""

    name: str
    content: bytes = field(repr=False)
    sha256: str
    python: str


def installed_wheel(installed: Distribution) -> Wheel:
    """Return the wheel that *installed* came from.

    Raises GitupdError if it was installed as editable, by something that keeps no RECORD, or was changed since.
    """
    name, version = installed.metadata["Name"], installed.version
    if _is_editable(installed):
        raise GitupdError(
            f"{name} {version} runs from a checkout (pip install --editable), so there is no wheel of it; install it "
            "without --editable"
        )
    files = {str(file): _content(file) for file in installed.files or () if _belongs(file, name)}
    marker = next((path for path in files if path.endswith(".dist-info/WHEEL")), None)
    if marker is None:
        raise GitupdError(f"whatever has installed {name} {version} keeps no RECORD of its files; install it with pip")
    folder = marker.rpartition("/")[0]
    content = _packed({**files, f"{folder}/RECORD": _record(files, folder)})
    tag = re.search(r"^Tag: (\S+)$", files[marker].decode(), re.MULTILINE)
    file_name = f"{folder.removesuffix('.dist-info')}-{tag[1] if tag else 'py3-none-any'}.whl"
    python = "".join(installed.metadata.get_all("Requires-Python", []))
    return Wheel(file_name, content, hashlib.sha256(content).hexdigest(), python)


def _is_editable(installed: Distribution) -> bool:
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    return bool(origin.get("dir_info", {}).get("editable"))


def _belongs(file: PackagePath, name: str) -> bool:
    """Whether *file* came with the wheel: what installers add is elsewhere, or has no digest, or is one of a few."""
    top = file.parts[0]
    if file.hash is None or (top != name and not top.endswith(".dist-info")):
        return False
    return not (top.endswith(".dist-info") and file.name in _OF_THE_INSTALLER and len(file.parts) == 2)  # noqa: PLR2004 - at its top


def _content(file: PackagePath) -> bytes:
    """Return what is in *file*; raises GitupdError unless it is as it was installed."""
    try:
        content = Path(str(file.locate())).read_bytes()
    except OSError as error:
        raise GitupdError(f"{file} of the installation can't be read: {error.strerror}; install it anew") from error
    if file.hash is not None and _digest(content, file.hash.mode) != file.hash.value:
        raise GitupdError(f"{file} is not as it was installed; install it anew")
    return content


def _digest(content: bytes, mode: str = "sha256") -> str:
    return base64.urlsafe_b64encode(hashlib.new(mode, content).digest()).rstrip(b"=").decode()


def _record(files: Mapping[str, bytes], folder: str) -> bytes:
    rows: Iterable[tuple[str, str, str]] = (
        *((path, f"sha256={_digest(content)}", str(len(content))) for path, content in sorted(files.items())),
        (f"{folder}/RECORD", "", ""),
    )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _packed(files: Mapping[str, bytes]) -> bytes:
    """Return *files* as a ZIP file, what describes them last, as wheels have it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files, key=lambda path: (".dist-info/" in path, path.endswith("/RECORD"), path)):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.external_attr, entry.compress_type = _PERMISSIONS, zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[path])
    return packed.getvalue()


def own_wheel() -> Wheel:
    """Return the wheel of this very program; raises GitupdError as above, and if nothing has installed it."""
    try:
        return installed_wheel(distribution("gitupd"))
    except PackageNotFoundError:
        raise GitupdError("gitupd was not installed, so there is no wheel of it; install it with pip") from None
