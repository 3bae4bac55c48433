"""Takes what was deleted out of the lines of a journal. Pure.

A line that has nothing of it stays as it is, byte for byte.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tiktok_crawler.archive.lines import RawAnswer, answer_json, dump
from tiktok_crawler.archive.values import parse_object
from tiktok_crawler.planning.checks import RecordKind
from tiktok_crawler.research_api.endpoints import LISTINGS, VIDEO_QUERY
from tiktok_crawler.research_api.json_text import read_json_object
from tiktok_crawler.research_api.paging import PAGING_KEYS
from tiktok_crawler.research_api.query import Query
from tiktok_crawler.research_api.verdicts import AnswerKind, classify_object
from tiktok_crawler.storage.ledger.unnaming import INSTEAD, query_without
from tiktok_crawler.storage.records.leaving_out import (
    Key,
    deleted_seed,
    seed_stand_in,
    user,
    without,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tiktok_crawler.research_api.endpoints import Endpoint, Listing
    from tiktok_crawler.storage.records.leaving_out import Deleted, Keys

_WORD = re.compile(r"[\w.]*\w")
_PART = re.compile(r"\w+")
_NUMBER = re.compile(r"[0-9]+")

_NOTHING: tuple[Any, ...] = (None, {}, [], "", INSTEAD)
"""What can stand in the place of an answer's `data` and has no record."""


@dataclass(slots=True)
class Stripper:
    """Strips the lines of one file, in their order.

    `asked` are those of the deleted that persons have asked for: queries name them no more.
    `count` are the records that were taken out, `bodies` the answers that were, as no page can be
    read from them.
    """

    deleted: Deleted
    asked: Keys
    count: int = 0
    bodies: int = 0
    _fingerprints: dict[str, str] = field(default_factory=dict)

    def line(self, text: bytes) -> bytes:
        """Return a line, which has no line feed, without what was deleted.

        Raises:
            LineError: it is no line.
        """
        content = dict(parse_object(text).content)
        changed = self._changed(content)
        return dump(content | changed).removesuffix(b"\n") if changed else text

    def _changed(self, content: dict[str, Any]) -> dict[str, Any]:
        """Return what becomes of the values of a line that change."""
        if content.get("kind") == "file":
            begun = [line | self._changed(line) for line in content.get("begun", ())]
            return {"begun": begun} if begun != content.get("begun", []) else {}
        changed: dict[str, Any] = {}
        if "query" in content:
            changed |= self._of_query(content)
        listing, seed = LISTINGS.get(content.get("listing", "")), content.get("seed")
        if key := deleted_seed(listing, seed, self.deleted):
            changed["seed"] = seed_stand_in(key, self.deleted)
        if isinstance(content.get("response"), dict):
            changed |= self._of_answer(content["response"], listing, seed)
        if isinstance(content.get("reason"), str):
            changed |= {"reason": self._text(content["reason"])}
        return {name: value for name, value in changed.items() if value != content.get(name)}

    def _of_query(self, content: dict[str, Any]) -> dict[str, Any]:
        """Let a query ask for nobody who was deleted; the lines behind call it by its new name."""
        name, wish = content["query"], content.get("collection")
        if isinstance(wish, dict) and isinstance(wish.get("query"), dict):
            query = Query.from_json(wish["query"])
            kept = query_without(query, self.asked)
            if kept == query:
                self._fingerprints.pop(name, None)
                return {}
            self._fingerprints[name] = kept.fingerprint
            return {
                "query": kept.fingerprint,
                "collection": wish | {"query": kept.to_json()},
            }
        return {"query": self._fingerprints.get(name, name)}

    def _of_answer(
        self, response: dict[str, Any], listing: Listing | None, seed: str | None
    ) -> dict[str, Any]:
        answer = RawAnswer(response["status"], response["headers"], _body_of(response))
        kept = body_without(answer, listing, seed, self.deleted)
        if kept.body == answer.body:
            return {}
        self.count += kept.records
        self.bodies += not kept.is_read
        return {"response": answer_json(replace(answer, body=kept.body))}

    def _text(self, text: str) -> str:
        return text_without(text, self.deleted)


class KeptBody(NamedTuple):
    """What is left of a body, and how many `records` were taken out of what was read of it."""

    body: bytes
    records: int = 0
    is_read: bool = True


@dataclass(slots=True)
class _Repeats:
    """Makes the objects of a body, and notices whether any has a key twice."""

    are_found: bool = False

    def object_of(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        self.are_found |= len(made) < len(pairs)
        return made


def body_without(
    answer: RawAnswer, listing: Listing | None, seed: str | None, deleted: Deleted
) -> KeptBody:
    """Return the body of an answer without what was deleted.

    Where there is nothing of it, it is as it was, unless an object has a key twice: only the last
    value is read, and whatever the others say goes. From what makes no page nothing can be taken
    out by itself: such a body, or its `data`, goes as a whole, and the rest makes no page either.
    """
    repeats = _Repeats()
    read = read_json_object(answer.body, repeats.object_of)
    if read is None:
        return KeptBody(INSTEAD.encode() if answer.body else b"", is_read=False)
    content = read.content
    kept, count, is_read = dict(content), 0, True
    for key, value in content.items():
        if key == "data" and not _makes_page(answer.status, content, listing):
            is_read = value in _NOTHING
            kept[key] = value if is_read else _in_place_of(value, _endpoint(listing))
        elif key == "data" and isinstance(value, dict):
            kept[key], count = _data_without(value, listing, seed, deleted)
        elif key == "error" and isinstance(value, dict):
            kept[key] = _error_without(value, deleted)
        else:
            kept[key] = _rest_without(value, deleted)
    if kept == content and not repeats.are_found:
        return KeptBody(answer.body)
    return KeptBody(json.dumps(kept, separators=(",", ":")).encode(), count, is_read)


def _in_place_of(data: Any, endpoint: Endpoint) -> Any:
    """Return what stands in the place of `data` that makes no page, and counts as it did."""
    has_other_lists = isinstance(data, dict) and not endpoint.mistyped(data)
    return {INSTEAD: [INSTEAD]} if has_other_lists and endpoint.misnamed(data) else INSTEAD


def _makes_page(status: int, content: dict[str, Any], listing: Listing | None) -> bool:
    verdict = classify_object(status, content, _endpoint(listing))
    return verdict.kind in (AnswerKind.PAGE, AnswerKind.MALFORMED)


def _endpoint(listing: Listing | None) -> Endpoint:
    return listing.endpoint if listing else VIDEO_QUERY


def _error_without(error: dict[str, Any], deleted: Deleted) -> dict[str, Any]:
    """Return what the API says of an error; the code stays, whoever is called so."""
    kept = {key: _rest_without(value, deleted) for key, value in error.items()}
    return kept | {"code": error["code"]} if "code" in error else kept


def _rest_without(value: Any, deleted: Deleted) -> Any:
    """Return what is no record: a text without names and ids, anything else if it has none."""
    if isinstance(value, str):
        return text_without(value, deleted)
    is_named = any(text_without(text, deleted) != text for text in _texts(value))
    return INSTEAD if is_named else value


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts and numbers in a JSON value."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case dict() as each:
                waiting += (*each.keys(), *each.values())
            case list() as each:
                waiting += each
            case bool():
                pass
            case int() | str() as each:
                yield str(each)


def text_without(text: str, deleted: Deleted) -> str:
    """Return a text, such as the API's words, without names and ids of what was deleted."""
    named = _WORD.sub(lambda word: _word_without(word[0], deleted), text)
    return _NUMBER.sub(lambda id_: INSTEAD if _is_id(id_[0], deleted) else id_[0], named)


def _word_without(word: str, deleted: Deleted) -> str:
    """Return a word without names; the dots may be in a name, or between words."""
    if user(word.lstrip(".")) in deleted or user(word) in deleted:
        return INSTEAD
    return _PART.sub(lambda part: INSTEAD if user(part[0]) in deleted else part[0], word)


def _is_id(text: str, deleted: Deleted) -> bool:
    return any(Key(kind, text) in deleted for kind in (RecordKind.VIDEO, RecordKind.COMMENT))


def _data_without(
    data: dict[str, Any], listing: Listing | None, seed: str | None, deleted: Deleted
) -> tuple[dict[str, Any], int]:
    endpoint = _endpoint(listing)
    paging = {key: value for key, value in data.items() if key in PAGING_KEYS}
    rest = {key: value for key, value in data.items() if key not in PAGING_KEYS}
    if not endpoint.records_keys:
        kept, count = without(listing, seed, (rest,) if rest else (), deleted)
        return {**paging, **(kept[0] if kept else {})}, count
    changed, count = dict(data), 0
    for key, value in rest.items():
        if key in endpoint.records_keys and isinstance(value, list):
            records, found = without(listing, seed, value, deleted)
            changed[key] = list(records)
            count += found
        elif key != "search_id":
            changed[key] = _rest_without(value, deleted)
    return changed, count


def _body_of(response: dict[str, Any]) -> bytes:
    if isinstance(body := response.get("body"), str):
        return body.encode()
    return b64decode(response["body_base64"], validate=True)
