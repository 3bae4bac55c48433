"""Takes what was deleted out of the lines of a journal. Pure.

A line that has nothing of it stays as it is, byte for byte.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from tiktok_crawler.archive.lines import RawAnswer, answer_json, dump
from tiktok_crawler.planning.checks import RecordKind
from tiktok_crawler.research_api.endpoints import LISTINGS, VIDEO_QUERY
from tiktok_crawler.research_api.json_text import read_json_object
from tiktok_crawler.research_api.paging import PAGING_KEYS
from tiktok_crawler.research_api.query import Query
from tiktok_crawler.storage.ledger.unnaming import INSTEAD, query_without
from tiktok_crawler.storage.records.leaving_out import (
    Key,
    deleted_seed,
    seed_stand_in,
    user,
    without,
)

if TYPE_CHECKING:
    from tiktok_crawler.research_api.endpoints import Listing
    from tiktok_crawler.storage.records.leaving_out import Deleted, Keys

_WORD = re.compile(r"[\w.]*\w")
_PART = re.compile(r"\w+")
_NUMBER = re.compile(r"[0-9]+")


@dataclass(slots=True)
class Stripper:
    """Strips the lines of one file, in their order.

    `asked` are those of the deleted that persons have asked for: queries name them no more.
    `count` are the records that were taken out.
    """

    deleted: Deleted
    asked: Keys
    count: int = 0
    _fingerprints: dict[str, str] = field(default_factory=dict)

    def line(self, text: bytes) -> bytes:
        """Return a line, which has no line feed, without what was deleted.

        Raises:
            ValueError: it is no line.
        """
        content = _loads(text)
        if not isinstance(content, dict):
            raise ValueError("no object")  # noqa: TRY004 - of a line that is damaged
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
        body = _body_of(response)
        kept, count = body_without(body, listing, seed, self.deleted)
        if kept == body:
            return {}
        self.count += count
        answer = RawAnswer(response["status"], response["headers"], kept)
        return {"response": answer_json(answer)}

    def _text(self, text: str) -> str:
        return text_without(text, self.deleted)


def body_without(
    body: bytes, listing: Listing | None, seed: str | None, deleted: Deleted
) -> tuple[bytes, int]:
    """Return the body of an answer without what was deleted, and how many records that were.

    Where there is nothing of it, it is as it was; what is no JSON loses nothing.
    """
    content = _body_object(body)
    if content is None:
        return body, 0
    changed, count = dict(content), 0
    if isinstance(content.get("data"), dict):
        data, count = _data_without(content["data"], listing, seed, deleted)
        changed["data"] = data
    if isinstance(error := content.get("error"), dict):
        texts = {key: text for key, text in error.items() if isinstance(text, str)}
        kept = {key: text_without(text, deleted) for key, text in texts.items()}
        changed["error"] = error | kept
    if changed == content:
        return body, 0
    return json.dumps(changed, separators=(",", ":")).encode(), count


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
    endpoint = listing.endpoint if listing else VIDEO_QUERY
    changed, count = dict(data), 0
    if not endpoint.records_keys:
        paging = {key: value for key, value in data.items() if key in PAGING_KEYS}
        record = {key: value for key, value in data.items() if key not in PAGING_KEYS}
        if not record:
            return data, 0
        (kept,), count = without(listing, seed, (record,), deleted)
        return paging | kept, count
    for key in endpoint.records_keys:
        if isinstance(data.get(key), list):
            records, found = without(listing, seed, data[key], deleted)
            changed[key] = list(records)
            count += found
    return changed, count


def _body_object(body: bytes) -> dict[str, Any] | None:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        read = read_json_object(body)
        return read.content if read else None
    return content if isinstance(content, dict) else None


def _body_of(response: dict[str, Any]) -> bytes:
    if isinstance(body := response.get("body"), str):
        return body.encode()
    return b64decode(response["body_base64"], validate=True)


def _loads(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
