"""Waiting for what happens, and not for the clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 60  # seconds; what takes so long on a busy machine does not happen at all

Result = TypeVar("Result")


def until(
    happened: Callable[[], Result], otherwise: object = "it never happens", *, seconds: float = PATIENCE
) -> Result:
    """Ask again and again until the answer is true, and return it; after *seconds* fail and say *otherwise*."""
    deadline = time.monotonic() + seconds
    while not (result := happened()):
        assert time.monotonic() < deadline, otherwise() if callable(otherwise) else otherwise
        time.sleep(0.02)
    return result
