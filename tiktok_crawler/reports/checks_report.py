"""Says in words what checks of existence are about to do, and what they have found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.spelling import number_of

if TYPE_CHECKING:
    from tiktok_crawler.storage.check_session import ChecksPlan
    from tiktok_crawler.storage.ledger.checks import Decision


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


def decided(decision: Decision) -> str:
    """Say what was decided on what checks missed twice."""
    records = number_of(decision.records, f"{decision.kind}s")
    if not decision.reason:
        return f"{records} gone: two separate checks did not list them"
    numbers = " ".join(map(str, decision.check_ids))
    return (
        f"{records}: {decision.reason}. That may be a fault of the API: nothing is marked or "
        f"deleted until a person says that it is true (scrapy gone --confirm {numbers}) or not "
        f"(scrapy gone --reject {numbers})"
    )
