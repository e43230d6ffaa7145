from collections.abc import Callable

import pytest

from gitupd.emulator.clock import Clock
from gitupd.emulator.fleet import FleetPlan, build_fleet
from gitupd.emulator.phone import Phone
from gitupd.emulator.state import Habits

NOON = 1_000_000_800 // 86400 * 86400 + 12 * 3600


class Watch:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def pass_time(watch: Watch) -> Callable[[float], None]:
    """Put the clock of all phones forward."""

    def forward(seconds: float) -> None:
        watch.seconds += seconds

    return forward


@pytest.fixture
def make_phone(watch: Watch) -> Callable[..., Phone]:
    """Make a phone 00-90-33-46-0a-f2 at noon; keywords are those of a plan, or of the habits of a device."""

    def make(url: str = "http://upd.example/update.php", **chosen: object) -> Phone:
        habits = {name: chosen.pop(name) for name in Habits.__dataclass_fields__ if name in chosen}
        started = chosen.pop("started_at", NOON)
        plan = FleetPlan(url, first_serial="00-90-33-46-0a-f2", address="10.0.0.7", habits=Habits(**habits), **chosen)  # type: ignore[arg-type]  # keywords of tests
        return build_fleet(plan, Clock(watch, 0.0, float(str(started)))).phones[0]

    return make
