"""A report on render tests in the form of JUnit's, which every CI reads."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitupd.core.testing.coverage import Reached
    from gitupd.service.testing.running import RenderResult

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_report(
    results: Sequence[RenderResult], coverage: Reached | None = None, required: int | None = None
) -> bytes:
    """Return the report on *results*: a suite for each file, and a case for each of its tests.

    One more suite has what the tests reach as properties. If so many per cent are *required*, there is a case for it.
    """
    root = Element("testsuites", _counts(results), name="gitupd test")
    for path, several in groupby(results, lambda result: result.path):
        cases = list(several)
        suite = SubElement(root, "testsuite", _counts(cases), name=_plain(path))
        for result in cases:
            case = SubElement(suite, "testcase", classname=_plain(path), name=_plain(result.name), file=_plain(path))
            if result.failures:
                failure = SubElement(case, "failure", message=_plain(result.failures[0].partition("\n")[0]))
                failure.text = _plain("\n".join(result.failures))
    if coverage is not None:
        _report_coverage(root, coverage, required)
    indent(root)
    return f"{tostring(root, encoding='unicode')}\n".encode()


def _report_coverage(root: Element, coverage: Reached, required: int | None) -> None:
    is_short = required is not None and coverage.percent < required
    counts = {"tests": str(int(required is not None)), "failures": str(int(is_short)), "errors": "0", "skipped": "0"}
    suite = SubElement(root, "testsuite", counts, name="coverage")
    properties = SubElement(suite, "properties")
    told = {"percent": f"{coverage.percent}", "reached": f"{coverage.count} of {len(coverage.parts)}"}
    missing = {f"unreached {kind.value}": "\n".join(names) for kind, (_, names) in coverage.by_kind.items() if names}
    for name, value in {**told, **missing}.items():
        SubElement(properties, "property", name=name, value=_plain(value))
    if required is None:
        return
    for name in ("tests", "failures"):
        root.set(name, str(int(root.get(name, "0")) + int(counts[name])))
    case = SubElement(suite, "testcase", classname="coverage", name=f"the tests reach {required} %")
    if is_short:
        SubElement(case, "failure", message=f"they reach {coverage.percent} %")


def _counts(results: Sequence[RenderResult]) -> dict[str, str]:
    failed = sum(bool(result.failures) for result in results)
    return {"tests": str(len(results)), "failures": str(failed), "errors": "0", "skipped": "0"}


def _plain(text: str) -> str:
    """Return *text* without what XML can't hold."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
