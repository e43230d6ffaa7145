"""A report on render tests in the form of JUnit's, which every CI reads."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.service.render_tests import RenderResult

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_report(results: Sequence[RenderResult]) -> bytes:
    """Return the report on *results*: a suite for each file, and a case for each of its tests."""
    root = Element("testsuites", _counts(results), name="gitupd test")
    for path, several in groupby(results, lambda result: result.path):
        cases = list(several)
        suite = SubElement(root, "testsuite", _counts(cases), name=_plain(path))
        for result in cases:
            case = SubElement(suite, "testcase", classname=_plain(path), name=_plain(result.name), file=_plain(path))
            if result.failures:
                failure = SubElement(case, "failure", message=_plain(result.failures[0].partition("\n")[0]))
                failure.text = _plain("\n".join(result.failures))
    indent(root)
    return f"{tostring(root, encoding='unicode')}\n".encode()


def _counts(results: Sequence[RenderResult]) -> dict[str, str]:
    failed = sum(bool(result.failures) for result in results)
    return {"tests": str(len(results)), "failures": str(failed), "errors": "0", "skipped": "0"}


def _plain(text: str) -> str:
    """Return *text* without what XML can't hold."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
