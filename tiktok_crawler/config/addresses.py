"""The address of the API, and the addresses that the token may be sent to."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.research_api.endpoints import DEFAULT_URL

API_URL = re.compile(r"https?://(\[[0-9a-fA-F:.]+\]|[^@/?#:\[\]]+)(:\d+)?(/[^@?#]*)?")


def check_api_url(written: str) -> str:
    """The base URL of the API, without a slash at its end.

    Raises:
        ConfigurationError: it is not https, and not on this machine either.
    """
    url = written.rstrip("/")
    if not API_URL.fullmatch(url) or not _host(url) or _port(url) is None:
        # Not quoted: it may hold a password.
        raise ConfigurationError(f"TIKTOK_API_URL is not a URL such as {DEFAULT_URL}")
    if not url.startswith("https:") and not is_loopback(url):
        raise ConfigurationError(
            f"TIKTOK_API_URL={url} would send the access token unencrypted: use https"
        )
    return url


def check_sandbox_url(written: str) -> str:
    """Check the URL of a sandbox that is served already.

    Raises:
        ConfigurationError: the URL does not lead to this machine.
    """
    if not is_loopback(written):
        raise ConfigurationError(
            f"TIKTOK_SANDBOX_URL={written} is not on this machine, where `scrapy sandbox` serves "
            "it: a URL such as http://127.0.0.1:8890"
        )
    return written.rstrip("/")


def is_loopback(url: str) -> bool:
    host = _host(url)
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Return a URL's scheme, host and port: two of the same origin lead to the same server."""
    scheme = urlsplit(url).scheme
    return scheme, _host(url), _port(url) or {"http": 80, "https": 443}.get(scheme)


def _host(url: str) -> str:
    """The host that a URL leads to; empty if it is no URL."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _port(url: str) -> int | None:
    """The port that a URL names, 0 without one; None if there is no such port."""
    try:
        return urlsplit(url).port or 0
    except ValueError:
        return None
