"""Says in words why a request got no answer, and what to do about it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from OpenSSL.SSL import Error as TlsError
from scrapy.core.downloader.handlers.http11 import TunnelError
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from service_identity import VerificationError
from twisted.internet.error import ConnectError

from tiktok_crawler.config.addresses import is_loopback
from tiktok_crawler.spelling import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scrapy import Request

IS_CONNECTED = "Is this machine connected to the network?"

IN_THE_WAY = (
    "Something stands in the way, such as the login page of a network, or a proxy: a browser shows "
    "what it is"
)

_PROXY_STATUS = re.compile(r"'status': (\d{3})")


class Trouble(NamedTuple):
    """What kept an answer away, and what the user can do."""

    fact: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.fact}. {self.advice}" if self.advice else self.fact


def why_unanswered(request: Request, exception: BaseException) -> Trouble:
    """Return the trouble that an exception of the download handler stands for."""
    for cause in _causes(exception):
        if isinstance(cause, VerificationError):
            return Trouble(
                f"the certificate of {_host(request)} cannot be verified: it is that of another "
                "host",
                IN_THE_WAY,
            )
        if isinstance(cause, TlsError):
            return _no_tls(request, cause)
    return _no_proxy(request, exception) or _no_connection(request, exception)


def still_waiting(request: Request, seconds: float) -> Trouble:
    """Return what is known of a request that nobody has answered for a while."""
    return Trouble(f"{_place(request)} has not answered for {seconds:.0f} s", _way_out(request))


def _no_connection(request: Request, exception: BaseException) -> Trouble:
    place, way_out = _place(request), _way_out(request)
    troubles = {
        CannotResolveHostError: Trouble(
            f"{place} is not found by its name", f"{IS_CONNECTED} {way_out}"
        ),
        DownloadConnectionRefusedError: Trouble(f"{place} refuses the connection", way_out),
        DownloadTimeoutError: Trouble(f"{place} did not answer in time", way_out),
        ConnectError: Trouble(f"there is no way to {place}", IS_CONNECTED),
        DownloadFailedError: Trouble(f"{place} broke the connection off"),
        ResponseDataLossError: Trouble("an answer that broke off"),
        DownloadCancelledError: Trouble("an answer that is larger than DOWNLOAD_MAXSIZE allows"),
    }
    found = (trouble for kind, trouble in troubles.items() if isinstance(exception, kind))
    return next(found, Trouble(f"no answer: {type(exception).__name__}"))


def _no_proxy(request: Request, exception: BaseException) -> Trouble | None:
    """Return what is wrong with the proxy itself; None if it is not to blame."""
    proxy = _proxy(request)
    if proxy and not proxy.startswith("http://"):
        return Trouble(
            f"a proxy of this kind is not supported: {proxy}",
            "The address in the environment variable https_proxy has to begin with http://",
        )
    if not isinstance(exception, TunnelError):
        return None
    found = _PROXY_STATUS.search(str(exception))
    if found is None:
        return Trouble(
            f"what answers at {_place(request)} is no HTTP proxy", "Is https_proxy right?"
        )
    if found[1] != "407":
        return Trouble(
            f"{_place(request)} does not let requests to {_host(request)} through "
            f"(HTTP {found[1]})",
            "Ask those who run it to; where it is not needed, set no_proxy="
            f"{urlsplit(request.url).hostname} in the environment",
        )
    fault = "refuses the login" if "Proxy-Authorization" in request.headers else "asks for a login"
    return Trouble(
        f"{_place(request)} {fault} (HTTP 407)",
        "Put it into the environment: https_proxy=http://USER:PASSWORD@HOST:PORT, with other "
        "characters than letters and digits percent-encoded",
    )


def _no_tls(request: Request, error: TlsError) -> Trouble:
    if "certificate verify failed" in str(error):
        return Trouble(
            f"the certificate of {_host(request)} cannot be verified: it is of an authority that "
            "this machine does not know, as where a network inspects what passes, or it has "
            "expired",
            f"{_trust()} (docs/configuration.md). Is the clock right?",
        )
    return Trouble(f"what answers as {_host(request)} does not encrypt as it should", IN_THE_WAY)


def _trust() -> str:
    """Say how an authority is trusted, or why the one that is named is not."""
    named = os.environ.get("SSL_CERT_FILE")
    if not named:
        return (
            "Ask your institution for the certificate file of its authority, and name it in the "
            "environment: SSL_CERT_FILE=FILE.pem"
        )
    try:
        content = Path(named).read_bytes()
    except OSError as exc:
        return f"SSL_CERT_FILE={shortened(named)} cannot be read: {exc.strerror}"
    if b"CERTIFICATE-----" in content:
        return (
            f"That authority is not in SSL_CERT_FILE={shortened(named)}: add its certificate to "
            "a copy of that file"
        )
    return (
        f"SSL_CERT_FILE={shortened(named)} has no certificate in PEM form; of one in DER form "
        "`openssl x509 -inform der -in FILE -out FILE.pem` makes it"
    )


def _way_out(request: Request) -> str:
    """Say what to look at where nothing answers."""
    if _proxy(request):
        return "Does the proxy run, and is https_proxy in the environment right?"
    if is_loopback(request.url):
        return "Does `scrapy sandbox` run, and is its address right?"
    return (
        "TIKTOK_API_URL may be wrong, the API slow, or a firewall in the way; where a proxy leads "
        "out, set https_proxy in the environment (docs/configuration.md)"
    )


def _causes(exception: BaseException) -> Iterator[BaseException]:
    """Yield the exception, and those that it wraps."""
    yield exception
    if exception.__cause__:
        yield from _causes(exception.__cause__)
    for failure in getattr(exception, "reasons", None) or ():
        yield from _causes(failure.value)


def _place(request: Request) -> str:
    """Return where a connection is opened to: the API's host, or a proxy."""
    proxy = _proxy(request)
    return f"the proxy {urlsplit(proxy).netloc}" if proxy else urlsplit(request.url).netloc


def _host(request: Request) -> str:
    return urlsplit(request.url).netloc


def _proxy(request: Request) -> str | None:
    """Return the proxy's address; Scrapy has taken the login out of it."""
    proxy: str | None = request.meta.get("proxy")
    return proxy
