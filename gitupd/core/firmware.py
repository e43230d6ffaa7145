"""Which firmware and boot code a device is to run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gitupd.core.actions import BootcodeRequested, Do, FirmwareRequested, Say, Warn
from gitupd.core.names import fold
from gitupd.core.policy import Build
from gitupd.core.url import firmware_url

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from gitupd.core.actions import Action
    from gitupd.core.caller import Caller
    from gitupd.core.policy import Firmware

_BRACKETS = re.compile(r".*\[(?P<firmware>[^]]*)\].*\[(?P<bootcode>[^]]*)\].*\[[^]]*\]", re.DOTALL)
_BUILD = re.compile(r"[0-9A-Za-z._-]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Builds:
    """The firmware and the boot code that the master device runs; None for one that it does not tell."""

    firmware: str | None
    bootcode: str | None


def parse_version(version: str) -> Builds | None:
    """Return the builds in a version line, None if it names none.

    Such a line is ``13r2 IP222[13.4250], Bootcode[131286], HW[1300]``. The last three pairs of brackets count. Dots are
    taken out of the firmware build and not of the boot code, as the PHP server did
    (docs/reference/php-differences.md). A build that no device could be told is None by itself.
    """
    match = _BRACKETS.match(version)
    if not match:
        return None
    firmware, bootcode = match["firmware"].replace(".", ""), match["bootcode"]
    builds = Builds(*(build if _BUILD.fullmatch(build) else None for build in (firmware, bootcode)))
    return None if builds == Builds(None, None) else builds


def wanted_firmware(policy: Firmware, builds: Builds | None) -> str | None:
    """Return the firmware build that devices are to run, None for any or while it is not known."""
    match policy.firmware:
        case Build(number):
            return number
        case "master":
            return builds.firmware if builds else None
        case "none":
            return None


def wanted_bootcode(policy: Firmware, builds: Builds | None) -> str | None:
    """Return the boot code that devices are to run, None for any or while it is not known."""
    match policy.bootcode:
        case Build(number):
            return number
        case "master":
            return builds.bootcode if builds else None
        case "firmware":
            return wanted_firmware(policy, builds)
        case "none":
            return None


def upgrade(caller: Caller, policy: Firmware, builds: Builds | None) -> Generator[Action, None, None]:
    """Request the wanted builds where the device reports others, or does not say; then a restart when it is idle.

    What follows the master device is left out while its builds are unknown, *builds* None; the rest goes on.
    """
    # The PHP server stopped here, and no device of the fleet got its script any more (recordings 099, 104a, 104d).
    unknown = " and ".join(_unknown(policy, builds))
    if unknown:
        yield Warn(f"which {unknown} the master device runs is not known, so none is requested")
    model = fold(caller.model)
    firmware = None if model in policy.no_firmware else wanted_firmware(policy, builds)
    bootcode = None if model in policy.no_bootcode else wanted_bootcode(policy, builds)
    # A build that the device does not name is not the wanted one (recording 106).
    firmware = None if firmware == caller.get("PROT") else firmware
    bootcode = None if bootcode == caller.get("BOOT") else bootcode
    if firmware is not None:
        yield from _request(caller, policy, "prot", firmware)
        yield FirmwareRequested(firmware)
    if bootcode is not None:
        yield from _request(caller, policy, "boot", bootcode)
        yield BootcodeRequested(bootcode)
    if firmware is not None or bootcode is not None:
        yield Do("iresetn")


def _unknown(policy: Firmware, builds: Builds | None) -> Iterator[str]:
    """Yield what follows the master device, and is not known."""
    if policy.followed is None:
        return
    if policy.firmware == "master" and wanted_firmware(policy, builds) is None:
        yield "firmware"
    follows = policy.bootcode == "master" or (policy.bootcode == "firmware" and policy.firmware == "master")
    if follows and wanted_bootcode(policy, builds) is None:
        yield "boot code"


def _request(
    caller: Caller, policy: Firmware, filetype: Literal["prot", "boot"], build: str
) -> Generator[Action, None, None]:
    present = caller.get(filetype.upper()) or "unknown"
    yield Say(f"{'firmware' if filetype == 'prot' else 'boot code'} is {present}, want {build}")
    url = firmware_url(caller.endpoint, policy, build, caller.model, filetype)
    yield Do(f"mod cmd UP0 {filetype} {url} ser {build}")
