import fnmatch
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitupd.emulator.exchange import Answer, Failure, Pause, Request, Response, Step, answered
from gitupd.emulator.phone import Phone

CONVERSATIONS = Path(__file__).parent / "conversations"
NUMBERS = ("interval", "flash_seconds", "restart_seconds")


def matches(actual: str, expected: str) -> bool:
    pattern = re.sub(r"([\[?*])", r"[\1]", expected).replace("…", "*")
    return fnmatch.fnmatchcase(actual, pattern)


class Conversation:
    """Plays the server of a conversation, and compares what the phone does."""

    def __init__(self, phone: Phone, pass_time: Callable[[float], None]) -> None:
        self.phone = phone
        self.pass_time = pass_time
        self.life = phone.life()
        self.answer: Answer = None
        self.step: Step | None = None
        self.body: list[str] = []

    def __call__(self, verb: str, rest: str) -> None:
        getattr(self, verb)(rest)

    def _next(self) -> Step:
        assert self.step is None, f"not answered yet: {self.step}"
        self.step = self.life.send(self.answer)
        return self.step

    def rests(self, rest: str) -> None:
        if isinstance(self.step, Pause):
            self._rested()
        step = self._next()
        assert step == Pause(float(rest))

    def _rested(self) -> None:
        assert isinstance(self.step, Pause)
        self.pass_time(self.step.seconds)
        self.answer = self.step = None

    def asks(self, rest: str) -> None:
        if isinstance(self.step, Pause):
            self._rested()
        step = self._next()
        assert isinstance(step, Request)
        assert matches(f"{step.method} {step.url}", rest)

    def sends(self, rest: str) -> None:
        assert isinstance(self.step, Request)
        assert self.step.chunks is not None
        if rest == "nothing":
            assert self.step.chunks == ()
            return
        sent = b"".join(self.step.chunks).decode().split("\r\n")
        assert any(matches(line, rest) for line in sent), sent

    def hears(self, rest: str) -> None:
        assert isinstance(self.step, Request)
        self.step = None
        status, *headers = rest.splitlines()[0].split(" ")
        body = "\r\n".join(rest.splitlines()[1:])
        if status == "nothing":
            self.answer = Failure("timeout", "the server did not answer in time")
        else:
            self.answer = heard(body, int(status), dict(header.split("=", 1) for header in headers))

    def has(self, rest: str) -> None:
        fact, _, value = rest.partition(" ")
        assert str(getattr(self.phone, fact)) == value


def heard(body: str, status: int, headers: dict[str, str]) -> Response:
    return answered(body, status, **headers)


def instructions(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"\n(?! {4})", text):
        first, *body = part.split("\n")
        if first and not first.startswith("#"):
            verb, _, rest = first.partition(" ")
            yield ("has" if verb == "is" else verb, "\n".join([rest, *(line[4:] for line in body)]))


@pytest.mark.parametrize("path", sorted(CONVERSATIONS.glob("*.txt")), ids=lambda path: path.stem)
def test_conversation(path: Path, make_phone: Callable[..., Phone], pass_time: Callable[[float], None]) -> None:
    (_, phone_line), *rest = instructions(path.read_text(encoding="utf-8"))
    assert rest, "the phone says and hears nothing"
    words = [word.split("=", 1) for word in phone_line.split()]
    phone = make_phone(**{name: float(value) if name in NUMBERS else value for name, value in words})
    conversation = Conversation(phone, pass_time)
    for verb, text in rest:
        conversation(verb, text)
