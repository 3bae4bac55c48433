"""Looks up the tag of `-a from_tag=`: a mistyped one would find nothing, and nobody would know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.spelling import and_more, did_you_mean, nearest, quoted
from tiktok_crawler.storage.engine.database import database_url, describe
from tiktok_crawler.storage.ledger.tags import look_up_tags

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from tiktok_crawler.config import Config
    from tiktok_crawler.storage.ledger.queries import UsedQuery

LISTED_TAGS = 10


def queries_with(tag: str | None, config: Config) -> tuple[UsedQuery, ...]:
    """Find the queries that a tag was used for; none without a tag, or if only listings have it.

    Raises:
        UsageError: no run has used the tag.
        ConfigurationError: the database cannot be used as it is.
    """
    if tag is None:
        return ()
    used = look_up_tags(config.database_url, config.origin, tag)
    if tag not in used.names:
        raise UsageError(
            f"-a from_tag: no run on the {describe(database_url(config.database_url))} has used "
            f"the tag {quoted(tag)}{_advice(tag, used.names)}{config.sandbox_hint}"
        )
    return used.queries


def _advice(tag: str, names: AbstractSet[str]) -> str:
    """Say what to do about a tag that no run has used."""
    if not names:
        return (
            ", or any other; collect videos first, with a query file that has `tags:` (scrapy "
            "crawl videos -a query=query.yaml), or name the right database (TIKTOK_DATABASE_URL)"
        )
    if similar := did_you_mean(nearest(tag, names)):
        return similar
    shown = list(map(quoted, sorted(names)[:LISTED_TAGS]))
    return f"; it has {and_more(shown, len(names))}"
