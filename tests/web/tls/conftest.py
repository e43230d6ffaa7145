from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.authorities import Authority, self_signed
from support.shaking import KINDS, Port, listener, shaking

from gitupd.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    """Listeners of all three kinds, in a site that trusts one root."""
    folder = tmp_path_factory.mktemp("tls")
    root = Authority.root("Test Root")
    issued = {
        "good": root.issuing("Test Device CA").device("IP222-46-0a-f2"),
        "without its chain": root.issuing("Another Device CA").device("IP222-46-0a-f3").alone(),
        "self-signed": self_signed("IP222-46-0a-f2"),
        "of a stranger": Authority.root("Rogue CA").device("IP222-46-0a-f2"),
        "of one with a known name": Authority.root("Test Root").issuing("Test Device CA").device("IP222-46-0a-f2"),
    }
    trust = folder / "site" / "trust"
    trust.mkdir(parents=True)
    (trust / "root.pem").write_bytes(root.pem)
    files = {name: each.files(folder / "clients", name) for name, each in issued.items()}
    with shaking(folder / "site", Settings(request_seconds=2), *map(listener, KINDS)) as workers:
        yield Port(folder / "site", workers, issued, files)
