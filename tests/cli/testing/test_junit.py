from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from click.testing import CliRunner

from gitupd.cli.main import cli
from gitupd.cli.testing.junit import junit_report
from gitupd.resources import template_files
from gitupd.service.testing.running import RenderResult

if TYPE_CHECKING:
    from pathlib import Path

RESULTS = [
    RenderResult("tests/a.yaml", "goes & <well>", ()),
    RenderResult("tests/a.yaml", "fails\x00", ("lacks: config add X\x1b[2J", "the script is:\n        one")),
    RenderResult("tests/b.yaml", "alone", ()),
]


def test_each_file_is_a_suite_and_each_test_a_case() -> None:
    root = ET.fromstring(junit_report(RESULTS))  # noqa: S314 - we have written it
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures")) for suite in root] == [
        ("tests/a.yaml", "2", "1"),
        ("tests/b.yaml", "1", "0"),
    ]
    good, bad = root[0]
    assert (good.get("name"), good.get("classname"), len(good)) == ("goes & <well>", "tests/a.yaml", 0)
    (failure,) = bad
    assert failure.get("message") == "lacks: config add X\N{REPLACEMENT CHARACTER}[2J"
    assert (failure.text or "").endswith("\nthe script is:\n        one")


def test_the_command_writes_it_whether_tests_fail_or_not(tmp_path: Path) -> None:
    for path, content in template_files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    report = tmp_path / "report.xml"
    assert CliRunner().invoke(cli, ["test", str(tmp_path), "--junit", str(report)]).exit_code == 0
    assert ET.parse(report).getroot().get("failures") == "0"  # noqa: S314 - as above
    (tmp_path / "tests/more.yaml").write_text("tests: [{name: x, device: {type: IP222}, contains: [nothing]}]\n")
    assert CliRunner().invoke(cli, ["test", str(tmp_path), "--junit", str(report)]).exit_code == 1
    assert ET.parse(report).getroot().get("failures") == "1"  # noqa: S314 - as above
    refused = CliRunner().invoke(cli, ["test", str(tmp_path), "--junit", str(tmp_path / "gone/report.xml")])
    assert refused.exit_code != 0
