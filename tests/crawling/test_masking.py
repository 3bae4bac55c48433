"""A secret is found in every encoding in which an answer may repeat it."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from time import perf_counter, process_time
from urllib.parse import quote, quote_plus, urlencode

import pytest

from tiktok_crawler.crawling.masking import without_secrets

SECRET = 'Sec/ret+of"ann\\&<1~?'
BASIC = f"key-of-ann:{SECRET}".encode()
WAYS = {
    "as it is": SECRET,
    "percent": quote(SECRET, safe=""),
    "plus": quote_plus(SECRET),
    "form": urlencode({"before": SECRET}),
    "percent in small letters": quote(SECRET, safe="").lower().replace("sec", "Sec"),
    "each character percent": "".join(f"%{ord(each):02X}" for each in SECRET),
    "percent twice": quote(quote(SECRET, safe="")),
    "JSON": json.dumps({"said": SECRET}),
    "JSON in JSON": json.dumps(json.dumps({"said": SECRET})),
    "JSON as PHP has it": json.dumps(SECRET).replace("/", "\\/"),
    "JSON for HTML": json.dumps(SECRET).replace("&", "\\u0026").replace("<", "\\u003C"),
    "HTML": html.escape(SECRET),
    "HTML by number": "".join(f"&#{ord(each)};" for each in SECRET),
    "HTML by number, with zeros": "".join(f"&#{ord(each):05d};" for each in SECRET),
    "HTML in base 16": "".join(f"&#X{ord(each):04x};" for each in SECRET),
    "HTML by number, run together": "".join(f"&#{ord(each)}" for each in SECRET),
    "HTML in HTML": "".join(f"&amp;#{ord(each)};" for each in SECRET),
    "HTML in JSON": "".join(f"\\u0026#{ord(each)};" for each in SECRET),
    "JSON in a URL": quote(json.dumps(SECRET).replace("/", "\\/"), safe=""),
    "each character in JSON in a URL": "".join(f"%5cu{ord(each):04x}" for each in SECRET),
    "percent in JSON": "".join(f"\\u0025{ord(each):02X}" for each in SECRET),
    "percent as old scripts have it": "".join(f"%u{ord(each):04X}" for each in SECRET),
    "bytes": "".join(f"\\x{ord(each):02x}" for each in SECRET),
    "code points": "".join(f"\\u{{{ord(each):x}}}" for each in SECRET),
    "long code points": "".join(f"\\U{ord(each):08x}" for each in SECRET),
    "octal": "".join(f"\\{ord(each):03o}" for each in SECRET),
    "one way after another": "".join(
        f"%{ord(each):02x}" if place % 2 else f"\\u{ord(each):04x}"
        for place, each in enumerate(SECRET)
    ),
    "hexadecimal": SECRET.encode().hex(),
    "hexadecimal in capitals": SECRET.encode().hex().upper(),
    "Basic": b64encode(BASIC).decode(),
    "Basic in a URL": quote(urlsafe_b64encode(BASIC).decode()),
    "form in base64": b64encode(b"ab" + urlencode({"k": "k"}).encode() + SECRET.encode()).decode(),
}
WAYS |= {
    "HTML by number in JSON for HTML": WAYS["HTML by number"].replace("&", "\\u0026"),
    "JSON in a URL": quote(json.dumps(SECRET)[1:-1]),
    "base64 in JSON in a URL": quote("".join(f"\\u{ord(each):04X}" for each in WAYS["Basic"])),
    "percent in JSON": "".join(f"\\u{ord(each):04x}" for each in WAYS["each character percent"]),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_is_masked_in_every_encoding(way, encoding):
    text = f"before {WAYS[way]} after".encode(encoding)
    masked = without_secrets(text, [SECRET]).decode(encoding)
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert "***" in masked
    assert "ret" not in masked.replace("secret=", "")
    assert WAYS[way] not in masked


def test_a_secret_that_looks_encoded_is_masked_in_every_encoding():
    secret = "50%25off&amp;more"
    for text in (secret, quote(secret), html.escape(secret), json.dumps(quote(secret))):
        masked = without_secrets(f"<{text}>".encode(), [secret])
        assert b"***" in masked
        assert b"off" not in masked


def test_what_stands_around_secrets_stays_as_it_is():
    other = "other/secret"
    text = json.dumps({"%25": f"\u00e4&amp;{SECRET}{other}\n", "b": [quote(other), "%41"]})
    expected = text.replace(json.dumps(SECRET + other)[1:-1], "******")
    masked = without_secrets(text.encode(), [SECRET, other]).decode()
    assert masked == expected.replace(quote(other), "***")


def test_a_text_that_has_no_secret_stays_as_it_is():
    text = json.dumps({"said": "a/b%20 \u00e9 & <", "no": SECRET[:-1]}).encode()
    assert without_secrets(text, [SECRET, "", "a", "said"]) == text


@pytest.mark.parametrize(
    "text",
    [
        *(b"\\" * 10**6, b"%25" * 10**6, b"S\x00" * 10**6, b"&#" * 10**6, b"&amp;#" * 10**5),
        *(b"%5c" * 10**5, b"\\u0025" * 10**5, b"&#0000000" * 10**5, b"\\u{000000" * 10**5),
    ],
)
def test_no_text_makes_it_slow(text):
    began = perf_counter()
    assert without_secrets(text, [SECRET]) == text
    assert perf_counter() - began < 30


def seconds_of_cpu(text):
    began = process_time()
    assert without_secrets(text, [SECRET]) == text
    return process_time() - began


def test_layers_of_backslashes_take_no_more_than_other_escapes():
    others = seconds_of_cpu(b"\\u3042" * (2**20 // 6) + b"\\u0041")
    assert seconds_of_cpu(b"\\u0041" + b"\\" * 2**20) < 2 * others + 0.1
