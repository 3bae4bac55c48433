"""Archives as they are found: torn, damaged, too large, and of several runs at once."""

from __future__ import annotations

import gzip
import os
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tiktok_crawler.archive.lines import (
    Begin,
    Deed,
    FileStart,
    Kind,
    Line,
    dump_line,
    dump_start,
)
from tiktok_crawler.archive.reader import (
    LONGEST_LINE_BYTES,
    MOST_DAMAGES_IN_A_ROW,
    MOST_NAMED,
    Archives,
    find_archives,
)
from tiktok_crawler.exceptions import ConfigurationError, UsageError
from tiktok_crawler.research_api.endpoints import COMMENTS

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)


def at(second):
    return NOON + timedelta(seconds=second)


def line(number, second, *, journal="a", marks=None, void=None):
    """Return a deed of a journal, for which any will do; or what makes another one void."""
    deed = Deed(Kind.BEGIN, at(second), what=Begin((), at(second), marks or {}))
    return Line(journal, number, at(second), COMMENTS, Deed(Kind.VOID, what=void) if void else deed)


def write(path, *lines, journal="a", origin="sandbox"):
    start = FileStart(journal, lines[0].at if lines else NOON, origin)
    path.write_bytes(gzip.compress(b"".join([dump_start(start), *map(dump_line, lines)])))
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.jsonl.gz"


def seconds(*paths):
    """Read archives with which nothing is wrong; when their lines were written."""
    archives = Archives(list(paths))
    found = [(line.at - NOON).seconds for line in archives.lines()]
    assert archives.troubles.torn == archives.troubles.damages == []
    return found


def test_lines_of_several_journals_come_by_time(tmp_path, path):
    write(path, line(1, 1), line(2, 4), line(3, 5))
    other = write(tmp_path / "b.jsonl.gz", *(line(n, n) for n in (2, 3, 6)), journal="b")
    assert seconds(path, other) == [1, 2, 3, 4, 5, 6]


def test_lines_of_a_file_keep_their_order_when_the_clock_is_set_back(path):
    assert seconds(write(path, line(1, 5), line(2, 3), line(3, 9))) == [5, 3, 9]


def test_a_void_line_is_left_out_wherever_that_is_said(tmp_path, path):
    write(path, line(1, 1), line(2, 2))
    later = write(tmp_path / "b.jsonl.gz", line(3, 3), line(4, 4, void=2))
    assert seconds(path, later) == [1, 3]


def test_what_a_killed_run_did_not_do_is_left_out(tmp_path, path):
    write(path, line(1, 1), line(2, 2), line(3, 3))
    later = write(tmp_path / "b.jsonl.gz", line(1, 9, marks={"a": 1}, journal="b"), journal="b")
    assert seconds(path) == [1, 2, 3]
    assert seconds(path, later) == [1, 9]


def test_a_mark_says_nothing_of_a_run_that_went_on(tmp_path, path):
    write(path, line(1, 1), line(2, 2), line(3, 9))
    later = write(tmp_path / "b.jsonl.gz", line(1, 5, marks={"a": 1}, journal="b"), journal="b")
    assert seconds(path, later) == [1, 2, 5, 9]


def test_a_run_that_has_ended_has_done_all_whatever_another_machines_clock_says(tmp_path, path):
    end = Line("a", 3, at(3), COMMENTS, Deed(Kind.CLOSE))
    write(path, line(1, 1), line(2, 2), end)
    later = write(tmp_path / "b.jsonl.gz", line(1, 9, marks={"a": 1}, journal="b"), journal="b")
    assert seconds(path, later) == [1, 2, 3, 9]


def test_a_later_mark_counts_more(tmp_path, path):
    write(path, line(1, 1), line(2, 2), line(3, 3))
    others = [
        write(
            tmp_path / f"{name}.jsonl.gz", line(1, s, marks={"a": mark}, journal=name), journal=name
        )
        for name, s, mark in (("b", 1, 1), ("c", 9, 2))
    ]
    assert seconds(path, *others) == [1, 1, 2, 9]


@pytest.mark.parametrize("lost", [1, 9, 20])
def test_a_torn_file_has_the_lines_before_its_end(path, lost):
    deflate = zlib.compressobj(wbits=31)
    lines = [dump_start(FileStart("a", NOON, "sandbox")), *(dump_line(line(n, n)) for n in (1, 2))]
    flushed = [deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH) for text in lines]
    path.write_bytes(b"".join(flushed)[:-lost])
    archives = Archives([path])
    assert [found.number for found in archives.lines()][:1] == [1]
    assert archives.troubles.torn == [path]
    assert archives.troubles.damages == []


def test_a_line_that_cannot_be_read_is_named_and_the_others_are_read(path):
    start, last = dump_start(FileStart("a", NOON, "sandbox")), dump_line(line(1, 1))
    path.write_bytes(gzip.compress(start + b"{}\n" + last))
    archives = Archives([path])
    assert [found.number for found in archives.lines()] == [1]
    assert archives.troubles.damages == [f"{path}, line 2: it lacks kind, which it must have"]


def test_of_many_damaged_lines_the_first_are_named_and_all_are_counted(path):
    start, last = dump_start(FileStart("a", NOON, "sandbox")), dump_line(line(1, 1))
    path.write_bytes(gzip.compress(start + b"{}\n" * 10_000 + last))
    archives = Archives([path])
    assert [found.number for found in archives.lines()] == [1]
    assert (archives.troubles.damaged, len(archives.troubles.damages)) == (10_000, MOST_NAMED)


@pytest.mark.slow
def test_a_file_of_other_lines_is_left_soon(path):
    path.write_bytes(gzip.compress(dump_start(FileStart("a", NOON, "sandbox")) + b"\n" * 10**6))
    archives = Archives([path])
    assert list(archives.lines()) == []
    assert archives.troubles.damaged == MOST_DAMAGES_IN_A_ROW + 1


def test_a_flipped_bit_never_goes_unnoticed(path):
    lines = [line(n, n) for n in range(20)]
    whole = write(path, *lines).read_bytes()
    for position in range(20, len(whole), 7):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 16]) + whole[position + 1 :])
        troubles = (archives := Archives([path])).troubles
        found = list(archives.lines())
        assert troubles.damages or troubles.torn or found == lines, position


def test_files_that_were_joined_are_read_one_after_the_other(tmp_path, path):
    other = write(tmp_path / "b.jsonl.gz", line(1, 2, journal="b"), journal="b")
    path.write_bytes(write(path, line(1, 1)).read_bytes() + other.read_bytes())
    other.unlink()
    assert [found.journal for found in Archives([path]).lines()] == ["a", "b"]


@pytest.mark.slow
def test_a_line_that_is_too_long_takes_no_memory(path):
    """A file of zipped blanks is a thousand times as large as it looks."""
    start, last = dump_start(FileStart("a", NOON, "sandbox")), dump_line(line(1, 1))
    deflate = zlib.compressobj(wbits=31)
    packed = [deflate.compress(start)]
    packed += [deflate.compress(b" " * 2**20) for _ in range(4 * LONGEST_LINE_BYTES // 2**20)]
    path.write_bytes(b"".join([*packed, deflate.compress(b"\n" + last), deflate.flush()]))
    archives = Archives([path])
    tracemalloc.start()
    found = [line.number for line in archives.lines()]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [1]
    assert archives.troubles.damages == [
        f"{path}, line 2: it is no line of an archive, or too long"
    ]
    assert most < 1.5 * LONGEST_LINE_BYTES


def test_archives_are_found_in_folders_below_each_once(tmp_path):
    (tmp_path / "2024").mkdir()
    path = write(tmp_path / "2024" / "a.jsonl.gz")
    (tmp_path / "notes.txt").write_text("")
    assert find_archives([tmp_path, tmp_path / "2024", path]) == [path]


def test_archives_are_found_in_linked_folders_each_once(tmp_path):
    archive, disk = tmp_path / "archive", tmp_path / "disk"
    (disk / "below").mkdir(parents=True)
    archive.mkdir()
    paths = [write(disk / "a.jsonl.gz"), write(disk / "below" / "b.jsonl.gz")]
    (archive / "2024").symlink_to("../disk")
    (archive / "2025").symlink_to(disk / "below")
    (disk / "below" / "circle").symlink_to(archive)
    assert find_archives([archive]) == paths


def test_a_link_to_a_folder_that_is_away_is_told(tmp_path):
    write(tmp_path / "a.jsonl.gz", line(1, 1))
    (tmp_path / "2024").symlink_to(tmp_path / "disk")
    archives = Archives(find_archives([tmp_path]))
    assert [found.number for found in archives.lines()] == [1]
    assert archives.troubles.damages == [
        f"{tmp_path / 'disk'}, line 1: nothing can be read from here on"
    ]


def test_a_place_without_archives_is_named(tmp_path):
    with pytest.raises(UsageError, match="has no archives"):
        find_archives([tmp_path])
    with pytest.raises(UsageError, match="nowhere does not exist"):
        find_archives([tmp_path / "nowhere"])


def test_archives_of_two_origins_are_refused(tmp_path, path):
    other = write(tmp_path / "b.jsonl.gz", origin="https://open.tiktokapis.com")
    assert Archives([write(path)]).origin == "sandbox"
    with pytest.raises(ConfigurationError, match=r"https://open.tiktokapis.com and sandbox"):
        Archives([path, other]).origin  # noqa: B018 - it looks


def test_archives_of_which_nothing_can_be_read_have_no_origin(path):
    path.write_bytes(b"no gzip")
    with pytest.raises(ConfigurationError, match="none of them can be read"):
        Archives([path]).origin  # noqa: B018 - it looks


def test_a_file_of_another_version_is_named(path):
    path.write_bytes(gzip.compress(b'{"format":2,"kind":"file","version":"0"}\n'))
    with pytest.raises(ConfigurationError, match=r"a.jsonl.gz cannot be replayed: it has format 2"):
        Archives([path])


def test_a_copy_of_a_file_is_read_once(tmp_path, path):
    lines = [line(n, n) for n in (1, 2, 3)]
    write(path, *lines)
    copy = write(tmp_path / "copy.jsonl.gz", *lines[:2])
    archives = Archives([path, copy])
    assert [found.number for found in archives.lines()] == [1, 2, 3]
    assert (archives.troubles.repeated, archives.troubles.damaged) == (2, 0)


def test_a_line_that_is_damaged_in_one_file_is_read_from_its_copy(tmp_path, path):
    write(path, line(1, 1), line(2, 2), line(3, 3))
    copy = tmp_path / "copy.jsonl.gz"
    copy.write_bytes(path.read_bytes())
    damaged = gzip.decompress(path.read_bytes()).replace(b'"line":2', b'"line":-2')
    path.write_bytes(gzip.compress(damaged))
    assert [found.number for found in Archives([path, copy]).lines()] == [1, 2, 3]


def test_lines_after_a_damaged_beginning_are_nobodys(path):
    start = dump_start(FileStart("b", NOON, "sandbox")).replace(b'"sandbox"', b'["sandbox"]')
    joined = start + dump_line(line(1, 1, journal="b"))
    path.write_bytes(write(path, line(1, 1)).read_bytes() + gzip.compress(joined))
    archives = Archives([path])
    assert [found.journal for found in archives.lines()] == ["a"]
    assert archives.troubles.damages == [
        f"{path}, line 3: it has origin a list, in place of sandbox, or a URL",
        f"{path}, line 4: it is no beginning of an archive",
    ]


def test_lines_of_a_session_that_nothing_has_begun_are_left_out(path):
    close = Line("a", 2, at(2), COMMENTS, Deed(Kind.CLOSE))
    archives = Archives([write(path, close)])
    assert list(archives.lines()) == []
    assert archives.troubles.damages == [
        f"{path}, line 2: it belongs to a query or listing that no line before it has begun"
    ]


def test_origins_of_joined_files_are_all_looked_at(tmp_path, path):
    other = write(tmp_path / "b.jsonl.gz", origin="https://open.tiktokapis.com")
    path.write_bytes(write(path).read_bytes() + other.read_bytes())
    with pytest.raises(ConfigurationError, match="and come from https"):
        Archives([path]).origin  # noqa: B018 - it looks


@pytest.mark.parametrize("kind", ["pipe", "broken link", "circle"])
def test_what_is_no_file_is_told_and_not_waited_for(tmp_path, path, kind):
    good = write(tmp_path / "good.jsonl.gz", line(1, 1))
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / "nothing" if kind == "broken link" else path)
    archives = Archives(find_archives([tmp_path]))
    assert [found.number for found in archives.lines()] == [1]
    assert [good.name in named for named in archives.troubles.damages] == [False]
    if kind == "pipe":
        with pytest.raises(UsageError, match="neither a folder nor a file"):
            find_archives([path])


def test_a_folder_with_the_name_of_an_archive_is_a_folder(tmp_path, path):
    path.mkdir()
    inside = write(path / "b.jsonl.gz")
    assert find_archives([tmp_path]) == [inside]


def test_names_too_long_for_any_file_do_not_exist():
    with pytest.raises(UsageError, match="does not exist"):
        find_archives([Path("x" * 300)])


def test_names_of_files_steer_no_terminal(tmp_path):
    path = tmp_path / "a\x1b[2J\nWARNING: b.jsonl.gz"
    path.write_bytes(b"no gzip")
    list((archives := Archives([path])).lines())
    assert archives.troubles.damages == [
        f"{tmp_path}/a�[2J�WARNING: b.jsonl.gz, line 1: nothing can be read from here on"
    ]
