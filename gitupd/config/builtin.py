"""The device classes, exceptions and queries that every configuration starts from."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Builtin:
    """The contents of ``builtin.yaml``; ``classes`` in order of delivery, models as innovaphone writes them."""

    classes: Mapping[str, tuple[str, ...]]
    no_bootcode: tuple[str, ...]
    no_firmware: tuple[str, ...]
    file_names: Mapping[str, Mapping[str, str]]
    queries: Mapping[str, Mapping[str, str]]
    volatile_lines: tuple[str, ...]
    secret_patterns: tuple[str, ...]


def _read() -> Builtin:
    document = yaml.safe_load(files("gitupd.config").joinpath("builtin.yaml").read_text("utf-8"))
    lists = ("no_bootcode", "no_firmware", "volatile_lines", "secret_patterns")
    classes = {name: tuple(models) for name, models in document["classes"].items()}
    return Builtin(**{**document, **{name: tuple(document[name]) for name in lists}, "classes": classes})


BUILTIN = _read()
