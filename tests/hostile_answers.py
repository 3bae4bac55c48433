"""Answers of an API that means harm, by chance: a wrong one in each layer, from bytes to records.

Answers that no reader may believe, and honest ones that are said in an odd way, are told from lies:
pages that are well formed and false.
"""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64encode, urlsafe_b64encode
from dataclasses import dataclass
from html import escape
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from hostile_server import CLOSE, KEY, RESET, SECRET, plain

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from hostile_server import Asked, Steps

    from tiktok_crawler.sandbox.protocol.answers import SandboxAnswer

CUTS = (60, 100, 500, 2000)
"""Where long texts are cut, in logs and in the database: a secret may lie across."""

STEERING = (
    *("\x1b[31m", "\x1b]0;owned\x07", "\x1b[2J", "\x9b1;1H", "\r", "\x08" * 9, "\x7f", "\0"),
    *(
        "\u202e",
        "\u2028",
        "\u2029",
        "\u200b",
        "\ufeff",
        "\x85",
        "\v",
        "\f",
        "\n",
        "\ud83d",
        "\udc00",
    ),
)


class Raw(str):
    """JSON as it is to be sent, which `json` would not write."""

    __slots__ = ()


ODD_VALUES = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 1.5, -0.0),
    *("", " ", "0", "7", "7" * 50, "null", "true", "NaN", "2024-01-01", "text", "\u0661", [], {}),
    *(
        [[]],
        [{}],
        [None],
        [0, "a", {}, []],
        {"": None},
        {"a": {"b": [1]}},
        "\u00fc" * 300,
        "\U0001f9c8",
    ),
    *map(Raw, ("NaN", "-Infinity", "1e999", "-1e-999", "9" * 5000, "1" + "0" * 4299, "1.0E400")),
    *(Raw('{"a":1,"a":[]}'), Raw("[" * 300 + "]" * 300), Raw('{"a":' * 150 + "1" + "}" * 150)),
    *(
        Raw("[" * 20_000 + "]" * 20_000),
        Raw("["),
        Raw(""),
        Raw("{,}"),
        Raw("'a'"),
        Raw("undefined"),
    ),
)

CODES = (
    *["internal_error", "timeout", "rate_limit_exceeded", "invalid_params", "x", "OK!"] * 4,
    *(
        "access_token_invalid",
        "invalid_token",
        "scope_not_authorized",
        "daily_quota_limit_exceeded",
    ),
)
"""Those that end a crawl, or make it wait, are rare."""

MESSAGES = (
    *("Please try again later.", "Invalid count or cursor", "server internal error", "No."),
    *("`username: x` is invalid: cannot find the user", "This account is private"),
    *("Search Id 77 is invalid or expired", "API cannot return this user's information"),
)
TOKEN_ERRORS = (
    *("invalid_client", "invalid_request", "access_denied", "server_error", "unheard_of", ""),
    *(None, 7, [], {}, ["invalid_client"]),
)
STATUSES = (
    *[200, 200, 200, 201, 203, 206, 500, 500, 502, 503, 504] * 4,
    *(204, 205, 226, 300, 301, 302, 304, 307, 308, 400, 401, 403, 404, 407, 408, 413, 418, 429),
    *(451, 501, 511, 599, 600, 799, 999),
)
"""Refusals are rare: they end a crawl that has found nothing yet."""

STATUS_LINES = (
    *("HTTP/1.0 200 OK", "HTTP/2.0 200 OK", "HTTP/9.9 200", "http/1.1 200 ok", "HTTP/1.1 200"),
    *("HTTP/1.1  200  OK", "HTTP/1.1 -1 OK", "HTTP/1.1 0 OK", "HTTP/1.1 2e2 OK", "HTTP/1.1 1000 x"),
    *(
        "HTTP/1.1 99999999999999999999 OK",
        "HTTP/1.1",
        "HTTP/1.1 OK",
        "ICY 200 OK",
        "",
        "\0",
        "HTTP",
    ),
    *("HTTP/1.1 \u0662\u0660\u0660 OK", "HTTP/1.1 200 \x1b[31mred", "HTTP/1.1\t200\tOK", " 200 OK"),
    "HTTP/1.1 200 " + "long " * 2000,
)
BEFORE = (
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" * 3,
    b"HTTP/1.1 102 Processing\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"220 mail.example ESMTP\r\n",
)
TYPES = (
    *(
        "application/json",
        "application/json; charset=utf-8",
        "text/html",
        "text/html; charset=utf-7",
    ),
    *("text/plain; charset=utf-16", "application/json; charset=none-such", "image/png", "", ";;;"),
    *(
        "application/json; charset=\x1b[31m",
        "multipart/x-mixed-replace; boundary=a",
        "\u00fc/\u00fc",
    ),
    *(
        "application/x-gzip",
        "text/xml",
        "text/html; charset=idna",
        "text/plain; charset=unicode_escape",
    ),
    "a" * 5000,
)
ODD_HEADERS = (
    *(
        "Retry-After: 0",
        "Retry-After: -1",
        "Retry-After: \u00b2",
        "Retry-After: 1e3",
        "Retry-After: ",
    ),
    *(
        "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT",
        "Retry-After: 0.5",
        "Retry-After: 0" + "0" * 3000,
    ),
    *("Date: yesterday", "Date: Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Date: \x1b[31m"),
    *("Date: Mon, 01 Jan 0001 00:00:00 +2359", "Date: Fri, 31 Dec 9999 23:59:59 -2359", "Date: "),
    *(
        "Date: Mon, 01 Jan 2024 00:00:00 +99999999999",
        "Date: Mon, 01 Jan 2024 25:61:61 GMT",
        "Date: 0",
    ),
    *("Date: Mon, 01 Jan 1601 00:00:00 GMT", "Date: 1 Jan 24 0:0 EST", "Date: \u00fc", "Date: ,,,"),
    *("Date: Mon, 99999999999 Jan 2024 00:00:00 GMT", "Date: Mon, 1 Jan 2024 00:00:00 -0000"),
    *(
        "Location: ",
        "Location: //",
        "Location: http://[::1",
        "Location: \x1b[31m://\x1b",
        "Location: :",
    ),
    *(
        "Location: https://log\u200bin.example/a?b#c",
        "Location: javascript:alert(1)",
        "Location: /x",
    ),
    *(
        "Location: http://user:password@host:99999/",
        "Location: http://" + "a" * 9000,
        "Location: \\\\x",
    ),
    *(
        "Set-Cookie: a=b; domain=.com",
        "Set-Cookie: \x00=\x01",
        "Refresh: 0; url=http://127.0.0.1:1/",
    ),
    *("Content-Disposition: attachment; filename=\x00.\u00fc", "Content-Disposition: ;;;filename="),
    *("Content-Disposition: attachment; filename=" + "../" * 50 + "a.gz", "Content-Location: \x00"),
    *("Connection: keep-alive", "Connection: close, upgrade", "Upgrade: websocket", "Trailer: a"),
    *(
        "Server: \x1b]0;a\x07",
        "X-Tt-Logid: \x1b[2J",
        "X-Tt-Logid: " + "7" * 5000,
        "Vary: *",
        "Age: -1",
    ),
    *(
        "no colon at all",
        ": no name",
        "Name : blank",
        " folded",
        "\tfolded",
        "\u00fc: \u00fc",
        "\0: \0",
    ),
    *(
        "WWW-Authenticate: Basic realm=\x1b",
        "Content-Type: text/html",
        "Strict-Transport-Security: a",
    ),
    *("X-Long: " + "x" * 70_000, "x" * 70_000 + ": 1", "X-Many: 1\r\n" * 600 + "X-Last: 1"),
)
CODINGS = (
    "br",
    "zstd",
    "compress",
    "identity",
    "x-gzip",
    "rot13",
    "gzip, gzip",
    "\x1b[31m",
    "*",
    "",
)

BOMBS = tuple(gzip.compress(b" " * size, 9) for size in (2**20, 2**26))

Layer = tuple[bytes, list[str]]
"""A body and headers that say something of it."""


@dataclass
class Hostility:
    """Answers by chance, the same ones for the same seed and requests.

    `share` of the answers is hostile; with `lies`, some of them are pages that are false.
    """

    seed: str
    share: float
    lies: bool
    asked: Counter[str]

    def __call__(self, asked: Asked, honest: SandboxAnswer) -> tuple[Steps, str]:
        """What to send, and what that is, for those who look for the reason of a failure."""
        self.asked[asked.key] += 1
        rng = Random(f"{self.seed} {self.asked[asked.key]} {asked.key}")
        # A crawl without a token, or without approval, gets to see nothing else.
        if rng.random() >= self.share * (0.4 if asked.gets_token else 1):
            return plain(honest), ""
        answer = _Answer(rng, asked, honest, lies=self.lies)
        steps = answer.steps()
        return steps, f"{asked.call.path}: {answer.told}"


class _Answer:
    """One answer, made from the inside out."""

    def __init__(self, rng: Random, asked: Asked, honest: SandboxAnswer, *, lies: bool) -> None:
        self.rng, self.asked, self.honest, self.lies = rng, asked, honest, lies
        self.told: list[Any] = []

    def steps(self) -> Steps:
        status, body = self._content()
        body, headers = self._coded(body)
        headers += self._headers()
        return self._sent(status, body, headers)

    def _pick(self, *ways: Callable[[], Any]) -> Any:
        way = self.rng.choice(ways)
        self.told.append(way.__name__.strip("_"))
        return way()

    def _often(self, share: float) -> bool:
        return self.rng.random() < share

    # -- What is said

    def _content(self) -> tuple[int, bytes]:
        if self.asked.gets_token:
            return self._pick(self._respelled, self._garbage, self._token_error, self._odd_token)
        ways = [self._respelled, self._respelled, self._garbage, self._error, self._error]
        return self._pick(*ways, *([self._lie] * 4 if self.lies else ()))

    def _respelled(self) -> tuple[int, bytes]:
        """Say what is true in another way, with something beside it that means nothing."""
        document = json.loads(self.honest.body)
        for _ in range(self.rng.choice([0, 0, 1, 3])):
            document[self._text()] = self.rng.choice([self._text, self._odd])()
        if isinstance(document.get("error"), dict) and self._often(0.3):
            document["error"]["log_id"] = self._text()
        status = self.honest.status
        if status == 200 and self._often(0.2):
            status = self.rng.choice([200, 201, 203, 206, 500, 503, 404])
        return status, self._as_bytes(document)

    def _error(self) -> tuple[int, bytes]:
        rng = self.rng
        error: dict[str, Any] = {"code": rng.choice(CODES), "message": rng.choice(MESSAGES)}
        error["log_id"] = self.rng.choice([self._text, self._odd])()
        for name in ("code", "message", "msg"):
            if self._often(0.4):
                error[name] = self._text()
        if self._often(0.1):
            error["message"] = self._odd()
            error["code"] = rng.choice(CODES)
        # Without a word of complaint it would be a page.
        error["code"] = error["code"] or "x"
        document = {"error": error} | ({"data": {}} if self._often(0.5) else {})
        return rng.choice(STATUSES), self._as_bytes(document)

    def _garbage(self) -> tuple[int, bytes]:
        return self.rng.choice(STATUSES), self._pick(
            self._html, self._noise, self._scalar, self._deep, self._wide, self._cut, self._echo
        )

    def _lie(self) -> tuple[int, bytes]:
        document = json.loads(self.honest.body)
        for _ in range(self.rng.choice([1, 1, 2, 5])):
            self._spoil(document)
        return self.rng.choice([self.honest.status, 200, 200, 500]), self._as_bytes(document)

    def _spoil(self, document: Any) -> None:
        """Put something else into a place of a document."""
        document.setdefault("data", {})
        holder, key = self.rng.choice(list(_places(document)))
        match self.rng.randrange(8):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[self._text()] = holder.pop(key)
            case 2 if isinstance(holder[key], list | str):
                holder[key] = holder[key] * self.rng.choice([2, 20])
            case 3 if isinstance(holder[key], int | str):
                holder[key] = [str(holder[key]), f" {holder[key]} ", [holder[key]]][
                    self.rng.randrange(3)
                ]
            case 4 if isinstance(holder[key], dict):
                holder[key] = list(holder[key].values())
            case 5 | 6:
                holder[key] = self._text()
            case _:
                holder[key] = self._odd()

    def _token_error(self) -> tuple[int, bytes]:
        document = {
            "error": self.rng.choice([*TOKEN_ERRORS, self._text()]),
            "error_description": self.rng.choice([self._text, self._odd])(),
            "log_id": self._text(),
        }
        return self.rng.choice(STATUSES), self._as_bytes(document)

    def _odd_token(self) -> tuple[int, bytes]:
        document = json.loads(self.honest.body)
        odd = (*ODD_VALUES, *STEERING, "t\r\nX-Injected: 1", "\u00fc" * 20, "a b", "x" * 100_000)
        if self._often(0.6):
            document["access_token"] = self.rng.choice(odd)
        if self._often(0.5):
            document["expires_in"] = self.rng.choice([*ODD_VALUES, 1, 10**30, "7200", 0.5])
        if self._often(0.3):
            document["token_type"] = self._text()
        return self.rng.choice([200, 200, 500]), self._as_bytes(document)

    # -- Texts

    def _text(self) -> str:
        """Words that repeat what was sent, steer a terminal, or are long."""
        rng = self.rng
        parts = [rng.choice(["", "x", "Hello ", self._repeated(), self._repeated()])]
        parts.append(rng.choice(["", *STEERING]))
        parts.append(self._repeated() if self._often(0.5) else "")
        if self._often(0.4):
            parts.insert(0, "y" * max(0, rng.choice(CUTS) - rng.randrange(80)))
        if self._often(0.1):
            parts.append("z" * rng.choice([3_000, 300_000]))
        return "".join(parts)

    def _repeated(self) -> str:
        """Something of the request, as it may be written somewhere else."""
        asked, rng = self.asked, self.rng
        head, body = asked.head.decode("latin-1"), asked.call.body.decode()
        token = asked.call.authorization or KEY
        words = rng.choice(
            [KEY, SECRET, token, asked.token or SECRET, f"{KEY}:{SECRET}", head, body]
        )
        return self._written(self._written(words) if self._often(0.2) else words)

    def _written(self, words: str) -> str:
        ways: list[Callable[[str], str]] = [
            *(str, str, quote, quote_plus, escape),
            lambda text: quote(text, safe="").lower(),
            lambda text: "".join(f"%{ord(each) & 255:02X}" for each in text),
            lambda text: "".join(f"\\u{ord(each):04x}" for each in text),
            lambda text: json.dumps(text)[1:-1],
            lambda text: "".join(f"&#{ord(each)};" for each in text),
            lambda text: "".join(f"&#x{ord(each):x};" for each in text),
            lambda text: b64encode(text.encode()).decode(),
            lambda text: urlsafe_b64encode(text.encode()).decode().rstrip("="),
            lambda text: b64encode(f"{'u' * self.rng.randrange(3)}:{text}".encode()).decode(),
            lambda text: text.replace("/", "\\/"),
        ]
        return self.rng.choice(ways)(words)

    def _odd(self) -> Any:
        return self.rng.choice(ODD_VALUES)

    # -- Bodies

    def _as_bytes(self, document: Any) -> bytes:
        """JSON in one of the ways in which it can be written."""
        rng = self.rng
        text = _json(document, rng if self._often(0.2) else None)
        if self._often(0.2):
            blanks = rng.choice([" ", "\n\n", "\t", "\r\n", " " * 3000])
            text = f"{blanks}{text}{blanks}"
        encoding = rng.choice([*["utf-8"] * 6, "utf-8-sig", "utf-16", "utf-16-le", "utf-32-be"])
        return text.encode(encoding, "surrogatepass")

    def _html(self) -> bytes:
        text = f"<html><title>{self._text()}</title><!--{self._text()}--><p>{self._text()}</html>"
        if self._often(0.3):
            text = f'<meta http-equiv="refresh" content="0; url=http://127.0.0.1:1/?{KEY}">{text}'
        return text.encode(self.rng.choice(["utf-8", "utf-16"]), "surrogatepass")

    def _noise(self) -> bytes:
        return self.rng.randbytes(self.rng.choice([0, 1, 50, 5000, 100_000]))

    def _scalar(self) -> bytes:
        return _json(self.rng.choice([self._odd, self._text])()).encode("utf-8", "surrogatepass")

    def _deep(self) -> bytes:
        start, end = self.rng.choice([("[", "]"), ('{"x":', "}"), ('{"error":[', "]}")])
        depth = self.rng.choice([500, 5_000, 100_000])
        return (
            start * depth + self.rng.choice(["1", ""]) + end * self.rng.choice([depth, 0])
        ).encode()

    def _wide(self) -> bytes:
        """Few bytes of which JSON makes many objects."""
        what = self.rng.choice(["[],", "{},", "1,", '"",', "[[[]]],"])
        inside = what * self.rng.choice([1_000, 300_000]) + "0"
        form = self.rng.choice(["[%s]", '{"x":[%s]}', '{"error":{"code":[%s]}}'])
        return (form % inside).encode()

    def _cut(self) -> bytes:
        body = self.honest.body
        return body[: self.rng.randrange(len(body))]

    def _echo(self) -> bytes:
        """Give back the request itself."""
        whole = self.asked.head + self.asked.call.body
        start = self.rng.choice(
            [b"", b"x" * max(0, self.rng.choice(CUTS) - self.rng.randrange(900))]
        )
        whole += SECRET.encode() + b" " + KEY.encode()
        return start + self.rng.choice([whole, b64encode(whole), whole.decode().encode("utf-16")])

    def _coded(self, body: bytes) -> Layer:
        """Compress the body, well or badly."""
        if self._often(0.6):
            return body, []
        rng = self.rng
        encoding, packed = rng.choice(
            [
                ("gzip", gzip.compress(body, 1)),
                ("gzip, gzip", gzip.compress(gzip.compress(body))),
                ("deflate", zlib.compress(body, 0)),
                ("deflate", zlib.compress(body)[2:-4]),
                ("gzip", self._damaged(gzip.compress(body, rng.choice([0, 9])))),
                (rng.choice(["gzip", "gzip, gzip"]), self._bomb()),
                (rng.choice((*CODINGS, self._text())), body),
            ]
        )
        self.told.append(encoding[:40])
        return packed, [f"Content-Encoding: {encoding}"]

    def _damaged(self, packed: bytes) -> bytes:
        """Turn a bit over, and perhaps cut the rest off."""
        damaged = bytearray(packed)
        damaged[self.rng.randrange(len(packed))] ^= 1 << self.rng.randrange(8)
        return bytes(damaged[: self.rng.choice([len(packed), self.rng.randrange(len(packed))])])

    def _bomb(self) -> bytes:
        return BOMBS[self.rng.randrange(len(BOMBS))] * self.rng.choice([1, 3])

    # -- Headers

    def _headers(self) -> list[str]:
        rng = self.rng
        headers = [f"Content-Type: {rng.choice(TYPES)}"] if self._often(0.7) else []
        headers += rng.sample(ODD_HEADERS, rng.choice([0, 0, 1, 2, 4]))
        if self._often(0.3):
            name = rng.choice(["X-Echo", "Location", "Date", "X-Tt-Logid", "Retry-After", "Via"])
            headers.append(f"{name}: {self._text()}")
        if self._often(0.1):
            headers.append(f"{self._text()}: {self._text()}")
        if self._often(0.1):
            headers.append(f"Location: http://example.org:1/{self._text()}?{self._repeated()}")
        self.told.append([each[:40] for each in headers])
        return headers

    def _sent(self, status: int, body: bytes, headers: list[str]) -> Steps:
        line = f"HTTP/1.1 {status} {self.rng.choice(['OK', '', self._text()])}".replace("\n", " ")
        if self._often(0.08):
            line = self.rng.choice(STATUS_LINES)
        framed, headers = self._framed(body, headers)
        head = "\r\n".join([line, *headers, "", ""]).encode("utf-8", "surrogatepass")
        if self._often(0.05):
            head = head.replace(b"\r\n", self.rng.choice([b"\n", b"\r", b"\r\n\r\n"]))
        before = self.rng.choice(BEFORE) if self._often(0.08) else b""
        self.told.append([before[:30], line[:60]])
        return self._delivered(before + head + framed)

    def _framed(self, body: bytes, headers: list[str]) -> Layer:
        """Say, truly or not, how long the body is."""
        rng, length = self.rng, len(body)
        kind = rng.choice(["right"] * 5 + ["none", "chunks", "chunks", "bad chunks", "wrong"])
        self.told.append(kind)
        if kind == "right":
            return body, [*headers, f"Content-Length: {length}"]
        if kind == "none":
            return body, headers
        if kind == "wrong":
            odd = (
                "-1",
                "x",
                "1e3",
                "",
                "0x10",
                "9" * 400,
                "+5",
                f"{length}, {length}",
                "\u0661",
                "1 1",
            )
            lengths = [length + 7, max(0, length - 7), 2**40, 2**63, *odd]
            says = [f"Content-Length: {rng.choice(lengths)}" for _ in range(rng.choice([1, 1, 2]))]
            return body, [*headers, *says]
        sizes = ["zz", "-5", "", "FFFFFFFFFFFFFFFFFF", "5;" + "e" * 9000, "0x5", self._text()]
        bad = rng.choice(sizes) if kind == "bad chunks" else None
        also = [f"Content-Length: {length}"] if self._often(0.1) else []
        return self._chunks(body, bad), [*headers, "Transfer-Encoding: chunked", *also]

    def _chunks(self, body: bytes, bad: str | None) -> bytes:
        rng, sent, place = self.rng, bytearray(), 0
        while place < len(body):
            size = min(rng.choice([1, 7, 1000, 70_000]), len(body) - place)
            extension = rng.choice(["", "", ";a=b"])
            sent += f"{size:x}{extension}\r\n".encode() + body[place : place + size] + b"\r\n"
            place += size
            if bad is not None and self._often(0.3):
                return bytes(sent) + f"{bad}\r\nabcde\r\n".encode("utf-8", "surrogatepass")
        end = (
            b"0\r\n\r\n"
            if bad is None
            else rng.choice([b"", b"0\r\n", b"0\r\nA: b\r\n\r\n", b"0\r\n" * 9])
        )
        return bytes(sent) + end

    def _delivered(self, sent: bytes) -> Steps:
        rng = self.rng
        place = rng.randrange(len(sent) + 1)
        way = rng.choice(["whole"] * 8 + ["cut", "reset", "hang", "drip", "drip", "after"])
        self.told.append(way)
        match way:
            case "cut":
                return [sent[:place], CLOSE]
            case "reset":
                return [sent[:place], RESET]
            case "hang":
                return [sent[:place], 1.5, CLOSE]
            case "drip":
                size = max(1, len(sent) // rng.choice([2, 8, 30]))
                pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
                return [*(each for piece in pieces[:40] for each in (piece, 0.004)), CLOSE]
            case "after":
                return [
                    sent,
                    b"HTTP/1.1 500 Smuggled\r\n\r\n" + self._text().encode("utf-8", "replace"),
                    CLOSE,
                ]
        return [sent, CLOSE]


def _places(document: Any) -> Any:
    """Yield each holder of a value in a document, with the key or index that it has there."""
    members = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, value in list(members):
        yield document, key
        yield from _places(value)


def _json(value: Any, rng: Random | None = None) -> str:
    """JSON with what is `Raw` as it is, and, by chance, with escapes that nobody needs."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        members = (f"{_json(str(key), rng)}:{_json(each, rng)}" for key, each in value.items())
        return f"{{{','.join(members)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(_json(each, rng) for each in value)}]"
    if isinstance(value, str) and rng:
        return '"' + "".join(map("\\u{:04X}".format, _units(value))) + '"'
    # What is half a pair stays an escape, or becomes bytes that are no UTF-8.
    return json.dumps(value, ensure_ascii=bool(rng))


def _units(text: str) -> list[int]:
    encoded = text.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(encoded[at : at + 2]) for at in range(0, len(encoded), 2)]
