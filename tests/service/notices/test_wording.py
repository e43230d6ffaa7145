"""Every kind of notice in German, as people get it; what is English is as it always was."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_string
from email.header import decode_header, make_header
from typing import TYPE_CHECKING, Any

import pytest
from support.authorities import DAY, EXPIRED, NOW, Authority, Validity

from gitupd.core.backups.change import Delta, Fingerprint
from gitupd.core.backups.version import BackupVersion
from gitupd.core.caller import Serial
from gitupd.core.comparison.numbers import PlanNumbers
from gitupd.core.deployments.brake import Brake, exceeded
from gitupd.core.deployments.decision import Ruling
from gitupd.core.deployments.record import Freeze
from gitupd.core.deployments.state import CommitState
from gitupd.core.device import Device
from gitupd.core.notices.notice import LONGEST_TEXT, Channel, Notice, NoticeKind, PendingNotice, message
from gitupd.core.people.audit import Event, Kind
from gitupd.core.people.person import Actor, Role
from gitupd.core.snapshot import CommitId
from gitupd.core.upstream.address import parse_upstream
from gitupd.core.upstream.movement import Relation, refusal
from gitupd.core.upstream.standing import UpstreamStanding
from gitupd.notifying import NotifySettings, Recipient
from gitupd.service.deployments.automatic import Automatic
from gitupd.service.deployments.deploying import deploy, rollback
from gitupd.service.deployments.live import Follower
from gitupd.service.notices.notifying import Notifying, send_test
from gitupd.service.notices.wording import wording
from gitupd.service.steadiness import SETTLED_SECONDS, Steadiness
from gitupd.settings import Settings
from gitupd.upstream import UpstreamSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Receiver
    from service.conftest import Sample  # type: ignore[import-not-found] # pytest finds it

KINDS = ", ".join(NoticeKind)
FILES = {
    "policies/notify.yaml": f"rules:\n  - {{on: [{KINDS}], to: english}}\n  - {{on: [{KINDS}], to: german}}\n",
    "policies/deploy.yaml": "grace: 0s\n",
}
ENDING = Validity(NOW - 300 * DAY, NOW + 10 * DAY)
UPSTREAM = "https://git.example.org/c.git"

ALIKE = frozenset(
    {
        "gitupd",
        "commit",
        "commits",
        "branch",
        "upstream",
        "main",
        "server",
        "test",
        "in",
        "was",
    }  # of names, of Git, or German as well
    | {"trust", "add", "remove", "pem", "der", "crl", "https", "git", "example", "org", "may", "ada", "end"}
)
"""Words that German texts have, too."""


class Away:
    """A site of which there is everything to tell, at times that go on as somebody says."""

    def __init__(self, sample: Sample, **recipients: Recipient) -> None:
        self.sample, self.site, self.now, self.seconds = sample, sample.site, NOW, 0.0
        notify = NotifySettings(to=recipients, sender="gitupd@example.org", link="https://upd.example.org")
        upstream = UpstreamSettings(address=parse_upstream(UPSTREAM))
        settings = replace(self.site.settings, notify=notify, upstream=upstream, time_zone="Europe/Berlin")
        self.site.settings = settings
        deploy(self.site, sample.commit(FILES), who="ada", now=NOW)
        self.follower, self.steadiness = Follower(self.site), Steadiness(lambda: self.seconds)
        self.steadiness.look(NOW)
        self.notifying = Notifying(self.site, self.follower, lambda: self.now, self.steadiness)
        self.look()

    def look(self, **later: float) -> None:
        span = timedelta(**later)
        self.now, self.seconds = self.now + span, self.seconds + span.total_seconds()
        self.follower.follow()
        self.notifying.look()

    def happen(self) -> None:
        """Have something of each kind happen."""
        site, good = self.site, self.site.deployments.live()
        assert good is not None
        for number in range(12):
            device = Device(Serial(f"0090330000{number:02x}"), first_seen=NOW, last_seen=NOW)
            site.inventory.save_sightings([device])
        self._upload(Serial("009033000001"))
        self.look(seconds=SETTLED_SECONDS)
        self._commits(good.commit)
        site.freezes.put(
            Freeze(NOW, "vera", "3 devices", datetime.fromisoformat("2030-07-01T10:30:00Z")),
            Event(NOW, "vera", Kind.FREEZE),
        )
        why = refusal(Relation.REWOUND, "main", CommitId("b" * 40), 2) or ""
        standing = UpstreamStanding(UPSTREAM, "main", refused=CommitId("b" * 40), refused_onto=good.commit)
        site.upstreams.save(replace(standing, refused_at=NOW, refusal=why))
        for name, valid in (("Old", EXPIRED), ("Ending", ENDING)):
            site.trust.add(Authority.root(name, valid=valid).pem, Event(NOW, "vera", Kind.TRUST_ADD))
        self.look(days=7)
        caller = Device(Serial("009033000001"), first_seen=NOW, last_seen=self.now)
        site.inventory.save_sightings([caller])
        self.look(days=3)

    def _commits(self, good: CommitId) -> None:
        deploy(self.site, self.sample.commit({**FILES, "a": "x"}), who="vera", now=NOW, reason="the door")
        rollback(self.site, good, who="vera", now=self.now, reason="the wrong door")
        automatic = Automatic(self.site, lambda: self.now, self.follower)
        self.sample.commit({**FILES, "phases.yaml": "phases: 1\n"})
        automatic.step()
        braked = self.sample.commit({**FILES, "b": "x"})
        automatic.step()
        record = self.site.commits.of(braked)
        assert record is not None
        told = exceeded(Brake(), PlanNumbers(devices=500, changed=412, restarting=212, failing=7))
        reason = "; ".join(each.text for each in told)
        self.site.commits.settle(record, Ruling(CommitState.BRAKED, reason, "doubtful"), self.now)

    def _upload(self, serial: Serial) -> None:
        commit = CommitId("1" * 40)
        version = BackupVersion(serial, NOW, commit, "2" * 40, Fingerprint("0"), 9, 3, Delta(3, 0), {})
        self.site.backup_index.add([version])


def words(*texts: str) -> set[str]:
    return {word.lower() for text in texts for word in re.findall(r"\b(?!b{12})[A-Za-z]{2,}\b", text)}


def english_in(told: str, original: str) -> set[str]:
    """Return which words of the English *original* are in what was *told* in German."""
    return (
        (words(told) & words(original))
        - ALIKE
        - words("vera", "the door", "the wrong door", "3 devices", "Change phases.yaml", "Old Ending")
    )


@pytest.fixture
def told(sample: Sample, hooks: Receiver) -> dict[str, dict[str, Any]]:
    """Return by language and kind what webhooks got."""
    english = Recipient(webhook=f"{hooks.url}/english")
    scene = Away(sample, english=english, german=replace(english, webhook=f"{hooks.url}/german", language="de"))
    scene.happen()
    scene.notifying.send()
    found: dict[str, dict[str, Any]] = {"/english": {}, "/german": {}}
    for (path, _, _), facts in zip(hooks.got, hooks.facts(), strict=True):
        assert facts["kind"] not in found[path]
        found[path][facts["kind"]] = facts
    return found


def test_every_kind_is_told_in_german_and_nothing_of_it_in_english(told: dict[str, dict[str, Any]]) -> None:
    english, german = told["/english"], told["/german"]
    assert english.keys() == german.keys() == {kind.value for kind in NoticeKind}
    for kind, facts in german.items():
        for name in ("at", "kind", "link"):
            assert facts[name] == english[kind][name]
        assert len(facts["lines"]) == len(english[kind]["lines"])
        for line, original in zip(
            (facts["title"], *facts["lines"]), (english[kind]["title"], *english[kind]["lines"]), strict=True
        ):
            assert line != original
            assert english_in(line, original) == set(), line


def test_what_it_says(told: dict[str, dict[str, Any]]) -> None:
    german = {kind: [facts["title"], *facts["lines"]] for kind, facts in told["/german"].items()}
    assert german["stopped"] == [
        "gitupd: Bereitstellungen sind gestoppt",
        "vera hat Bereitstellungen bis 01.07.2030, 12:30 CEST gestoppt: 3 devices",
    ]
    assert re.fullmatch(r"vera hat \w{12} bereitgestellt: the door", german["deployed"][1])
    assert re.fullmatch(r"vera hat auf \w{12} zurückgesetzt: the wrong door", german["rolled-back"][1])
    assert german["refused"][1].endswith("wird nicht bereitgestellt: 1 Fehler, der erste in phases.yaml:1:9")
    assert german["braked"][1].partition(" nicht bereitgestellt: ")[2] == (
        "412 (82 %) bekämen ein anderes Skript (insgesamt 500 aktive Geräte); die Bremse liegt bei 25 %; "
        "212 (42 %) starteten neu (insgesamt 500 aktive Geräte); die Bremse liegt bei 10 %; "
        "7 bekämen nichts, denn für sie lassen sich keine Zeilen erzeugen (insgesamt 500 aktive Geräte)"
    )
    assert german["diverged"][1] == (
        f"{UPSTREAM} wird nicht gefolgt: der Branch main des Upstreams, bbbbbbbbbbbb, wurde zurückgedreht: "
        "ihm fehlen 2 Commits, die hier sind"
    )
    assert german["missing"][1].startswith("12 Geräte haben länger als 7 Tage nicht abgefragt: 00-90-33-00-00-00, ")
    assert german["missing"][1].endswith("00-90-33-00-00-09 und 2 weitere")
    assert german["overdue"][1] == "1 Gerät hat länger als 7 Tage keine Sicherung hochgeladen: 00-90-33-00-00-01"
    assert german["expiring"][1] == (
        f"trust/ending.pem: die Zertifizierungsstelle Ending läuft am {ENDING.end:%d.%m.%Y} ab und weist dann kein "
        "Gerät mehr aus; Abhilfe: fügen Sie mit gitupd trust add die Nachfolgerin hinzu, und geben Sie den Geräten "
        "Zertifikate von ihr; danach gitupd trust remove trust/ending.pem"
    )


def test_a_mail_and_a_chat_are_in_german(sample: Sample, hooks: Receiver, mails: Receiver) -> None:
    recipient = Recipient(mail=("ops@example.org",), chat=hooks.url, language="de")
    scene = Away(sample, german=recipient)
    notify = replace(scene.site.settings.notify, smtp=("127.0.0.1", mails.port), smtp_encryption="none")
    scene.site.settings = replace(scene.site.settings, notify=notify)
    commit = sample.commit({**FILES, "a": "x"})
    deploy(scene.site, commit, who="vera", now=NOW)
    scene.look(seconds=1)
    scene.notifying.send()
    line = f"gitupd: bereitgestellt: vera hat {commit[:12]} bereitgestellt"
    assert hooks.facts() == [{"text": f"{line} https://upd.example.org/commits/{commit}"}]
    letter = message_from_string(mails.letters[0])
    assert str(make_header(decode_header(letter["Subject"]))) == line
    body = letter.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().startswith(f"vera hat {commit[:12]} bereitgestellt\r\n\r\nhttps://")
    assert letter["Date"].endswith("+0000")


def test_a_test_is_in_the_language_of_whoever_gets_it(sample: Sample, hooks: Receiver) -> None:
    site = sample.site
    notify = NotifySettings(to={"boss": Recipient(chat=hooks.url, language="de")})
    site.settings = replace(site.settings, notify=notify)
    assert send_test(site, "boss", Actor("vera", Role.ADMINISTRATOR, None), NOW) == {Channel.CHAT: None}
    assert hooks.facts() == [
        {
            "text": "gitupd: Test: Dies ist ein Test, den vera veranlasst hat: Benachrichtigungen für boss kommen hier "
            "an."
        }
    ]


# What others have a say in


def tell(language: str = "de") -> Callable[[str], str]:
    return wording(Settings(time_zone="UTC"), Recipient(language=language))


def waiting(number: int, text: str) -> PendingNotice:
    return PendingNotice(number, "operators", Channel.MAIL, Notice(NoticeKind.DEPLOYED, f"{number}", text), NOW)


@pytest.mark.parametrize(
    "text",
    [
        "vera stopped deployments until 2026-99-99T99:99:99Z: x",
        "a: the server's certificate ends on 2026-99-99; y",
        "3 devices have not called for 1e+e h: x and 9 more",
        ", devices",
    ],
)
def test_what_only_looks_like_a_value_does_no_harm(text: str) -> None:
    assert tell()(text)


def test_what_others_wrote_is_bounded_and_stays_as_it_is() -> None:
    hostile = f"vera deployed {'a' * 12}: <b>{'; it was rolled back: x %(number)s' * 400}"
    (line,) = message([waiting(1, hostile)], tell()).lines
    assert line.startswith("vera hat aaaaaaaaaaaa bereitgestellt: <b>; it was rolled back: x %(number)s")
    assert len(line) == LONGEST_TEXT


def test_english_is_as_it_is_kept_and_many_are_counted_in_german() -> None:
    many = [waiting(number, f"vera  deployed {'b' * 12}:{' ' * 2_000}x\n{number}") for number in range(1_250)]
    assert message(many, tell("en")) == message(many)
    assert message(many, tell()).lines[-1] == "und 1.230 weitere Benachrichtigungen"
    assert message(many[:21], tell()).lines[-1] == "und 1 weitere Benachrichtigung"
