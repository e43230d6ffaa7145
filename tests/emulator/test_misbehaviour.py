import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from gitupd.emulator.exchange import Answer, Pause, Purpose, Request, answered
from gitupd.emulator.misbehaviour import MEANINGS, Misbehaviour
from gitupd.emulator.phone import Phone

IDENTITY = "http://upd.example/u?type=#t&sn=#m&hwid=#h&ip=#i"
BACKUP = "mod cmd UP0 scfg http://upd.example/backup"
CHECK = "mod cmd UP1 check ser abc"
QUERY = "mod cmd UP0 scfg http://upd.example/q ser nop /always mod%20cmd%20{}%20xml-info"


@pytest.fixture
def requests(make_phone: Callable[..., Phone]) -> Callable[..., list[Request]]:
    """Give the requests that a phone makes when each of its polls brings the same script."""

    def collect(phone: Phone | Misbehaviour, script: str = "", polls: int = 1) -> list[Request]:
        if isinstance(phone, Misbehaviour):
            phone = make_phone(IDENTITY, misbehaviours=frozenset({phone}), polls=polls)
        return list(made(phone, script))

    return collect


def made(phone: Phone, script: str) -> list[Request]:
    life, answer, found = phone.life(), None, list[Request]()
    try:
        while True:
            match life.send(answer):
                case Request() as request:
                    found.append(request)
                    answer = reply(request, script)
                case Pause():
                    answer = None
    except StopIteration:
        return found


def reply(request: Request, script: str) -> Answer:
    return answered(script if request.purpose is Purpose.POLL else "x")


def body(request: Request) -> str:
    return b"".join(request.chunks or ()).decode()


def arguments(request: Request) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.url).query, keep_blank_values=True)


def test_each_misbehaviour_is_explained() -> None:
    assert set(MEANINGS) == set(Misbehaviour)


def test_well_behaved(make_phone: Callable[..., Phone], requests: Callable[..., list[Request]]) -> None:
    poll, backup = requests(make_phone(IDENTITY, polls=1), BACKUP)
    assert (poll.copies, poll.slow, backup.slow, backup.cut_after) == (1, False, False, None)
    assert backup.chunks == (body(backup).encode(),), "less than 4 KiB"
    assert arguments(poll)["ip"] == ["10.0.0.7"]
    assert body(backup).endswith("\r\nconfig write\r\nconfig activate\r\n")


def test_split_utf8(requests: Callable[..., list[Request]]) -> None:
    _, backup, query = requests(Misbehaviour.SPLIT_UTF8, f"{BACKUP}\n{QUERY.format('CMD0')}")
    assert "config change CMD0 /name Büro%20Süd%201" in body(backup)
    assert 'name="Büro Süd 1"' in body(query)
    assert len(query.chunks or ()) == 3
    for chunk in query.chunks or ():
        with pytest.raises(UnicodeDecodeError):
            chunk.decode()


def test_empty_upload(requests: Callable[..., list[Request]]) -> None:
    assert requests(Misbehaviour.EMPTY_UPLOAD, BACKUP)[1].chunks == ()


def test_huge_dump(requests: Callable[..., list[Request]]) -> None:
    backup = requests(Misbehaviour.HUGE_DUMP, BACKUP)[1]
    assert len(body(backup)) == pytest.approx(10_000_000, abs=200)
    assert {len(chunk) for chunk in (backup.chunks or ())[:-1]} == {4096}


def test_volatile_only(requests: Callable[..., list[Request]]) -> None:
    uploads = [body(request) for request in requests(Misbehaviour.VOLATILE_ONLY, BACKUP, polls=3) if request.chunks]
    volatile = re.compile(
        r"^(mod cmd FLASHDIR0 add-item .*\)\(type=.*\(info=.*|vars create (UPDATE|TLS0/TICKET)/.*)\r\n", re.MULTILINE
    )
    assert len(set(uploads)) == 3
    assert len({volatile.sub("", upload) for upload in uploads}) == 1


def test_a_gateway_has_a_call_list(make_phone: Callable[..., Phone], requests: Callable[..., list[Request]]) -> None:
    first, second = [body(r) for r in requests(make_phone(types=("IP811",), polls=2), BACKUP) if r.chunks]
    assert first != second
    assert "FLASHDIR0 add-item" in first


def test_missing_args(requests: Callable[..., list[Request]]) -> None:
    polls = [arguments(poll) for poll in requests(Misbehaviour.MISSING_ARGS, polls=30)]
    assert all(poll["sn"] and poll["hwid"] == [""] for poll in polls)
    assert {tuple(poll.get("PROT", ["missing"])) for poll in polls} == {("",), ("missing",), ("134250",)}


def test_upper_case(requests: Callable[..., list[Request]]) -> None:
    poll = arguments(requests(Misbehaviour.UPPER_CASE)[0])
    assert (poll["sn"], poll["hwid"]) == (["00-90-33-46-0A-F2"], ["IP222-46-0A-F2"])


def test_always_busy(make_phone: Callable[..., Phone], requests: Callable[..., list[Request]]) -> None:
    phone = make_phone(misbehaviours=frozenset({Misbehaviour.ALWAYS_BUSY}), polls=2)
    requests(phone, "vars create A p 1\niresetn\nireset\nvars create B p 1")
    assert phone.restarts == 0
    assert "B" in phone.device.variables
    assert phone.device.reset_when_idle


def test_a_busy_device_restarts_once_it_is_idle(make_phone: Callable[..., Phone]) -> None:
    phone = make_phone(misbehaviours=frozenset({Misbehaviour.ALWAYS_BUSY}))
    life = phone.life()
    life.send(None)
    life.send(None)
    life.send(answered("ireset"))
    assert phone.doing == "waiting 900s"
    life.send(None)
    phone.device.idle = True
    life.send(answered(""))
    assert phone.doing == "restarting"


def test_no_clock(make_phone: Callable[..., Phone], requests: Callable[..., list[Request]]) -> None:
    phone = make_phone(misbehaviours=frozenset({Misbehaviour.NO_CLOCK}), polls=2)
    all_day = ",".join(str(hour) for hour in range(24))
    requests(phone, f"mod cmd UP1 times /allow {all_day}\n{CHECK}")
    assert phone.check is None
    phone = make_phone(misbehaviours=frozenset({Misbehaviour.NO_CLOCK}), polls=2)
    last = requests(phone, CHECK)[-1]
    assert arguments(last)["CHECK"] == ["abc"]
    assert "CHECKdate" not in arguments(last)


def test_cut_upload(make_phone: Callable[..., Phone], requests: Callable[..., list[Request]]) -> None:
    phone = make_phone(misbehaviours=frozenset({Misbehaviour.CUT_UPLOAD}), polls=1)
    _, backup, query = requests(phone, f"{BACKUP}\n{QUERY.format('CMD0')}")
    for upload in (backup, query):
        assert upload.cut_after
        assert 0 < upload.cut_after < len(upload.chunks or ())
    assert (phone.uploads, phone.device.tally.cut_uploads, phone.errors) == (0, 2, 0)


def test_overlapping_polls(requests: Callable[..., list[Request]]) -> None:
    polls = requests(Misbehaviour.OVERLAPPING_POLLS, f"{CHECK}\nreset", polls=3)
    assert [poll.copies for poll in polls] == [1, 2, 1]


def test_nat(requests: Callable[..., list[Request]]) -> None:
    assert arguments(requests(Misbehaviour.NAT)[0])["ip"] == ["192.168.10.242"]


def test_old_certificate_name(requests: Callable[..., list[Request]]) -> None:
    query = requests(Misbehaviour.OLD_CERTIFICATE_NAME, QUERY.format("X509"))[1]
    assert '<certificate subject_cn="IP222s-46-0a-f2" issuer_cn="innovaphone Device' in body(query)


def test_letter_build(requests: Callable[..., list[Request]]) -> None:
    poll = arguments(requests(Misbehaviour.LETTER_BUILD)[0])
    assert poll["PROT"] == ["13A146"]
    assert poll["ver"] == ["13r2 IP222[13.A146], Bootcode[131286], HW[1300]"]


def test_slow(requests: Callable[..., list[Request]]) -> None:
    assert [request.slow for request in requests(Misbehaviour.SLOW, BACKUP)] == [True, True]


def test_running_builds_can_be_kept_secret(
    make_phone: Callable[..., Phone], requests: Callable[..., list[Request]]
) -> None:
    (poll,) = requests(make_phone(report_running_builds=False, polls=1))
    assert set(arguments(poll)) == {"ver"}


def test_repeated_uploads(requests: Callable[..., list[Request]]) -> None:
    poll, backup = requests(Misbehaviour.REPEATED_UPLOADS, BACKUP)
    assert (poll.copies, backup.copies) == (1, 2)


def test_lost_answers(make_phone: Callable[..., Phone]) -> None:
    phone = make_phone(IDENTITY, misbehaviours=frozenset({Misbehaviour.LOST_ANSWERS}), polls=60)
    uploads = sum(request.purpose is Purpose.UPLOAD for request in made(phone, BACKUP))
    lost, executed = phone.device.tally.errors["lost"], phone.device.tally.scripts
    assert 10 < 60 - executed < 30
    assert uploads == executed
    assert 0 < uploads - phone.device.tally.uploads == lost - (60 - executed)
