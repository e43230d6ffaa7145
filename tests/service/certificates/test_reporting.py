"""Reports of devices on their certificates, read out of XML that anybody may have sent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gitupd.core.certificates.report import CertificateReport, ReportedCertificate
from gitupd.service.certificates.reporting import report_in


def test_a_chain_a_request_and_what_goes_on_are_read() -> None:
    xml = (
        '<info><servercert><certificate subject_cn="a" issuer_cn="b" not_before="2026-01-01" not_after="soon"/>'
        '<certificate/></servercert><requests><request subject_cn="x"/></requests><busy/></info>'
    )
    assert report_in(xml) == CertificateReport(
        (
            ReportedCertificate("a", "b", datetime(2026, 1, 1, tzinfo=UTC), "unreadable"),
            ReportedCertificate("", "", None, None),
        ),
        busy=True,
        request=True,
    )


@pytest.mark.parametrize(
    ("xml", "error"),
    [
        ("<info><request-error/></info>", ""),
        ("<info><request-error>1</request-error></info>", "1"),
        ('<info><request-error code="7">no match</request-error></info>', "7 no match"),
        ("<info><requests/></info>", None),
    ],
)
def test_an_error_is_read_in_whatever_form_it_has(xml: str, error: str | None) -> None:
    report = report_in(xml)
    assert report is not None
    assert report.error == error
    assert not report.request


@pytest.mark.parametrize("xml", ["<x/>", "text", "<info", "<!DOCTYPE x [<!ENTITY e 'y'>]><info/>"])
def test_what_is_no_report_is_none(xml: str) -> None:
    assert report_in(xml) is None


def test_a_report_is_bounded() -> None:
    many = "".join(f'<certificate subject_cn="{"x" * 500}" issuer_cn="{number}"/>' for number in range(100))
    report = report_in(f"<info><servercert>{many}</servercert></info>")
    assert report is not None
    assert (len(report.chain), len(report.chain[0].subject)) == (20, 200)
