"""Says which extra brings libraries that are not installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.spelling import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def require_installed(what: str, extra: str, libraries: Iterable[str]) -> None:
    """Refuse to begin without the libraries of an extra.

    Raises:
        ConfigurationError: with the command that installs them.
    """
    if missing := [name for name in libraries if find_spec(name) is None]:
        raise not_installed(what, missing, extra)


def not_installed(what: str, missing: Sequence[str], *extras: str) -> ConfigurationError:
    """Say what needs which libraries, and the command that installs them: any of the extras."""
    ways = listed([f"'tiktok-crawler[{extra}]'" for extra in extras])
    return ConfigurationError(
        f"{what} needs what is not installed ({', '.join(missing)}): pip install {ways}"
    )
