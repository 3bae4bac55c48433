"""Finds secrets in what others send, in every encoding in which they may repeat a request."""

from __future__ import annotations

import html
import re
from array import array
from base64 import b64encode
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from string import ascii_letters, digits
from sys import maxunicode
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORTEST = 8
"""What is shorter is no secret, and would be found in every text."""

MOST_LAYERS = 9
"""Of encodings around each other, more than this are not taken off."""

_NULS = re.compile(rb"\x00+")
"""Between the characters of a text in UTF-16 or UTF-32, which JSON can be in."""

_ESCAPES = re.compile(
    rb"(?P<percents>(?:%[0-9A-Fa-f]{2})+)"
    rb"|(?:%|\\)u(?P<unit>[0-9A-Fa-f]{4})"
    rb"|\\x(?P<x>[0-9A-Fa-f]{2})"
    rb"|\\U(?P<long>[0-9A-Fa-f]{8})"
    rb"|\\u\{0*(?P<braced>[0-9A-Fa-f]{1,6})\}"
    rb"|\\(?P<octal>[0-3][0-7]{2})"
    rb"|(?P<characters>(?:\\[^0-9A-Za-z])+)"
    rb"|&#0*(?P<decimal>[0-9]{1,7});?"
    rb"|&#[xX]0*(?P<hexadecimal>[0-9A-Fa-f]{1,6});?"
    rb"|&(?P<name>amp|lt|gt|quot|apos);"
)
"""How URLs, JSON, programs and HTML write a character, or some of them one after another."""

_WIDTHS = {"percents": 3, "characters": 2}
"""What each byte of a run takes that is written so: runs of millions are read at once."""

_BASES = {"decimal": 10, "octal": 8}
"""Of the numbers that characters are written by; others are hexadecimal."""

_NO_LETTERS = bytes(set(range(256)) - set((ascii_letters + digits).encode()))
_SPELLED = re.compile(rb"%(?:25)*(?:u00)?[3-7]|\\u00[2-7]|\\(?:x|U00|u\{|[01][0-7]{2})|&(?:amp;)*#")
"""What stands where a letter or a digit is written by its number."""


def without_secrets(text: bytes, secrets: Iterable[str]) -> bytes:
    """Return a text with *** where it has one of the secrets."""
    forms = [form for secret in secrets for form in _forms(secret)]
    if not _may_have(text, forms):
        return text
    kept, end = [], 0
    for start, next_end in sorted(_places(text, [form.text for form in forms])):
        if start >= end:
            kept += [text[end:start], _mask(text[start:next_end])]
        elif next_end > end:
            kept.append(_mask(text[end:next_end]))
        end = max(end, next_end)
    return b"".join([*kept, text[end:]])


def _mask(found: bytes) -> bytes:
    """Keep the characters of more than a byte whole."""
    return re.sub(rb"[^\x00]", b"*", found) if b"\x00" in found else b"***"


class _Form(NamedTuple):
    """A form of a secret, and its longest run of letters and digits.

    The run is in whatever has the form, unless it spells letters otherwise.
    """

    text: bytes
    run: bytes


@lru_cache(maxsize=32)
def _forms(secret: str) -> tuple[_Form, ...]:
    if len(secret) < SHORTEST:
        return ()
    plain = secret.encode("utf-8", "surrogatepass")
    # A secret may itself look as if a part of it were encoded.
    code = plain.hex()
    texts = {plain, *(layer.text for layer in _layers(plain)), *_in_base64(plain)}
    texts |= {code.encode(), code.upper().encode()}
    return tuple(_Form(text, _longest_run(text)) for text in texts if len(text) >= SHORTEST)


def _longest_run(form: bytes) -> bytes:
    return max((found[0] for found in re.finditer(rb"[A-Za-z0-9]*", form)), key=len)


def _in_base64(secret: bytes) -> Iterator[bytes]:
    """Yield what base64 has of a secret, be it alone, behind a name, or behind another secret."""
    for before, mixed in enumerate((0, 2, 3)):
        whole = (before + len(secret)) * 8 // 6
        form = b64encode(bytes(before) + secret)[mixed:whole]
        yield from (form, form.translate(bytes.maketrans(b"+/", b"-_")))


def _may_have(text: bytes, forms: list[_Form]) -> bool:
    if not forms or _SPELLED.search(text.replace(b"\x00", b"")):
        return bool(forms)
    letters = text.translate(None, _NO_LETTERS)
    return any(form.run in letters for form in forms)


@dataclass(frozen=True)
class _Layer:
    """A text with one encoding taken off, as it was `before`."""

    before: bytes
    encoding: re.Pattern[bytes]

    @cached_property
    def text(self) -> bytes:
        return self.encoding.sub(b"" if self.encoding is _NULS else _decoded, self.before)

    @cached_property
    def _known(self) -> tuple[array[int], array[int]]:
        """Places at and behind what was encoded, in the text, and the same ones before."""
        inner, outer = array("I", [0]), array("I", [0])
        place, end = 0, 0
        for found in self.encoding.finditer(self.before):
            place += found.start() - end
            start, end = found.span()
            length = len(_decoded(found))
            if width := _WIDTHS.get(found.lastgroup or ""):
                inner.extend(range(place, place + length))
                outer.extend(range(start, end, width))
            else:
                inner.append(place)
                outer.append(start)
            place += length
            inner.append(place)
            outer.append(end)
        return inner, outer

    def around(self, place: int) -> int:
        """Return where a place of the text is in the one that it was taken from."""
        inner, outer = self._known
        known = bisect_right(inner, place) - 1
        return outer[known] + place - inner[known]


def _places(text: bytes, forms: list[bytes]) -> Iterator[tuple[int, int]]:
    """Yield start and end of all that encodes one of the forms."""
    yield from _found(text, forms)
    layers: list[_Layer] = []
    for layer in _layers(text):
        layers.append(layer)
        for start, end in _found(layer.text, forms):
            yield _outermost(start, layers), _outermost(end, layers)


def _outermost(place: int, layers: list[_Layer]) -> int:
    for layer in reversed(layers):
        place = layer.around(place)
    return place


def _found(text: bytes, forms: list[bytes]) -> Iterator[tuple[int, int]]:
    for form in forms:
        start = text.find(form)
        while start >= 0:
            yield start, start + len(form)
            start = text.find(form, start + len(form))


def _layers(text: bytes) -> Iterator[_Layer]:
    """Take one encoding after the other off, until there is none."""
    for encoding, most in ((_NULS, 1), (_ESCAPES, MOST_LAYERS)):
        for _ in range(most):
            if not encoding.search(text):
                break
            yield (layer := _Layer(text, encoding))
            text = layer.text


def _decoded(found: re.Match[bytes]) -> bytes:
    """Return what an escape stands for; nothing for NULs."""
    way, written = found.lastgroup, found[found.lastgroup or 0]
    match way:
        case None:
            return b""
        case "percents":
            return bytes.fromhex(written.replace(b"%", b"").decode())
        case "characters":
            return written[1::2]
        case "name":
            return html.unescape(found[0].decode()).encode()
    number = int(written, _BASES.get(way, 16))
    return chr(min(number, maxunicode)).encode("utf-8", "surrogatepass")
