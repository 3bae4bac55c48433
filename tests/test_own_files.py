"""Files whose names are chosen here, in folders in which others may write, too."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from processes import SCRAPY, environment, scrapy
from trials import QUERY_FILE

from tiktok_crawler import own_files
from tiktok_crawler.exceptions import ConfigurationError, QueryLockedError
from tiktok_crawler.storage.engine import database
from tiktok_crawler.storage.engine.lock import QueryLock, refuse_crawls
from tiktok_crawler.storage.engine.transactions import transaction

FINGERPRINT = "9f" * 32
PRIVATE = "what the next user has written"
DANGER = "its rows would be missing"
COLLEAGUE, GROUP = 65534, 54321

needs_users = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as other users")


def put_link(name, private):
    name.symlink_to(private)


def put_second_name(name, private):
    name.hardlink_to(private)


def put_pipe(name, _private):
    os.mkfifo(name)


PUTS = (put_link, put_second_name, put_pipe)


@pytest.fixture
def private(tmp_path):
    """A file of the next user's, which is to stay as it is."""
    (tmp_path / "home").mkdir()
    path = tmp_path / "home" / "thesis.txt"
    path.write_text(PRIVATE)
    yield path
    assert path.read_text() == PRIVATE


@pytest.fixture
def lock_file(tmp_path):
    return tmp_path / f"test.db.{FINGERPRINT[:16]}.lock"


@pytest.fixture
def engine(prepared_sqlite_url):
    engine = database.create_engine_for(database.database_url(prepared_sqlite_url))
    yield engine
    engine.dispose()


@pytest.mark.parametrize("put", PUTS)
def test_a_lock_is_not_taken_through_what_somebody_put_there(put, private, lock_file, engine):
    put(lock_file, private)

    with pytest.raises(ConfigurationError, match=r"\.lock cannot be locked: somebody made it a?"):
        QueryLock(engine, FINGERPRINT).acquire()
    refuse_crawls(engine, DANGER)
    assert os.path.lexists(lock_file)


@pytest.mark.parametrize("put", PUTS)
@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
def test_sqlite_is_kept_from_what_somebody_put_beside_a_database(
    put, ending, private, engine, tmp_path
):
    put(tmp_path / f"test.db{ending}", private)

    with pytest.raises(ConfigurationError, match=f"test.db{ending} cannot be used: somebody made"):
        engine.connect()


def test_a_link_that_leads_nowhere_is_no_name_for_a_new_file(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")

    with pytest.raises(FileExistsError):
        own_files.make(tmp_path / "link")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("crawl", "users", "-a", "usernames=zoe", "-s", "TIKTOK_DATABASE_URL=sqlite:///link"),
        ("status", "-s", "TIKTOK_DATABASE_URL=sqlite:///link"),
        ("migrate", "-s", "TIKTOK_DATABASE_URL=sqlite:///link"),
        ("crawl", "users", "-a", "usernames=zoe", "-O", "link:csv"),
        ("crawl", "users", "-a", "usernames=zoe", "--logfile", "link"),
        ("crawl", "users", "-a", "usernames=zoe", "-s", "TIKTOK_ARCHIVE=link"),
        ("backup", "link"),
    ],
    ids=lambda command: f"{command[0]} {command[-1]}",
)
def test_what_users_name_is_no_link_that_leads_nowhere(command, prepared_sqlite_url, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")

    run = scrapy(tmp_path, *command, TIKTOK_SANDBOX="1", TIKTOK_DATABASE_URL=prepared_sqlite_url)
    assert run.returncode in (64, 78), run.stderr
    assert f"it is a link to '{tmp_path}/nowhere', which is not there" in run.stderr
    assert not (tmp_path / "nowhere").exists()


def test_a_lock_that_says_anything_is_shown_as_text(engine, lock_file):
    lock_file.write_bytes(b"\xff\x1b[2Jall is well\nnothing")
    with lock_file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for act in (QueryLock(engine, FINGERPRINT).acquire, lambda: refuse_crawls(engine, DANGER)):
            with pytest.raises(QueryLockedError) as refusal:
                act()
            assert "all is well" in str(refusal.value)
            assert str(refusal.value).isprintable()


@needs_users
def test_a_colleagues_lock_is_locked_and_left_as_it_is(engine, lock_file):
    lock_file.write_text("a colleague's")
    os.chown(lock_file, COLLEAGUE, COLLEAGUE)

    lock = QueryLock(engine, FINGERPRINT)
    lock.acquire()
    transaction(engine, lock.verify)
    with pytest.raises(QueryLockedError):
        QueryLock(engine, FINGERPRINT).acquire()
    lock.release()
    assert lock_file.read_text() == "a colleague's"


@pytest.fixture
def open_folder():
    """A folder in which everybody can write, as in /tmp."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


@needs_users
def test_locks_of_two_users_exclude_each_other(open_folder, sqlite_template):
    path = open_folder / "test.db"
    shutil.copy(sqlite_template, path)
    os.chown(path, 0, GROUP)
    path.chmod(0o660)
    engine = database.create_engine_for(database.database_url(f"sqlite:///{path}"))
    lock = QueryLock(engine, FINGERPRINT)
    lock.acquire()
    (file,) = open_folder.glob("*.lock")
    assert (file.stat().st_gid, stat.S_IMODE(file.stat().st_mode)) == (GROUP, 0o660)

    assert as_colleague(lambda: QueryLock(engine, FINGERPRINT).acquire()) == "QueryLockedError"
    lock.release()
    # A crash leaves it.
    file.touch()
    os.chown(file, 0, GROUP)
    file.chmod(0o660)
    assert as_colleague(lambda: QueryLock(engine, FINGERPRINT).acquire()) == "nothing"
    engine.dispose()


def as_colleague(act):
    """What another user's process raises, a member of the group."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        name = "nothing"
        try:
            os.setgroups([GROUP])
            os.setgid(GROUP)
            os.setuid(COLLEAGUE)
            act()
        except BaseException as exc:  # noqa: BLE001 - it is told
            name = type(exc).__name__
        os.write(writing, name.encode())
        os._exit(0)
    os.waitpid(process, 0)
    os.close(writing)
    with os.fdopen(reading) as told:
        return told.read()


@pytest.mark.slow
@needs_users
def test_an_archive_is_for_those_who_share_the_database(tmp_path):
    (tmp_path / "query.yaml").write_text(QUERY_FILE)
    arguments = ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_ARCHIVE=archive")
    settings = {"TIKTOK_SANDBOX": "1", "TIKTOK_DATABASE_URL": "sqlite:///test.db"}
    shared = tmp_path / "test.db"
    shared.touch()
    os.chown(shared, 0, GROUP)
    shared.chmod(0o660)

    assert scrapy(tmp_path, *arguments, **settings).returncode == 0
    archive = tmp_path / "archive"
    (file,) = archive.glob("*.jsonl.gz")
    for path, mode in ((archive, 0o770), (file, 0o660)):
        assert (path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (GROUP, mode)


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o604])
def test_what_everybody_may_read_is_not_meant_for_a_group(mode, tmp_path):
    (tmp_path / "like").touch()
    (tmp_path / "like").chmod(mode)

    os.close(own_files.make(tmp_path / "made", like=tmp_path / "like"))
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o600


def test_git_ignores_a_folder_that_is_made_and_leaves_others_alone(tmp_path):
    own_files.make_folder(tmp_path / "data" / "archive")
    assert (tmp_path / "data" / ".gitignore").read_text() == "*\n"
    assert stat.S_IMODE((tmp_path / "data" / "archive").stat().st_mode) == 0o700

    own_files.make_folder(tmp_path / "data" / "archive")
    assert list((tmp_path / "data" / "archive").iterdir()) == []


@pytest.mark.slow
def test_the_folders_of_feeds_and_archives_are_ignored_by_git(tmp_path):
    (tmp_path / "query.yaml").write_text(QUERY_FILE)
    made = ("-O", "exports/2024/videos.json", "-s", "TIKTOK_ARCHIVE=kept")

    run = scrapy(tmp_path, "crawl", "videos", "-a", "query=query.yaml", *made, TIKTOK_SANDBOX="1")
    assert run.returncode == 0
    assert (tmp_path / "exports" / "2024" / "videos.json").stat().st_size > 1000
    for folder in ("exports", "kept"):
        assert (tmp_path / folder / ".gitignore").read_text() == "*\n"


def test_what_is_no_file_is_told(tmp_path):
    with pytest.raises(OSError, match="somebody made it no file") as refusal:
        own_files.open_existing(tmp_path)
    assert refusal.value.errno == errno.ELOOP


WARNING = "WARNING: others can get at what is collected: "


def collect(folder, *arguments, **variables):
    """Collect into what is there already; the lines that warn."""
    (folder / "query.yaml").write_text(QUERY_FILE)
    command = (
        "crawl",
        "videos",
        "-a",
        "query=query.yaml",
        "-s",
        "TIKTOK_DATABASE_URL=sqlite:///a.db",
    )
    run = scrapy(folder, *command, *arguments, TIKTOK_SANDBOX="1", **variables)
    assert run.returncode == 0, run.stderr
    log = folder / "a.log"
    text = run.stderr + (log.read_text() if log.exists() else "")
    return [line for line in text.splitlines() if "WARNING" in line]


EVERYWHERE = ("-O", "a.csv", "--logfile", "a.log", "-s", "TIKTOK_ARCHIVE=kept")


@pytest.mark.slow
def test_one_line_tells_what_everybody_can_get_at(tmp_path):
    for name, mode in (("a.db", 0o644), ("a.csv", 0o666), ("a.log", 0o604)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept").chmod(0o755)

    (line,) = collect(tmp_path, *EVERYWHERE)
    for name, what, whose in (
        ("a.db", "can be read by everybody (owner {}, mode -rw-r--r--)", "go="),
        ("kept", "can be read by everybody (owner {}, mode drwxr-xr-x)", "go="),
        ("a.csv", "can be read and written by everybody (owner {}, mode -rw-rw-rw-)", "o="),
        ("a.log", "can be read by everybody (owner {}, mode -rw----r--)", "go="),
    ):
        path = tmp_path / name
        assert f"{name} {what.format(path.owner())}: chmod {whose} " in line

    for name in ("a.db", "a.csv", "a.log", "kept"):
        subprocess.run(["chmod", "go=", tmp_path / name], check=True)
    (tmp_path / "a.log").write_text("")
    assert [line for line in collect(tmp_path, *EVERYWHERE) if WARNING in line] == []


@pytest.mark.slow
def test_a_shells_log_that_everybody_can_read_is_told(tmp_path):
    log = tmp_path / "crawl.log"
    (tmp_path / "query.yaml").write_text(QUERY_FILE)
    log.touch()
    log.chmod(0o644)
    with log.open("ab") as file:
        subprocess.run(
            [SCRAPY, "crawl", "videos", "-a", "query=query.yaml"],
            cwd=tmp_path,
            env=environment(tmp_path, TIKTOK_SANDBOX="1"),
            stderr=file,
            check=True,
        )
    if not Path("/proc/self/fd").exists():
        pytest.skip("only Linux tells which file that is")
    assert f"{log} can be read by everybody" in log.read_text()


def test_commands_that_read_the_database_warn_too(prepared_sqlite_url, tmp_path):
    settings = {"TIKTOK_SANDBOX": "1", "TIKTOK_DATABASE_URL": prepared_sqlite_url}
    (tmp_path / "test.db").chmod(0o644)
    (tmp_path / "query.yaml").write_text(QUERY_FILE)

    for command in (
        ("status", "--json"),
        ("plan", "query.yaml"),
        ("migrate",),
        ("backup", "copy.db"),
    ):
        run = scrapy(tmp_path, *command, **settings)
        assert (run.returncode, run.stderr.count(WARNING)) == (0, 1), run.stderr
        assert WARNING not in run.stdout
    (tmp_path / "test.db").chmod(0o600)
    assert scrapy(tmp_path, "status", **settings).stderr == ""


@pytest.mark.slow
@needs_users
def test_what_belongs_to_somebody_else_is_told_and_used(sqlite_template, tmp_path):
    shutil.copy(sqlite_template, tmp_path / "a.db")
    os.chown(tmp_path / "a.db", COLLEAGUE, GROUP)
    (tmp_path / "a.db").chmod(0o660)

    (line,) = collect(tmp_path)
    owner = (tmp_path / "a.db").owner()
    assert f"belongs to somebody else (owner {owner}, mode -rw-rw----): sudo chown root " in line


@pytest.mark.slow
def test_what_users_name_may_be_a_link_or_a_pipe(tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    for name in ("a.db", "a.csv", "a.log"):
        (tmp_path / "elsewhere" / name).touch(mode=0o600)
        (tmp_path / name).symlink_to(tmp_path / "elsewhere" / name)
    (tmp_path / "elsewhere" / "kept").mkdir(mode=0o700)
    (tmp_path / "kept").symlink_to(tmp_path / "elsewhere" / "kept")

    assert collect(tmp_path, *EVERYWHERE) == []
    assert list((tmp_path / "elsewhere" / "kept").glob("*.jsonl.gz"))
    assert (tmp_path / "elsewhere" / "a.csv").stat().st_size > 1000
    assert all((tmp_path / name).is_symlink() for name in ("a.db", "a.csv", "a.log", "kept"))


@pytest.mark.slow
def test_a_feed_may_go_into_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read = tmp_path / "read.csv"
    with read.open("wb") as file, subprocess.Popen(["cat", tmp_path / "pipe"], stdout=file) as cat:
        assert collect(tmp_path, "-O", "pipe:csv") == []
        cat.wait(timeout=30)
    assert read.read_bytes().startswith(b"id,")
