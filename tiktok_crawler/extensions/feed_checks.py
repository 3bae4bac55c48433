"""What is wrong with the feeds that a crawl is to write, found before its first request."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import contextmanager
from ftplib import FTP, FTP_TLS
from importlib import import_module
from io import BytesIO
from pathlib import Path
from ssl import create_default_context
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scrapy.exceptions import NotConfigured
from scrapy.exporters import CsvItemExporter, JsonItemExporter, XmlItemExporter
from scrapy.extensions.feedexport import (
    BlockingFeedStorage,
    FileFeedStorage,
    FTPFeedStorage,
    GCSFeedStorage,
)
from scrapy.extensions.postprocessing import PostProcessingManager

from tiktok_crawler.crawling.hiding import LOGIN, without_login
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.exporters import CsvRecordExporter
from tiktok_crawler.own_files import check_link
from tiktok_crawler.spelling import did_you_mean, named, nearest, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from scrapy import Item, Spider
    from scrapy.exporters import BaseItemExporter
    from scrapy.extensions.feedexport import FeedSlot
    from scrapy.settings import BaseSettings

TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "batch_item_count": ((int,), "a whole number"),
    "encoding": ((str,), "the name of an encoding, such as utf-8"),
    "fields": ((list, tuple, Mapping), "a list of columns"),
    "format": ((str,), "the name of a format, such as csv"),
    "indent": ((int,), "a whole number"),
    "item_classes": ((list, tuple), "a list of classes"),
    "item_export_kwargs": ((Mapping,), "a dictionary of arguments of the exporter"),
    "item_filter": ((str, type), "a class"),
    "overwrite": ((bool,), "True or False"),
    "postprocessing": ((list, tuple), "a list of classes"),
    "store_empty": ((bool,), "True or False"),
    "uri_params": ((str, object), "a function"),
}
"""Scrapy's options of a feed; storages and plugins may have others."""

LIBRARIES = {"gs": "google-cloud-storage", "s3": "boto3"}
FTP_SECONDS = 10
ALIKE = 0.8
EXAMPLE = "{'videos.csv': {'format': 'csv'}}"
BATCH = re.compile(r"%\(batch_time\)s|%\(batch_id\)")
LETTERS = "ü بـ バ 🧈"


@contextmanager
def refused(feed: str = "") -> Iterator[None]:
    """Say of which feed Scrapy, an exporter or a storage cannot make anything, and why.

    Raises:
        ConfigurationError: anything was raised.
    """
    shown = f"feed {without_login(feed)}" if feed else "the settings of feeds (FEED...)"
    try:
        yield
    except ConfigurationError as exc:
        raise ConfigurationError(f"{shown}: {exc}") from None
    except Exception as exc:  # noqa: BLE001 - components of any origin; nothing has begun yet
        reason = _without_login_of(feed, f"{type(exc).__name__}: {exc}")
        raise ConfigurationError(f"{shown}: {reason}") from None


def _without_login_of(uri: str, text: str) -> str:
    login = LOGIN.search(uri)
    secrets = re.split(r"[:@]", login.group().lstrip("/")) if login else []
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text


def check_setting(settings: BaseSettings) -> None:
    """Check what Scrapy takes for granted of the settings of feeds.

    Raises:
        ConfigurationError: naming the setting, or the feed and its option.
    """
    for uri, options in settings.getdict("FEEDS").items():
        with refused(str(uri)):
            _check_options(options)


def _check_options(options: object) -> None:
    if not isinstance(options, Mapping):
        raise ConfigurationError(f"expected its options, as in FEEDS = {EXAMPLE}")
    for name, value in options.items():
        if name not in TYPES and (similar := nearest(str(name), TYPES, similarity=ALIKE)):
            raise ConfigurationError(
                f"there is no option {quoted(str(name))}{did_you_mean(similar)}"
            )
        types, expected = TYPES.get(name, ((object,), ""))
        if value is not None and not isinstance(value, types):
            raise ConfigurationError(f"{name}: {quoted(str(value))} is not {expected}")


def check_address(uri: str, schemes: Collection[str]) -> None:
    """Check the address of a feed.

    Raises:
        ConfigurationError: nothing can be stored there.
    """
    parts = urlsplit(uri)
    if parts.scheme not in schemes:
        names = ", ".join(f"{scheme}://" for scheme in sorted(filter(None, schemes)))
        raise ConfigurationError(
            f"nothing is known that stores at {parts.scheme}://; a path, or one of {names}"
        )
    if parts.scheme in ("", "file", "stdout"):
        return
    try:
        is_usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or "@" in f"{parts.path}?{parts.query}#{parts.fragment}":
        raise ConfigurationError(
            f"that is no address such as {parts.scheme}://host/videos.csv; in user and password "
            "write / as %2F, ? as %3F, # as %23 and @ as %40"
        )


def check_format(options: Mapping[str, Any], formats: Collection[str]) -> None:
    """Check the format of a feed, and that batches have names of their own.

    Raises:
        ConfigurationError: there is no such format.
    """
    written = options["format"]
    if written not in formats:
        hint = did_you_mean(nearest(written or "", formats)) or "."
        problem = f"there is no format {quoted(written)}{hint}" if written else "it has no format."
        raise ConfigurationError(
            f"{problem} Formats: {', '.join(formats)}; as the end of the name (videos.csv), or "
            "behind it (-O videos:csv)"
        )


def guard(options: dict[str, Any], exporters: Mapping[str, type[BaseItemExporter]]) -> None:
    """Have a feed in CSV written so that a spreadsheet finds no formulas in it.

    Raises:
        ConfigurationError: it is written by a class that cannot do that.
    """
    kind = exporters[options["format"]]
    if issubclass(kind, CsvRecordExporter):
        options["item_export_kwargs"] = {**options["item_export_kwargs"], "is_guarded": True}
    elif issubclass(kind, CsvItemExporter):
        raise ConfigurationError(
            f"TIKTOK_CSV_GUARD does not hold for {kind.__module__}.{kind.__name__}, which writes "
            f"{options['format']} (FEED_EXPORTERS): use tiktok_crawler.exporters."
            "CsvRecordExporter, or a class that is derived from it"
        )


def check_batches(template: str, options: Mapping[str, Any]) -> None:
    """Check that each batch of a feed has a file of its own.

    Raises:
        ConfigurationError: the next batch would go into the file of the one before.
    """
    if options["batch_item_count"] and not BATCH.search(template):
        path = Path(template)
        raise ConfigurationError(
            "each batch (FEED_EXPORT_BATCH_ITEM_COUNT) needs a name of its own: put %(batch_id)d "
            f"or %(batch_time)s into it, such as {path.stem}-%(batch_id)d{path.suffix}"
        )


def check_columns(chosen: object, columns: Collection[str]) -> None:
    """Check the names of the columns that were chosen, if any were.

    Raises:
        ConfigurationError: there is no such column.
    """
    for name in chosen if isinstance(chosen, (list, tuple, Mapping)) else ():
        if name not in columns:
            hint = did_you_mean(nearest(str(name), columns)) or "."
            raise ConfigurationError(
                f"there is no column {quoted(str(name))}{hint} "
                f"FEED_EXPORT_FIELDS can have: {', '.join(columns)}"
            )


@contextmanager
def library_needed(uri: str) -> Iterator[None]:
    """Say which library a storage lacks.

    Raises:
        ConfigurationError: a library is not installed.
    """
    try:
        yield
    except (ImportError, NotConfigured) as exc:
        scheme = urlsplit(uri).scheme
        library = LIBRARIES.get(scheme)
        way = f": pip install {library}" if library else ""
        raise ConfigurationError(f"{scheme}:// lacks a library ({exc}){way}") from None


def check_storage(storage: object, spider: Spider) -> None:
    """Check that a storage has the library, the folder and the login that it needs.

    Raises:
        Exception: whatever the storage, or a server, has to say.
    """
    if isinstance(storage, GCSFeedStorage):
        import_module("google.cloud.storage")
    if isinstance(storage, BlockingFeedStorage):
        storage.open(spider).close()
    if isinstance(storage, FTPFeedStorage):
        with FTP_TLS(context=create_default_context()) if storage.tls else FTP() as ftp:  # noqa: S321 - as the user chose
            ftp.connect(storage.host, storage.port, timeout=FTP_SECONDS)
            ftp.login(storage.username, storage.password)


def check_place(path: Path) -> None:
    """Check that a file can be written, and leave it as it is.

    Raises:
        ConfigurationError: it cannot.
    """
    try:
        if path.is_file() or path.is_dir():
            path.open("ab").close()
        elif not path.exists():
            check_link(path)
            _check_new(path)
        elif not os.access(path, os.W_OK):  # a device, or a pipe, which would wait for a reader
            raise ConfigurationError(f"{named(path)} cannot be written")
    except OSError as exc:
        raise ConfigurationError(f"{named(path)} cannot be written: {exc.strerror}") from None


def _check_new(path: Path) -> None:
    """A file that does not exist, in a folder that Scrapy makes if it has to."""
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("xb").close()
        path.unlink()
    finally:
        for folder in filter(Path.exists, made):
            folder.rmdir()


class _Trial:
    """A storage whose file is nowhere."""

    def __init__(self) -> None:
        self.file = BytesIO()

    def open(self, spider: Spider) -> IO[bytes]:  # noqa: ARG002 - Scrapy's signature
        return self.file

    def store(self, file: IO[bytes]) -> None:
        """Nothing is kept."""


def written_by(slot: FeedSlot, item_class: type[Item]) -> bytes:
    """Write an item into a feed of the same options that is nowhere; what is in it then.

    Raises:
        ConfigurationError: the encoding lacks letters.
        Exception: whatever the exporter raises.
    """
    trial = _Trial()
    slot.storage = trial
    try:
        slot.start_exporting()
        assert slot.exporter
        slot.exporter.export_item(item_class(dict.fromkeys(item_class.fields, LETTERS)))
        slot.finish_exporting()
        file: object = slot.file
        if isinstance(file, PostProcessingManager):
            file.close()
    except UnicodeEncodeError:
        raise ConfigurationError(
            f"{slot.feed_options['encoding']} (FEED_EXPORT_ENCODING) lacks letters that occur: "
            "use utf-8"
        ) from None
    return trial.file.getvalue()


def check_addition(slot: FeedSlot, path: Path, trial: bytes) -> None:
    """Check that a feed can be added to; `trial` is what a new one looks like.

    Raises:
        ConfigurationError: it would be no feed of its format any more.
    """
    kind: type[BaseItemExporter] = slot.exporters[slot.format]
    lines = path.with_suffix(".jsonl").name
    ways = f"choose another name, or replace it (-O {named(path.name)})"
    options = slot.feed_options
    is_table = issubclass(kind, CsvItemExporter)
    if issubclass(kind, (JsonItemExporter, XmlItemExporter)) or (
        is_table and options.get("postprocessing")
    ):
        raise ConfigurationError(
            f"{named(path.name)} exists, and such a feed ({slot.format}) cannot be added to. Write "
            f"JSON lines, which can (-o {lines}), {ways}"
        )
    if not (is_table and options["item_export_kwargs"].get("include_headers_line", True)):
        return
    with path.open("rb") as file:
        header = file.readline().rstrip(b"\r\n")
    if header != trial.partition(b"\n")[0].rstrip(b"\r"):
        raise ConfigurationError(
            f"{named(path.name)} exists, and its columns are not those that this run writes: "
            f"choose these with FEED_EXPORT_FIELDS, {ways}"
        )


def local_path(storage: object) -> Path | None:
    """The file of a storage on this machine."""
    return Path(storage.path) if isinstance(storage, FileFeedStorage) else None
