"""Defaults: what the schemas declare, what is read of an absent document, and what the core takes for a default."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitupd.config.loader import load
from gitupd.core.policy import Backup, Certificates, Delivery, Deploy, Firmware, Status, Transport
from gitupd.resources import schema

POLICIES = {
    "delivery": Delivery(),
    "firmware": Firmware(),
    "backup": Backup(),
    "transport": Transport(),
    "certificates": Certificates(),
    "status": Status(),
    "deploy": Deploy(),
}
FROM_ELSEWHERE = {
    "no_firmware", "no_bootcode", "file_names", "ignore", "hide",  # the built-in lists
    "https_rewrite", "authorities", "dn",  # too long for a default in the core
}  # fmt: skip
"""Fields of which the core declares no default that means anything."""


def _declared(rules: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults that a schema declares, as a document."""
    return {key: each["default"] for key, each in rules["properties"].items() if "default" in each}


@pytest.mark.parametrize("name", POLICIES)
def test_a_document_that_says_the_defaults_says_nothing_new(name: str) -> None:
    files = {f"policies/{name}.yaml": json.dumps(_declared(schema(name))).encode()}
    files["certificates/CAkey.pem"] = b"the chain must be there if it is named"
    assert getattr(load(files).policy, name) == getattr(load({}).policy, name)


@pytest.mark.parametrize("name", POLICIES)
def test_the_core_has_the_same_defaults(name: str) -> None:
    read = getattr(load({}).policy, name)
    for field in read.__dataclass_fields__:
        if field not in FROM_ELSEWHERE:
            assert getattr(read, field) == getattr(POLICIES[name], field), field
