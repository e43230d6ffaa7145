"""Pages tell in German what is wrong with a commit, why devices get nothing, and what they were warned of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.broken import FILES
from support.serving import serving
from support.visitors import add_person, logged_in, shown
from support.waiting import until

from gitupd.core.caller import parse_serial
from gitupd.core.people.person import Role
from gitupd.service.clock import now
from gitupd.service.creating import create_site
from gitupd.service.deployments.deploying import deploy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.serving import Server

SERIAL = "00-90-33-30-00-b7"
POLL = f"/update.php?type=IP222&sn={SERIAL}&hwid=x&ip=10.0.0.1&env=nowhere&phase=update&polling=0"
TEMPLATE = "snippets/update-phone-all.txt.j2"
ENGLISH = re.compile(r"(?:\S+ ){0,4}\b(?:the|is|are|not|of|which|with|has|that|by|it|nothing|for)\b(?: \S+){0,4}")
DEPLOYED = {
    "snippets/update-phone-default.txt": b"config write\nconfg add X /y\n",
    "policies/status.yaml": b"missing_after: 2d\nforget_after: 1d\n",
    "policies/deploy.yaml": b"mode: manual\nbrake: null\n",
    "scripting.py": b"class Own:\n    def pre(self, device): return []\n",
}
FAULTY = {
    path: content.encode() if isinstance(content, str) else content
    for name in ("schemas", "policies", "signers", "sealed", "names of snippets")
    for path, content in FILES[name].items()
} | {"phases.yaml": b"phases: {a: {order: 1}\n", "policies/firmware.yaml": b"storage: elsewhere/\nfirmware: x y\n"}


class Fleet(NamedTuple):
    server: Server
    deployed: str
    failing: str
    faulty: str


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A site with warnings deployed, a commit whose template fails, and one with errors of many kinds."""
    site, _ = create_site(tmp_path_factory.mktemp("faults") / "site", who="test", now=now())
    ids = [
        site.config.commit_files(files, words, "Test <test@localhost>")
        for files, words in (
            (DEPLOYED, "eins"),
            ({TEMPLATE: b"config add X /z {{ 1 - 'a' }}\n"}, "zwei"),
            (FAULTY, "drei"),
        )
    ]
    deploy(site, ids[0], who="test", now=now())
    add_person(site, "olga", Role.OPERATOR)
    with serving(site.path) as server:
        server.ready()
        assert server.get(POLL)[0] == 200
        until(lambda: site.inventory.device(parse_serial(SERIAL)), "it was not written down")
        yield Fleet(server, *ids)
    site.close()


def told(fleet: Fleet, address: str, language: str = "de") -> str:
    """Return what a page says to somebody, without code and scripts."""
    with logged_in(fleet.server, "olga") as visitor:
        page = visitor.get(address, headers={"Accept-Language": language}).text
    return shown(re.sub(r"<(pre|code|table)\b.*?</\1>", "", page, flags=re.DOTALL))


@pytest.mark.parametrize(
    "address",
    [
        *("/commits/{faulty}", "/configuration?rev={faulty}", "/preview?type=IP222&rev={faulty}"),
        *("/deployments", "/deployments/deploy?rev={faulty}", "/deployments/deploy?rev={failing}"),
        *("/preview?type=IP222&phase=update&rev={failing}", "/preview?type=IP222&phase=update&rev={deployed}"),
        *("/plans?base={deployed}&head={failing}", "/plans?base={deployed}&head={faulty}", "/commits"),
        *(f"/devices/{SERIAL}", f"/devices/{SERIAL}/timeline"),
    ],
)
def test_there_is_no_english_on_it(fleet: Fleet, address: str) -> None:
    said = told(fleet, address.format(**fleet._asdict())).replace("Start with the template", "")
    # A file has a word that nobody fills in; Jinja and libyaml may say something themselves.
    assert ENGLISH.findall(said.replace("{nothing}", "").replace("/nothing", "")) == []


def test_each_problem_is_told_with_its_cure(fleet: Fleet) -> None:
    german, english = (told(fleet, f"/commits/{fleet.faulty}", language) for language in ("de", "en"))
    for pair in (
        (
            "phases.yaml:2 kein YAML: in einer Zuordnung in geschweiften Klammern fehlt das",
            "phases.yaml:2 not YAML: while",
        ),
        ("HTTPS und Client-Zertifikate: gewünscht oder verlangt", "HTTPS and client certificates: wanted or required"),
        ("nicht der Name eines Snippets; schreiben Sie phase-klasse-umgebung.txt", "not the name of a snippet; write"),
        ("verschlüsseln Sie sie mit: gitupd secrets encrypt", "encrypt it by: gitupd secrets encrypt"),
    ):
        assert pair[0] in german
        assert pair[1] in english


def test_why_a_device_gets_nothing_is_told(fleet: Fleet) -> None:
    address = f"/plans?base={fleet.deployed}&head={fleet.failing}"
    failed = f"{TEMPLATE}: was sie tut, geht mit diesen Werten nicht (TypeError)"
    until(lambda: failed in told(fleet, address), lambda: told(fleet, address))
    plan = told(fleet, address)
    assert f"bekommt nichts: eine Vorlage ist gescheitert, deshalb wird nichts gesendet: {failed}" in plan
    story = told(fleet, f"/devices/{SERIAL}/timeline")
    assert "Die Umgebung 'nowhere' gibt es nicht, und sie wird nicht beachtet" in story
    assert "Berechnete Zeilen sind gescheitert" in story


def test_programs_are_told_in_english(fleet: Fleet) -> None:
    with logged_in(fleet.server, "olga") as visitor:
        said = visitor.get(f"/api/v1/preview?type=IP222&rev={fleet.faulty}", headers={"Accept-Language": "de"}).text
    assert "not the name of a snippet" in said
    assert "Snippets" not in said
