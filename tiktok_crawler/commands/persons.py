"""The options by which commands put pseudonyms in the place of names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import UsageError
from tiktok_crawler.output import tell
from tiktok_crawler.spelling import named

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from tiktok_crawler.dataset.pseudonyms import Pseudonyms

KEY_FILE = "pseudonyms.key"


def add_options(add: Callable[..., object]) -> None:
    add("--pseudonyms", action="store_true", help="pseudonyms for names, and no addresses")
    add("--key-file", metavar="FILE", help=f"of the pseudonyms; default: {KEY_FILE}")


def pseudonyms_of(opts: argparse.Namespace) -> Pseudonyms | None:
    """Return the pseudonyms of a key file, which is made if it is not there; None: none are wanted.

    Raises:
        UsageError: a key file is named for nothing.
        ConfigurationError: it cannot be used.
    """
    if not opts.pseudonyms:
        if opts.key_file:
            raise UsageError("--key-file goes with --pseudonyms")
        return None
    from tiktok_crawler.dataset.pseudonyms import Pseudonyms, key_file  # noqa: PLC0415 - not always

    path = Path(opts.key_file or KEY_FILE).expanduser().absolute()
    is_new = not path.exists()
    pseudonyms = Pseudonyms(key_file(path))
    if is_new:
        tell(f"A new key was made: {named(path)}. Keep it: another key makes other pseudonyms")
    return pseudonyms
