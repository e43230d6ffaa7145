"""Encrypted files for tests, made by age's Rust implementation."""

from __future__ import annotations

from typing import Any

import pyrage

from gitupd.core.secrets.sealed import Opener, Unopened

CANARY = "Cnry7-hunter2"
"""A secret that nobody may see."""

ANOTHER = str(pyrage.x25519.Identity.generate().to_public())


class Keyholder:
    """Somebody with a key."""

    def __init__(self) -> None:
        self.identity: Any = pyrage.x25519.Identity.generate()
        self.recipient = str(self.identity.to_public())

    def seal(self, text: str, *others: str, armored: bool = True) -> bytes:
        to = [pyrage.x25519.Recipient.from_str(each) for each in (self.recipient, *others)]
        return bytes(pyrage.encrypt(text.encode(), to, armored=armored))

    def opener(self) -> Opener:
        def opened(content: bytes) -> bytes:
            try:
                return bytes(pyrage.decrypt(content, [self.identity]))
            except pyrage.DecryptError:
                raise Unopened("it is encrypted to other keys") from None

        return opened
