"""Says which values of a query brought no video, and what may be wrong with one that found none."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from tiktok_crawler.config import SANDBOX_ORIGIN
from tiktok_crawler.research_api.query import Field, Operation
from tiktok_crawler.spelling import and_more, listed, nearest, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tiktok_crawler.planning.query_values import Unseen, UnseenValue
    from tiktok_crawler.research_api.query import Query

NAMED_VALUES = 10
NAMED_HASHTAGS = 8

WORDS = {
    Field.HASHTAG_NAME: "no video so far had the hashtag",
    Field.KEYWORD: "no description so far had the keyword",
    Field.USERNAME: "no video so far was by the user",
    Field.REGION_CODE: "no video so far was from the region",
    Field.VIDEO_LENGTH: "no video so far had the length",
    Field.VIDEO_ID: "no video so far had the id",
    Field.MUSIC_ID: "no video so far had the music",
    Field.EFFECT_ID: "no video so far had the effect",
}
SPELLED = (Field.HASHTAG_NAME, Field.KEYWORD, Field.USERNAME)
"""Fields whose values can be misspelled without a message before the first request."""

LISTS = {Field.HASHTAG_NAME: "hashtags", Field.KEYWORD: "keywords"}
"""Fields of which a video can be asked to have several values, as query files call them."""


def describe_unseen(unseen: Unseen | None) -> Iterator[str]:
    """Describe, in lines, the values that brought no video; of an empty query, what to look at."""
    if unseen is None:
        return
    if unseen.is_empty:
        yield from _empty(unseen)
        return
    for field, values in groupby(unseen.values, key=lambda each: each.field):
        yield f"{WORDS[field]} {_named(list(values), _known(unseen))}"


def unseen_as_json(unseen: Unseen | None) -> dict[str, Any]:
    """The same for programs."""
    if unseen is None:
        return {"unseen": [], "empty": []}
    values = [
        {"field_name": each.field.value, "value": each.value, "similar": each.similar}
        for each in unseen.values
    ]
    return {"unseen": values, "empty": list(_empty(unseen)) if unseen.is_empty else []}


def _empty(unseen: Unseen) -> Iterator[str]:
    causes = "; ".join(_causes(unseen))
    yield f"no video at all on the days that are covered. What may be wrong: {causes}"
    if unseen.origin == SANDBOX_ORIGIN:
        yield _sandbox_words()


def _sandbox_words() -> str:
    from tiktok_crawler.sandbox.world import vocabulary  # noqa: PLC0415 - rehearsals only

    return (
        f"the sandbox has {len(vocabulary.HASHTAGS)} frequent hashtags, such as "
        f"{', '.join(vocabulary.HASHTAGS[:NAMED_HASHTAGS])}, and the regions "
        f"{', '.join(code for code, _, _ in vocabulary.COUNTRIES)}"
    )


def _causes(unseen: Unseen) -> Iterator[str]:
    known = _known(unseen)
    spelled = [
        each
        for each in unseen.values
        if each.field in SPELLED and not (each.field is Field.HASHTAG_NAME and each.value in known)
    ]
    if spelled:
        yield f"the spelling of {_named(spelled, known)}"
    if unseen.query.has_single_keywords and not unseen.query.has_keyword_forms:
        yield "the form of the keywords (docs/operations.md, Keywords that find nothing)"
    yield from _conditions(unseen.query)
    yield "the dates"


def _known(unseen: Unseen) -> Sequence[str]:
    """The hashtags that there are beside those of the database, if that is known."""
    if unseen.origin != SANDBOX_ORIGIN:
        return ()
    from tiktok_crawler.sandbox.world.vocabulary import HASHTAGS  # noqa: PLC0415 - rehearsals only

    return HASHTAGS


def _conditions(query: Query) -> Iterator[str]:
    """Say what has to hold together, and that something must not be."""
    alone = [each.field_name for each in query.and_ if each.operation == Operation.EQ]
    every = [words for field, words in LISTS.items() if alone.count(field) > 1]
    for words in every:
        yield f"a video needs every one of the {words}: any_{words} instead takes one of them"
    if not every and len(query.and_) + bool(query.or_) > 1:
        yield "all conditions have to hold for the same video"
    if query.not_:
        yield "what is excluded"


def _named(values: Sequence[UnseenValue], known: Sequence[str]) -> str:
    words = [_value(each, known) for each in values[:NAMED_VALUES]]
    return and_more(words, len(values)) if len(values) > NAMED_VALUES else listed(words)


def _value(unseen: UnseenValue, known: Sequence[str]) -> str:
    """A value in quotes; control characters are replaced."""
    similar = unseen.similar
    if not similar and unseen.field is Field.HASHTAG_NAME:
        similar = next(iter(nearest(unseen.value, known)), None)
    meant = f' (did you mean "{shortened(similar)}"?)' if similar else ""
    return f'"{shortened(unseen.value)}"{meant}'
