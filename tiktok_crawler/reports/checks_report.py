"""Says in words what checks of existence are about to do, and what they have found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.attention.needs import held
from tiktok_crawler.reports.words import GONE, MISSING, time_as_json
from tiktok_crawler.spelling import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from tiktok_crawler.reports.days_report import Labelled
    from tiktok_crawler.storage.check_session import ChecksPlan, ChecksResult
    from tiktok_crawler.storage.ledger.existence import Existence


def checks_beginning(plan: ChecksPlan) -> str:
    """Say what a run is about to check."""
    if plan.is_empty:
        return "Nothing has to be checked for existence now"
    parts = []
    if plan.unfinished:
        parts.append(f"{number_of(len(plan.unfinished), 'checks')} to go on with")
    if plan.due:
        parts.append(f"{number_of(plan.due, 'checks')} of what was not confirmed for long")
    if plan.has_candidates:
        parts.append("records that searches did not bring back")
    return f"Checking what still exists, by up to 10,000 ids a check: {', '.join(parts)}"


def existence_lines(found: Existence) -> Iterator[Labelled]:
    """Say what is known of what still exists."""
    if not found.is_known:
        return
    for kind in found.missing:
        if gone := found.gone[kind]:
            yield "gone", f"{number_of(gone, f'{kind}s')} ({GONE})"
        if missing := found.missing[kind]:
            yield "missing", f"{number_of(missing, f'{kind}s')} ({MISSING})"
    last = f"{found.last_check_at:%Y-%m-%d %H:%M} UTC" if found.last_check_at else "none yet"
    under_way = f"; {number_of(found.under_way, 'checks')} under way" if found.under_way else ""
    yield "checks", f"the last one that ended: {last}{under_way}"


def held_lines(found: Existence) -> Iterator[Labelled]:
    """Say about which checks a person has to decide."""
    return (("held", held(check)) for check in found.held)


def existence_as_json(found: Existence) -> dict[str, Any]:
    """Return what is known of what still exists, for programs."""
    return {
        "missing": {f"{kind}s": count for kind, count in found.missing.items()},
        "gone": {f"{kind}s": count for kind, count in found.gone.items()},
        "checks_under_way": found.under_way,
        "last_check_at": time_as_json(found.last_check_at),
        "held": [
            {
                "check": check.id,
                "kind": check.kind,
                "records": check.records,
                "reason": check.reason,
                "since": time_as_json(check.since),
            }
            for check in found.held
        ],
    }


def checks_outcome(result: ChecksResult) -> str:
    """Say what became of the checks of a run; nothing if there were none."""
    if not (result.done or result.failed or result.gone):
        return ""
    failed = f", {result.failed:,} proved nothing" if result.failed else ""
    found = (number_of(count, f"{kind}s") for kind, count in result.gone.items())
    gone = f"; gone: {', '.join(found)} ({GONE})" if result.gone else ""
    return f"{number_of(result.done, 'checks')} done{failed}{gone}"
