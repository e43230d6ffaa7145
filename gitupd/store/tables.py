"""The tables of a site's database, the same for SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

if TYPE_CHECKING:
    from sqlalchemy import Dialect


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept as UTC; refuses a naive one, because SQLite would forget what it was meant as."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the base class names it
        """Return *value* in UTC; raises ValueError if it has no zone."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value!r}")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the base class names it
        """Return the stored *value*, which is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


REVISION = "0022"
"""The migration that makes the tables what they are here."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

masters = Table(
    "masters",
    metadata,
    Column("url", Text, primary_key=True),
    Column("firmware", Text),
    Column("bootcode", Text),
    Column("answered_at", UtcDateTime),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("error", Text, nullable=False, default=""),
)

devices = Table(
    "devices",
    metadata,
    Column("serial", String(12), primary_key=True),
    Column("hardware_id", Text),
    Column("previous_hardware_id", Text),
    Column("hardware_changed", UtcDateTime),
    Column("hardware_returned", UtcDateTime),
    Column("key", String(64)),
    Column("previous_key", String(64)),
    Column("key_changed", UtcDateTime),
    Column("key_returned", UtcDateTime),
    Column("model", Text),
    Column("given_name", Text),
    Column("own_name", Text),
    Column("address", Text),
    Column("previous_address", Text),
    Column("address_changed", UtcDateTime),
    Column("address_returned", UtcDateTime),
    Column("own_address", Text),
    Column("proxy", Text),
    Column("environments", JSON(none_as_null=True)),
    Column("unknown_environments", JSON(none_as_null=True)),
    Column("classes", JSON(none_as_null=True)),
    Column("admission", String(16)),
    Column("phase", Text),
    Column("phase_before", Text),
    Column("settled", Boolean, nullable=False),
    Column("firmware", Text),
    Column("bootcode", Text),
    Column("firmware_wanted", Text),
    Column("firmware_requested", UtcDateTime),
    Column("bootcode_wanted", Text),
    Column("bootcode_requested", UtcDateTime),
    Column("check", Text),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False, index=True),
    Column("sent", String(40)),
    Column("sent_at", UtcDateTime),
    Column("snippets", JSON(none_as_null=True)),
    Column("confirmed", String(40)),
    Column("confirmed_at", UtcDateTime),
)

admissions = Table(
    "admissions",
    metadata,
    Column("serial", String(12), primary_key=True),
    Column("decision", String(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("change", Integer, nullable=False, index=True),
)
"""What people decided on devices, whether these ever called or not; ``change`` numbers the deeds, in their order."""

admission_changes = Table(
    "admission_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", Integer, nullable=False),
)
"""One row: the number of the last deed. Whoever changes it holds it until its transaction ends, so that deeds are seen
in order, and unknown devices are counted by one at a time."""

codes = Table(
    "codes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime, nullable=False, index=True),
    Column("used", UtcDateTime),
    Column("serial", String(12)),
    Column("revoked", UtcDateTime),
    sqlite_autoincrement=True,
)
"""One-time codes, by which a device is accepted that shows one; ``serial`` is that of the device that used it."""

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("serial", String(12), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("text", Text, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("serial", String(12), primary_key=True),
    Column("arguments", JSON(none_as_null=True), nullable=False),
    Column("endpoint", Text, nullable=False),
    Column("sent_arguments", JSON(none_as_null=True)),
    Column("sent_endpoint", Text),
    Column("identity", JSON(none_as_null=True)),
)
"""What the last poll of each device said and proved (NULL: nothing), and what the last one said that was answered with
snippets: wide, and seldom read."""

answers = Table(
    "answers",
    metadata,
    Column("serial", String(12), primary_key=True),
    Column("query", String(64), primary_key=True),
    Column("received", UtcDateTime, nullable=False),
    Column("xml", Text, nullable=False),
)
"""The latest answer of each device to each query."""

users = Table(
    "users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("language", String(8)),  # of the pages, as in <html lang>; NULL is what the browser asks for
    Column("device_columns", Text),  # of the list of devices, with commas between them; NULL are the usual ones
)

sessions = Table(
    "sessions",
    metadata,
    Column("key_hash", String(64), primary_key=True),
    Column("user", String(64), nullable=False, index=True),
    Column("created", UtcDateTime, nullable=False),
    Column("used", UtcDateTime, nullable=False),
    Column("address", Text),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("user", String(64), nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("expires", UtcDateTime),
    Column("used", UtcDateTime),
    sqlite_autoincrement=True,
)

login_failures = Table(
    "login_failures",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("user", String(64), nullable=False, index=True),
    Column("address", Text, nullable=False, index=True),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("who", Text, nullable=False),
    Column("address", Text),
    Column("kind", String(32), nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Who did what, when, from where; appended to, and never changed."""

backup_inbox = Table(
    "backup_inbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(32), nullable=False),
    Column("serial", String(12), nullable=False),
    Column("received", UtcDateTime, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("length", Integer, nullable=False),
    Column("facts", JSON, nullable=False),
    Column("body", LargeBinary),
    sqlite_autoincrement=True,
)
"""Versions that were answered and are not in Git yet; ``body`` is compressed, None if it lies in a file of its own."""

backup_heads = Table(
    "backup_heads",
    metadata,
    Column("serial", String(12), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("length", Integer, nullable=False),
    Column("received", UtcDateTime, nullable=False),
    Column("seen", UtcDateTime, nullable=False),
    Column("doubtful", String(64)),
)
"""The version of each device that was kept last; ``doubtful`` is the fingerprint of one that was refused after it."""

backup_versions = Table(
    "backup_versions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("serial", String(12), nullable=False, index=True),
    Column("received", UtcDateTime, nullable=False, index=True),
    Column("commit", String(40), nullable=False, unique=True),
    Column("blob", String(40), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("length", Integer, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("added", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("facts", JSON, nullable=False),
    sqlite_autoincrement=True,
)
"""An index of the backup history, in its order; it can be made anew from the repository."""

rollouts = Table(
    "rollouts",
    metadata,
    Column("serial", String(12), primary_key=True),
    Column("request", LargeBinary),
    Column("request_at", UtcDateTime),
    Column("signed", JSON, nullable=False),  # certificates, each as hexadecimal digits
    Column("signed_at", UtcDateTime),
    Column("signed_by", Text, nullable=False),
    Column("asked", UtcDateTime),
    Column("requested", UtcDateTime),
    Column("installed", UtcDateTime),
    Column("installations", Integer, nullable=False),
    Column("look_again", Boolean, nullable=False),
    Column("start_over", Boolean, nullable=False),
    Column("rejected", Text, nullable=False, server_default=text("''")),
    Column("request_address", Text, nullable=False, server_default=text("''")),
    Column("request_proof", String(16), nullable=False, server_default=text("''")),  # "certificate", or nothing
    Column("revoked", UtcDateTime),  # from when the certificate is valid that was revoked last
    Column(
        "told", String(16), nullable=False, server_default=text("''")
    ),  # the last command, and how often it was sent
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("names", JSON(none_as_null=True)),  # those that the request may have
    Column("verdict", Text, nullable=False, server_default=text("''")),  # why it is not signed yet
    Column("approved_by", Text, nullable=False, server_default=text("''")),
    Column("approved_at", UtcDateTime),  # None: it is not to be signed yet
    Column("approved_why", Text, nullable=False, server_default=text("''")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),  # that a signer has put off
    Column("next_attempt", UtcDateTime),
    Column("error", Text, nullable=False),
    Column("stage", String(16), nullable=False, index=True),
    Column("stage_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("expires", UtcDateTime, index=True),
)
"""How far the roll-out of a certificate to each device has come; ``expires`` is the first end in its chain."""

issued = Table(
    "issued",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("number", String(40), nullable=False, index=True),  # the serial number, in hexadecimal digits
    Column("issuer", String(64), nullable=False, index=True),  # SHA-256 of the issuer's certificate, empty for others'
    Column("serial", String(12), nullable=False, index=True),
    Column("request", String(64), nullable=False, unique=True),  # SHA-256: nothing is signed twice
    Column("certificate", LargeBinary, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("not_after", UtcDateTime, nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("who", Text, nullable=False),  # who had it signed
    Column("signer", Text, nullable=False),  # and by what
    Column("why", Text, nullable=False),
    Column("revoked", UtcDateTime, index=True),
    Column("revoked_by", Text, nullable=False),
    Column("revoked_reason", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Every certificate that was signed for a device here, or fetched from an authority elsewhere by the server itself."""

restores = Table(
    "restores",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("serial", String(12), nullable=False, index=True),
    Column("commit", String(40), nullable=False),
    Column("token", String(64), nullable=False, unique=True),
    Column("expected", String(64), nullable=False),
    Column("asked", UtcDateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("sent", UtcDateTime),
    Column("fetched", UtcDateTime),
    Column("done", UtcDateTime),
    Column("state", String(16), nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Devices that are to go back to an earlier version of their configuration, and those that were."""

Index(
    "ix_restores_open",
    restores.c.serial,
    unique=True,
    sqlite_where=restores.c.done.is_(None),
    postgresql_where=restores.c.done.is_(None),
)
