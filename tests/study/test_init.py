"""`python -m tiktok_crawler init`: a study, or one clear message and nothing."""

from __future__ import annotations

import os
import pty
import resource
import select
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from studies import INIT, outside

from tiktok_crawler.__main__ import main
from tiktok_crawler.config.credentials import Credentials, read_credentials

LONGEST_SECONDS = 60

KEY, SECRET = "aw1key", "s3cr3t-of-zoe"


@pytest.fixture(autouse=True)
def signals():
    """The process of the tests ends as before."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def refused(capsys, *arguments: str) -> str:
    """What is said of a command line that is refused with status 64."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert ended.value.code == 64
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.slow
def test_a_rehearsal_that_fails_leaves_a_whole_study(tmp_path):
    """The database of the sandbox has no place."""
    run = init_limited_to(30_000, tmp_path)
    assert run.returncode == 78, run.stderr
    assert "The rehearsal ended early (status 78); the study is whole" in run.stdout
    assert (tmp_path / "mine" / "README.md").exists()


def init_limited_to(size: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Make a study where no file can have more bytes, Python's caches and coverage included."""
    variables = outside(folder, PYTHONDONTWRITEBYTECODE="1")
    return subprocess.run(
        [*INIT, "mine"],
        cwd=folder,
        env={name: text for name, text in variables.items() if "COVERAGE" not in name},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        check=False,
    )


def test_a_full_disk_leaves_nothing(tmp_path):
    run = init_limited_to(2_000, tmp_path)
    assert run.returncode == 70
    assert run.stderr == (
        f"error: {tmp_path / 'mine'} cannot be made, and nothing of it is there: File too large. "
        "Make room, and run the same command again\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("comes", "status"),
    [(OSError(28, "No space left on device"), 70), (KeyboardInterrupt(), 130)],
    ids=["full disk", "ctrl-c"],
)
def test_a_folder_that_was_there_stays_as_it_was(tmp_path, monkeypatch, comes, status):
    def ends(*_: object) -> None:
        raise comes

    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(os, "fsync", ends)
    with pytest.raises(SystemExit, match=str(status)):
        main(["init", str(tmp_path), "--no-rehearsal"])
    assert [path.name for path in tmp_path.iterdir()] == [".git"]


def test_what_comes_under_a_name_meanwhile_is_kept(tmp_path, capsys, monkeypatch):
    def asked() -> None:
        (tmp_path / "README.md").write_text("mine")

    monkeypatch.setattr("tiktok_crawler.__main__.ask_credentials", asked)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert "File exists" in refused(capsys, "init", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


def test_nothing_is_overwritten(tmp_path, capsys):
    for name in ("query.yaml", ".gitignore", "notes.txt"):
        (tmp_path / name).write_text("mine")
    message = refused(capsys, "init", str(tmp_path))
    assert message == (
        f"error: {tmp_path} has query.yaml and .gitignore already, and nothing is overwritten: "
        "name a folder that is new or empty"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".gitignore",
        "notes.txt",
        "query.yaml",
    ]


def test_a_folder_with_other_files_is_refused(tmp_path, capsys):
    for number in range(7):
        (tmp_path / f"{number}\x1b.txt").touch()
    assert refused(capsys, "init", str(tmp_path)) == (
        f"error: {tmp_path} is not empty, it has 0�.txt, 1�.txt, 2�.txt, 3�.txt, 4�.txt and "
        "2 more: name a folder that is new or empty"
    )


def test_a_folder_may_have_an_environment_and_what_is_hidden(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    assert main(["init", str(tmp_path), "--no-rehearsal", "--no-secrets"]) == 0
    assert (tmp_path / "scrapy.cfg").exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "name the folder of the new study: python -m tiktok_crawler init my-study"),
        ("a\nb", "has a character that cannot be shown"),
        ("a\udcff", "has a character that cannot be shown"),
        ("a\\b", "has a backslash"),
        ("study ", "has a blank at its end"),
        ("no/such/study", "is no folder: make it first (mkdir -p "),
        ("file", "cannot be used: Not a directory"),
        ("link", "cannot be used: it is a link to 'nowhere', which is not there"),
        ("x" * 300, "File name too long"),
    ],
)
def test_names_that_cannot_be_are_refused(tmp_path, monkeypatch, capsys, name, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    assert words in refused(capsys, "init", name, "--no-rehearsal", "--no-secrets")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link"]


def test_a_study_inside_of_another_project_is_refused(tmp_path, capsys):
    (tmp_path / "scrapy.cfg").touch()
    (tmp_path / "deep").mkdir()
    message = refused(capsys, "init", str(tmp_path / "deep" / "study"))
    assert f"would be inside of another project, that of {tmp_path / 'scrapy.cfg'}" in message
    assert list((tmp_path / "deep").iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="only Linux has such a folder")
def test_a_place_that_cannot_be_written_to_is_refused(capsys):
    message = refused(capsys, "init", "/proc/self/study", "--no-rehearsal", "--no-secrets")
    assert message.startswith("error: /proc/self/study cannot be made, and nothing of it is there")
    assert message.endswith("Name a folder where you may write")


def test_without_the_program_scrapy_it_says_what_is_missing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tiktok_crawler.study.place.which", lambda *_, **__: None)
    with pytest.raises(SystemExit, match="78"):
        main(["init", str(tmp_path / "study")])
    assert f"the program scrapy is not found beside {sys.executable}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("inti", "study"), "there is no command 'inti' here; did you mean 'init'? All else is"),
        (("crawl", "videos", "-a", "x=y"), "there is no command 'crawl' here, only init. All else"),
        (("init", "a", "b"), "there is nothing to do with b. python -m tiktok_crawler -h"),
        (("init", "a", "--no-rehersal"), "there is nothing to do with --no-rehersal"),
        (("init", "a", "--no-secrets=x"), "ignored explicit argument 'x'"),
    ],
)
def test_wrong_command_lines_are_refused(capsys, arguments, words):
    assert words in refused(capsys, *arguments)


def test_without_a_command_there_is_help(capsys):
    assert main([]) == 64
    shown = capsys.readouterr()
    assert (shown.out, shown.err.splitlines()[0]) == (
        "",
        "usage: python -m tiktok_crawler init [--no-secrets] [--no-rehearsal] FOLDER",
    )


class Terminal:
    """A study that is made in a terminal of its own, which shows what its user sees."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.shown, self._seen = "", 0
        self.pid, self._end = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.execve(  # noqa: S606 - the terminal is the shell's place
                INIT[0], [*INIT, "mine", *options], outside(folder, TERM="xterm", COLUMNS="150")
            )

    def until(self, words: str) -> None:
        """Wait for what has not been waited for yet."""
        while (found := self.shown.find(words, self._seen)) < 0:
            assert self._read(), self.shown
        self._seen = found + len(words)

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def ended(self) -> int:
        """The exit status."""
        while self._read():
            pass
        os.close(self._end)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _read(self) -> bytes:
        """What comes next; nothing at the end, which Linux tells by an error."""
        assert select.select([self._end], [], [], LONGEST_SECONDS)[0], self.shown
        try:
            chunk = os.read(self._end, 65536)
        except OSError:
            return b""
        self.shown += chunk.decode(errors="replace")
        return chunk


def asked(folder: Path) -> Terminal:
    terminal = Terminal(folder, "--no-rehearsal")
    terminal.until("Client key: ")
    return terminal


def test_credentials_are_asked_for_and_not_shown(tmp_path):
    terminal = asked(tmp_path)
    for typed in (f" “{KEY}” ", ""):  # the secret is forgotten
        terminal.type(f"{typed}\n")
        terminal.until("Client ")
    terminal.type(f"{KEY}\n")
    terminal.until("Client secret: ")
    terminal.type("s3cr\tt\n")
    terminal.until("a character that none can have, at place 5")
    terminal.until("Client key: ")
    terminal.type(f"{KEY}\n")
    terminal.until("Client secret: ")
    terminal.type(f"{SECRET}\n")
    assert terminal.ended() == 0, terminal.shown
    assert "The key has 6 characters, the secret 13 characters" in terminal.shown
    assert "Without its secret a key is of no use" in terminal.shown
    assert "write the credentials" not in terminal.shown
    assert KEY not in terminal.shown
    assert "s3cr" not in terminal.shown
    path = tmp_path / "mine" / "secrets.yaml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_credentials({}, path) == Credentials(KEY, SECRET)


@pytest.mark.slow
@pytest.mark.parametrize("typed", ["\n", "\x04"], ids=["enter", "ctrl-d"])
def test_credentials_can_be_left_for_later(tmp_path, typed):
    terminal = asked(tmp_path)
    terminal.type(typed)
    assert terminal.ended() == 0, terminal.shown
    assert "write the credentials into secrets.yaml" in terminal.shown
    assert "your-client-key" in (tmp_path / "mine" / "secrets.yaml").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("by", ["ctrl-c", "sigterm"])
def test_what_is_interrupted_leaves_nothing(tmp_path, by):
    terminal = asked(tmp_path)
    if by == "ctrl-c":
        terminal.type("\x03")
    else:
        os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.ended() == 130
    assert terminal.shown.endswith("error: interrupted; nothing was made\r\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_ctrl_c_ends_the_rehearsal_and_not_the_study(tmp_path):
    terminal = Terminal(tmp_path, "--no-secrets")
    terminal.until("NOTICE: Collecting")
    terminal.type("\x03")
    # The crawl may have been about to end.
    assert terminal.ended() in (0, 75), terminal.shown
    assert "What to do next" in terminal.shown
    assert "Traceback" not in terminal.shown
    assert (tmp_path / "mine" / "README.md").exists()


@pytest.mark.slow
def test_sigterm_ends_the_rehearsal_too(tmp_path):
    terminal = Terminal(tmp_path, "--no-secrets")
    terminal.until("NOTICE: Collecting")
    os.kill(terminal.pid, signal.SIGTERM)
    assert terminal.ended() in (0, 75), terminal.shown
    assert "What to do next" in terminal.shown
