"""When to ask again: every so often, not all sites at once, and more seldom for as long as it fails."""

from __future__ import annotations

_JITTER = 0.2
_FIRST_PAUSE = 5.0
_LONGEST_PAUSE = 900.0
_MOST_DOUBLINGS = 20
LEAST_BETWEEN = 2.0
"""Seconds from the end of one fetch to the beginning of the next, however often somebody says that there is news."""


def pause(every: float, failures: int, chance: float) -> float:
    """Return the seconds until the next fetch, after so many *failures* in a row; *every* is that without any.

    *chance* from 0 to 1 spreads those who have begun at the same time.
    """
    longest = max(every, _LONGEST_PAUSE)
    wanted = min(_FIRST_PAUSE * 2.0 ** min(failures - 1, _MOST_DOUBLINGS), longest) if failures else every
    return wanted * (1 - _JITTER + 2 * _JITTER * chance)


def wait_for_news(since_last: float, until_next: float) -> float:
    """Return the seconds until a fetch that somebody asks for: at once, unless the last one ended just now.

    *since_last* seconds ago one has ended, and in *until_next* seconds there would be one anyhow.
    """
    return max(0.0, min(LEAST_BETWEEN - since_last, until_next))
