"""Words about the form in which keywords are sent: in a crawl's summary, in `status` and `plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.planning.plan import Plan


def keyword_lines(plan: Plan) -> Iterator[str]:
    """Tell what helped where keywords found nothing, or what is tried next."""
    forms, trial = plan.keyword_forms, plan.trial
    if forms.in_vain:
        yield f"sent as {forms.sent_as}: searches with {forms.in_vain} found nothing"
    elif trial:
        form = trial.window.keywords_as
        yield f"no video was found: {trial} is searched once more, with keywords sent as {form}"
