"""Values that the API takes, and that hardly anything can match: what was probably meant. Pure.

They come out of word processors, spreadsheets, web pages and other search engines. The raw form of
a query, which is never rewritten, sends them as they are.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tiktok_crawler.query_file.addresses import address_problem
from tiktok_crawler.query_file.lookalikes import in_one_script, in_plain_letters
from tiktok_crawler.research_api.query import Field
from tiktok_crawler.spelling import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_PLAIN = re.compile(r"\w[\w.-]*", re.ASCII)
"""Nothing is doubtful about most values."""

_FILE_NAME = re.compile(r"@?[^\s/@]+\.(?:csv|tsv|txt|xlsx?|ods)", re.IGNORECASE)

_WITHOUT_BLANKS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_JOINED = "\u0600-\U0010ffff"
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb]"
    f"|(?<![{_WITHOUT_BLANKS}])\u200b|\u200b(?![{_WITHOUT_BLANKS}])"
    f"|(?<![{_JOINED}])[\u200c\u200d]|[\u200c\u200d](?![{_JOINED}])"
)
"""Joiners have a meaning between letters of Arabic and Indic scripts, and between emoji; blanks
without width between words of scripts such as Thai and Khmer."""

_ODD_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f]")

_DOUBLE_QUOTES = "“”„‟«»‹›〝〞＂"
_SINGLE_QUOTES = "‘’‚‛'`´"
_QUOTES = re.compile(f'[{_DOUBLE_QUOTES}{_SINGLE_QUOTES}"]')
_QUOTES_AROUND_WORDS = re.compile(
    f'^[{_SINGLE_QUOTES}"](?P<inside>.+)[{_SINGLE_QUOTES}"]$|[{_DOUBLE_QUOTES}]'
)
"""In words, apostrophes and the sign of inches are no quotation marks."""

_QUOTED_WORD = re.compile(r'(?<![^\s(])"(?=\w)|(?<=[^\W\d])"(?![^\s).,])')
_SEPARATORS = re.compile(r"[;|/\\&+，；、،؛]+")
_HASHTAG_SEPARATORS = re.compile(r"\s*[;|/\\&+，；、،؛,#]+\s*|\s+")
_WORD_SEPARATORS = re.compile(r"(?<=[^\W_])\s*[;|；؛]+\s*(?=[#@]?[^\W_])")
_COMMAS = re.compile(r"(?<=[^\W_])(?:\s*[,，、،]\s*|\s[/+]\s)(?=[#@]?[^\W\d_])")
_BRACKETS = re.compile(r"[][(){}<>]")
_NAME_WILDCARDS = re.compile(r"[*?%]")
_WILDCARDS = re.compile(r"(?<!\S)[*%]+(?=[^\W\d_])|(?<=[^\W\d_])[*%]+(?!\S)|^[*%? ]+$")
_PERHAPS_WILDCARDS = re.compile(r"(?<=\w)[*?%](?=[^\W\d_])|(?<=^)\w+\?$")
_OPERATORS = re.compile(r"(?<!\S)[(]*(AND|OR|NOT|&&|\|\|)[)]*(?!\S)")
_SIGNS = re.compile(r"(?<!\S)[-+](?=[^\W\d_])")

_AROUND_WORDS = f' ()#"{_DOUBLE_QUOTES}{_SINGLE_QUOTES}'
_KEYS = {
    "AND": "all_{}",
    "&&": "all_{}",
    "OR": "any_{}",
    "||": "any_{}",
    "NOT": "exclude: any_{}",
}
_LISTS = {Field.HASHTAG_NAME: "hashtags", Field.KEYWORD: "keywords"}
"""Fields of which a video can have several values, as the keys of the friendly form call them."""

_NO_WILDCARDS = "the API has no wildcards"
RAW_FORM = "the raw form, query:, sends values as they are"


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is doubtful about a value, in words that follow it.

    What `is_certain` can match nothing; anything else could be meant.
    """

    words: str
    is_certain: bool = True


def doubt_about(field: str, text: str, *, typed: str = "") -> Doubt | None:
    """Say what keeps a value from matching anything, and what was probably meant instead.

    The value is as the API would get it; `typed` is how it was written, if that is another way.
    """
    if _PLAIN.fullmatch(text) and not _FILE_NAME.fullmatch(typed or text):
        return None
    return next(_doubts(field, text, typed or text), None)


def _doubts(field: str, text: str, typed: str) -> Iterator[Doubt]:
    if problem := address_problem(field, text):
        yield Doubt(problem)
    is_name = field in (Field.HASHTAG_NAME, Field.USERNAME)
    if (is_name or field == Field.KEYWORD) and _FILE_NAME.fullmatch(typed):
        name = quoted(typed.removeprefix("@"))[1:-1]
        ways = f"{{file: {name}}}, behind -a as @{name}"
        yield Doubt(f"looks like a file; values in one are written as {ways}", is_certain=is_name)
    quotes = _QUOTES_AROUND_WORDS if field in (Field.KEYWORD, "shop_name") else _QUOTES
    cleaned = _cleaned(text, quotes)
    meant = did_you_mean([bare] if (bare := cleaned.strip("#@ " if is_name else " ")) else [])
    if operator := _OPERATORS.search(typed) if field in _LISTS else None:
        yield from _operator_doubt(typed, operator[1], _LISTS[Field(field)])
    yield from (Doubt(f"{words}{meant}") for words in _wrong_characters(text, quotes))
    if is_name:
        yield from map(Doubt, _name_doubts(field, cleaned))
    elif field == Field.KEYWORD:
        yield from _keyword_doubts(cleaned)


def _cleaned(text: str, quotes: re.Pattern[str]) -> str:
    visible = _ODD_BLANKS.sub(" ", _INVISIBLE.sub("", text))
    composed = unicodedata.normalize("NFC", visible)
    bare = quotes.sub(lambda found: found.groupdict().get("inside") or "", composed)
    return in_one_script(in_plain_letters(bare)).strip()


def _wrong_characters(text: str, quotes: re.Pattern[str]) -> Iterator[str]:
    if found := _INVISIBLE.search(text):
        yield f"holds the invisible character {_named(found[0])}"
    if found := _ODD_BLANKS.search(text):
        yield f"holds an unusual blank, {_named(found[0])}"
    if found := quotes.search(text):
        yield f"holds the quotation mark {_named(found[0][0])}"
    if len(unicodedata.normalize("NFC", text)) < len(text):
        yield "has letters and their accents as separate characters"
    for rule in (in_plain_letters, in_one_script):
        if odd := [old for old, new in zip(text, _aligned(rule, text), strict=True) if old != new]:
            yield f"holds a letter that looks like another one, {_named(odd[0])}"


def _aligned(rule: Callable[[str], str], text: str) -> Sequence[str]:
    """Return what a rule makes of each character; of the whole text, if it keeps the length."""
    changed = rule(text)
    return changed if len(changed) == len(text) else [rule(character) for character in text]


def _named(character: str) -> str:
    name = unicodedata.name(character, "")
    code = f"U+{ord(character):04X}"
    return f"{code} ({name})" if name else code


def _name_doubts(field: str, text: str) -> Iterator[str]:
    is_hashtag = field == Field.HASHTAG_NAME
    what, separators = ("hashtag", _HASHTAG_SEPARATORS) if is_hashtag else ("username", _SEPARATORS)
    if found := separators.search(text.strip("#@ ")):
        sign = quoted(found[0].strip() or " ")
        yield f"is not one {what}: it holds {sign}{_as_list(separators, text)}"
    if found := _NAME_WILDCARDS.search(text):
        meant = did_you_mean([bare] if (bare := _NAME_WILDCARDS.sub("", text)) else [])
        yield f"holds {quoted(found[0])}: {_NO_WILDCARDS}{meant}"
    if found := _BRACKETS.search(text):
        meant = did_you_mean([bare] if (bare := _BRACKETS.sub("", text).strip("#@ ")) else [])
        yield f"holds the bracket {quoted(found[0])}{meant}"


def _keyword_doubts(text: str) -> Iterator[Doubt]:
    if _WORD_SEPARATORS.search(text):
        yield Doubt(f"is one keyword{_as_list(_WORD_SEPARATORS, text)}")
    if found := _WILDCARDS.search(text):
        meant = did_you_mean([bare] if (bare := _WILDCARDS.sub("", text)) else [])
        yield Doubt(f"holds {quoted(found[0])}: {_NO_WILDCARDS}{meant}")
    if found := _PERHAPS_WILDCARDS.search(text):
        yield Doubt(f"holds {quoted(found[0][-1])}: {_NO_WILDCARDS}", is_certain=False)
    if _QUOTED_WORD.search(text):
        words = "holds quotation marks; leave them out, unless descriptions have them"
        yield Doubt(words, is_certain=False)
    if _COMMAS.search(text):
        yield Doubt(f"is one keyword{_as_list(_COMMAS, text)}", is_certain=False)
    if found := _SIGNS.search(text):
        words = (
            f"holds {quoted(found[0])} before a word: the API has no such sign; what is to be left "
            "out stands under exclude"
        )
        yield Doubt(words, is_certain=False)


def _operator_doubt(text: str, operator: str, what: str) -> Iterator[Doubt]:
    """Say where the words around an operator belong; in capitals alone, it may be none."""
    parts = [bare for part in _OPERATORS.split(text)[::2] if (bare := part.strip(_AROUND_WORDS))]
    if not parts:
        return
    meant = parts[-1:] if operator == "NOT" else parts
    yield Doubt(
        f"holds {operator}, which is no operator of the API; write "
        f"{_KEYS[operator].format(what)}: {_listed(meant)}",
        is_certain=what == "hashtags" or not all(part.isupper() for part in parts),
    )


def _as_list(separators: re.Pattern[str], text: str) -> str:
    """The end of a message: the values that one text holds, or the only one that is there."""
    parts = [bare for part in separators.split(text) if (bare := part.strip())]
    if len(parts) < 2:  # noqa: PLR2004 - several
        return did_you_mean(parts)
    return f"; several are written as a list: {_listed(parts)}"


def _listed(parts: Sequence[str]) -> str:
    return quoted(f"[{', '.join(parts)}]")[1:-1]
