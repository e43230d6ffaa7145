"""``user-config.xml`` and ``config.xml`` as elements; nothing else is read, and no entity is expanded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from gitupd.config.schema import suggestion
from gitupd.config.xml_tree import xml_tree
from gitupd.importer.defaults import KNOWN, NO_EQUAL, TEXTS
from gitupd.importer.elements import Attribute, Element
from gitupd.importer.report import Passage, shown

if TYPE_CHECKING:
    from gitupd.importer.report import Report


def read_configuration(content: bytes, path: str, report: Report) -> Element | None:
    """Return the root of the configuration at *path*, None (and an error) if it can't be read."""
    if not content.strip():
        report.error(Passage(path), "the file is empty", "write at least <config/>")
        return None
    try:
        root = xml_tree(content, comments=True)
    except etree.XMLSyntaxError as error:
        report.error(
            Passage(path, error.lineno or 1), f"not well-formed XML: {error.msg}", "correct it and import again"
        )
        return None
    if _declares_entities(root):
        message = "the document type declares entities, which are not followed"
        report.error(Passage(path, 1), message, "write their text out")
        return None
    if not str(root.tag).isidentifier():
        message = f"<{shown(str(root.tag))[1:-1]}> is in a namespace"
        report.error(_place(root, path), message, "remove the xmlns attribute")
        return None
    element = _element(root, path, report)
    _note_unknown(element, "", report)
    _note_repeated(element, report)
    return element


def comment_lines(content: bytes) -> list[int]:
    """Return the lines in which comments of *content*, which is well-formed, end."""
    lines: Any = [comment.sourceline for comment in xml_tree(content, comments=True).iter(etree.Comment)]
    return sorted(set(lines))


def _declares_entities(root: etree._Element) -> bool:
    document_type: Any = root.getroottree().docinfo.internalDTD  # the stubs do not know entities
    return document_type is not None and any(document_type.iterentities())


def _place(node: etree._Element, path: str) -> Passage:
    line: Any = node.sourceline  # the stubs leave its type open
    return Passage(path, int(line or 0))


def _element(node: etree._Element, path: str, report: Report) -> Element:
    place = _place(node, path)
    children = []
    nodes: list[Any] = list(node)  # a comment or an unexpanded entity is a child whose tag is a function
    for child in nodes:
        if isinstance(child.tag, str):
            children.append(_element(child, path, report))
        elif child.tag is not etree.Comment:
            text = shown(str(child.text))[1:-1]
            report.error(_place(child, path) or place, f"the entity {text} is not followed", "write its text out")
    return Element(
        str(node.tag),
        {str(key): Attribute(str(value), place) for key, value in node.attrib.items()},
        tuple(children),
        "".join([node.text or "", *(child.tail or "" for child in nodes)]),
        place,
    )


def _note_unknown(element: Element, path: str, report: Report) -> None:
    for name in element.attributes:
        if name not in KNOWN[path]:
            message = f"{element} has an unknown attribute {shown(name)}, which is ignored"
            report.note(element.place_of(name), message, suggestion(name, sorted(KNOWN[path])))
    if element.trimmed and path not in TEXTS:
        report.note(element.place, f"the text {shown(element.trimmed)} of {element} is ignored")
    for child in element.children:
        inner = f"{path}/{child.tag}".removeprefix("/")
        if inner in KNOWN:
            _note_unknown(child, inner, report)
        else:
            known = [known.rpartition("/")[2] for known in KNOWN if known and known.rpartition("/")[0] == path]
            report.note(child.place, f"{child} is unknown, and ignored", suggestion(child.tag, known))


def _note_repeated(root: Element, report: Report) -> None:
    # A section given twice is put behind the default one, and only the first is ever read.
    for tag in dict.fromkeys(child.tag for child in root.children if child.tag in KNOWN):
        same = root.all(tag)
        for element in same if len(same) > 1 else ():
            message = f"<{tag}> stands {len(same)} times, and the PHP server reads none of them"
            report.note(element.place, message, "put everything into one, if it is to have an effect")


def note_dropped(element: Element, report: Report, path: str = "") -> None:
    """Note what somebody wrote into *element*, and has no equal."""
    for name in element.attributes:
        if (why := NO_EQUAL.get((path, name))) and element.place_of(name):
            report.note(element.place_of(name), f"{name} of {element} is dropped: {why}")
    for child in element.children:
        note_dropped(child, report, f"{path}/{child.tag}".removeprefix("/"))


def note_without_effect(element: Element, why: str, report: Report, *kept: str) -> None:
    """Note all that somebody wrote into *element* but *kept*: it had no effect, because of *why*."""
    names = [name for name in element.attributes if element.place_of(name) and (element.tag, name) not in NO_EQUAL]
    for name in names:
        if name not in kept:
            message = f"{name}={shown(element.get(name))} of {element} is without effect, because {why}"
            report.note(element.place_of(name), message)
    for child in element.children:
        if child.place:
            report.note(child.place, f"{child} in {element} is without effect, because {why}")


def only_known(element: Element, path: str = "") -> Element:
    """Return *element* without the children that the PHP server does not know."""
    inner = ((child, f"{path}/{child.tag}".removeprefix("/")) for child in element.children)
    children = tuple(only_known(child, at) for child, at in inner if at in KNOWN)
    return Element(element.tag, element.attributes, children, element.text, element.place)
