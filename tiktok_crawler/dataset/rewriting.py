"""Puts pseudonyms in the place of names that stand in texts and in JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.dataset.known_names import USERNAME
from tiktok_crawler.dataset.persons import HELD
from tiktok_crawler.storage.records.field_readers import MAX_INT64

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from tiktok_crawler.dataset.known_names import KnownNames, Name
    from tiktok_crawler.dataset.pseudonyms import Pseudonyms

LINK, MAIL, NUMBER = "[link]", "[mail]", "[id]"
"""What stands for what is taken out: no word has the length of a username that is looked for."""

_AT = "@\N{FULLWIDTH COMMERCIAL AT}"
_WITHIN = (
    r"\w"  # and what is written above, below or between letters:
    "\u0300-\u036f\u0591-\u05c7\u0610-\u065f\u06d6-\u06ed\u0900-\u0fff\u1000-\u109f\u1780-\u17ff"
    "\u200c\u200d"
)
_MENTION = re.compile(rf"[{_AT}]\.*(\w(?:[.{_WITHIN}]*[{_WITHIN}])?)")
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_LINK = re.compile(
    r"(?:https?://|(?<!\w)www\.)\S+|(?<![\w.-])(?:[\w-]+\.)+[^\W\d_]{2,}/\S*", re.IGNORECASE
)
_LONG_NUMBER = re.compile(r"(?<![0-9])[0-9]{15,20}(?![0-9])")

_TOKEN = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"(?P<key>\s*:)?|(?<![\w.+-])(?P<number>[0-9]{15,20})(?![\w.+-])'
)

KEYS = frozenset(
    {
        *(name for columns in HELD.values() for name in columns),
        *("hashtag_id", "hashtag_name", "hashtag_names", "hashtag_description"),
        *("sticker_id", "sticker_name", "effect_id", "effect_ids", "effect_name"),
        *("effect_photo_url", "effect_photo_URI", "content", "type", "sink", "vote", "warn"),
        *("number", "video_tag_type", "video_tag_number"),
    }
)
"""Keys of the API's objects, and of ours: no names, though somebody can be called so."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is taken out of a text beside names."""

    addresses: bool = False
    numbers: bool = False
    """Those that can be ids."""

    lone_numbers: bool = False
    """Also those that stand alone."""

    @classmethod
    def of_text(cls, *, hide_ids: bool) -> Rules:
        return cls(addresses=True, numbers=hide_ids, lone_numbers=hide_ids)

    @classmethod
    def of_label(cls, *, hide_ids: bool) -> Rules:
        """Return those where a number alone is the id of a sound, an effect or a hashtag."""
        return cls(numbers=hide_ids)


class Rewriter:
    """Rewrites texts and JSON; what is missing stays missing."""

    def __init__(self, known: KnownNames, pseudonyms: Pseudonyms) -> None:
        self._known = known
        self._pseudonyms = pseudonyms

    def texts(self, texts: Sequence[str | None], rules: Rules) -> list[str | None]:
        """Rewrite texts."""
        changed = self._changed_texts(set(filter(None, texts)), rules)
        return [text and changed.get(text, text) for text in texts]

    def documents(self, documents: Sequence[str | None], rules: Rules) -> list[str | None]:
        """Rewrite the texts, keys included, of JSON; all else stays as it is written."""
        changed = self._changed_documents(set(filter(None, documents)), rules)
        return [document and changed.get(document, document) for document in documents]

    def text(self, text: str, rules: Rules) -> str:
        """Rewrite a text."""
        return self._changed_texts({text}, rules).get(text, text)

    def document(self, document: str, rules: Rules) -> str:
        """Rewrite the texts in JSON."""
        return self._changed_documents({document}, rules).get(document, document)

    def _changed_texts(self, texts: Iterable[str], rules: Rules) -> dict[str, str]:
        """Return, by text, those that change."""
        stripped = {text: _stripped(text, rules) for text in texts}
        found = self._known.find(set(stripped.values()))
        rewritten = {
            text: self._rewritten(plain, found.get(plain, {}), rules)
            for text, plain in stripped.items()
            if plain in found or text != plain or _is_marked(plain, rules)
        }
        return {text: new for text, new in rewritten.items() if new != text}

    def _changed_documents(self, documents: Collection[str], rules: Rules) -> dict[str, str]:
        changed = self._changed_texts(_strings_of_all(documents), rules)
        number = self._hidden_number if rules.lone_numbers else None
        rewritten = {
            document: replaced_strings(document, lambda text: changed.get(text, text), number)
            for document in documents
            if (changed and not changed.keys().isdisjoint(strings_of(document)))
            or (number and _LONG_NUMBER.search(document))
        }
        return {document: new for document, new in rewritten.items() if new != document}

    def _rewritten(self, text: str, names: Mapping[int, Name], rules: Rules) -> str:
        mentions = dict(found.span(1) for found in _MENTION.finditer(text))
        parts, after = list[str](), 0
        for begin in sorted(names.keys() | mentions.keys()):
            if begin < after:
                continue
            name = names.get(begin)
            end = max(mentions.get(begin, 0), name.end if name else 0)
            is_shown = name and name.end == end and not name.known & USERNAME
            pseudonym = self._pseudonyms.shown_name if is_shown else self._pseudonyms.name
            parts += self._without_numbers(text[after:begin], rules), pseudonym(text[begin:end])
            after = end
        return "".join([*parts, self._without_numbers(text[after:], rules)])

    def _without_numbers(self, text: str, rules: Rules) -> str:
        if not rules.numbers or (text.isdecimal() and not rules.lone_numbers):
            return text
        return _LONG_NUMBER.sub(lambda found: self._hidden_number(found[0]) or NUMBER, text)

    def _hidden_number(self, digits: str) -> str | None:
        number = int(digits)
        return str(self._pseudonyms.record_id(number)) if number <= MAX_INT64 else None


def strings_of(document: str) -> list[str]:
    """Return all texts, keys included, of JSON."""
    if "\\" not in document:
        return document.split('"')[1::2]
    return [_string(found) for found in _TOKEN.finditer(document) if found["number"] is None]


def _strings_of_all(documents: Iterable[str]) -> set[str]:
    """Return the texts, and more: what stands between them does not matter."""
    plain = [document for document in documents if "\\" not in document]
    escaped = [strings_of(document) for document in documents if "\\" in document]
    return set('"'.join(plain).split('"')).union(*escaped)


def replaced_strings(
    document: str,
    replace: Callable[[str], str],
    number: Callable[[str], str | None] | None = None,
) -> str:
    """Replace texts in JSON, and numbers that can be ids; all else stays as it is written."""

    def replaced(found: re.Match[str]) -> str:
        if digits := found["number"]:
            return (number(digits) if number else None) or digits
        old, key = _string(found), found["key"] or ""
        new = old if key and old in KEYS else replace(old)
        return found[0] if new == old else json.dumps(new, ensure_ascii=False) + key

    return _TOKEN.sub(replaced, document)


def _string(found: re.Match[str]) -> str:
    literal = found[0].removesuffix(found["key"] or "")
    return str(json.loads(literal)) if "\\" in literal else literal[1:-1]


def _stripped(text: str, rules: Rules) -> str:
    if rules.addresses and ("/" in text or "@" in text or "www." in text.casefold()):
        return _MAIL.sub(MAIL, _LINK.sub(LINK, text))
    return text


def _is_marked(text: str, rules: Rules) -> bool:
    """Tell whether a text can have something beside names that are known."""
    return (
        "@" in text
        or _AT[1] in text
        or (rules.addresses and ("/" in text or "www." in text.casefold()))
        or (rules.numbers and _LONG_NUMBER.search(text) is not None)
    )
