from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from support.hashing import hash_cheaply
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer


# How long an example takes is up to the machine, which may have other things to do.
settings.register_profile("gitupd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gitupd")

hash_cheaply()


class Together(LoadScopeScheduling):
    """Gives each test to whichever process is free, and those that share a browser to one."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if nodeid.startswith("tests/browser/") else nodeid


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kill-rounds", type=int, default=16, help="how often to kill a server that takes in backups")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    # Not --dist loadgroup: pytest-xdist 3.8 does not see groups with pytest 9.2.
    return Together(config, log)
