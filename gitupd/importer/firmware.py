"""``<master>``, ``<fwstorage>`` and the lists of models: which firmware devices are to run."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gitupd.config.builtin import BUILTIN
from gitupd.core.names import fold
from gitupd.core.policy import InClass, InEnvironment
from gitupd.importer import values
from gitupd.importer.defaults import DEFAULT_MASTER, DEFAULT_STORAGE
from gitupd.importer.reading import note_without_effect
from gitupd.importer.report import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gitupd.core.policy import Condition
    from gitupd.importer.elements import Element
    from gitupd.importer.fleet import Fleet
    from gitupd.importer.report import Report

_BUILD = re.compile(r"[0-9][0-9A-Za-z.]{0,39}")
_HTTP = re.compile(r"(?i:(https?)://)([^\s\x00-\x1f\x7f]+)")
_PLAIN = re.compile(r"[^\s\x00-\x1f\x7f]+")
_DEFAULT_CACHE = 3600
EVERYONE = "*"

_STILL_COUNT = ("info", "firmware", "bootcode")
"""What counts in <master> where no build follows a master device."""


def firmware(tree: Element, fleet: Fleet, report: Report) -> dict[str, object]:
    """Return what the policy on firmware is to say."""
    document = _builds(tree.first("master"), fleet, report)
    storage = tree.first("fwstorage")
    if not _PLAIN.fullmatch(storage.get("url")):
        message = f"url={shown(storage.get('url'))} of {storage} is no address"
        report.error(storage.place_of("url"), message, "write where devices find firmware, without blanks")
    elif storage.get("url") != DEFAULT_STORAGE:
        document["storage"] = storage.get("url")
        _note_storage(storage, report)
    for key, tag, built_in in (
        ("no_firmware", "nofirmdev", BUILTIN.no_firmware),
        ("no_bootcode", "nobootdev", BUILTIN.no_bootcode),
    ):
        models = list(dict.fromkeys(_models(tree.first(tag), report)))
        if set(models) != set(map(fold, built_in)):
            document[key] = models
    names = _file_names(tree, report)
    if names:
        document["file_names"] = names
    return document


def _note_storage(storage: Element, report: Report) -> None:
    url = storage.get("url")
    if "://" not in url and not url.removeprefix("/").startswith("fw/"):
        message = f"url={shown(url)} of {storage} is an address at this server, which serves firmware below fw/ only"
        report.note(storage.place_of("url"), message, "use fw/{build}/, or have another web server answer there")


def _models(parent: Element, report: Report) -> Iterable[str]:
    for element in parent.all("model"):
        text = values.model(element, report)
        if text is not None:
            yield fold(text)


def _builds(master: Element, fleet: Fleet, report: Report) -> dict[str, object]:
    off: dict[str, object] = {"firmware": "none", "bootcode": "none"}
    info = master.get("info")
    if not info:
        note_without_effect(master, "its info is empty", report, "info")
        return off
    builds = {key: _source(master, key, report) for key in ("firmware", "bootcode")}
    applies = _applies(master, fleet, report)
    follows = "master" in builds.values()
    document: dict[str, object] = {}
    address = _HTTP.fullmatch(info)
    if address:
        document["master"] = {"url": f"{address[1].lower()}://{address[2]}", **_cache(master, report)}
        if info == DEFAULT_MASTER and follows:
            message = "no master device is named, so that no firmware is requested"
            report.note(master.place, message, 'name one, or write <master info=""/>')
    elif follows:
        key = next(key for key, source in builds.items() if source == "master")
        message = f"{key} follows a master device, but info={shown(info)} of {master} is no address of one"
        report.error(master.place, message, "write its address, a build, or none")
    else:
        note_without_effect(replace(master, children=()), "no build follows a master device", report, *_STILL_COUNT)
        if info != "none":
            message = f"info={shown(info)} of {master} is without effect, because no build follows a master device"
            report.note(master.place_of("info"), message)
    if applies is None:
        return document | off
    return document | dict(builds) | ({"applies": applies} if applies else {})


def _source(master: Element, attribute: str, report: Report) -> str:
    text = master.get(attribute)
    if text in ("", "0", "master"):
        return "master"
    if text == "none" or (attribute == "bootcode" and text == "firmware") or _BUILD.fullmatch(text):
        return text
    message = f"{attribute}={shown(text)} of {master} is no build"
    report.error(master.place_of(attribute), message, "write a number such as 137213, master or none")
    return "none"


def _cache(master: Element, report: Report) -> dict[str, str]:
    expire = values.number(master, "expire", report)
    return {} if expire in (None, _DEFAULT_CACHE) else {"cache": values.duration(expire or 0)}


def _applies(master: Element, fleet: Fleet, report: Report) -> list[object] | None:
    """Return the conditions that must all hold, None if that can never be."""
    conditions = []
    for element in master.all("applies"):
        if element.trimmed == EVERYONE:
            continue
        condition = fleet.condition(element)
        if condition is None:
            what = "environment" if "env" in element else "class or model"
            message = f"the {what} {shown(element.trimmed)} of {element} in {master} never fits"
            report.note(element.place, message, "no firmware is ever requested; correct the name or remove it")
            return None
        conditions.append(written(condition))
    return [each for at, each in enumerate(conditions) if each not in conditions[:at]]


def written(condition: Condition) -> object:
    """Return *condition* as documents write it."""
    match condition:
        case InClass(name):
            return {"class": name}
        case InEnvironment(name):
            return {"environment": name}
        case _:
            return "all"


def _file_names(tree: Element, report: Report) -> dict[str, dict[str, str]]:
    names: dict[str, dict[str, str]] = {}
    for element in tree.first("filenames").all("model"):
        name = element.get("id")
        if fold(name) != name or not values.is_model(name):
            message = f"{element} in <filenames> never fits, and is left out"
            report.note(element.place, message, "write the model in small letters")
            continue
        kinds = {kind: element.get(kind) for kind in ("prot", "boot") if element.get(kind)}
        for kind, file_name in kinds.items():
            if not _PLAIN.fullmatch(file_name):
                message = f"{kind}={shown(file_name)} of {element} is no file name"
                report.error(element.place_of(kind), message, "write it without blanks")
        if not kinds:
            report.note(element.place, f"{element} in <filenames> names no file, and is left out", "add prot or boot")
        names[name] = _usual_names(name) | kinds if name in BUILTIN.file_names else kinds
    for name in BUILTIN.file_names:
        names.setdefault(name, _usual_names(name))
    return {name: kinds for name, kinds in names.items() if kinds and kinds != BUILTIN.file_names.get(name)}


def _usual_names(model: str) -> dict[str, str]:
    """Return the files that *model* loads where nothing is said of it."""
    root = model.partition("-")[0]
    return {"prot": f"{root}.bin", "boot": f"boot{root.removeprefix('ip')}.bin"}
