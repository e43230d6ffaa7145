"""Whoever looks for mistakes finds them all, also those that only time brings."""

from __future__ import annotations

from support.authorities import EXPIRED, NOW, Authority

from gitupd.resources import template_files
from gitupd.service.deployments.examining import examined

PATH = "certificates/CAkey-01.pem"


def test_what_is_wrong_with_documents_and_certificates_comes_in_order_of_place() -> None:
    files = {**template_files(), PATH: Authority.root(valid=EXPIRED).pem, "phases.yaml": b"phase: {}\n"}
    snapshot, problems = examined(files, NOW)
    assert [problem.path for problem in problems] == [PATH, "phases.yaml", "phases.yaml"]
    assert snapshot.policy.certificates.chain == "certificates/CAkey*"


def test_nothing_is_wrong_with_the_template() -> None:
    assert examined(template_files(), NOW)[1] == ()
