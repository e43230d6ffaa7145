"""What a fleet does and did, as text for people."""

from collections.abc import Mapping

from gitupd.emulator.fleet import Fleet, Summary
from gitupd.emulator.phone import Phone

SHORT_COMMIT = 7


def counted(counts: Mapping[str, int]) -> str:
    """Write counts, the largest first; what has no name is a dash."""
    return ", ".join(f"{name or '-'} {count}" for name, count in sorted(counts.items(), key=lambda pair: -pair[1]))


def short(commits: Mapping[str, int]) -> dict[str, int]:
    """Shorten commit ids; that two begin alike is too rare to matter here."""
    return {commit[:SHORT_COMMIT]: count for commit, count in commits.items()}


def poll_line(phone: Phone) -> str:
    """Write what the last poll of a device brought."""
    if phone.last_status is None:
        return f"{phone.serial}  poll {phone.polls}: no answer"
    return (
        f"{phone.serial}  poll {phone.polls}: status {phone.last_status}, {phone.line_count} lines, "
        f"{phone.ending.value if phone.ending else 'not executed'}; "
        f"commit {(phone.commit or '-')[:SHORT_COMMIT]}, phase {phone.phase or '-'}, polls {phone.polling}"
    )


def census_line(fleet: Fleet) -> str:
    """Write what all devices are doing in one line."""
    polls = sum(phone.polls for phone in fleet.phones)
    settled = sum(phone.settled for phone in fleet.phones)
    return "  ".join(
        [
            f"polls {polls}",
            f"settled {settled}/{len(fleet.phones)}",
            counted(fleet.by_activity()),
            f"phases: {counted(fleet.by_phase())}",
            f"commits: {counted(short(fleet.by_commit()))}",
            f"polled: {counted(fleet.polled())}",
            f"errors: {counted(fleet.errors()) or 'none'}",
        ]
    )


def summary_text(summary: Summary) -> str:
    """Write the summary for people."""
    latency = summary.latency
    rows = {
        "devices": f"{summary.devices}, {summary.settled} settled",
        "ended": f"{summary.ended_by} after {summary.seconds:.1f}s",
        "polls": f"{summary.polls}, of which {summary.scripts} brought commands",
        "loaded": f"{summary.downloads} builds, {summary.restarts} restarts",
        "uploads": f"{summary.uploads}" + (f", {summary.cut_uploads} cut on purpose" if summary.cut_uploads else ""),
        "polled": counted(summary.polled),
        "uploaded": counted(summary.uploaded) or "nothing",
        "TLS": counted(summary.handshakes) or "not spoken",
        "errors": counted(summary.errors) or "none",
        "phases": counted(summary.by_phase),
        "commits": counted(short(summary.by_commit)),
    }
    if latency:
        times = (latency.minimum, latency.median, latency.percentile_95, latency.maximum)
        smallest, median, tail, largest = (f"{1000 * seconds:.1f}" for seconds in times)
        rows["answers"] = f"{smallest} ms at best, median {median}, 95 % below {tail}, {largest} at worst"
    return "\n".join(f"{name:<8} {text}" for name, text in rows.items())
