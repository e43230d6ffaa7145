"""Commands on deployments: what they say of those that are to come."""

from __future__ import annotations

from pathlib import Path

from support.calling import called

_API = Path(__file__).parents[2] / "gitupd/web/openapi.yaml"


def test_what_may_be_overruled_is_named_where_one_looks(tmp_path: Path) -> None:
    help_ = " ".join(called("deploy", "--help", cwd=tmp_path).stdout.split())
    forced = " ".join(_API.read_text("utf-8").partition("operationId: deploy\n")[2].partition("responses:")[0].split())
    for said in (help_, forced):
        for word in ("builds on a blocked", "no history in common", "render tests", "brake", "frozen", "signed"):
            assert word in said
