"""Versions as the input of ``git fast-import``: blobs are marked with odd numbers, commits with even ones."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from shutil import copyfileobj
from typing import IO, TYPE_CHECKING

from gitupd.core.backups.version import path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from gitupd.core.caller import Serial
    from gitupd.core.snapshot import CommitId

BRANCH = "refs/heads/main"

ATTRIBUTES = b"""\
# Configurations are byte for byte what devices uploaded: Git neither converts their line ends nor marks them as faults.
devices/** -text -whitespace
"""


@dataclass(frozen=True, slots=True)
class Version:
    """A version that is to become a commit.

    ``author`` names the device, ``message`` has the trailers. ``content`` is what was uploaded, byte for byte, or an
    open file with it.
    """

    serial: Serial
    at: datetime
    author: str
    message: str
    content: bytes | IO[bytes] = field(repr=False)


def write_versions(
    stream: IO[bytes],
    versions: Iterable[Version],
    tip: CommitId | None,
    folder: Mapping[Serial, str] | None,
    branch: str = BRANCH,
) -> None:
    """Write *versions* as the input of ``git fast-import``, so that it says the ids of blob and commit for each.

    They go to *branch*, and with them what Git has to know about such files. *tip* is the commit before, None if there
    is none. *folder* are the blobs of all devices, if the folders of that commit are to be made anew. If Git ends
    before all is written, so does this: it says itself why.
    """
    count = 0
    with suppress(BrokenPipeError):
        for count, version in enumerate(versions, 1):
            stream.write(b"blob\nmark :%d\n" % (count * 2 - 1))
            _write_content(stream, version.content)
            stream.write(b"commit %s\nmark :%d\n" % (branch.encode(), count * 2))
            stream.write(_head(version))
            if count == 1 and tip is not None:
                # What is merged becomes the only parent as well, and nothing that lies in it is read.
                stream.write(f"{'from' if folder is None else 'merge'} {tip}\n".encode())
            if count == 1:  # where it is there already, this changes nothing
                stream.write(b"M 100644 inline .gitattributes\ndata %d\n%s\n" % (len(ATTRIBUTES), ATTRIBUTES))
            if count == 1 and folder is not None:
                stream.writelines(f"M 100644 {blob} {path_of(serial)}\n".encode() for serial, blob in folder.items())
            stream.write(f"M 100644 :{count * 2 - 1} {path_of(version.serial)}\n\n".encode())
        stream.writelines(b"get-mark :%d\n" % mark for mark in range(1, count * 2 + 1))
        stream.write(b"done\n")


def _head(version: Version) -> bytes:
    seconds, message = int(version.at.timestamp()), version.message.encode(errors="replace")
    author = f"author {_name(version.author)} <{version.serial}@devices.invalid> {seconds} +0000\n"
    committer = f"committer gitupd <gitupd@localhost> {seconds} +0000\n"
    return b"%sdata %d\n%s\n" % ((author + committer).encode(), len(message), message)


def _write_content(stream: IO[bytes], content: bytes | IO[bytes]) -> None:
    if isinstance(content, bytes):
        stream.write(b"data %d\n" % len(content))
        stream.write(content)
    else:
        stream.write(b"data %d\n" % os.fstat(content.fileno()).st_size)
        content.seek(0)
        copyfileobj(content, stream, 2**20)
    stream.write(b"\n")


def _name(text: str) -> str:
    """Return *text* as the name of an author: without what Git gives a meaning to."""
    return "".join(" " if letter in "<>" or not letter.isprintable() else letter for letter in text).strip()
