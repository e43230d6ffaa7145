"""Which devices run a commit, as conditions in SQL: the same rules as those of ``Device`` and ``Yardstick``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, false, func, or_

from gitupd.store.tables import devices

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from gitupd.core.snapshot import CommitId

_DEVICES = devices.c


def is_undisturbed() -> ColumnElement[bool]:
    """Whether a device was sent nothing since it confirmed what it did; the same rule as ``Device.has_confirmed``."""
    later = _DEVICES.confirmed_at > _DEVICES.sent_at
    at_once = and_(_DEVICES.confirmed_at == _DEVICES.sent_at, _DEVICES.settled)
    return or_(_DEVICES.sent_at.is_(None), _DEVICES.confirmed_at.is_(None), later, at_once)


def has_executed(commit: ColumnElement[Any] | CommitId | None, *, by_sent: bool) -> ColumnElement[bool]:
    """Whether a device has executed *commit*, as far as one can know; never NULL.

    With *by_sent* it counts as executed once it was sent.
    """
    if commit is None:
        return false()
    confirmed = and_(func.coalesce(_DEVICES.confirmed, "") == commit, is_undisturbed())
    return or_(confirmed, func.coalesce(_DEVICES.sent, "") == commit) if by_sent else confirmed


def runs(pattern: str, escape: str, *, by_sent: bool) -> ColumnElement[bool]:
    """Whether a device runs a commit like *pattern*; the same rule as that of :func:`has_executed`."""
    confirmed = and_(_DEVICES.confirmed.like(pattern, escape=escape), is_undisturbed())
    return or_(confirmed, _DEVICES.sent.like(pattern, escape=escape)) if by_sent else confirmed


def executed_at(commit: ColumnElement[Any] | CommitId) -> ColumnElement[Any]:
    """Return when a device that has executed *commit* did so; NULL if that is not known."""
    return case((and_(_DEVICES.confirmed == commit, is_undisturbed()), _DEVICES.confirmed_at), else_=_DEVICES.sent_at)
