"""What is in the folder of a study: whose it is, what git takes of it, what its README says."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from processes import SCRAPY, scrapy
from studies import init

from tiktok_crawler.config.credentials import Credentials, read_credentials
from tiktok_crawler.study.files import secrets, unit_name

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "secrets.example.yaml").read_text()
NAME = """50% of? #1 ünö 한 $x "d" o'b"""


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """A study in a folder of a strange name, made by somebody who keeps nothing to himself."""
    place = tmp_path_factory.mktemp("studies")
    run = init(place, NAME, "--no-rehearsal", umask=0o000)
    assert run.returncode == 0, run.stderr
    assert (run.stdout.splitlines()[0], run.stderr) == (f"Made {place / NAME}", "")
    return place / NAME


def blocks(study: Path, language: str) -> list[str]:
    text = (study / "README.md").read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def modes(study: Path) -> dict[bool, set[int]]:
    """The modes of folders (True) and files (False)."""
    found: dict[bool, set[int]] = {True: set(), False: set()}
    for path in (study, *study.rglob("*")):
        found[path.is_dir()].add(stat.S_IMODE(path.stat().st_mode))
    return found


def test_a_study_has_what_a_checkout_has_for_its_users(study):
    for name in ("query.yaml", "secrets.example.yaml", "scrapy.cfg", "compose.yaml"):
        assert (study / name).read_bytes() == (ROOT / name).read_bytes()
    for folder in ("queries", "notebooks"):
        of_checkout = {path.name for path in (ROOT / "docs" / folder).iterdir()}
        assert {path.name for path in (study / "docs" / folder).iterdir()} == of_checkout


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_all_of_it_is_its_owners_alone(study, tmp_path, umask):
    if umask:
        assert init(tmp_path, "mine", "--no-rehearsal", umask=umask).returncode == 0
    assert modes(tmp_path / "mine" if umask else study) == {True: {0o700}, False: {0o600}}


@pytest.mark.slow
def test_in_a_folder_that_a_group_shares_all_but_the_secrets_is_the_groups(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2770)
    assert init(shared, ".", "--no-rehearsal").returncode == 0
    assert stat.S_IMODE((shared / "query.yaml").stat().st_mode) == 0o660
    assert stat.S_IMODE((shared / "docs" / "queries").stat().st_mode) & 0o777 == 0o770
    assert stat.S_IMODE((shared / "secrets.yaml").stat().st_mode) == 0o600


def test_without_a_terminal_the_secrets_are_left_for_later(study):
    run = scrapy(study, "crawl", "videos", "-a", "query=query.yaml")
    assert run.returncode == 77
    assert f"{study / 'secrets.yaml'}: client_key is still that of the example" in run.stderr
    assert "can be read by" not in run.stderr


@pytest.mark.parametrize("secret", ["abc", "a: b # \\ \\n".replace(" ", ""), "-{[*&!|>%@`,}]?~"])
def test_secrets_are_read_as_they_were_typed(tmp_path, secret):
    path = tmp_path / "secrets.yaml"
    path.write_text(secrets(EXAMPLE, Credentials("k:#y", secret)))
    path.chmod(0o600)
    assert read_credentials({}, path) == Credentials("k:#y", secret)


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
def test_git_takes_neither_secrets_nor_data_of_any_folder(study, tmp_path):
    study = shutil.copytree(study, tmp_path / "study")
    made = ("tiktok.db", "tiktok-sandbox.db-wal", "crawl.log", "videos.json", "accounts.csv")
    (study / "part").mkdir()
    for folder in (study, study / "part"):
        for name in (*made, "secrets.yaml", "secrets-of-zoe.yaml", "report.html", "other.yaml"):
            (folder / name).touch()

    def git(*arguments: str) -> str:
        command = ["git", "-c", "core.quotePath=false", *arguments]
        return subprocess.run(command, cwd=study, check=True, capture_output=True, text=True).stdout

    git("init", "--quiet")
    git("add", "-A")
    staged = {path for path in git("ls-files").splitlines() if not path.startswith("docs/")}
    assert staged == {
        ".gitignore",
        "README.md",
        "compose.yaml",
        "other.yaml",
        "part/other.yaml",
        "query.yaml",
        "scrapy.cfg",
        "secrets.example.yaml",
    }
    examples = len(list((ROOT / "docs/queries").iterdir()))
    assert len(git("ls-files", "docs/queries").splitlines()) == examples > 10


def as_cron_hands_it_to_the_shell(line: str) -> str:
    """The command of a line of a crontab: an escaped % is one, any other ends the command."""
    command = line.split(maxsplit=5)[5].rstrip("\n")
    assert not re.search(r"(?<!\\)%", command)
    return command.replace(r"\%", "%")


def with_echo_for_scrapy(command: str) -> str:
    assert command.count(SCRAPY) == 1
    return command.replace(SCRAPY, "echo scrapy")


def test_the_line_for_cron_works_in_the_folder(study):
    (line,) = blocks(study, "crontab")
    command = with_echo_for_scrapy(as_cron_hands_it_to_the_shell(line))
    subprocess.run(["/bin/sh", "-c", command], env={"PATH": os.defpath}, cwd="/", check=True)
    log = study / "crawl.log"
    assert log.read_text() == "scrapy crawl videos -a query=query.yaml\n"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    log.unlink()


def unescaped(text: str) -> str:
    """A value of a unit, in which a single % begins something else."""
    assert "%" not in text.replace("%%", "")
    return text.replace("%%", "%")


def test_the_units_for_systemd_are_about_the_folder(study):
    service, timer = map(unit, blocks(study, "ini"))
    command = unescaped(service["Service"]["ExecStart"]).replace("$$", "$")
    assert shlex.split(command) == [
        "/usr/bin/env",
        SCRAPY,
        "crawl",
        "videos",
        "-a",
        "query=query.yaml",
    ]
    assert unescaped(service["Service"]["WorkingDirectory"]) == str(study)
    assert unescaped(service["Service"]["StandardOutput"]) == f"append:{study}/crawl.log"
    assert timer["Timer"]["OnCalendar"] == "*-*-* 01:15"


def unit(text: str) -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    found.optionxform = str  # type: ignore[assignment]
    found.read_string(text)
    return found


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd")
def test_systemd_takes_the_units(study, tmp_path):
    names = re.findall(r"`~/\.config/systemd/user/(.*?)`", guide(study))
    assert names == [f"tiktok-50-of-1-n-x-d-o-b.{kind}" for kind in ("service", "timer")]
    for name, text in zip(names, blocks(study, "ini"), strict=True):
        (tmp_path / name).write_text(text)
    (tmp_path / "run").mkdir(mode=0o700)
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", *names],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(tmp_path / "run"), "HOME": "/"},
        capture_output=True,
        text=True,
        check=False,
    )
    if "Failed to initialize manager" in verified.stderr:
        pytest.skip(verified.stderr)
    assert (verified.returncode, verified.stderr) == (0, "")


def guide(study: Path) -> str:
    return (study / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "unit"),
    [("my-study", "tiktok-my-study"), ("ünö 2", "tiktok-n-2"), ("한국", "tiktok-study")],
)
def test_units_have_names_that_systemd_allows(name, unit):
    assert unit_name(name) == unit


def test_the_guide_leads_to_the_folder_to_the_program_and_to_the_documents(study):
    first, *_ = blocks(study, "sh")
    lines = f"{first}pwd\ncommand -v scrapy\n"
    run = subprocess.run(
        ["/bin/sh", "-euc", lines],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines() == [str(study), SCRAPY]
    (readme,) = re.findall(r"begin with `(.*?)`", guide(study))
    assert Path(readme).read_bytes() == (ROOT / "README.md").read_bytes()


def test_every_file_of_a_study_is_explained(study):
    table = guide(study).partition("## Files")[2]
    names = {path.name for path in study.iterdir()} - {"README.md", "docs"}
    assert {name for name in names if f"`{name}`" not in table} == set()
