"""The report of a device on its certificates, read out of its answer to the query ``certificates``."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from gitupd.core.certificates.report import CertificateReport, ReportedCertificate, parse_time
from gitupd.service.answers import Fragment, UnusableAnswer, plain

if TYPE_CHECKING:
    from lxml import etree

_MOST_CERTIFICATES = 20
_LONGEST_NAME = 200


@lru_cache(maxsize=4096)
def report_in(xml: str) -> CertificateReport | None:
    """Return what the answer *xml* reports, None if it has no ``info`` that could."""
    try:
        documents = Fragment(xml).documents
    except UnusableAnswer:
        return None
    info = next((document for document in documents if document.tag == "info"), None)
    if info is None:
        return None
    error = info.find("request-error")
    return CertificateReport(
        tuple(map(_certificate, info.findall("servercert/certificate")[:_MOST_CERTIFICATES])),
        busy=info.find("busy") is not None,
        request=info.find("requests/request") is not None,
        error=None if error is None else _said(error),
    )


def _certificate(element: etree._Element) -> ReportedCertificate:
    return ReportedCertificate(
        _name(element.get("subject_cn")),
        _name(element.get("issuer_cn")),
        parse_time(element.get("not_before")),
        parse_time(element.get("not_after")),
    )


def _name(text: str | None) -> str:
    return plain(text or "")[:_LONGEST_NAME]


def _said(element: etree._Element) -> str:
    """Return what an element says, in attributes or as text: in which form devices do is not known."""
    said = [*map(str, element.attrib.values()), *map(str, element.itertext())]
    return plain(" ".join(said)).strip()[:_LONGEST_NAME]
