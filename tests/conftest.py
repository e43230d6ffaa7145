from __future__ import annotations

import gc
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from support import killing
from support.hashing import hash_cheaply
from support.migrating import migrate_cheaply
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer


# How long an example takes is up to the machine, which may have other things to do.
settings.register_profile("gitupd", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("long", settings.get_profile("gitupd"), max_examples=5_000)
settings.load_profile("gitupd")

hash_cheaply()
migrate_cheaply()

_PROJECT = Path(__file__).parents[1]


class Together(LoadScopeScheduling):
    """Gives each test to whichever process is free, and those that share a browser or a server to one."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/browser/"):
            return "browser"
        module = nodeid.partition("::")[0]
        return module if _shares(module) else nodeid


@cache
def _shares(module: str) -> bool:
    """Whether the tests of *module* share something that takes long to make: each process would make its own."""
    return 'scope="module"' in (_PROJECT / module).read_text("utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kill-rounds", type=int, default=16, help="how often to kill a server that takes in backups")
    parser.addoption("--every-moment", action="store_true", help="kill at each moment, not only at each third")
    parser.addoption("--pictures", action="store_true", help="take pictures of all pages, in tests/browser/screenshots")


def pytest_configure(config: pytest.Config) -> None:
    killing.every_moment = config.getoption("--every-moment")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Together:
    # Not --dist loadgroup: pytest-xdist 3.8 does not see groups with pytest 9.2.
    config.option.loadscopereorder = False  # by the number of tests, when what takes longest is a test by itself
    return Together(config, log)


def pytest_collection_finish() -> None:
    # What has been imported and collected stays: looking for garbage there took a seventh of the time of all tests.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Have several processes begin with what takes longest: none waits for the last test of another then."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)
