"""The settings of a site, from ``gitupd.toml`` and the environment. The only reader of the environment."""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gitupd.core.people.person import Actor, Role
from gitupd.entries import entries_of, table_in
from gitupd.errors import SiteError
from gitupd.listeners import Address, Listener, TlsSettings, http, https, mtls, parse_address, read_listeners, read_tls
from gitupd.naming import SiteName, read_site_name
from gitupd.notifying import NotifySettings, read_notify
from gitupd.upstream import UpstreamSettings, read_upstream, with_secrets
from gitupd.zones import read_zone, zone_named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

FILE_NAME = "gitupd.toml"
PREFIX = "GITUPD_"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_OF_ONE_REPOSITORY = frozenset(
    {
        *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_DIR"),
        *("GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY"),
        *("GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE"),
    }
)
"""What ``git rev-parse --local-env-vars`` lists, as far as it is not set by us, and the like."""

_HEADER = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
_SSH_PASSWORD = re.compile(r"(git\+)?ssh(\+git)?://[^/@]*:[^/]*@")


@dataclass(frozen=True, slots=True)
class SigningSettings:
    """How certificates of devices are signed.

    ``passphrase_file`` holds what the key of the site's authority is encrypted with, ``list_url`` is where devices and
    others get the list of revoked certificates, as it stands in each; empty: nowhere.

    An authority elsewhere is a ``command``, or ``acme``, the address of its directory; empty for none. ``acme_key_id``
    and ``acme_key_file`` bind the account there to one that it knows; ``acme_ca_file`` holds the authorities of its own
    server, empty for the public ones. Relative files are in the site. An order has so many ``seconds``, and so many are
    placed ``at_once``.
    """

    passphrase_file: str = "authority/passphrase"  # noqa: S105 - a file, no passphrase
    list_url: str = ""
    command: tuple[str, ...] = ()
    acme: str = ""
    acme_contact: str = ""
    acme_ca_file: str = ""
    acme_key_id: str = ""
    acme_key_file: str = ""
    seconds: float = 60.0
    at_once: int = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides for one site.

    ``listen`` is where to listen, and how; ``tls`` how that is spoken, ``signing`` who signs. ``upstream`` is the
    repository elsewhere that is followed, ``notify`` where notices go, ``workers`` how many processes answer.
    Forwarding headers, and those of the PROXY protocol, are believed only from ``trusted_proxies``, as is
    ``client_certificate_header``, in which they hand on certificates of devices; empty if they hand on none.
    ``allowed_hosts`` empty means any Host header. ``scripting`` lets the configuration's own code run, for
    ``scripting_seconds`` and in ``scripting_memory`` MiB at the most. ``request_seconds`` is how long a client may take
    to send a request, ``largest_upload`` MiB how much, and ``largest_answer`` KiB how much as an answer to a query.
    Below ``disk_reserve`` MiB (empty = by the size of the disk) nothing that strangers send is kept. A process has
    ``connections`` open at the most, of them so many ``connections_per_address``. ``database`` is a URL, empty for
    SQLite in the site; ``backup_mirror`` where the backup history is pushed to, empty for nowhere; ``sign_backups`` has
    each of its commits signed with a key of the site. ``time_zone`` is the one in which people are told times, and
    that the configuration means by days and hours; empty for that of the machine. ``site`` is what tells this site from
    others on its pages.
    """

    listen: tuple[Listener, ...] = (Listener(Address("127.0.0.1", 8080)),)
    tls: TlsSettings = field(default_factory=TlsSettings)
    signing: SigningSettings = SigningSettings()
    upstream: UpstreamSettings = field(default_factory=UpstreamSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    site: SiteName = field(default_factory=SiteName)
    workers: int = 2
    database: str = ""
    backup_mirror: str = ""
    sign_backups: bool = False
    trusted_proxies: tuple[Network, ...] = ()
    client_certificate_header: str = ""
    allowed_hosts: tuple[str, ...] = ()
    scripting: bool = False
    scripting_seconds: float = 2.0
    scripting_memory: int = 256
    request_seconds: float = 30.0
    largest_upload: int = 64
    largest_answer: int = 1024
    disk_reserve: int | Literal[""] = ""
    connections: int = 4096
    connections_per_address: int = 512
    session_hours: int = 12
    log_format: str = "json"
    time_zone: str = ""

    @property
    def zone(self) -> tzinfo:
        """The time zone of the site."""
        return zone_named(self.time_zone)


def _network(text: object) -> Network:
    return ipaddress.ip_network(str(text), strict=False)


def _listed(read: Callable[[object], Any]) -> Callable[[object], tuple[Any, ...]]:
    def listed(value: object) -> tuple[Any, ...]:
        values = [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        if not isinstance(values, list):
            raise ValueError(f"{value!r} is no list")  # noqa: TRY004 - all faults of a setting are reported alike
        return tuple(read(item.strip() if isinstance(item, str) else item) for item in values)

    return listed


def _boolean(value: object) -> bool:
    meanings = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    if str(value).lower() not in meanings:
        raise ValueError(f"{value!r} is neither true nor false")
    return meanings[str(value).lower()]


def _whole(lowest: int, highest: int) -> Callable[[object], int]:
    def whole(value: object) -> int:
        if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value)) or not lowest <= int(str(value)) <= highest:
            raise ValueError(f"{value!r} is no whole number from {lowest} to {highest}")
        return int(str(value))

    return whole


def _duration(value: object) -> float:
    if isinstance(value, bool) or not re.fullmatch(r"\d+(\.\d+)?", str(value)) or not 0 < float(str(value)) <= 3600:  # noqa: PLR2004 - an hour
        raise ValueError(f"{value!r} is no number of seconds up to 3600")
    return float(str(value))


def _log_format(value: object) -> str:
    if value not in ("json", "text"):
        raise ValueError(f"{value!r} is neither json nor text")
    return str(value)


def _addresses(value: object) -> tuple[Address, ...]:
    return tuple(parse_address(str(text)) for text in (value if isinstance(value, list) else str(value).split(",")))


def _header(value: object) -> str:
    if value and not _HEADER.fullmatch(str(value)):
        raise ValueError(f"{value!r} is no name of a header, such as Client-Cert")
    return str(value).lower()


def _remote(value: object) -> str:
    if _SSH_PASSWORD.match(str(value)):
        raise ValueError("SSH takes no password from an address: leave it out, and use a key")
    return str(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is no text")
    return value


def _list_url(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"http://[^\s/?#]+(/[^\s?#]*)?", text, re.ASCII):
        raise ValueError(
            f"{value!r} is no address that begins with http://, and has neither ? nor #; "
            "by HTTPS it would need what it is asked for"
        )
    return text


def _command(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(word, str) and word for word in value):
        raise ValueError(f'{value!r} is no list of texts, such as ["/usr/local/bin/sign", "--days", "365"]')
    return tuple(value)


def _directory(value: object) -> str:
    if not re.fullmatch(r"https://[^\s/?#@]+(/[^\s#]*)?", _text(value), re.ASCII):
        raise ValueError(f"{value!r} is no address of a directory, such as https://ca.example/acme/acme/directory")
    return str(value)


def _contact(value: object) -> str:
    if not re.fullmatch(r"mailto:[^\s@]+@[^\s@]+", _text(value)):
        raise ValueError(f"{value!r} is no contact, such as mailto:pki@example.com")
    return str(value)


_SIGNING_READERS: Mapping[str, Callable[[object], Any]] = {
    "passphrase_file": _text,
    "list_url": _list_url,
    "command": _command,
    "acme": _directory,
    "acme_contact": _contact,
    "acme_ca_file": _text,
    "acme_key_id": _text,
    "acme_key_file": _text,
    "seconds": _duration,
    "at_once": _whole(1, 16),
}


def _signing(value: object) -> SigningSettings:
    """Return what the table ``[signing]`` says; raises ValueError with a line for each fault."""
    faults: list[str] = []
    table = table_in(value, "it is a table: [signing]")
    read = entries_of(table, _SIGNING_READERS, faults)
    if "command" in table and "acme" in table:
        faults.append("command and acme: one of them signs, not both")
    if "acme" not in table:
        faults += [f"{name}: it needs acme" for name in table if name.startswith("acme_") and name in _SIGNING_READERS]
    if ("acme_key_id" in table) != ("acme_key_file" in table):
        faults.append("acme_key_id and acme_key_file: both, or neither")
    if faults:
        raise ValueError("\n".join(faults))
    return SigningSettings(**read)


_SHORT: Mapping[str, Callable[[Address], Listener]] = {"http": http, "https": https, "mtls": mtls}
"""Settings that are short for listeners."""

_TABLES = frozenset({"listen", "tls", "signing", "upstream", "notify", "site"})
"""Settings that no environment variable can hold."""

_READERS: Mapping[str, Callable[[object], Any]] = {
    "http": _addresses,
    "https": _addresses,
    "mtls": _addresses,
    "listen": read_listeners,
    "tls": read_tls,
    "signing": _signing,
    "upstream": read_upstream,
    "notify": read_notify,
    "site": read_site_name,
    "workers": _whole(1, 64),
    "database": str,
    "backup_mirror": _remote,
    "sign_backups": _boolean,
    "trusted_proxies": _listed(_network),
    "client_certificate_header": _header,
    "allowed_hosts": _listed(lambda value: str(value).lower()),
    "scripting": _boolean,
    "scripting_seconds": _duration,
    "scripting_memory": _whole(32, 16384),
    "request_seconds": _duration,
    "largest_upload": _whole(1, 4096),
    "largest_answer": _whole(1, 65536),
    "disk_reserve": lambda value: "" if value == "" else _whole(0, 2**30)(value),
    "connections": _whole(16, 65536),
    "connections_per_address": _whole(1, 65536),
    "session_hours": _whole(1, 720),
    "log_format": _log_format,
    "time_zone": read_zone,
}


def read_settings(site: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of *site*; ``GITUPD_…`` variables of *environment* (None = the process's) win.

    Raises SiteError with every setting that is unknown or not understood.
    """
    environment = os.environ if environment is None else environment  # noqa: TID251 - this is the one reader
    entries, faults = _entries(site / FILE_NAME), []
    for name in _READERS.keys() - _TABLES:
        if (value := environment.get(PREFIX + name.upper())) is not None:
            entries[name] = value
    values: dict[str, Any] = {}
    for name, value in entries.items():
        if name not in _READERS:
            faults.append(f"{site / FILE_NAME}: unknown setting {name!r}; known: {', '.join(_READERS)}")
            continue
        try:
            values[name] = _READERS[name](value)
        except ValueError as error:
            place = f"{site / FILE_NAME}" + ("" if name in _TABLES else f" or {PREFIX}{name.upper()}")
            faults += [f"{place}: {name}: {fault}" for fault in str(error).split("\n")]
    if any(listener.proxy_protocol for listener in values.get("listen", ())) and not values.get("trusted_proxies"):
        faults.append(f"{site / FILE_NAME}: listen: proxy_protocol needs trusted_proxies: nobody else may say who asks")
    if faults:
        raise SiteError("\n".join(faults))
    short = [make(address) for name, make in _SHORT.items() for address in values.pop(name, ())]
    if listeners := (*short, *values.pop("listen", ())):
        values["listen"] = listeners
    values["upstream"] = with_secrets(values.get("upstream", UpstreamSettings()), environment)
    return Settings(**values)


def _entries(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SiteError(f"{path}: {error}") from error


def site_from_environment(environment: Mapping[str, str] | None = None) -> str | None:
    """Return the site that ``GITUPD_SITE`` names, None if it names none."""
    return (os.environ if environment is None else environment).get(PREFIX + "SITE")  # noqa: TID251 - this is the one reader


def completed_line(environment: Mapping[str, str] | None = None) -> str:
    """Return the line that a shell has completed, as click is told of it; empty if nothing is completed."""
    return (os.environ if environment is None else environment).get("COMP_WORDS", "")  # noqa: TID251 - this is the one reader


def shell_of_the_account(environment: Mapping[str, str] | None = None) -> str:
    """Return the program that ``SHELL`` names, empty if it names none."""
    return (os.environ if environment is None else environment).get("SHELL", "")  # noqa: TID251 - this is the one reader


def git_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for ``git`` in our repositories: without what names another repository.

    Git sets such variables for hooks, and we may have been started by one.
    """
    environment = os.environ if environment is None else environment  # noqa: TID251 - this is the one reader
    return {name: value for name, value in environment.items() if name not in _OF_ONE_REPOSITORY}


def environment_to_fetch(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for whoever fetches from elsewhere: where programs are, and which proxies lead there."""
    environment = os.environ if environment is None else environment  # noqa: TID251 - this is the one reader
    proxies = [f"{name}_proxy" for name in ("http", "https", "all", "no")]
    passed_on = ("PATH", *proxies, *map(str.upper, proxies), "SSL_CERT_FILE", "SSL_CERT_DIR")
    return {name: environment[name] for name in passed_on if name in environment}


def pushed_objects(environment: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Return the folders of objects that Git names to the hooks of a push: its quarantine, and what that adds to."""
    environment = os.environ if environment is None else environment  # noqa: TID251 - this is the one reader
    named = (environment.get("GIT_OBJECT_DIRECTORY", ""), environment.get("GIT_ALTERNATE_OBJECT_DIRECTORIES", ""))
    return tuple(Path(folder).absolute() for names in named for folder in names.split(os.pathsep) if folder)


def push_options(environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the options of a push that Git hands on to hooks, in the order in which they were given."""
    environment = os.environ if environment is None else environment  # noqa: TID251 - this is the one reader
    count = environment.get("GIT_PUSH_OPTION_COUNT", "0")
    numbers = range(min(int(count), 100)) if count.isascii() and count.isdecimal() else ()
    return tuple(environment.get(f"GIT_PUSH_OPTION_{number}", "") for number in numbers)


def pusher_variables(actor: Actor) -> dict[str, str]:
    """Return what tells the hooks of a push by HTTP who pushes."""
    return {
        "REMOTE_USER": actor.name,
        f"{PREFIX}PUSHER": actor.name,
        f"{PREFIX}PUSHER_ROLE": actor.role.value,
        f"{PREFIX}PUSHER_ADDRESS": actor.address or "",
    }


def pusher(environment: Mapping[str, str] | None = None) -> Actor | None:
    """Return who pushes by HTTP, as a hook is told; None if the push comes by another way."""
    environment = os.environ if environment is None else environment  # noqa: TID251 - this is the one reader
    name, role, address = (environment.get(f"{PREFIX}PUSHER{part}", "") for part in ("", "_ROLE", "_ADDRESS"))
    return Actor(name, Role(role), address or None) if name and role in set(Role) else None


def environment_of_the_job() -> Mapping[str, str]:
    """Return the environment in which CI has started us: it says what the job is about, and holds its token."""
    return os.environ  # noqa: TID251 - this is the one reader
