"""What devices answered to queries: the latest answer to each, written many at a time, read one device at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, assert_never

from sqlalchemy import bindparam, case, func, insert, or_, select, update

from gitupd.core.answers import AnsweredQuery, QueryAnswer
from gitupd.core.caller import Serial
from gitupd.core.device import Device
from gitupd.store.database import dialect_insert, storable, upsert
from gitupd.store.stories.events import known, note_changes, note_warnings
from gitupd.store.strangers import turned_away
from gitupd.store.tables import answers, devices, messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from gitupd.core.admission.admittance import Admittance
    from gitupd.core.device import Message
    from gitupd.store.database import Database
    from gitupd.store.strangers import Capacity

_LONGEST_MESSAGE = 500
_AT_ONCE = 500

Key = TypeVar("Key", str, tuple[str, str])


@dataclass(frozen=True, slots=True)
class Told:
    """There is something to tell about a device on its page."""

    serial: Serial
    message: Message


Upload = AnsweredQuery | Told


class Answers:
    """The answers of a site's devices; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        """Keep answers in *database*."""
        self._database = database
        self._save = upsert(answers, database.dialect)
        self._see = _sign_of_life(database.dialect)
        named = devices.c.serial == bindparam("digits")
        self._name = update(devices).where(named).values(own_name=func.nullif(bindparam("name"), ""))

    def of(self, serial: Serial) -> tuple[QueryAnswer, ...]:
        """Return the answers of a device, by the ids of their queries."""
        columns = answers.c.query, answers.c.received, answers.c.xml
        statement = select(*columns).where(answers.c.serial == serial.digits).order_by(answers.c.query)
        with self._database.connection() as connection:
            return tuple(QueryAnswer(query, received, xml) for query, received, xml in connection.execute(statement))

    def of_many(self, serials: Iterable[Serial]) -> dict[Serial, list[QueryAnswer]]:
        """Return the answers of the devices among *serials* that have given any, by the ids of their queries."""
        digits = [serial.digits for serial in serials]
        found: dict[Serial, list[QueryAnswer]] = {}
        statement = select(answers.c.serial, answers.c.query, answers.c.received, answers.c.xml)
        with self._database.connection() as connection:
            for first in range(0, len(digits), _AT_ONCE):
                some = statement.where(answers.c.serial.in_(digits[first : first + _AT_ONCE])).order_by(answers.c.query)
                for serial, *answer in connection.execute(some):
                    found.setdefault(Serial(serial), []).append(QueryAnswer(*answer))
        return found

    def holding(self, query: str, text: str) -> dict[Serial, QueryAnswer]:
        """Return the answers to *query* that may say *text*, in ASCII, in whatever letter case; empty for all."""
        columns = answers.c
        statement = select(columns.serial, columns.query, columns.received, columns.xml).where(columns.query == query)
        if text:
            said = func.lower(columns.xml).contains(text.lower(), autoescape=True)
            statement = statement.where(or_(said, columns.xml.contains("&#")))  # any letter may be written so
        with self._database.connection() as connection:
            return {Serial(serial): QueryAnswer(*answer) for serial, *answer in connection.execute(statement)}

    def answering(self) -> list[Serial]:
        """Return the devices that have answered anything."""
        with self._database.connection() as connection:
            return [Serial(digits) for digits in connection.scalars(select(answers.c.serial).distinct())]

    def save(
        self,
        uploads: Iterable[Upload],
        admissions: Mapping[Serial, Admittance] | None = None,
        room: Capacity | None = None,
    ) -> set[Serial]:
        """Remember all of *uploads*, in their order, or none if GitupdError is raised.

        A device that answers is alive, and is remembered from then on; its identity and all else stay as polls left
        them. Returns those for which there is no *room* by their *admissions*, of whom nothing is kept; None makes room
        for all.
        """
        uploads = list(uploads)
        with self._database.connection() as connection:
            left_out = _left_out(connection, uploads, admissions or {}, room) if room else set()
            rows = _Rows(admissions or {})
            for upload in uploads:
                if upload.serial not in left_out:
                    rows.add(upload)
            named = [row["digits"] for row in _ordered(rows.named)]
            before = known(connection, named)
            # In one order for everybody, devices first, so that two servers never wait for each other.
            for statement, parameters in (
                (self._see, _ordered(rows.seen)),
                (self._name, _ordered(rows.named)),
                (self._save, _ordered(rows.answered)),
                (insert(messages), rows.messages),
            ):
                if parameters:
                    connection.execute(statement, parameters)
            note_changes(connection, before, [serial for serial in named if serial in before])
            note_warnings(connection, rows.messages)
        return left_out


def _left_out(
    connection: Connection, uploads: Iterable[Upload], admissions: Mapping[Serial, Admittance], room: Capacity
) -> set[Serial]:
    answered = {each.serial: each.answer.received for each in uploads if isinstance(each, AnsweredQuery)}
    seen = [
        Device(serial, admission=admissions.get(serial), first_seen=at, last_seen=at)
        for serial, at in sorted(answered.items())
    ]
    return turned_away(connection, seen, room)


class _Rows:
    """What is to be written for some uploads, the last of each kind for each device."""

    def __init__(self, admissions: Mapping[Serial, Admittance]) -> None:
        self._admissions = admissions
        self.seen: dict[str, dict[str, Any]] = {}
        self.named: dict[str, dict[str, Any]] = {}
        self.answered: dict[tuple[str, str], dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []

    def add(self, upload: Upload) -> None:
        """Take note of *upload*, which comes behind those before."""
        digits = upload.serial.digits
        match upload:
            case AnsweredQuery(_, answer, own_name):
                self.seen[digits] = _seen(digits, answer.received, self._admissions.get(upload.serial))
                self.answered[digits, answer.query] = {
                    "serial": digits,
                    "query": answer.query,
                    "received": answer.received,
                    "xml": answer.xml,
                }
                if own_name is not None:
                    self.named[digits] = {"digits": digits, "name": storable(own_name)}
            case Told(_, message):
                text = storable(message.text)[:_LONGEST_MESSAGE]
                self.messages.append({"serial": digits, "at": message.at, "text": text})
            case _:
                assert_never(upload)


def _ordered(rows: dict[Key, dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for _, row in sorted(rows.items(), key=lambda entry: entry[0])]


def _seen(digits: str, at: datetime, admission: Admittance | None) -> dict[str, Any]:
    row = {"serial": digits, "settled": False, "first_seen": at, "last_seen": at}
    return row | {"admission": admission and admission.value}


def _sign_of_life(dialect: str) -> Any:
    """Return an insert of a device that was seen, which changes nothing of a known one but moves ``last_seen`` on."""
    statement = dialect_insert(devices, dialect)
    later = case(
        (statement.excluded.last_seen > devices.c.last_seen, statement.excluded.last_seen), else_=devices.c.last_seen
    )
    return statement.on_conflict_do_update(index_elements=["serial"], set_={"last_seen": later})
