"""What the core says is told again in the reader's language, as it really says it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.raised import given_texts

from gitupd.core.admission.admittance import Admittance
from gitupd.core.certificates.rollout import Stage
from gitupd.core.comparison.numbers import PlanNumbers
from gitupd.core.deployments.brake import Brake
from gitupd.core.describing import sections
from gitupd.core.outlook import outlook, waiting_outside
from gitupd.core.people.audit import Kind
from gitupd.core.policy import Backup, Certificates, Policy, Window
from gitupd.core.stories.change import Change, ChangeKind
from gitupd.core.stories.happening import deed_on_it, told
from gitupd.language import sentences
from gitupd.language.reader import Reader
from gitupd.service.certificates.rolling import way_on

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


GERMAN = Reader("de", UTC)


def retold(text: object) -> str:
    return sentences.retold(text, GERMAN)


def is_english(text: str) -> bool:
    """Whether nothing of *text* was translated."""
    return retold(text) == text


@pytest.mark.parametrize("kind", [kind for kind in ChangeKind if kind not in (ChangeKind.WARNED, ChangeKind.DEED)])
@pytest.mark.parametrize("was", ["old", None])
def test_each_change_of_a_device_is_told(kind: ChangeKind, was: str | None) -> None:
    now = "1250" if kind is ChangeKind.SENT else "new"
    assert not is_english(told(Change(NOON, kind, was, now)).text)


@pytest.mark.parametrize("kind", Kind)
def test_what_people_did_to_a_device_is_told(kind: Kind) -> None:
    said = retold(f"vera {deed_on_it(kind)}: for the door")
    assert said.startswith("vera ")
    assert said.endswith(": for the door")
    assert deed_on_it(kind) not in said


def test_what_happens_next_is_told() -> None:
    assert retold(outlook(Policy(), [])).startswith("Es fragt alle 15 min ab. Dann bekommt es keine")
    assert [is_english(waiting_outside(each)) for each in (Admittance.REFUSED, Admittance.QUARANTINED)] == [False] * 2
    assert [stage for stage in Stage if is_english(way_on(stage, "manual"))] == [Stage.GOOD]


@pytest.mark.parametrize(
    ("said", "german_words"),
    [
        ("Was sent 1,250 snippets of", "1.250 Snippets gesendet aus"),
        (
            "Uploaded its configuration: 1 line added, 3 lines removed",
            "Konfiguration hochgeladen: 1 Zeile hinzugefügt, 3 Zeilen entfernt",
        ),
        ("Its certificate is at: signing. Its request waits for a signature.", "Schritt des Zertifikats: wartet auf"),
        (
            (
                "It polls every minute. Then it loads firmware 13 and boot code 7, restarts when it is idle and gets"
                " 3 snippets for phase update, between 22:00 and 5:00."
            ),
            (
                "Es fragt jede Minute ab. Dann lädt es Firmware 13 und Boot-Code 7, startet neu, sobald es frei ist,"
                " und bekommt 3 Snippets für Phase update, zwischen 22:00 und 5:00."
            ),
        ),
        (
            "1,412 of 2,000 devices get something else: 1,400 execute everything again, 12 restart.",
            "1.412 bekommen etwas anderes (verglichen: 2.000 Geräte): 1.400 führen alles noch einmal aus, 12",
        ),
        ("it waits for somebody to deploy it, approved by vera, otto", "jemand muss ihn bereitstellen, freigegeben"),
        (
            "phase update; class phone; environment berlin, implied by office",
            "Phase update; Klasse phone; Umgebung berlin, eingeschlossen von office",
        ),
        (
            "7 devices: get 1 line more, 2 lines less; restart when idle, for the new build",
            "7 Geräte: bekommen 1 Zeile mehr, 2 Zeilen weniger; starten neu, sobald sie frei sind, für den neuen Build",
        ),
        (
            "1 device: gets no line else; goes on to phase x",
            "1 Gerät: bekommt keine andere Zeile; geht weiter in Phase",
        ),
        (
            "Phase 'nope' does not exist; starting over with 'update'",
            "Die Phase 'nope' gibt es nicht; es geht von vorn mit 'update'",
        ),
        (
            "A client certificate is required; certificate not trusted (CN=x): it has expired on 2026-05-01",
            (
                "Ein Client-Zertifikat wird verlangt; dem Zertifikat wird nicht vertraut (CN=x): es ist am 01.05.2026 "
                "abgelaufen"
            ),
        ),
        (
            (
                "2 devices: get 1 line more; get nothing: a template failed, so nothing is sent: it becomes larger "
                "than 256 KiB"
            ),
            (
                "2 Geräte: bekommen 1 Zeile mehr; bekommen nichts: eine Vorlage ist gescheitert, deshalb wird nichts "
                "gesendet: sie wird größer als 256 KiB"
            ),
        ),
        ("570751d3405a is at the head of the branch", "570751d3405a steht an der Spitze des Branchs"),
        ("it has 3 errors, the first at devices.yaml:4", "3 Fehler, der erste in devices.yaml:4"),
    ],
)
def test_sentences_with_values(said: str, german_words: str) -> None:
    assert retold(said).startswith(german_words)


def test_what_a_configuration_says_is_told() -> None:
    plain = Policy()
    policies = (
        plain,
        replace(plain, delivery=replace(plain.delivery, interval=1, window=Window(("22", "23"), 10))),
        replace(plain, backup=Backup(enabled=True), certificates=Certificates(enabled=True)),
        replace(plain, deploy=replace(plain.deploy, brake=Brake())),
    )
    said = [sentence.text for policy in policies for section in sections(policy) for sentence in section.sentences]
    assert len(said) > 50
    assert [text for text in said if is_english(text)] == []
    limits = "a script would lose more than 50 % of its commands"
    limits += ", or if something is taken away that devices are in or call by"
    assert retold(f"A commit waits for a person's word if {limits}.") == (
        "Ein Commit wartet auf das Wort eines Menschen, wenn ein Skript mehr als 50 % seiner Befehle verlöre, oder "
        "wenn etwas wegfällt, worin Geräte sind oder womit sie abfragen."
    )
    assert retold("No firmware for ipbs, pbl and swphone.") == "Keine Firmware für ipbs, pbl und swphone."
    asks = "Asks devices of class phone for the output of “mod cmd CMD0 xml-info” and shows Name and Product."
    for title in ("", "Admin: "):
        told_so = (
            f"{title}Fragt Geräte der Klasse phone nach der Ausgabe von „mod cmd CMD0 xml-info“ und zeigt Name und"
        )
        assert retold(f"{title}{asks}").startswith(told_so)


def test_numbers_of_a_plan_are_told() -> None:
    numbers = PlanNumbers(devices=500, changed=412, restarting=12, shut_out=1)
    assert retold(numbers) == "bei 412 Geräten ändert sich etwas, 1 wird ausgesperrt, 12 starten neu"


@pytest.mark.parametrize("text", ["", "Desk 12", "the door of 3 devices", "Called the vendor", "x" * 5_000, "never (x"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert is_english(text)


@pytest.mark.parametrize("module", ["core/plan.py", "core/firmware.py", "core/identity.py"])
def test_what_devices_are_warned_of_is_told(module: str) -> None:
    texts = [*given_texts(module, "Warn", 0), *given_texts(module, "_distrust", 1)]
    said = [
        each.filled("'x'", {"more": "3", "unknown": "firmware", "untimely": "has expired on 2026-05-01"})
        for each in texts
        if " " in str(each)
    ]
    assert [text for text in said if is_english(text)] == []


def test_names_are_never_translated() -> None:
    assert retold("Is called never, before 3 devices") == "Heißt never, vorher 3 devices"


def test_english_is_what_the_core_says() -> None:
    said = "Was sent 1,250 snippets of"
    assert sentences.retold(said, Reader("en", UTC)) == said
