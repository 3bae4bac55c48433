"""Archives are read in the order in which things happened, whatever crashes have left of them."""

from __future__ import annotations

import gc
import gzip
import os
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from archived import NOON, answer_line, body, run_line

from tiktok_crawler.archive.lines import WindowLine, dump_line
from tiktok_crawler.archive.reader import Archives, find_archives
from tiktok_crawler.exceptions import ConfigurationError, UsageError


def write(path, *seconds, origin=None):
    """An archive of answers that came so many seconds after noon, numbered by their second."""
    lines = [answer_line(second, body(second + 1)) for second in seconds]
    text = b"".join(map(dump_line, lines))
    if origin:
        text = text.replace(b'"sandbox"', f'"{origin}"'.encode())
    path.write_bytes(gzip.compress(text))
    return path


def seconds(archives):
    return [(line.at - NOON).total_seconds() for line in archives.lines()]


def test_lines_of_many_files_come_by_time(tmp_path):
    paths = [
        write(tmp_path / "b.jsonl.gz", 1, 4, 6),
        write(tmp_path / "a.jsonl.gz", 2, 3, 7),
        write(tmp_path / "c.jsonl.gz", 5, 8),
    ]
    assert seconds(Archives(paths)) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_lines_of_one_file_keep_their_order(tmp_path):
    assert seconds(Archives([write(tmp_path / "a.jsonl.gz", 3, 1, 2)])) == [3, 1, 2]


def test_crawls_that_did_not_run_at_the_same_time_are_not_open_at_the_same_time(tmp_path):
    paths = [write(tmp_path / f"{n}.jsonl.gz", 10 * n, 10 * n + 5) for n in range(100)]
    before = open_file_count()
    open_files = [open_file_count() - before for _ in Archives(paths).lines()]
    assert len(open_files) == 200
    assert max(open_files) <= 2


def test_a_line_is_not_kept_after_its_turn(tmp_path):
    paths = [write(tmp_path / f"{n}.jsonl.gz", *range(n, 60, 3)) for n in range(3)]
    before = lines_in_memory()
    held = [lines_in_memory() - before for _ in Archives(paths).lines()]
    assert len(held) == 60
    assert max(held) <= 4


def open_file_count():
    return len(list(Path("/proc/self/fd").iterdir()))


def lines_in_memory():
    return sum(isinstance(thing, WindowLine) for thing in gc.get_objects())


@pytest.mark.parametrize("missing", [1, 8, 9, 40, 200])
def test_a_file_without_its_end_is_read_as_far_as_it_goes(tmp_path, missing):
    path = write(tmp_path / "a.jsonl.gz", *range(20))
    path.write_bytes(path.read_bytes()[:-missing])
    archives = Archives([path])
    found = seconds(archives)
    assert found == list(range(len(found)))
    assert archives.torn == [path]
    assert archives.damages == []


def test_a_last_line_without_its_end_is_left_out(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(dump_line(run_line()) + b'{"format":1,"kind"'))
    archives = Archives([path])
    assert list(archives.lines()) == [run_line()]
    assert archives.torn == [path]


def test_an_empty_file_is_torn_before_its_first_line(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(b"")
    archives = Archives(find_archives([tmp_path]))
    assert list(archives.lines()) == []
    assert len(archives.torn) == 1


def test_a_line_that_cannot_be_read_is_named_and_the_others_are_read(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    texts = [dump_line(run_line()), b"{}\n", dump_line(answer_line(1, body(1)))]
    path.write_bytes(gzip.compress(b"".join(texts)))
    archives = Archives([path])
    assert seconds(archives) == [0, 1]
    assert archives.damages == [f"{path}, line 2: it lacks something that it must have"]


def test_a_damaged_file_is_named_with_the_place(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    deflate = zlib.compressobj(wbits=31)
    packed = [
        deflate.compress(dump_line(answer_line(n, body(n)))) + deflate.flush(zlib.Z_SYNC_FLUSH)
        for n in range(3)
    ]
    path.write_bytes(packed[0] + packed[1] + b"\xff" * 200)
    other = write(tmp_path / "b.jsonl.gz", 9)
    archives = Archives([path, other])
    assert seconds(archives) == [0, 1, 9]
    assert archives.damages == [f"{path}, line 3: nothing can be read from here on"]


def test_a_flipped_bit_never_goes_unnoticed(tmp_path):
    path = write(tmp_path / "a.jsonl.gz", *range(20))
    whole = path.read_bytes()
    for position in range(20, len(whole), 37):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 16]) + whole[position + 1 :])
        archives = Archives([path])
        list(archives.lines())
        assert archives.damages or archives.torn, position


def test_files_that_were_joined_are_read_as_one(tmp_path):
    one, two = write(tmp_path / "1.jsonl.gz", 1), write(tmp_path / "2.jsonl.gz", 2)
    joined = tmp_path / "joined.jsonl.gz"
    joined.write_bytes(one.read_bytes() + two.read_bytes())
    archives = Archives([joined])
    assert seconds(archives) == [1, 2]
    assert archives.torn == archives.damages == []


def test_archives_are_found_in_folders_below_each_once(tmp_path):
    (tmp_path / "2024").mkdir()
    path = write(tmp_path / "2024" / "a.jsonl.gz", 1)
    (tmp_path / "notes.txt").write_text("")
    assert find_archives([tmp_path, tmp_path / "2024", path]) == [path]


def test_a_place_without_archives_is_named(tmp_path):
    with pytest.raises(UsageError, match="has no archives"):
        find_archives([tmp_path])
    with pytest.raises(UsageError, match="nowhere does not exist"):
        find_archives([tmp_path / "nowhere"])


def test_archives_of_two_origins_are_refused(tmp_path):
    paths = [
        write(tmp_path / "1.jsonl.gz", 1),
        write(tmp_path / "2.jsonl.gz", 2, origin="https://open.tiktokapis.com"),
    ]
    assert Archives(paths[:1]).origin() == "sandbox"
    with pytest.raises(ConfigurationError, match=r"https://open.tiktokapis.com and sandbox"):
        Archives(paths).origin()


def test_archives_of_which_nothing_can_be_read_have_no_origin(tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(ConfigurationError, match="none of them can be read"):
        Archives(find_archives([tmp_path])).origin()


def test_lines_are_as_long_as_they_come(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    line = answer_line(1, os.urandom(300_000))
    path.write_bytes(gzip.compress(dump_line(line)))
    assert list(Archives([path]).lines()) == [line]
    assert line.at == NOON + timedelta(seconds=1)
