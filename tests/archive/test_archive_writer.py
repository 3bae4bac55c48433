"""Archive files: safe line by line, one a day, their owner's alone."""

from __future__ import annotations

import gzip
import resource
import stat
import zlib

import pytest
from archived import NOON, answer_line, body, comments_line, run_line, stage_line

from tiktok_crawler.archive.lines import dump_line
from tiktok_crawler.archive.reader import Archives, find_archives
from tiktok_crawler.archive.writer import ArchiveWriter
from tiktok_crawler.exceptions import ArchiveError, ConfigurationError

DAY_SECONDS = 86400


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "of ann" / "archive"


@pytest.fixture
def writer(folder):
    writer = ArchiveWriter(folder)
    writer.open(NOON)
    writer.append(run_line())
    yield writer
    writer.close()


@pytest.mark.usefixtures("writer")
def test_files_are_their_owners_alone(folder):
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.name.startswith("2024-06-01_20240601T120000Z_")


def test_a_line_can_be_read_as_soon_as_it_is_written(writer, folder):
    (file,) = folder.iterdir()
    for second in range(1, 4):
        line = answer_line(second, body(second))
        writer.append(line)
        text = zlib.decompressobj(31).decompress(file.read_bytes())
        assert text.endswith(dump_line(line))


def test_a_file_that_is_closed_is_plain_gzip(writer, folder):
    writer.append(answer_line(1, body(1)))
    writer.close()
    (file,) = folder.iterdir()
    lines = dump_line(run_line()) + dump_line(answer_line(1, body(1)))
    assert gzip.decompress(file.read_bytes()) == lines


def test_each_day_has_its_file_which_says_what_the_crawl_is(writer, folder):
    midnight = DAY_SECONDS // 2
    for second in (midnight - 1, midnight, midnight - 1, midnight + DAY_SECONDS):
        writer.append(answer_line(second, body(1)))
    writer.close()
    files = sorted(folder.iterdir())
    assert [file.name[:10] for file in files] == ["2024-06-01", "2024-06-02", "2024-06-03"]
    times = [[line.at for line in Archives([file]).lines()] for file in files]
    seconds = [[(at - NOON).total_seconds() for at in of_file] for of_file in times]
    # The clock was set back once: the line keeps its place.
    assert seconds == [
        [0, midnight - 1],
        [midnight, midnight, midnight - 1],
        [midnight + DAY_SECONDS] * 2,
    ]
    assert next(Archives([files[2]]).lines()).run == run_line().run


def test_each_day_of_a_listing_has_its_file_which_has_the_seeds(folder):
    writer = ArchiveWriter(folder)
    writer.open(NOON)
    stage = stage_line("7", "8")
    for line in (stage, comments_line(DAY_SECONDS, 1)):
        writer.append(line)
    writer.close()
    head, _ = Archives([max(folder.iterdir())]).lines()
    assert (head.seeds, head.began_at) == (stage.seeds, NOON)


def test_two_crawls_never_share_a_file(folder):
    writers = [ArchiveWriter(folder) for _ in range(2)]
    for writer in writers:
        writer.open(NOON)
        writer.append(run_line())
        writer.close()
    assert len(find_archives([folder])) == 2


def test_a_crawl_without_a_line_leaves_no_file(folder):
    writer = ArchiveWriter(folder)
    writer.open(NOON)
    writer.close()
    writer.close()
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_a_file_is_named(tmp_path):
    (tmp_path / "archive").write_text("")
    with pytest.raises(ConfigurationError, match=r"TIKTOK_ARCHIVE=.*archive: no archive can be"):
        ArchiveWriter(tmp_path / "archive").open(NOON)


def test_after_a_full_disk_nothing_more_is_taken_and_all_before_can_be_read(folder):
    writer = ArchiveWriter(folder)
    writer.open(NOON)
    writer.append(run_line())
    (file,) = folder.iterdir()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 10, limits[1]))
    try:
        with pytest.raises(ArchiveError, match="cannot be written"):
            writer.append(answer_line(1, body(1)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    with pytest.raises(ArchiveError):
        writer.append(answer_line(2, body(2)))
    writer.close()
    archives = Archives([file])
    assert list(archives.lines()) == [run_line()]
    assert archives.torn == [file]
    assert archives.damages == []


def test_lines_take_about_as_much_room_as_they_are_worth(writer, folder):
    text = body(*range(100))
    for second in range(50):
        writer.append(answer_line(second, text))
    (file,) = folder.iterdir()
    assert file.stat().st_size < 50 * len(text) / 3
