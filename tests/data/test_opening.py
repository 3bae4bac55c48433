"""What can be opened, what is refused and how, and that nothing is ever written."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from exports import exported
from odd_rows import IDS, TIMES

from tiktok_crawler import data
from tiktok_crawler.config import SANDBOX_DATABASE
from tiktok_crawler.data.sources import SANDBOX
from tiktok_crawler.dataset.tables import VIDEOS
from tiktok_crawler.exceptions import ConfigurationError, CrawlerError, UsageError
from tiktok_crawler.export.options import Format
from tiktok_crawler.storage.engine import database

LOADED = """
import sys
{}
from tiktok_crawler import data
{}
"""


SLOW = {"alembic", "pandas", "polars", "pyarrow", "scrapy", "sqlalchemy", "twisted"}


MISSING = """
class Missing:
    def find_spec(self, name, *_):
        if name in {}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Missing())
"""


def run(before="", after=""):
    return subprocess.run(
        [sys.executable, "-c", LOADED.format(before, after)],
        capture_output=True,
        text=True,
        check=False,
    )


def loaded_after(what, path):
    """The libraries that are loaded after something was done."""
    names = (
        "sorted({'alembic', 'pandas', 'polars', 'pyarrow', 'scrapy', 'twisted'} & {*sys.modules})"
    )
    done = run(after=f"{what.format(path=str(path))}\nprint({names})")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_it_loads_nothing_that_takes_long():
    assert run(after=f"print({SLOW} & {{*sys.modules}})").stdout == "set()\n"


@pytest.mark.slow
def test_it_needs_no_library_of_data_frames_and_no_scrapy(odd_sqlite):
    read = f"print(len(data.open({str(odd_sqlite)!r}).videos().to_arrow()))"

    done = run(MISSING.format(("pandas", "polars", "scrapy", "twisted")), read)

    assert (done.stdout, done.stderr) == ("3\n", "")


@pytest.mark.parametrize("odd", ["a?b%20ü.db", "a b#c.db"])
def test_a_file_may_have_any_name(odd_sqlite, tmp_path, odd):
    shutil.copy(odd_sqlite, tmp_path / odd)

    for named in (tmp_path / odd, str(tmp_path / odd)):
        assert len(data.open(named).videos().to_arrow()) == 3
    assert odd in repr(data.open(tmp_path / odd))


def test_paths_are_relative_to_the_present_folder(odd_sqlite, odd_folder, monkeypatch):
    monkeypatch.chdir(odd_sqlite.parent)
    assert len(data.open("odd.db").videos().to_arrow()) == 3
    monkeypatch.chdir(odd_folder.parent)
    assert len(data.open("out").videos().to_arrow()) == 3


@pytest.mark.parametrize("url", ["{path}", "sqlite:///{path}"])
def test_a_file_that_is_not_there_is_named_and_not_made(tmp_path, url):
    path = tmp_path / "missing.db"

    with pytest.raises(ConfigurationError, match=f"{path}"):
        data.open(url.format(path=path))
    assert not list(tmp_path.iterdir())


def test_a_file_that_was_removed_is_not_made_anew(odd_sqlite, tmp_path):
    path = tmp_path / "copy.db"
    shutil.copy(odd_sqlite, path)
    dataset = data.open(path)
    path.unlink()

    with pytest.raises(ConfigurationError, match="no crawl has used it yet"):
        dataset.videos().to_arrow()
    assert not list(tmp_path.iterdir())


def test_a_database_that_no_crawl_has_used_is_told(database_url):
    with pytest.raises(ConfigurationError, match="no crawl has used it yet"):
        data.open(database_url)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("tiktok.db", b"", "is empty"),
        ("notes.txt", b"hello", "is no SQLite database$"),
        ("video.csv", b"id\n1\n", "of an export name the folder, not a file in it"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ConfigurationError, match=words):
        data.open(tmp_path / name)
    assert (tmp_path / name).read_bytes() == content


def test_a_folder_without_an_export_is_refused_with_the_way_out(tmp_path):
    with pytest.raises(ConfigurationError, match="`scrapy export OUT` writes one"):
        data.open(tmp_path)


def test_an_export_in_another_format_is_refused_with_the_way_out(odd_sqlite, tmp_path):
    url = f"sqlite:///{odd_sqlite}"
    out = exported(url, tmp_path / "out", tables=["run"], format_=Format.CSV)

    with pytest.raises(ConfigurationError, match=r"in CSV, which .*--format parquet"):
        data.open(out)


@pytest.mark.parametrize("named", ["~nobody-has-this-name/x.db", "\0", "mysql://user@host/x"])
def test_what_names_nothing_is_a_mistake_of_the_users(named):
    with pytest.raises(CrawlerError):
        data.open(named)


def test_a_password_is_not_shown(odd_postgresql):
    wrong = odd_postgresql.replace("://", "://ann:secret@", 1) if "@" not in odd_postgresql else ""

    assert "secret" not in repr(data.open(odd_postgresql))
    if wrong:
        with pytest.raises(ConfigurationError) as refused:
            data.open(wrong)
        assert "secret" not in str(refused.value)


def test_without_pyarrow_it_says_how_to_install_it(odd_sqlite):
    done = run(MISSING.format(("pyarrow",)), f"data.open({str(odd_sqlite)!r})")

    assert "ConfigurationError: reading data needs what is not installed (pyarrow)" in done.stderr
    assert "pip install 'tiktok-crawler[pandas]' or 'tiktok-crawler[polars]'" in done.stderr


@pytest.mark.slow
def test_without_their_library_data_frames_say_how_to_install_it(odd_sqlite):
    read = f"""
for library in ("pandas", "polars"):
    try:
        getattr(data.open({str(odd_sqlite)!r}).users(), "to_" + library)()
    except Exception as error:
        print(type(error).__name__, error)
"""
    done = run(MISSING.format(("pandas", "polars")), read)

    assert done.stdout.splitlines() == [
        f"ConfigurationError a data frame of {library} needs what is not installed ({library}): "
        f"pip install 'tiktok-crawler[{library}]'"
        for library in ("pandas", "polars")
    ]


def test_nothing_is_written(odd_sqlite, tmp_path):
    path = tmp_path / "copy.db"
    shutil.copy(odd_sqlite, path)
    before = path.read_bytes()

    with data.open(path) as dataset:
        for name in dataset.tables:
            dataset.table(name).to_arrow()

    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir() if each.stat().st_size] == ["copy.db"]


@pytest.fixture(params=["sqlite", "postgresql"])
def growing(request):
    """A database of the test's own with a video, and a function that adds one."""
    url = request.getfixturevalue(f"prepared_{request.param}_url")
    engine = database.create_engine_for(database.database_url(url))

    def add(id_):
        video = VIDEOS.rows
        with engine.begin() as connection:
            connection.execute(video.insert().values(id=id_, crawled_at=TIMES[0]))

    add(1)
    yield url, add
    engine.dispose()


def test_in_a_block_all_is_of_one_moment_and_without_one_of_now(growing):
    url, add = growing
    outside = data.open(url)
    with data.open(url) as inside:
        assert inside.videos().to_arrow().num_rows == 1
        add(2)
        assert inside.videos().to_arrow().num_rows == 1
        assert outside.videos().to_arrow().num_rows == 2
    assert outside.videos().to_arrow().num_rows == 2


def test_two_tables_can_be_read_in_turns(source):
    with data.open(source) as dataset:
        videos, comments = dataset.videos().batches(), dataset.comments().batches()
        first = [len(next(batches).to_arrow()) for batches in (videos, comments)]
        rest = [sum(len(each.to_arrow()) for each in batches) for batches in (videos, comments)]

    assert list(map(sum, zip(first, rest, strict=True))) == [3, 3]


def test_batches_that_are_not_read_to_their_end_leave_nothing_open(source):
    dataset = data.open(source)
    batches = dataset.videos().batches()
    first = next(batches)
    batches.close()

    assert first.to_arrow().num_rows
    assert dataset.videos().to_arrow().num_rows == len(IDS)


def test_after_its_block_a_dataset_says_that_it_is_closed(source):
    with data.open(source) as dataset:
        table = dataset.videos()
    for read in (table.to_arrow, dataset.videos):
        with pytest.raises(UsageError, match="the dataset is closed"):
            read()


def test_who_has_only_rehearsed_is_led_to_the_sandboxs_database(tmp_path):
    with pytest.raises(ConfigurationError) as without:
        data.open(tmp_path / "tiktok.db")
    (tmp_path / "tiktok-sandbox.db").touch()
    with pytest.raises(ConfigurationError) as beside:
        data.open(tmp_path / "tiktok.db")

    assert "sandbox" not in str(without.value)
    assert f"the sandbox's database is there: {tmp_path / 'tiktok-sandbox.db'}" in str(beside.value)
    assert SANDBOX_DATABASE.endswith(f"/{SANDBOX}")
