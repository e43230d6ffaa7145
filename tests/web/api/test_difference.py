"""Two devices beside each other through the API, each answer held against openapi.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support import fleets

from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.programs import Program

    from gitupd.service.site import Site

ONE, OTHER = "00-90-33-00-00-01", "00-90-33-00-00-03"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site, _ = create_site(tmp_path_factory.mktemp("difference") / "site", who="test", now=now())
    files = dict(site.config.files(site.config.resolve("main")))
    files["snippets/all-all-homeoffice.txt"] = b"config add Y /pw geheim\n"
    deploy(site, site.config.commit_files(files, "Two", "Ada <ada@example.org>"), who="test", now=now())
    fleets.fill(site, 5, now())
    yield site
    site.close()


def test_what_differs_is_told_without_secrets_to_those_who_may_not_see_them(viewer: Program, operator: Program) -> None:
    told = {program: program.get(f"/devices/{ONE}/difference?with={OTHER}").json() for program in (viewer, operator)}
    for facts in told.values():
        assert (facts["serial"], facts["with"], facts["failures"]) == (ONE, OTHER, [])
        assert {each["name"]: each["left"] for each in facts["facts"]}["environments"] == ["default"]
        assert "address" in [each["name"] for each in facts["facts"] if each["differs"]]
    texts = [[row["right"] and row["right"]["text"] for row in facts["rows"]] for facts in told.values()]
    assert "config add Y /pw ***" in texts[0]
    assert "config add Y /pw geheim" in texts[1]


@pytest.mark.parametrize(
    ("query", "status", "detail"),
    [
        ("", 400, "with: missing"),
        ("with=Desk", 400, "with: "),
        (f"with={ONE}", 400, "with: that is this very device"),
        ("with=00-90-33-99-99-99", 404, "There is no device 00-90-33-99-99-99."),
    ],
)
def test_what_is_no_other_device_is_refused(viewer: Program, query: str, status: int, detail: str) -> None:
    refused = viewer.get(f"/devices/{ONE}/difference?{query}")
    assert refused.status_code == status
    assert refused.json()["detail"].startswith(detail)
    assert viewer.get(f"/devices/00-90-33-99-99-99/difference?with={ONE}").status_code == 404
