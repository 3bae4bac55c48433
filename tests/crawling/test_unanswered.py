"""What keeps a crawl from the API is told at once, in words, with what to do."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta
from os import EX_OK, EX_TEMPFAIL

import pytest
from crawling import CrawlFolder, exit_status
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from processes import scrapy
from scrapy.utils.defer import deferred_f_from_coro_f
from scripted_api import ScriptedApi, page, serving

from tiktok_crawler.clock import utc_now
from tiktok_crawler.crawling import download_handler

AT_ONCE = {"TIKTOK_RETRY_TIMES": 0}
API = "https://open.tiktokapis.com"


class Authority:
    """An authority that no machine knows, with its file for those who trust it."""

    def __init__(self, folder):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = _name("The University's Authority")
        self.file = folder / "authority.pem"
        self.file.write_bytes(_pem(self._sign(self.subject, self.key, days=9)))

    def server(self, name: str, days: int = 9) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        file = self.folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + _pem(self._sign(_name(name), key, name, days=days))
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _sign(self, subject, key, *hosts: str, days: int) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(utc_now() - timedelta(days=99))
            .not_valid_after(utc_now() + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=not hosts, path_length=None), critical=True)
        )
        if hosts:
            names = x509.SubjectAlternativeName(map(x509.DNSName, hosts))
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def authority(tmp_path, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    return Authority(tmp_path)


@asynccontextmanager
async def listening(answer: bytes | None = b"", **options):
    """A server that answers whatever it is asked with the same, or keeps quiet."""

    async def handle(reader, writer):
        await reader.read(1)
        if answer is None:
            await asyncio.sleep(30)
        writer.write(answer or b"")
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, **options)
    try:
        yield f"localhost:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def messages(caplog, level: str = "WARNING") -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == level]


def told(caplog) -> str:
    """What was said while nothing answered: once, and without a traceback."""
    [message] = messages(caplog)
    assert "Traceback" not in caplog.text
    return message.removeprefix("No answer yet: ")


async def closed_port() -> str:
    async with listening() as place:
        return place


@deferred_f_from_coro_f
async def test_a_place_where_nothing_listens_is_told_once(folder, caplog):
    place = await closed_port()
    crawler = await folder.crawl(f"https://{place}", {"TIKTOK_RETRY_TIMES": 2})
    assert told(caplog).startswith(f"{place} refuses the connection. ")
    assert f"TikTok gives no access token: {place} refuses" in messages(caplog, "ERROR")[0]
    assert exit_status(crawler) == EX_TEMPFAIL


@deferred_f_from_coro_f
async def test_a_name_that_nobody_knows_is_told(folder, caplog):
    await folder.crawl("https://api.invalid", AT_ONCE)
    assert told(caplog).startswith(
        "api.invalid is not found by its name. Is this machine connected to the network? "
    )
    assert "https_proxy" in caplog.text


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_silence_is_told_before_it_is_a_timeout(folder, caplog, monkeypatch):
    monkeypatch.setattr(download_handler, "SILENCE_SECONDS", 0.2)
    async with listening(None) as place:
        await folder.crawl(f"https://{place}", AT_ONCE | {"DOWNLOAD_TIMEOUT": 1})
    waiting, timeout = messages(caplog)
    assert f"{place} has not answered for 0 s" in waiting
    assert f"{place} did not answer in time" in timeout


def test_silence_is_told_within_ten_seconds():
    assert download_handler.SILENCE_SECONDS + download_handler.LOOK_SECONDS < 10


@pytest.mark.slow
@deferred_f_from_coro_f
async def test_what_comes_back_after_an_answer_is_told_again(folder, caplog):
    async def keep_quiet(_body):
        await asyncio.sleep(1)

    answers = [keep_quiet, keep_quiet, page(1), keep_quiet, page(2)]
    async with serving(ScriptedApi(*answers)) as api:
        await folder.crawl(api.url, {"DOWNLOAD_TIMEOUT": 0.5}, end_date="2024-02-09")
    assert [message.count("did not answer in time") for message in messages(caplog)] == [1, 1]


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        (("localhost", 9), "it is of an authority that this machine does not know"),
        (("localhost", 9), "SSL_CERT_FILE=FILE.pem"),
        (("localhost", -1), "or it has expired"),
        (("api.example.org", 9), "it is that of another host"),
    ],
)
@deferred_f_from_coro_f
async def test_a_certificate_that_cannot_be_verified_is_told(
    folder, caplog, authority, certificate, words
):
    async with listening(ssl=authority.server(*certificate)) as place:
        await folder.crawl(f"https://{place}", AT_ONCE)
    said = told(caplog)
    assert said.startswith(f"the certificate of {place} cannot be verified: it ")
    assert words in said


@deferred_f_from_coro_f
async def test_what_answers_unencrypted_is_told(folder, caplog):
    async with listening(b"HTTP/1.1 200 OK\r\n\r\n<html>Log in</html>") as place:
        await folder.crawl(f"https://{place}", AT_ONCE)
    assert told(caplog).startswith(f"what answers as {place} does not encrypt as it should. ")


@deferred_f_from_coro_f
async def test_an_authority_in_ssl_cert_file_is_trusted(folder, caplog, authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    async with serving(ScriptedApi(page(1)), authority.server("localhost")) as api:
        crawler = await folder.crawl(api.url)
    assert messages(caplog) == []
    assert exit_status(crawler) == EX_OK


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file or directory (docs/configuration.md)"),
        (b"0\x82\x03\x21", "has no certificate in PEM form; of one in DER form `openssl x509 "),
        (b"-----BEGIN CERTIFICATE-----\n", "That authority is not in SSL_CERT_FILE="),
    ],
)
@deferred_f_from_coro_f
async def test_an_ssl_cert_file_that_does_not_help_is_told(
    folder, caplog, monkeypatch, content, words
):
    authority, file = Authority(folder.path), folder.path / "named.pem"
    if content:
        file.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with listening(ssl=authority.server("localhost")) as place:
        await folder.crawl(f"https://{place}", AT_ONCE)
    assert words in told(caplog)


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        (("", b"HTTP/1.1 407 Login\r\n\r\n"), "{} asks for a login (HTTP 407). Put it into "),
        (("ann:pw-of-ann@", b"HTTP/1.1 407 No\r\n\r\n"), "{} refuses the login (HTTP 407). "),
        (
            ("", b"HTTP/1.1 403 No\r\n\r\n"),
            "{} does not let requests to open.tiktokapis.com through",
        ),
        (("", b"220 mail.example.org\r\n\r\n"), "what answers at {} is no HTTP proxy. "),
    ],
)
@deferred_f_from_coro_f
async def test_a_proxy_that_lets_nothing_through_is_told(folder, caplog, monkeypatch, proxy, words):
    login, answer = proxy
    async with listening(answer) as place:
        monkeypatch.setenv("https_proxy", f"http://{login}{place}")
        await folder.crawl(API, AT_ONCE)
    assert words.format(f"the proxy {place}") in told(caplog)
    assert "pw-of-ann" not in caplog.text


@deferred_f_from_coro_f
async def test_a_proxy_that_does_not_run_is_told(folder, caplog, monkeypatch):
    place = await closed_port()
    monkeypatch.setenv("https_proxy", f"http://{place}")
    await folder.crawl(API, AT_ONCE)
    assert told(caplog).startswith(f"the proxy {place} refuses the connection. ")


@pytest.mark.parametrize(
    "proxy", ["https://localhost:1", "socks5://ann:pw-of-ann@localhost:1", "localhost:1"]
)
@deferred_f_from_coro_f
async def test_a_proxy_of_another_kind_is_told(folder, caplog, monkeypatch, proxy):
    monkeypatch.setenv("https_proxy", proxy)
    await folder.crawl(API, AT_ONCE)
    assert told(caplog).startswith("a proxy of this kind is not supported: ")
    assert "pw-of-ann" not in caplog.text


def test_on_the_command_line_nothing_else_is_printed_about_it(tmp_path):
    folder = CrawlFolder(tmp_path)
    settings = ("-s", "TIKTOK_API_URL=https://api.invalid", "-s", "TIKTOK_RETRY_TIMES=0")
    run = scrapy(tmp_path, "crawl", "videos", "-a", f"query={folder.query_file}", *settings)
    assert run.returncode == EX_TEMPFAIL
    assert run.stderr.count("is not found by its name") == 2
    assert "Traceback" not in run.stderr
