"""What the authority's certificates in a configuration say, and when it is too late for them."""

from __future__ import annotations

import pytest
from support.authorities import DAY, EXPIRED, FUTURE, NOW, VALID, Authority, self_signed

from gitupd.core.policy import Certificates
from gitupd.service.certificates.chain import chain_faults

ROOT = Authority.root("Our Root")
ISSUING = ROOT.issuing("Our CA")
ONE, TWO = "certificates/CAkey-01.pem", "certificates/CAkey-02.pem"
OLD = Authority.root("Our Root", valid=EXPIRED)
COMING = Authority.root("Our Root", valid=FUTURE)
PHONE = ISSUING.device("IP222-30-00-af")
DAMAGED = b"-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("files", "faults"),
    [
        ({ONE: ISSUING.pem, TWO: ROOT.pem}, []),
        ({ONE: ISSUING.pem + ROOT.pem}, []),
        ({ONE: ISSUING.der, TWO: ROOT.der}, []),
        ({ONE: ISSUING.pem}, []),
        ({ONE: ROOT.pem, TWO: Authority.root("Another").pem}, []),
        ({ONE: self_signed("Own").pem, "certificates/old/x.txt": b"x"}, ["Own may not sign others"]),
        ({"certificates/notes.txt": OLD.pem}, []),
        (
            {ONE: ROOT.pem, TWO: ISSUING.pem},
            [f"{TWO}: warning: out of order: the certificate Our CA is not followed by Our Root, which has signed it"],
        ),
        ({ONE: ROOT.pem + ISSUING.pem}, [f"{ONE}: warning: out of order: the certificate Our CA is not followed"]),
        ({ONE: OLD.pem}, [f"{ONE}: warning: the certificate Our Root has expired on {EXPIRED.end:%Y-%m-%d}; put the"]),
        ({ONE: COMING.pem}, [f"{ONE}: warning: the certificate Our Root is not valid before {FUTURE.start:%Y-%m-%d}"]),
        ({ONE: PHONE.pem}, [f"{ONE}: warning: the certificate IP222-30-00-af may not sign others, so it is no auth"]),
        ({ONE: ISSUING.pem, TWO: DAMAGED}, [f"{TWO}: warning: what stands here is no certificate that can be read"]),
        ({ONE: b"\x30" + b"x" * 80}, [f"{ONE}: warning: what stands here is no certificate that can be read; put"]),
    ],
)  # fmt: skip
def test_a_chain(files: dict[str, bytes], faults: list[str]) -> None:
    told = [str(fault) for fault in chain_faults(files, Certificates(), NOW)]
    assert len(told) == len(faults), told
    assert all(fault in line for fault, line in zip(faults, told, strict=True)), told


def test_what_was_good_is_told_when_it_has_expired() -> None:
    files = {ONE: ROOT.pem}
    assert not list(chain_faults(files, Certificates(), VALID.end - DAY))
    assert len(list(chain_faults(files, Certificates(), VALID.end + DAY))) == 1


def test_a_chain_without_end_is_looked_at_as_far_as_it_takes_moderate_time() -> None:
    assert len(list(chain_faults({ONE: OLD.pem * 1000}, Certificates(), NOW))) == 100
