"""Variables that templates mention: whether they are defined, for whichever devices that can be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.config.schema import suggestion
from gitupd.core.names import ALL, SERIAL_PLACE, fold
from gitupd.errors import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitupd.core.snapshot import KnownDevice, Snapshot, Snippet

_FEW = 5


def undefined(snapshot: Snapshot) -> Iterator[Problem]:
    """Yield a problem for each variable that a template can't do without and some device has not.

    One that nobody has is an error. That one is missing in an environment is a warning: who is in it may be in another
    one besides.
    """
    defined = _Defined(snapshot)
    for snippet in snapshot.snippets:
        template = snippet.template
        if template is None:
            continue
        for name, line in template.lines.items():
            if name not in template.required:
                continue
            if name not in defined.anywhere and defined.is_partly_known:
                continue  # it may be a secret
            if name not in defined.anywhere:
                hint = suggestion(name, sorted(defined.anywhere)) or "define it in environments.yaml or devices.yaml"
                yield Problem(snippet.path, line, 0, f"the variable {name!r} is defined nowhere", hint)
            elif missing := defined.missing(name, snippet):
                yield Problem(snippet.path, line, 0, *missing, Severity.WARNING)


class _Defined:
    """Which variables there are, and where."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._policy, self._devices, self._secrets = snapshot.policy, snapshot.devices, snapshot.secrets
        environments, secrets = snapshot.policy.environments, snapshot.secrets
        own = {name: frozenset(environment.variables) for name, environment in environments.items()}
        if secrets is not None:
            for name in own:
                own[name] |= frozenset(secrets.variables) | frozenset(secrets.environments.get(name, {}))
        self.is_partly_known = secrets is not None and secrets.seal.fault is not None
        self._alone = {
            name: frozenset[str]().union(*(own[each] for each in snapshot.policy.expanded([name])))
            for name in environments
        }
        self.anywhere = snapshot.plain_names | snapshot.secret_names
        self._lacking: dict[str, tuple[str, ...]] = {}

    def missing(self, name: str, snippet: Snippet) -> tuple[str, str] | None:
        """Return who gets *snippet* and has no variable called *name*, and what to do; None if nobody is known."""
        if SERIAL_PLACE.fullmatch(snippet.place):
            digits = snippet.place.replace("_", "")
            if self._secrets is not None and name in self._secrets.devices.get(digits, {}):
                return None
            return self._missing_for(name, self._devices.get(digits))
        lacking = [each for each in self._lacking_environments(name) if self._gets(each, snippet)]
        if not lacking:
            return None
        few = ", ".join(map(repr, lacking[:_FEW])) + (f" and {len(lacking) - _FEW} more" if lacking[_FEW:] else "")
        message = f"a device that is in {few} alone has no {name!r} but by devices.yaml, and would get no script"
        return message, f"define it there, or write what holds else: {{{{ {name} | default('…') }}}}"

    def _missing_for(self, name: str, device: KnownDevice | None) -> tuple[str, str] | None:
        if device is None or device.environments is None or name in device.variables:
            return None
        if any(name in self._alone.get(each, ()) for each in device.environments):
            return None
        return f"this device has no {name!r}, and would get no script", "define it in devices.yaml"

    def _lacking_environments(self, name: str) -> tuple[str, ...]:
        if name not in self._lacking:
            self._lacking[name] = tuple(each for each, names in self._alone.items() if name not in names)
        return self._lacking[name]

    def _gets(self, environment: str, snippet: Snippet) -> bool:
        return snippet.place == ALL or snippet.place in map(fold, self._policy.expanded([environment]))
