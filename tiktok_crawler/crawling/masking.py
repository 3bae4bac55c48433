"""Finds secrets in what others send, in every encoding in which they may repeat a request."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORTEST = 8
"""What is shorter is no secret, and would be found in every text."""

_NULS = r"\x00{0,3}"
"""Between the characters of a text in UTF-16 or UTF-32, which JSON can be in."""


def without_secrets(text: bytes, secrets: Iterable[str]) -> bytes:
    """Return a text with *** where it has one of the secrets."""
    for pattern in (each for secret in secrets for each in _patterns(secret)):
        text = pattern.sub(_mask, text)
    return text


def _mask(found: re.Match[bytes]) -> bytes:
    """Keep the characters of more than a byte whole."""
    return re.sub(rb"[^\x00]", b"*", found[0]) if b"\x00" in found[0] else b"***"


@lru_cache(maxsize=32)
def _patterns(secret: str) -> tuple[re.Pattern[bytes], ...]:
    if len(secret) < SHORTEST:
        return ()
    forms = (secret, *_in_base64(secret.encode()))
    return tuple(re.compile(_NULS.join(map(_spelled, form)).encode()) for form in forms)


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
