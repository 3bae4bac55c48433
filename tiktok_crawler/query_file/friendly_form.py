"""The friendly form of a query: keys such as `regions`, all of which must hold together."""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from tiktok_crawler.query_file.addresses import without_address
from tiktok_crawler.query_file.node_reader import joined
from tiktok_crawler.query_file.parsed_conditions import PARTS, Location, ParsedCondition, Value
from tiktok_crawler.query_file.written_dates import parse_day
from tiktok_crawler.research_api.query import Field, Group, Operation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tiktok_crawler.query_file.node_reader import NodeReader
    from tiktok_crawler.query_file.yaml_text import Entry, Node, TextNode


@dataclass(frozen=True, slots=True)
class Values:
    """A key that holds a list of values: one condition, or one for `each` value."""

    group: Group
    field: Field
    each: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """A key that holds operators with values, such as `{gte: 1000}`: one condition for each."""

    field: Field
    group: Group = "and"


Form: TypeAlias = "Mapping[str, Values | Bounds | Form]"

FORM: Form = {
    "include": {
        "any_hashtags": Values("and", Field.HASHTAG_NAME),
        "all_hashtags": Values("and", Field.HASHTAG_NAME, each=True),
        "any_keywords": Values("and", Field.KEYWORD),
        "all_keywords": Values("and", Field.KEYWORD, each=True),
        "either": {
            "hashtags": Values("or", Field.HASHTAG_NAME),
            "keywords": Values("or", Field.KEYWORD),
        },
    },
    "exclude": {
        "any_hashtags": Values("not", Field.HASHTAG_NAME),
        "any_keywords": Values("not", Field.KEYWORD),
        "usernames": Values("not", Field.USERNAME),
    },
    "regions": Values("and", Field.REGION_CODE),
    "usernames": Values("and", Field.USERNAME),
    "video_ids": Values("and", Field.VIDEO_ID),
    "music_ids": Values("and", Field.MUSIC_ID),
    "effect_ids": Values("and", Field.EFFECT_ID),
    "video_lengths": Values("and", Field.VIDEO_LENGTH),
    "view_count": Bounds(Field.VIEW_COUNT),
    "comment_count": Bounds(Field.COMMENT_COUNT),
    "create_date": Bounds(Field.CREATE_DATE),
}

_ALL_EXCLUDED = (
    "the API cannot exclude the videos that have all of several things: its `not` excludes every "
    "video that has any one of them, as any_hashtags and any_keywords do here"
)
_INCLUDE = "it stands under include"
_SECTIONS = ("include", "exclude")
_TOP_LEVEL = [key for key in FORM if key not in _SECTIONS]

FRIENDLY_HINTS = {
    "exclude.all_hashtags": _ALL_EXCLUDED,
    "exclude.all_keywords": _ALL_EXCLUDED,
    "any_hashtags": "it stands under include or exclude",
    "any_keywords": "it stands under include or exclude",
    "all_hashtags": _INCLUDE,
    "all_keywords": _INCLUDE,
    "either": _INCLUDE,
    "hashtags": "write any_hashtags or all_hashtags, under include",
    "keywords": "write any_keywords or all_keywords, under include",
    **dict.fromkeys(_TOP_LEVEL, "it stands at the top of the file"),
    **{f"exclude.{key}": "a raw query can exclude by it, this form cannot" for key in _TOP_LEVEL},
}
"""Hints for keys that are not allowed where they stand."""

OPERATIONS = {operation.lower(): operation for operation in Operation}
"""The keys of bounds."""

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)


def friendly_drafts(
    entries: Iterable[Entry], reader: NodeReader, *, form: Form = FORM, path: str = ""
) -> Iterator[ParsedCondition]:
    """The conditions of the entries of a form."""
    for entry in entries:
        spot = Location(joined(path, entry.key), entry.value.place)
        if not isinstance(form[entry.key], Values):
            reader.warn_if_empty(entry.value, spot.key)
        match form[entry.key]:
            case Values() as kind:
                yield from _value_drafts(kind, entry.value, spot, reader)
            case Bounds() as kind:
                yield from _bound_drafts(kind, entry.value, spot, reader)
            case inner:
                below = reader.entries(entry.value, spot.key, inner)
                yield from friendly_drafts(below, reader, form=inner, path=spot.key)


def _value_drafts(
    kind: Values, node: Node, spot: Location, reader: NodeReader
) -> Iterator[ParsedCondition]:
    with_commas = kind.field == Field.KEYWORD
    texts = reader.values(node, spot.key, of=kind.field, with_commas=with_commas)
    if kind.each:
        for text in texts:
            yield _draft(kind, Operation.EQ, [text], spot)
    elif texts:
        yield _draft(kind, Operation.IN, texts, spot)


def _bound_drafts(
    kind: Bounds, node: Node, spot: Location, reader: NodeReader
) -> Iterator[ParsedCondition]:
    for entry in reader.entries(node, spot.key, OPERATIONS):
        inner = Location(joined(spot.key, entry.key), entry.value.place)
        if texts := reader.values(entry.value, inner.key, of=kind.field, with_commas=True):
            yield _draft(kind, OPERATIONS[entry.key], texts, inner)


def _draft(
    kind: Values | Bounds, operation: Operation, texts: Sequence[TextNode], spot: Location
) -> ParsedCondition:
    values = tuple(Value(_in_form(kind.field, text.text), text.text, text.place) for text in texts)
    return ParsedCondition(kind.group, kind.field, operation, values, dict.fromkeys(PARTS, spot))


def _in_form(field: Field, text: str) -> str:
    """A value as the API wants it, as far as what is meant is certain."""
    return _FORMS.get(field, str.strip)(without_address(field, text))


def _bare_hashtag(text: str) -> str:
    return text.strip().lstrip("#").strip().translate(_LOWER)


def _bare_username(text: str) -> str:
    return text.strip().lstrip("@").strip().translate(_LOWER)


def _upper(text: str) -> str:
    return text.strip().translate(_UPPER)


def _compact_day(text: str) -> str:
    try:
        return f"{parse_day(text):%Y%m%d}"
    except ValueError:
        return text.strip()


_FORMS: dict[Field, Callable[[str], str]] = {
    Field.HASHTAG_NAME: _bare_hashtag,
    Field.USERNAME: _bare_username,
    Field.REGION_CODE: _upper,
    Field.VIDEO_LENGTH: _upper,
    Field.CREATE_DATE: _compact_day,
}
