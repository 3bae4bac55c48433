"""What stands for persons where a dataset tells of itself: their names, or pseudonyms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tiktok_crawler.research_api.query import Field

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiktok_crawler.research_api.query import Condition, Query


def as_it_is(text: str) -> str:
    """Give a name or a text as it is."""
    return text


@dataclass(frozen=True, slots=True)
class Naming:
    """The words that stand for what leads to persons.

    All usernames pass through `name`, video ids through `video_id`, and through `text` whatever
    can have names in it: keywords, hashtags, tags, the reasons of failures.
    """

    name: Callable[[str], str] = as_it_is
    text: Callable[[str], str] = as_it_is
    video_id: Callable[[str], str] = as_it_is

    def query(self, query: Query) -> Query:
        """Put these words into a query."""
        groups = (query.and_, query.or_, query.not_)
        return type(query)(*(tuple(map(self._condition, group)) for group in groups))

    def _condition(self, condition: Condition) -> Condition:
        words = {Field.USERNAME: self.name, Field.VIDEO_ID: self.video_id}
        named = words.get(Field(condition.field_name), self.text)
        return replace(condition, field_values=tuple(map(named, condition.field_values)))


AS_THEY_ARE = Naming()
