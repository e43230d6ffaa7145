"""What a device would get that does not exist, or not yet: a poll that nobody made, answered from any commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitupd.core.caller import Request, parse_caller
from gitupd.core.device import Device
from gitupd.core.situation import Basis
from gitupd.errors import GitupdError
from gitupd.service.deployments.live import Live
from gitupd.service.inspection import Inspection
from gitupd.store.deployments import Deployment

if TYPE_CHECKING:
    from datetime import datetime

    from gitupd.core.endpoint import Endpoint
    from gitupd.core.firmware import Builds
    from gitupd.core.script import Script
    from gitupd.core.situation import Situation
    from gitupd.core.snapshot import Snapshot
    from gitupd.service.deployments.snapshots import Snapshots
    from gitupd.service.preview import Facts
    from gitupd.service.scripting.computing import Computing

LARGEST = 2 * 2**20
MOST_LINES = 50_000


@dataclass(frozen=True, slots=True)
class Trial:
    """An answer to a poll that nobody made, and what the device was taken for."""

    script: Script
    situation: Situation

    @property
    def commands(self) -> int:
        """How many lines of the script a device executes."""
        texts = (line.text.strip() for line in self.script.lines if line.kind != "comment")
        return sum(bool(text) and not text.startswith("#") for text in texts)


def trial(
    snapshots: Snapshots,
    snapshot: Snapshot,
    facts: Facts,
    endpoint: Endpoint,
    now: datetime,
    *,
    builds: Builds | None = None,
    computing: Computing | None = None,
) -> Trial:
    """Return what a device of these *facts* that calls at *endpoint* would get from *snapshot*.

    Where HTTPS is required, it calls by HTTPS. Raises MalformedRequest for facts that no device has, GitupdError if the
    script is larger than can be shown.
    """
    transport = snapshot.policy.transport
    if transport.https == "required":
        endpoint = endpoint.moved_to_https(transport.https_port)
    caller = parse_caller(facts.arguments(), endpoint)
    basis = Basis(snapshot, builds)
    situation = basis.situation(caller, now)
    size = sum(len(each.content) for each in situation.snippets)
    count = sum(each.content.count(b"\n") for each in situation.snippets)
    if size > LARGEST or count > MOST_LINES:
        raise GitupdError(
            f"a script of {size:,} bytes and {count:,} lines is more than a page can show; gitupd render prints it"
        )
    assert caller.serial is not None  # noqa: S101 - facts always name one
    device = Device(caller.serial, request=Request(caller.arguments, endpoint))
    imagined = Live(snapshot, builds, deployment=Deployment(0, snapshot.commit, now, "", "preview", None, ""))
    script = Inspection(device, imagined, snapshots, now, computing).now_lines()
    assert script is not None  # noqa: S101 - something is deployed here, and the device polled
    return Trial(script, situation)
