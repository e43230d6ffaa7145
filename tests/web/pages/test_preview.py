"""The Preview of a script."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest
from support.serving import serving
from support.showcase import HIDING, SECRETS, Scene, commit, populate
from support.visitors import Visitor, answer, logged_in, shown, unveiled

from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from pathlib import Path


# Preview


def test_the_preview_answers_in_words_and_by_line(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/preview?type=IP222&env=homeoffice&phase=update").text
    assert answer(page).startswith(
        f"An IP222 in homeoffice, phase update, would get 10 commands from 4 snippets of {scene.live[:8]}."
    )
    assert "This is the deployed commit" in answer(page)
    assert f'href="/configuration/file/snippets/update-phone-homeoffice.txt?rev={scene.live}#L1"' in page
    assert '<tr id="L1">' in page
    assert '<a href="#L1">1</a>' in page
    assert "environment intranet, implied by homeoffice" in page
    assert re.search(r"by <span[^>]*>Ada</span> in <a[^>]*><code", page)


def test_the_preview_of_another_revision(scene: Scene, viewer: Visitor) -> None:
    page = viewer.get("/preview?type=IP6010&phase=update&rev=main").text
    assert answer(page).startswith(
        f"An IP6010, phase update, would get 9 commands from 2 snippets of {scene.head[:8]}."
    )
    assert "This commit is not deployed: “More for gateways”, Ada" in answer(page)
    page = viewer.get("/preview?type=swphone&phase=update&rev=main~2").text
    assert scene.first[:8] in answer(page)
    assert answer(page).startswith("A swphone, phase update,")


def test_a_device_that_has_executed_everything_gets_nothing(operator: Visitor) -> None:
    page = operator.get(unveiled("/preview?type=IP222&phase=update")).text
    check = re.search(r"check ser ([0-9a-f]{32})", page)
    assert check
    page = operator.get(unveiled(f"/preview?type=IP222&phase=update&check={check[1]}")).text
    assert "has executed all that" in answer(page)
    assert f"CHECK is {check[1]}" in page


def test_an_order_of_environments_survives_the_form(viewer: Visitor) -> None:
    page = viewer.get("/preview?type=IP222&env=intranet&env=default").text
    assert re.findall(r'name="env" value="(\w+)"( checked)?', page) == [
        ("intranet", " checked"),
        ("default", " checked"),
        ("homeoffice", ""),
    ]
    assert "environments intranet default" in page
    assert "environments intranet default" in viewer.get("/preview?type=IP222&env=intranet,default").text


@pytest.mark.parametrize(
    ("query", "field", "told"),
    [
        ("sn=zz", "sn", "is no serial number; write twelve hexadecimal digits"),
        ("type=<b>", "type", "letters, digits, and the like only"),
        ("type=", "type", "which type of device?"),
        ("rev=nonsense", "rev", "there is no branch, tag or commit 'nonsense'"),
        ("phase=" + "x" * 300, "phase", "more than 200 characters"),
        ("check=a%0Ab", "check", "control character"),
        ("env=" + "e," * 10 + "%07", "env", "control character"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_lost(
    operator: Visitor, query: str, field: str, told: str
) -> None:
    rest = [part for part in ("type=IP222", "firmware=137213", "sn=009033000001") if part[:3] != query[:3]]
    response = operator.get(f"/preview?{query}&{'&'.join(rest)}")
    assert response.status_code == 400
    found = re.search(rf'id="{field}"(?:(?!<label).)*?class="fault"[^>]*>([^<]*)', response.text, re.DOTALL)
    assert found, response.text[-3000:]
    assert told in html.unescape(found[1])
    assert 'name="firmware" value="137213"' in response.text
    assert "The question is not complete" in answer(response.text)


def test_an_unknown_environment_is_told_and_the_answer_given_all_the_same(viewer: Visitor) -> None:
    page = viewer.get("/preview?type=IP222&env=mars").text
    assert "mars <span" in page
    assert "environment 'mars' does not exist, and is ignored" in shown(page)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("type=IP2222", "No class has the model 'IP2222', which gets what is for all; did you mean 'ip222'?"),
        ("type=IP222&phase=updat", "Unknown phase 'updat'; did you mean 'update'?"),
        ("type=IP222&env=homeofice,default", "Unknown environment 'homeofice'; did you mean 'homeoffice'?"),
        ("type=IP222&phase=xyz", "Unknown phase 'xyz'; known: staging, update."),
    ],
)
def test_names_that_the_configuration_does_not_know_are_told(viewer: Visitor, query: str, told: str) -> None:
    response = viewer.get(f"/preview?{query}")
    assert response.status_code == 200
    assert told in shown(response.text)
    assert "The script, line by line" in response.text
    facts = viewer.get(f"/api/v1/preview?{query}").json()
    assert [f"{each[0].upper()}{each[1:]}".removesuffix(".") for each in facts["warnings"]] == [told.removesuffix(".")]
    known = viewer.get("/preview?type=IP222&phase=update&env=homeoffice").text
    assert "Unknown names" not in known


def test_a_commit_with_errors_is_told_with_all_of_them(scene: Scene, viewer: Visitor) -> None:
    for path in ("/preview?type=IP222&rev=broken", "/configuration?rev=broken"):
        page = viewer.get(path).text
        assert "has errors" in answer(page) or "has 1 problem" in answer(page)
        assert "unknown key 'intervall'" in shown(page)
        assert f'href="/configuration/file/policies/delivery.yaml?rev={scene.broken}#L1"' in page


def test_a_script_that_is_too_large_is_told(scene: Scene, viewer: Visitor) -> None:
    changes = {"snippets/update-all-all.txt": "config add X /y 1\n" * 50_001}
    large = commit(scene.site, changes, "Large", "large")
    response = viewer.get(f"/preview?type=IP222&phase=update&rev={large}")
    assert response.status_code == 400
    assert "50,004 lines is more than a page can show; gitupd render prints it." in answer(response.text)
    assert 'name="type" value="IP222"' in response.text


CODE = """
class Lines:
    def pre(self, device):
        return ["config add COMPUTED /for " + device.type]
"""


def test_code_of_commits_is_run_only_if_it_was_deployed_and_is_allowed(tmp_path: Path) -> None:
    site = create_site(tmp_path / "site", who="test", now=now())[0]
    populate(site)
    head = commit(site, {"scripting.py": CODE}, "Code")
    question = f"/preview?type=IP222&phase=update&rev={head}"
    with serving(site.path, workers=1, scripting="true") as server, logged_in(server, "olga") as operator:
        text = shown(operator.get(question).text)
        assert "config add COMPUTED" not in text
        assert "Lines computed by scripting.py are left out here." in text
        assert "only from commits that were deployed" in text
        deploy(site, head, who="tess", now=now())
        server.ready(head)
        page = operator.get(question).text
        assert "config add COMPUTED /for IP222" in page
        assert '<td class="origin">computed</td>' in page
        assert "left out" not in page
    with serving(site.path, workers=1) as server, logged_in(server, "olga") as operator:
        server.ready(head)
        page = operator.get("/preview?type=IP222&phase=update").text
        assert "would get no command" in answer(page)
        assert "this server does not run scripting.py; set scripting = true in gitupd.toml" in shown(page)
    site.close()


# Secrets


@pytest.mark.parametrize(
    "path",
    [
        "/preview?type=IP222&phase=update",
        "/preview?type=IP222&phase=update&rev=main",
        "/configuration",
        "/configuration?rev=main",
        "/configuration/file/environments.yaml",
        "/configuration/file/devices.yaml",
        "/configuration/file/snippets/update-phone-all.txt",
        "/configuration/file/snippets/update-phone-all.txt?rev=main",
        "/commits/main~1",
        "/commits/main?against=main~2",
    ],
)
def test_secrets_are_for_operators_who_ask(viewer: Visitor, operator: Visitor, path: str) -> None:
    closed, opened = viewer.get(path).text, operator.get(unveiled(path)).text
    assert "***" in closed
    assert not [secret for secret in SECRETS if secret in closed]
    assert "***" not in opened
    assert [secret for secret in SECRETS if secret in opened]


def test_a_commit_that_hides_nothing_does_not_lay_open_what_the_deployed_one_hides(
    scene: Scene, viewer: Visitor
) -> None:
    lax = commit(scene.site, HIDING | {"policies/backup.yaml": "enabled: false\nhide: []\n"}, "Lax", "lax")
    for path in (f"/preview?type=IP222&phase=update&rev={lax}", f"/commits/{lax}",
                 f"/configuration/file/snippets/update-phone-all.txt?rev={lax}"):  # fmt: skip
        page = viewer.get(path).text
        assert "***" in page
        assert not [secret for secret in SECRETS if secret in page]


def test_what_is_wrong_with_a_line_does_not_lay_its_secret_open(
    scene: Scene, viewer: Visitor, operator: Visitor
) -> None:
    lines = "config add X /pw first second-half\nconfig add X /a first other-half\n"
    wrong = {"snippets/update-all-all.txt": lines, "policies/delivery.yaml": "intervall: 10\n"}
    rev = commit(scene.site, wrong, "Blanks", "blanks")
    for path in (f"/configuration?rev={rev}", f"/preview?type=IP222&rev={rev}"):
        assert "second-half" in operator.get(path).text
        page = viewer.get(path).text
        assert "second-half" not in page
        assert "a line with a secret, of which operators are told more" in page
        assert "other-half" in page
