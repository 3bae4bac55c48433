"""Finds secrets in what others send, in every encoding in which they may repeat a request."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from functools import lru_cache
from string import ascii_letters, digits
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORTEST = 8
"""What is shorter is no secret, and would be found in every text."""

_NULS = r"\x00{0,3}"
"""Between the characters of a text in UTF-16 or UTF-32, which JSON can be in."""

_NO_LETTERS = bytes(set(range(256)) - set((ascii_letters + digits).encode()))
_SPELLED = re.compile(
    rb"\x00|%(?:25)*(?:u00)?[3-7]|\\u00(?:[3-7]|2[56])|\\(?:x|U00|u\{|[01][0-7]{2})|&(?:amp;)*#"
)
"""What stands where a letter or a digit is written by its number, or in more than a byte."""


def without_secrets(text: bytes, secrets: Iterable[str]) -> bytes:
    """Return a text with *** where it has one of the secrets."""
    forms = [form for secret in secrets for form in _forms(secret)]
    if not forms:
        return text
    letters = None if _SPELLED.search(text) else text.translate(None, _NO_LETTERS)
    gap = _NULS if b"\x00" in text else ""
    for form in forms:
        if letters is None or form.run in letters:
            text = _pattern(form, gap).sub(_mask, text)
    return text


def _mask(found: re.Match[bytes]) -> bytes:
    """Keep the characters of more than a byte whole."""
    return re.sub(rb"[^\x00]", b"*", found[0]) if b"\x00" in found[0] else b"***"


class _Form(NamedTuple):
    """A form of a secret, and its longest run of letters and digits.

    The run is in whatever has the form, unless it spells letters otherwise; that nobody does
    `as_it_is`.
    """

    text: str
    run: bytes
    as_it_is: bool = False


@lru_cache(maxsize=128)
def _pattern(form: _Form, gap: str) -> re.Pattern[bytes]:
    """How a form is found; few are ever looked for, and to make the pattern takes long."""
    if form.as_it_is:
        return re.compile(_plain(form.text, gap).encode())
    return re.compile(gap.join(_spelled(each, gap) for each in form.text).encode())


@lru_cache(maxsize=32)
def _forms(secret: str) -> tuple[_Form, ...]:
    if len(secret) < SHORTEST:
        return ()
    code = secret.encode().hex()
    return (
        *(_Form(form, _longest_run(form)) for form in (secret, *_in_base64(secret.encode()))),
        *(_Form(form, form.encode(), as_it_is=True) for form in (code, code.upper())),
    )


def _longest_run(form: str) -> bytes:
    return max((found[0] for found in re.finditer(rb"[A-Za-z0-9]*", form.encode())), key=len)


def _in_base64(secret: bytes) -> Iterator[str]:
    """Yield what base64 has of a secret, be it alone, behind a name, or behind another secret."""
    for before, mixed in enumerate((0, 2, 3)):
        whole = (before + len(secret)) * 8 // 6
        yield b64encode(bytes(before) + secret).decode()[mixed:whole]


@lru_cache(maxsize=256)
def _spelled(character: str, gap: str) -> str:
    """A character as it is, or as URLs, programs and HTML write it, also one inside the other.

    `gap` is what may stand between two bytes. Each way begins with a known character: so the search
    goes fast to where one can be.
    """

    def some(text: str, most: int) -> str:
        return f"(?:{_plain(text, gap)}{gap}){{0,{most}}}"

    number = ord(character)
    code, zeros = f"{number:02x}", some("0", 8)
    percent = f"%{gap}{some('25', 7)}"
    backslash = rf"\\{gap}(?:\\{gap}){{0,7}}"
    in_url = f"{some('u00', 1)}{_plain(code, gap)}"
    in_program = "|".join(
        (
            *(_plain(f"{kind}{code}", gap) for kind in ("u00", "U000000", "x")),
            rf"u{gap}\{{{gap}{zeros}{_plain(code, gap)}{gap}\}}",
            _plain(f"{number:03o}", gap),
            re.escape(character),
            percent + in_url,
        )
    )
    digits_of_it = f"{zeros}{_plain(str(number), gap)}|[xX]{gap}{zeros}{_plain(code, gap)}"
    in_html = f"#{gap}(?:{digits_of_it})(?:{gap};|(?![0-9a-fA-F]))"
    ways = {
        re.escape(character),
        percent + in_url,
        f"{percent}{_plain('5c', gap)}{gap}(?:{in_program})",
        f"{backslash}(?:{in_program})",
        f"{backslash}{_plain('u0025', gap)}{gap}{in_url}",
        f"{backslash}{_plain('u0026', gap)}{gap}{in_html}",
        f"&{gap}{some('amp;', 3)}{in_html}",
        _plain(html.escape(character), gap),
        # Base64 for URLs has others in the place of these.
        re.escape({"+": "-", "/": "_"}.get(character, character)),
    }
    return f"(?:{'|'.join(sorted(ways))})"


def _plain(text: str, gap: str) -> str:
    """A text whose digits may be written small or large."""
    return gap.join(
        f"[{each}{each.upper()}]" if each in "abcdef" else re.escape(each) for each in text
    )
