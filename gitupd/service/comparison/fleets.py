"""Whom two commits are compared for: a site's devices, those that never called, or one for each combination."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain, islice, product
from typing import TYPE_CHECKING

from gitupd.core.caller import Request, Serial
from gitupd.core.comparison.rendering import Rendering
from gitupd.core.concealing import HIDDEN
from gitupd.core.device import Device
from gitupd.core.firmware import wanted_bootcode, wanted_firmware
from gitupd.core.identity import PRESUMED
from gitupd.core.imagined import SOMEWHERE, ImaginedDevice
from gitupd.core.names import ALL, fold
from gitupd.core.policy import InClass
from gitupd.core.url import fast_polling
from gitupd.errors import MalformedRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gitupd.core.admission.admittance import Decision
    from gitupd.core.policy import Policy
    from gitupd.core.snapshot import KnownDevice, Snapshot
    from gitupd.service.imagining import Imagining
    from gitupd.service.site import Site

_MOST_COMBINATIONS = 5_000
_MOST_NAMED = 1_000
_INVENTED = 0x020000000001  # no device has such a serial number: it is locally administered


@dataclass(frozen=True)
class ComparedFleet:
    """Devices as they are remembered, each with its last poll; about ``count`` of them.

    ``decisions`` are what people decided on them, by the digits of their serial numbers; None lets everybody in.
    ``imagined`` ones exist nowhere. ``remarks`` say what is to be known of them.
    """

    devices: Iterable[Device]
    count: int
    decisions: Mapping[str, Decision] | None = None
    imagined: bool = False
    remarks: tuple[str, ...] = field(default=())


def fleet_of_site(site: Site, base: Snapshot, head: Snapshot) -> ComparedFleet:
    """Return all devices of *site*, and those of ``devices.yaml`` that never called and whose type is known."""
    count = sum(kind.count for kind in site.fleet.kinds())
    decisions = site.admissions.since(0)[1]
    return ComparedFleet(_and_those_to_come(site.inventory.polls(), base, head), count, decisions)


def _and_those_to_come(devices: Iterable[Device], base: Snapshot, head: Snapshot) -> Iterator[Device]:
    waiting = dict(_to_come(base, head))
    for device in devices:
        expected = waiting.pop(device.serial.digits, None)
        yield expected if expected and device.request is None else device
    yield from waiting.values()


def _to_come(base: Snapshot, head: Snapshot) -> Iterator[tuple[str, Device]]:
    """Yield the devices of ``devices.yaml`` whose type is known, by serial digits, as they will call."""
    for digits, known in ({**base.devices, **head.devices}).items():
        if known.model is not None:
            yield digits, _expected(digits, known, base.policy)


def _expected(digits: str, known: KnownDevice, policy: Policy) -> Device:
    phase = known.phase or policy.staged_phases[0]
    imagined = ImaginedDevice(
        known.model or "",
        str(Serial(digits)),
        phase=phase,
        polling=None if phase == policy.staged_phases[-1] else fast_polling(policy.delivery),
        hardware_id=known.hardware_id,
    )
    return replace(_calling(imagined, policy), given_name=known.name)


def _calling(imagined: ImaginedDevice, policy: Policy) -> Device:
    """Return a device that calls as *policy* requires it."""
    caller = imagined.caller(policy.transport, SOMEWHERE)
    return Device(
        Serial(imagined.serial.replace("-", "")),
        model=imagined.model,
        address=imagined.address,
        request=Request(caller.arguments, caller.endpoint),
        identity=PRESUMED if policy.transport.client_certificate == "required" else None,
    )


def imagined_fleet(base: Imagining, head: Imagining) -> ComparedFleet:
    """Return one device for each combination of model, environment and phase that the two commits tell apart.

    Each has executed what the first commit says, and runs the builds that it wants. Those that are named by their
    serial numbers come besides.
    """
    policies = base.basis.snapshot.policy, head.basis.snapshot.policy
    models = _distinct_models(base.basis.snapshot, head.basis.snapshot)
    environments = tuple(dict.fromkeys(name for policy in policies for name in policy.environments))
    phases = policies[0].staged_phases[::-1]  # the last one first: most devices are in it
    combinations = list(islice(product(phases, environments, models), _MOST_COMBINATIONS))
    devices = [
        _settled(base, ImaginedDevice(model, str(Serial(f"{_INVENTED + number:012x}")), environment, phase))
        for number, (phase, environment, model) in enumerate(combinations)
    ]
    named = [_settled(base, one) for one in islice(_named(base.basis.snapshot, head.basis.snapshot), _MOST_NAMED)]
    left_out = len(phases) * len(environments) * len(models) - len(combinations)
    remarks = (f"{left_out:,} more combinations were left out",) if left_out else ()
    return ComparedFleet([*devices, *named], len(devices) + len(named), imagined=True, remarks=remarks)


def _settled(base: Imagining, imagined: ImaginedDevice) -> Device:
    """Return a device that has executed what *base* says, in the last phase, or before it in the one that it is in."""
    policy, builds = base.basis.snapshot.policy, base.basis.builds
    is_last = imagined.phase == policy.staged_phases[-1]
    imagined = replace(
        imagined,
        polling="0" if is_last else fast_polling(policy.delivery),
        firmware=wanted_firmware(policy.firmware, builds),
        bootcode=wanted_bootcode(policy.firmware, builds),
    )
    device = _calling(imagined, policy)
    if device.request is None:
        return device
    return _having_executed(base, device, device.request)


def _having_executed(base: Imagining, device: Device, request: Request) -> Device:
    """Return a device that has executed what *base* says, and calls with *request*."""
    poll = base.again(request, device)
    check = Rendering(poll, poll).check
    if check is None:
        return device
    return replace(device, request=replace(request, arguments={**request.arguments, "CHECK": check}))


def with_confirmed(base: Imagining, fleet: ComparedFleet) -> ComparedFleet:
    """Return *fleet* with CHECK for those whose CHECK is hidden, and of which is told that they executed *base*.

    It is hidden from whoever may not see secrets; what *base* says tells what it was.
    """
    return replace(fleet, devices=_confirming(base, fleet.devices))


def _confirming(base: Imagining, devices: Iterable[Device]) -> Iterator[Device]:
    commit = base.basis.snapshot.commit
    for device in devices:
        request = device.request
        if request is None or device.confirmed != commit or device.check != HIDDEN:
            yield device
            continue
        try:
            yield _having_executed(base, device, request)
        except MalformedRequest:
            yield device


def _distinct_models(base: Snapshot, head: Snapshot) -> tuple[str, ...]:
    """Return one model for each set of classes, and every one that is named by itself."""
    sides = (base, head)
    in_classes = sorted({model for side in sides for each in side.policy.classes for model in each.models})
    named = {name for side in sides for name in _names(side)}
    alone = sorted(name for name in named.difference(in_classes) if not any(_is_class(side, name) for side in sides))
    named |= {name for side in sides for name in _exceptions(side.policy)}
    first: dict[object, str] = {}
    for model in (*in_classes, *alone):
        classes = tuple(
            tuple(each.name for each in side.policy.classes_of(model) if each.name != model) for side in sides
        )
        first.setdefault((classes, model if model in named else None), model)
    return tuple(model.upper() for model in first.values())


def _is_class(side: Snapshot, name: str) -> bool:
    return name == ALL or any(name in (fold(each.name), fold(each.snippets)) for each in side.policy.classes)


def _names(side: Snapshot) -> Iterator[str]:
    """Yield what is named where a class or a model may stand."""
    policy = side.policy
    yield from (snippet.device_class for snippet in side.snippets)
    yield from (fold(each.name) for each in policy.classes)
    conditions = chain(policy.firmware.applies, *(query.applies for query in policy.queries))
    yield from (fold(each.name) for each in conditions if isinstance(each, InClass))


def _exceptions(policy: Policy) -> Iterator[str]:
    """Yield the models with rules of their own, if devices are to load anything."""
    firmware = policy.firmware
    if (firmware.firmware, firmware.bootcode) != ("none", "none"):
        yield from chain(firmware.no_firmware, firmware.no_bootcode, firmware.file_names)


def _named(base: Snapshot, head: Snapshot) -> Iterator[ImaginedDevice]:
    """Yield the devices that are named by their serial numbers, if their models are known, or follow from a snippet."""
    sides = (head, base)
    models = {digits: known.model for side in sides for digits, known in side.devices.items() if known.model}
    for side in sides:
        for snippet in side.snippets:
            if snippet.place in side.serial_places:
                models.setdefault(snippet.place.replace("_", ""), _model_in(side, snippet.device_class))
    phases = base.policy.staged_phases
    for digits, model in sorted(models.items()):
        phase = next((side.devices[digits].phase for side in sides if digits in side.devices), None)
        yield ImaginedDevice(model or "", str(Serial(digits)), phase=phase if phase in phases else phases[-1])


def _model_in(side: Snapshot, device_class: str) -> str:
    """Return a model that belongs to *device_class*, which may be one itself."""
    classes = side.policy.classes
    if device_class == ALL:
        return next((min(each.models).upper() for each in classes if each.models), "IP222")
    models = (min(each.models) for each in classes if each.models and device_class == fold(each.snippets))
    return next(models, device_class).upper()
