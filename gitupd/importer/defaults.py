"""What the PHP server's configuration says before the user says anything, and which elements it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitupd.config.builtin import BUILTIN
from gitupd.core.certificates.request import MOST_ADDRESSES, MOST_DNS_NAMES, SUBJECT_PARTS
from gitupd.core.identity import VENDOR_AUTHORITIES
from gitupd.core.url import PLACEHOLDERS
from gitupd.importer.elements import Attribute, Element

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MASTER_INFO = "cache/master-info.xml"
DEFAULT_MASTER = "http://yourmasterdevice.yourdomain.tld/CMD0/box_info.xml"
DEFAULT_STORAGE = "fw/{build}/"
DEFAULT_BACKUP_URL = "update.php?mode=backup&hwid=#h&sn=#m"
DEFAULT_QUERY_URL = "update.php?mode=query&sn=#m"
DEFAULT_REWRITE = "!mtls/!!i"

_ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    "master": {
        "info": DEFAULT_MASTER,
        "expire": "3600",
        "cache": MASTER_INFO,
        "user": "admin",
        "password": "password",
        "firmware": "master",
        "bootcode": "master",
    },
    "fwstorage": {"url": DEFAULT_STORAGE},
    "backup": {"nbackups": "10", "scfg": DEFAULT_BACKUP_URL},
    "status": {
        "missing": "604800",
        "refresh": "0",
        "expire": "7776000",
        "logkeep": "1800",
        "usehttpsdevlinks": "true",
    },
    "times": {
        "dir": "scripts",
        "check": "true",
        "polling": "5",
        "interval": "15",
        "grace": "90",
        "forcehttps": "",
        "httpsport": "",
        "forcetrust": "",
        "httpsurlmod": DEFAULT_REWRITE,
        "forcestaging": "true",
    },
    "customcerts": {
        "CAkeys": "CAkey*",
        "CAtype": "manual",
        "CAname": ",".join(VENDOR_AUTHORITIES),
        "CAnamesep": ",",
        "CSRkey": "2048-bit",
        "CSRsignature": "SH256",  # misspelt there as well
        "CSRdn-cn": "{sn}",
        "renew": "90",
        "storekey": "true",
    },
}

_CSR = (
    "CSRkey",
    "CSRsignature",
    *(f"CSRdn-{part}" for part in SUBJECT_PARTS),
    *(f"CSRsan-dns-{number + 1}" for number in range(MOST_DNS_NAMES)),
    *(f"CSRsan-ip-{number + 1}" for number in range(MOST_ADDRESSES)),
)

_DEBUGGING = ("debugmerge", "debugcerts", "debugscript")
_NEVER_READ = ("CAuser", "CApassword", "CAurl", "auto-sign-off", "network", "netmask", "storekey")

KNOWN: Mapping[str, frozenset[str]] = {
    "": frozenset(_DEBUGGING),
    **{tag: frozenset(attributes) for tag, attributes in _ATTRIBUTES.items()},
    "backup": frozenset({"dir", "minage", *_ATTRIBUTES["backup"]}),
    "status": frozenset({"dir", *_ATTRIBUTES["status"]}),
    "times": frozenset({"allow", "initial", *_ATTRIBUTES["times"]}),
    "customcerts": frozenset({"dir", "CAwildcard", *_ATTRIBUTES["customcerts"], *_CSR, *_NEVER_READ}),
    "master/applies": frozenset({"env"}),
    "phases": frozenset(),
    "phases/phase": frozenset({"id", "seq"}),
    "environments": frozenset(),
    "environments/environment": frozenset({"id", "seq"}),
    "environments/environment/implies": frozenset(),
    "classes": frozenset(),
    "classes/class": frozenset({"id", "seq"}),
    "classes/class/model": frozenset(),
    "nobootdev": frozenset(),
    "nobootdev/model": frozenset(),
    "nofirmdev": frozenset(),
    "nofirmdev/model": frozenset(),
    "filenames": frozenset(),
    "filenames/model": frozenset({"id", "prot", "boot"}),
    "stdargs": frozenset(),
    "stdargs/stdarg": frozenset({"key", "value"}),
    "queries": frozenset({"scfg"}),
    "queries/query": frozenset({"id", "title"}),
    "queries/query/cmd": frozenset(),
    "queries/query/applies": frozenset({"env"}),
    "queries/query/show": frozenset({"title"}),
}
"""The attributes of every element in the vendor's description of the configuration, by the path of the element."""

TEXTS = frozenset({
    "master/applies",
    "environments/environment/implies",
    "classes/class/model",
    "nobootdev/model",
    "nofirmdev/model",
    "queries/query/cmd",
    "queries/query/applies",
    "queries/query/show",
})  # fmt: skip
"""Paths of the elements whose text says something."""

NO_EQUAL: Mapping[tuple[str, str], str] = {
    **{("", name): "the log, and `gitupd explain`, tell why a device gets what it gets" for name in _DEBUGGING},
    ("master", "user"): "the PHP server never sent it to the master device; people log in with accounts of their own",
    (
        "master",
        "password",
    ): "the PHP server never sent it to the master device; people log in with accounts of their own",
    ("master", "cache"): "the last answer of the master device is kept in the database",
    ("backup", "nbackups"): "Git keeps every version",
    ("backup", "minage"): "Git keeps every version",
    ("times", "grace"): "a commit counts as a whole, and there is no waiting time for files",
    **{("customcerts", name): "the PHP server never read it" for name in _NEVER_READ},
}
"""Why an attribute is dropped, by the path of its element and its name."""


def default_configuration() -> Element:
    """Return the elements that the PHP server starts from."""
    return Element(
        "config",
        {name: Attribute("false") for name in _DEBUGGING},
        (
            *(_element(tag, attributes) for tag, attributes in _ATTRIBUTES.items()),
            _element("phases", {}, [_element("phase", {"id": "update", "seq": "200"})]),
            _element("environments", {}, [_element("environment", {"id": "default"})]),
            _element("classes", {}, (_class(name, models) for name, models in BUILTIN.classes.items())),
            _element("nobootdev", {}, map(_model, BUILTIN.no_bootcode)),
            _element("nofirmdev", {}, map(_model, BUILTIN.no_firmware)),
            _element(
                "filenames",
                {},
                (_element("model", {"id": model, **kinds}) for model, kinds in BUILTIN.file_names.items()),
            ),
            _element("stdargs", {}, (_argument(key, value) for key, value in PLACEHOLDERS.items())),
            _element("queries", {"scfg": DEFAULT_QUERY_URL}, map(_query, BUILTIN.queries)),
        ),
    )


def _element(tag: str, attributes: Mapping[str, str], children: Iterable[Element] = (), text: str = "") -> Element:
    return Element(tag, {key: Attribute(value) for key, value in attributes.items()}, tuple(children), text)


def _model(name: str) -> Element:
    return _element("model", {}, text=name)


def _class(name: str, models: Iterable[str]) -> Element:
    return _element("class", {"id": name}, map(_model, models))


def _argument(key: str, value: str | None) -> Element:
    return _element("stdarg", {"key": key} if value is None else {"key": key, "value": value})


def _query(name: str) -> Element:
    said = BUILTIN.queries[name]
    command = _element("cmd", {}, text=said["command"])
    return _element("query", {"id": name, "title": said["title"]}, [command])
