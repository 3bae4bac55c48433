"""Makes names and numbers in the place of persons' own: with a key always the same ones.

Who has the key can find out whose they are. It stands in a file that is made once.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import stat
from base64 import b32encode
from hashlib import blake2b
from typing import TYPE_CHECKING

from tiktok_crawler import own_files
from tiktok_crawler.exceptions import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES = 32
KEY = re.compile(rb"[0-9a-f]{%d}\n?" % (2 * KEY_BYTES))
FILE_BYTES = 4_096
"""So much of a file is read: more than a key has."""

NAME_BYTES = 8
KEPT = 50_000
"""So many of what was made last are kept: names come again, and ids in several tables."""

UPPER, LOWER = 2**32 - 1, 2**31 - 1
"""An id has 63 bits: the two parts of it that are mixed with each other."""

ROUNDS = 6
TURKISH = str.maketrans(
    "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}\N{LATIN SMALL LETTER DOTLESS I}", "ii"
)


class Pseudonyms:
    """What a key makes of names and of ids.

    No two ids become the same number. Two names become the same pseudonym with a probability that
    is below 1:1,000,000 among 8 million names.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        mixing = hmac.digest(key, b"record ids", "sha256")
        self._mixing = blake2b(key=mixing, digest_size=4)
        self._names: dict[tuple[str, str], str] = {}
        self._ids: dict[int, int] = {}

    def name(self, username: str) -> str:
        """Return what stands for a username, whatever its capitals; nothing stands for none."""
        return self._pseudonym("user", username.lstrip("@"))

    def shown_name(self, name: str) -> str:
        """Return what stands for a name that is shown."""
        return self._pseudonym("name", name.strip())

    def record_id(self, id_: int) -> int:
        """Return what stands for the id of a record: one of 64 bits, with the same sign."""
        if id_ not in self._ids:
            if len(self._ids) >= KEPT:
                self._ids.clear()
            self._ids[id_] = self._mixed_id(id_)
        return self._ids[id_]

    def _mixed_id(self, id_: int) -> int:
        if id_ < 0:
            return ~self._mixed_id(~id_)
        upper, lower = id_ >> 31, id_ & LOWER
        for number in range(0, ROUNDS, 2):
            upper ^= self._mixed(number, lower) & UPPER
            lower ^= self._mixed(number + 1, upper) & LOWER
        return upper << 31 | lower

    def _mixed(self, number: int, part: int) -> int:
        mixing = self._mixing.copy()
        mixing.update(bytes((number,)) + part.to_bytes(4, "big"))
        return int.from_bytes(mixing.digest(), "big")

    def _pseudonym(self, kind: str, name: str) -> str:
        if not name:
            return name
        if (kind, name) not in self._names:
            if len(self._names) >= KEPT:
                self._names.clear()
            self._names[kind, name] = self._made(kind, folded(name))
        return self._names[kind, name]

    def _made(self, kind: str, name: str) -> str:
        digest = hmac.digest(self._key, f"{kind} {name}".encode(), "sha256")
        letters = b32encode(digest[:NAME_BYTES]).decode().rstrip("=").lower()
        return f"{kind}_{letters}"


def folded(name: str) -> str:
    """Return a name without its capitals, those of Turkish included."""
    return name.casefold() if name.isascii() else name.translate(TURKISH).casefold()


def key_file(path: Path) -> bytes:
    """Return the key in a file; if there is none, make it, for its owner alone.

    Raises:
        ConfigurationError: it cannot be made or read, others can read it, or it has no key.
    """
    try:
        if not os.path.lexists(path):
            _make(path)
        return _read(path)
    except OSError as exc:
        raise ConfigurationError(
            f"the file {path} with the key of the pseudonyms cannot be used: {exc.strerror}"
        ) from None


def _make(path: Path) -> None:
    with os.fdopen(own_files.make(path), "wb") as file:
        try:
            file.write(secrets.token_hex(KEY_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        except BaseException:
            path.unlink()
            raise


def _read(path: Path) -> bytes:
    with os.fdopen(own_files.open_existing(path), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        content = file.read(FILE_BYTES)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(
            f"the file {path} with the key of the pseudonyms is open to others (mode "
            f"{stat.filemode(mode)}), who can find out with it whose they are: if nobody has read "
            f"it, type chmod 600 {path}; otherwise name another file, which gives other pseudonyms"
        )
    if not KEY.fullmatch(content):
        raise ConfigurationError(
            f"the file {path} has no key of pseudonyms, which is {2 * KEY_BYTES} characters from 0 "
            "to 9 and a to f: name another file; one that there is not yet is made"
        )
    return bytes.fromhex(content.decode())
