"""Preview, configuration, commits and onboarding, on a real server, as each role sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from support.visitors import Visitor


ODD_REVISIONS = (
    "--help", "-", "HEAD@{1}", "a..b", "a...b", "^main", ":/Secrets", "main:environments.yaml", "main^{tree}",
    "@", "~", "^", "HEAD~99999999999999999999", "main" + "^0" * 500, "x" * 3000, "../../etc/passwd", "'; drop table--",
    "<script>x</script>", "\x00", "\x7f", "ü" * 90, "refs/../../HEAD", "0" * 40, "f" * 39,
)  # fmt: skip


@pytest.mark.parametrize("revision", ODD_REVISIONS)
def test_odd_revisions_are_no_commits(viewer: Visitor, operator: Visitor, revision: str) -> None:
    named = quote(revision, safe="")
    for path, codes in (
        (f"/preview?type=IP222&rev={named}", (400,)),
        (f"/configuration?rev={named}", (404,)),
        (f"/configuration/file/phases.yaml?rev={named}", (404,)),
        (f"/commits/{named}", (404,)),
        (f"/commits/main?against={named}", (404,)),
    ):
        response = viewer.get(path)
        assert response.status_code in codes, path
        assert "<script>x" not in response.text
    for path in ("/deployments/deploy", "/deployments/rollback"):
        assert operator.get(f"{path}?rev={named}").status_code == 404
        assert operator.submit(path, {"rev": revision}, page="/deployments").status_code == 404


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "a" * 4000,
    "%00",
    "%F0%28%8C%28",
    "' or 1=1",
)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("/preview", ("type", "sn", "env", "phase", "firmware", "bootcode", "check", "rev")),
        ("/configuration", ("rev", "q", "page", "size")),
        ("/add", ("env", "name", "interval")),
        ("/deployments", ("before",)),
        ("/commits/main", ("against",)),
    ],
)
def test_no_argument_harms_a_page(viewer: Visitor, page: str, names: tuple[str, ...], value: str) -> None:
    for name in names:
        said = value if value.startswith("%") else quote(value)
        other = "" if name == "type" or page != "/preview" else "type=IP222&"
        response = viewer.get(f"{page}?{other}{name}={said}")
        assert response.status_code in (200, 400, 404), (name, response.text[:300])
        for harm in ("<script>alert", "<img src=x", ">49<"):
            assert harm not in response.text, name
