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
_SPELLED = re.compile(rb"\x00|%(?:25)*[3-7]|\\u00[3-7]|&#")
"""What stands where a letter or a digit is written by its number, or in more than a byte."""


def without_secrets(text: bytes, secrets: Iterable[str]) -> bytes:
    """Return a text with *** where it has one of the secrets."""
    forms = [form for secret in secrets for form in _forms(secret)]
    if not forms:
        return text
    letters = None if _SPELLED.search(text) else text.translate(None, _NO_LETTERS)
    for form in forms:
        if letters is None or form.run in letters:
            text = form.pattern.sub(_mask, text)
    return text


def _mask(found: re.Match[bytes]) -> bytes:
    """Keep the characters of more than a byte whole."""
    return re.sub(rb"[^\x00]", b"*", found[0]) if b"\x00" in found[0] else b"***"


class _Form(NamedTuple):
    """A form of a secret: how it is found, and its longest run of letters and digits.

    The run is in whatever has the form, unless it spells letters otherwise.
    """

    pattern: re.Pattern[bytes]
    run: bytes


@lru_cache(maxsize=32)
def _forms(secret: str) -> tuple[_Form, ...]:
    if len(secret) < SHORTEST:
        return ()
    forms = (secret, *_in_base64(secret.encode()))
    return tuple(
        _Form(re.compile(_NULS.join(map(_spelled, form)).encode()), _longest_run(form))
        for form in forms
    )


def _longest_run(form: str) -> bytes:
    return max((found[0] for found in re.finditer(rb"[A-Za-z0-9]*", form.encode())), key=len)


def _in_base64(secret: bytes) -> Iterator[str]:
    """Yield what base64 has of a secret, be it alone, behind a name, or behind another secret."""
    for before, mixed in enumerate((0, 2, 3)):
        whole = (before + len(secret)) * 8 // 6
        yield b64encode(bytes(before) + secret).decode()[mixed:whole]


def _spelled(character: str) -> str:
    """A character as it is, or as URLs, JSON and HTML write it, also one inside the other.

    Each way begins with a character of its own: so the search goes fast to where one can be.
    """
    number = ord(character)
    code = f"{number:02x}"
    ways = {
        re.escape(character),
        rf"%{_NULS}(?:{_plain('25')}{_NULS}){{0,7}}{_plain(code)}",
        rf"\\{_NULS}(?:\\{_NULS}){{0,7}}(?:{_plain(f'u00{code}')}|{re.escape(character)})",
        rf"&{_NULS}#{_NULS}(?:{_plain(str(number))}|x{_NULS}{_plain(code)}){_NULS};",
        _plain(html.escape(character)),
        # Base64 for URLs has others in the place of these.
        re.escape({"+": "-", "/": "_"}.get(character, character)),
    }
    return f"(?:{'|'.join(sorted(ways))})"


def _plain(text: str) -> str:
    """A text whose digits may be written small or large."""
    return _NULS.join(
        f"[{each}{each.upper()}]" if each in "abcdef" else re.escape(each) for each in text
    )
