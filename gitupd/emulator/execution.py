"""Executing a script, line by line."""

from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from gitupd.emulator import transfer
from gitupd.emulator.address import expanded
from gitupd.emulator.certificates import begin_request, finish_request, take_response
from gitupd.emulator.clock import hour_of_day
from gitupd.emulator.exchange import Purpose, Talk
from gitupd.emulator.script import (
    RESETS,
    CertificateRequest,
    Check,
    Command,
    ConfigActivate,
    ConfigEdit,
    ConfigWrite,
    Flash,
    LoadConfig,
    Other,
    PollCommand,
    PollNow,
    Provision,
    Reinit,
    Reset,
    SaveConfig,
    SetVar,
    Times,
    Transfer,
    VarsCreate,
    VarsDelete,
    Verb,
    commands,
    decode,
    parse,
)
from gitupd.emulator.state import SERIALS, Activity, Device

MAX_NESTING = 4


class Ending(Enum):
    """Why a script came to its end."""

    COMPLETE = "complete"
    CHECKED = "checked"
    """The serial of its check is that of the device."""
    OUTSIDE_HOURS = "outside hours"
    RESET = "reset"


@dataclass(slots=True)
class Execution:
    """One script in execution; one that it fetches with `cfg` is another, with a check of its own."""

    device: Device
    depth: int = 0
    armed: Check | None = None

    def run(self, text: str) -> Talk[Ending]:
        """Execute line by line until something says stop."""
        todo = [parse(line) for line in commands(text)]
        for at, command in enumerate(todo):
            self.device.be(Activity.EXECUTING)
            ending = yield from self._obey(command)
            if ending is Ending.RESET and all(isinstance(later, Reset) for later in todo[at:]):
                self._finish()  # nothing is left undone: without this, a check followed by a reset would never count
            if ending is not None:
                return ending
        return self._finish()

    def _finish(self) -> Ending:
        """Remember the serial of the check, if there was one, and run its final command."""
        if self.armed is None:
            return Ending.COMPLETE
        self.device.set_serial("CHECK", self.armed.serial)
        return self._final(self.armed.final) or Ending.COMPLETE

    def _obey(self, command: Command) -> Talk[Ending | None]:
        """Carry out one command; gives how the script ends if it ends here."""
        finish_request(self.device)
        match command:
            case ConfigEdit() | ConfigWrite() | ConfigActivate() | VarsCreate() | VarsDelete():
                _change(self.device, command)
                return None
            case Check() | Times() | Provision() | PollNow() | Reinit() | SetVar():
                return self._steer(command)
            case Flash() | LoadConfig() | SaveConfig():
                return (yield from self._transfer(command))
            case CertificateRequest():
                begin_request(self.device, command)
                return None
            case Reset():
                return self._reset(command)
            case Other():
                self.device.tally.log.append(f"not understood: {command.line}")
                return None
            case _:
                assert_never(command)

    def _steer(self, command: PollCommand) -> Ending | None:
        device = self.device
        match command:
            case Check():
                if command.serial == device.serial("CHECK"):
                    return Ending.CHECKED
                self.armed = command
            case Times():
                return None if is_allowed(device, command) else Ending.OUTSIDE_HOURS
            case Provision():
                device.configuration.impose(Verb.ADD, "UP1", [("provision", str(command.seconds))])
            case PollNow():
                device.poll_now = True
            case Reinit():
                for name in SERIALS:
                    device.delete_variable(f"UPDATE/{name}")
            case SetVar():
                device.create_variable(f"UP1/{command.name}", "p", command.value)
            case _:
                assert_never(command)
        return None

    def _transfer(self, command: Transfer) -> Talk[Ending | None]:
        match command:
            case Flash():
                done = yield from transfer.flash(self.device, command)
            case SaveConfig():
                done = yield from transfer.save(self.device, command)
            case LoadConfig():
                return (yield from self._load(command))
            case _:
                assert_never(command)
        return self._final(command.final) if done else None

    def _load(self, command: LoadConfig) -> Talk[Ending | None]:
        """Fetch a configuration and execute it as a script within the script."""
        device = self.device
        if command.serial is not None and command.serial == device.serial("CFG"):
            return None
        if self.depth >= MAX_NESTING:
            device.tally.error("nested too deep", command.url)
            return None
        device.be(Activity.DOWNLOADING, "configuration")
        reply = yield from transfer.fetch_well(device, Purpose.CONFIG, expanded(device, command.url))
        if reply is None:
            return None
        ending = yield from Execution(device, self.depth + 1).run(decode(reply.body))
        if command.serial is not None:
            device.set_serial("CFG", command.serial)
        return ending if ending is Ending.RESET else self._final(command.final)

    def _final(self, word: str) -> Ending | None:
        """Run the command that a transfer or a check has for its success."""
        reset = RESETS.get(word)
        return self._reset(reset) if reset else None

    def _reset(self, command: Reset) -> Ending | None:
        device = self.device
        if command.if_required and not device.reset_required:
            return None
        if command.when_idle and not device.idle:
            device.reset_when_idle = True
            return None
        return Ending.RESET


def _change(device: Device, command: ConfigEdit | ConfigWrite | ConfigActivate | VarsCreate | VarsDelete) -> None:
    match command:
        case ConfigEdit():
            device.configuration.apply(command.verb, command.module, command.options)
        case ConfigWrite():
            device.configuration.write()
        case ConfigActivate():
            device.configuration.activate()
            take_response(device)
        case VarsCreate():
            device.create_variable(command.path, command.flags, command.value)
            device.reset_required = True
        case VarsDelete():
            device.delete_variable(command.path)
        case _:
            assert_never(command)


def is_allowed(device: Device, times: Times) -> bool:
    """Decide whether what follows a `times` may be executed now.

    With a delay given, a device out of the box does not keep to the hours, so that it can be installed in daytime.
    """
    if not device.clock_set:
        return False
    if times.initial is not None and device.uptime < times.initial * 60:
        return False
    if times.allow is None or (times.initial is not None and device.is_new):
        return True
    return hour_of_day(device.clock.now()) in times.allow
