"""What a new device is to be given, so that it polls: by hand, in a file, by a link, or by DHCP.

What devices take is described in docs/reference/device-protocol.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from gitupd.core.endpoint import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENTERPRISE = "1.3.6.1.4.1.6666"
_URL_OPTION, _INTERVAL_OPTION = 215, 216
_WHO = ("type=#t", "sn=#m", "hwid=#h", "ip=#i")
_SCHEME = "com.innovaphone.commands"


@dataclass(frozen=True, slots=True)
class Onboarding:
    """What puts a device into environments: its update URL, and minutes between its polls at first.

    ``base`` is where the server is reached, with a slash at its end; ``name`` is to be the device's, empty for none.
    With a one-time ``code`` the URL also says what the device is, since a code is bound to the first that shows it.
    """

    base: str
    environments: Sequence[str]
    name: str = ""
    interval: int = 1
    code: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The update URL."""
        listed = ",".join(quote(name, safe="") for name in self.environments)
        parts = [f"env={listed}"] if listed else []
        if self.code:
            parts += [*_WHO, f"code={self.code}"]
        return f"{self.base}update.php" + (f"?{'&'.join(parts)}" if parts else "")

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that make a device poll, one a line."""
        named = (f"config add CMD0 /name {quoted(self.name)}",) if self.name else ()
        return (
            f"config add UP1 /url {quoted(self.url)} /poll {self.interval}",
            *named,
            "config write",
            "config activate",
            "mod cmd UP1 poll",
        )

    @property
    def android_link(self) -> str:
        """The link that makes a client on Android execute the commands."""
        return f"https://{_SCHEME}/{_written(self.commands)}"

    @property
    def ios_link(self) -> str:
        """The link for iOS; its first command does nothing, for some versions garble the first line."""
        return f"{_SCHEME}://{_written(('ser', *self.commands))}"

    @property
    def dnsmasq(self) -> tuple[str, ...]:
        """The lines of a dnsmasq configuration that hand the URL and the interval out."""
        return (
            f'dhcp-option=vendor:{_ENTERPRISE},{_URL_OPTION},"{self.url}"',
            f"dhcp-option=vendor:{_ENTERPRISE},{_INTERVAL_OPTION},{self.interval}",
        )

    @property
    def dhcpd(self) -> tuple[str, ...]:
        """The same for ISC dhcpd."""
        return (
            "option space innovaphone;",
            f"option innovaphone.update-url code {_URL_OPTION} = text;",
            f"option innovaphone.update-interval code {_INTERVAL_OPTION} = unsigned integer 8;",
            'class "innovaphone" {',
            f'  match if option vendor-class-identifier = "{_ENTERPRISE}";',
            "  vendor-option-space innovaphone;",
            f'  option innovaphone.update-url "{self.url}";',
            f"  option innovaphone.update-interval {self.interval};",
            "}",
        )

    @property
    def kea(self) -> tuple[str, ...]:
        """The same for Kea, as parts of its Dhcp4 object."""
        return (
            '"option-def": [',
            f'  {{"space": "innovaphone", "name": "update-url", "code": {_URL_OPTION}, "type": "string"}},',
            f'  {{"space": "innovaphone", "name": "update-interval", "code": {_INTERVAL_OPTION}, "type": "uint8"}}',
            "],",
            '"client-classes": [{',
            '  "name": "innovaphone",',
            f'  "test": "option[60].text == \'{_ENTERPRISE}\'",',
            '  "option-def": [{"name": "vendor-encapsulated-options", "code": 43,',
            '    "type": "empty", "encapsulate": "innovaphone"}],',
            '  "option-data": [',
            '    {"name": "vendor-encapsulated-options"},',
            f'    {{"space": "innovaphone", "name": "update-url", "data": "{self.url}"}},',
            f'    {{"space": "innovaphone", "name": "update-interval", "data": "{self.interval}"}}',
            "  ]",
            "}]",
        )


def _written(commands: Sequence[str]) -> str:
    return quoted("".join(f"{command}\r\n" for command in commands))
