"""The files of a journal: when there is a new one, and what a failure leaves behind."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from datetime import date

import pytest

from tiktok_crawler.archive.writer import GZIP, JournalWriter
from tiktok_crawler.exceptions import ArchiveError, ConfigurationError

DAY, NEXT = date(2024, 6, 1), date(2024, 6, 2)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "archive"


@pytest.fixture
def writer(folder):
    writer = JournalWriter(folder, "j")
    writer.open(DAY, b"start\n")
    yield writer
    writer.close()


def readable(path):
    """Return what can be read of a file that is not at its end."""
    return zlib.decompressobj(GZIP).decompress(path.read_bytes())


def test_each_line_can_be_read_at_once(writer, folder):
    path = folder / "2024-06-01_j.jsonl.gz"
    writer.append(b"one\n", synced=False)
    assert readable(path) == b"start\none\n"
    writer.append(b"two\n", synced=True)
    assert readable(path) == b"start\none\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_another_day_has_another_file(writer, folder):
    writer.append(b"one\n", synced=False)
    writer.turn_to(NEXT, b"again\n")
    writer.append(b"two\n", synced=True)
    writer.close()
    texts = {path.name: gzip.decompress(path.read_bytes()) for path in folder.glob("*.gz")}
    assert texts == {
        "2024-06-01_j.jsonl.gz": b"start\none\n",
        "2024-06-02_j.jsonl.gz": b"again\ntwo\n",
    }


def test_a_file_without_a_line_of_its_own_is_removed(writer, folder):
    writer.close()
    assert [path.name for path in folder.iterdir()] == [".gitignore"]


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").touch()
    writer = JournalWriter(tmp_path / "file", "j")
    with pytest.raises(ConfigurationError, match=r"TIKTOK_ARCHIVE=.*file: no archive"):
        writer.open(DAY, b"start\n")


def test_after_a_failure_nothing_more_is_taken(writer, folder):
    writer.append(b"one\n", synced=True)
    read_only = os.open(folder / "2024-06-01_j.jsonl.gz", os.O_RDONLY)
    kept = os.dup(writer._file._file.fileno())
    os.dup2(read_only, writer._file._file.fileno())
    with pytest.raises(ArchiveError, match="cannot be written: Bad file descriptor"):
        writer.append(b"two\n", synced=True)
    os.dup2(kept, writer._file._file.fileno())
    for descriptor in (read_only, kept):
        os.close(descriptor)
    with pytest.raises(ArchiveError):
        writer.append(b"three\n", synced=True)
    writer.close()
    assert readable(folder / "2024-06-01_j.jsonl.gz") == b"start\none\n"
