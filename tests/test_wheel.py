"""The wheel, in an empty environment elsewhere, is all that a study needs."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import pytest
import tutorial
import yaml
from shown_outputs import HOME, printed, shown

pytestmark = pytest.mark.marathon

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def run(*command: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("PIP_", "SSL_", "REQUESTS_")) or name.lower().endswith("_proxy")
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment |= {"PATH": path, "HOME": str(cwd)} | variables
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build = run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", folder, ROOT, cwd=folder
    )
    assert build.returncode == 0, build.stdout + build.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The bin folder of an environment with nothing but the wheel and what it depends on."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copy(wheel, folder)
    done = run("bash", "-euc", tutorial.step("install").text, cwd=folder, **kept_downloads())
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / ".venv/bin"


def kept_downloads() -> dict[str, str]:
    """Lets pip take what it has downloaded before, if it keeps that."""
    kept = run(sys.executable, "-m", "pip", "cache", "dir", cwd=Path.home(), HOME=str(Path.home()))
    return {} if kept.returncode else {"PIP_CACHE_DIR": kept.stdout.strip()}


@pytest.fixture(scope="module")
def study(installed, tmp_path_factory) -> Path:
    """A study that is made as the README says; its user's environment names another database."""
    place = tmp_path_factory.mktemp("of a user")
    (place / "home").mkdir()
    (told,) = re.findall(r"\.venv/bin/python (-m tiktok_crawler init) my-study\n", README)
    command = (installed / "python", *told.split(), "my study ü")
    real = f"sqlite:///{place / 'home' / 'real.db'}"
    done = run(*command, cwd=place, HOME=str(place / "home"), TIKTOK_DATABASE_URL=real)
    study = place / "my study ü"
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("Missing      nothing\nNext         nothing to do\n")
    steps = done.stdout.partition("What to do next\n")[2].splitlines()
    assert steps[0].startswith(f"  1. cd '{study}' && export PATH={installed}:")
    assert steps[2:5] == [
        "  3. write the credentials into secrets.yaml",
        "  4. scrapy plan query.yaml",
        "  5. scrapy crawl videos -a query=query.yaml",
    ]
    assert list((place / "home").iterdir()) == []
    guide = (study / "README.md").read_text("utf-8")
    (documents,) = re.findall("begin with `(.*)/README.md`", guide)
    assert Path(documents).is_relative_to(installed.parent)
    return study


def in_study(study: Path, command: str, *, below: str = ".") -> subprocess.CompletedProcess[str]:
    """Run a line in a shell that was led to the study as its README says, with an empty home."""
    there = lines_of(study / "README.md")[:2]
    (study / below).mkdir(exist_ok=True)
    script = "\n".join([*there, f"cd {below}", command])
    done = run("bash", "-euc", script, cwd=study.parent, HOME=str(study.parent / "home"))
    assert list((study.parent / "home").iterdir()) == []
    return done


def lines_of(document: Path) -> list[str]:
    """The lines of a document's blocks for a shell, without comments."""
    blocks = re.findall(
        r"^ *```sh\n(.*?)^ *```", document.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    lines = [re.sub(r" +# .*", "", line).strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def is_for_a_study(line: str) -> bool:
    """Whether it installs nothing, and starts nothing that stays."""
    return not re.match(r"python3 -m venv|pip install|systemctl|loginctl", line)


def test_what_the_readme_says_of_a_checkout_works_in_a_study(study):
    lines = [line for line in lines_of(ROOT / "README.md") if is_for_a_study(line)]
    assert Counter(line.split()[0] for line in lines) >= Counter({"scrapy": 7, "cp": 1})
    for line in lines:
        sandbox = " -s TIKTOK_SANDBOX=True" if line.startswith("scrapy") else ""
        done = in_study(study, line + sandbox)
        assert done.returncode == 0, line + done.stderr
    assert stat.S_IMODE((study / "secrets.yaml").stat().st_mode) == 0o600


def test_what_the_readme_of_a_study_says_works(study):
    lines = [line for line in lines_of(study / "README.md") if is_for_a_study(line)][2:]
    assert len(lines) == 5
    for line in lines:
        done = in_study(study, f"{line} -s TIKTOK_SANDBOX=True")
        needs_more = "scrapy report" in line
        assert done.returncode == (78 if needs_more else 0), line + done.stderr
        assert ("pip install 'tiktok-crawler[report]'" in done.stderr) == needs_more


def test_a_study_is_found_from_the_folders_below(study):
    (study / "study_settings.py").write_text(
        "from tiktok_crawler.settings import *\nTIKTOK_DATABASE_URL = 'sqlite:///own.db'\n"
    )
    (study / "scrapy.cfg").write_text("[settings]\ndefault = study_settings\n")
    migrated = in_study(study, "scrapy migrate", below="deep")
    assert migrated.returncode == 0, migrated.stderr
    assert migrated.stdout.startswith(f"SQLite database {study / 'own.db'}")
    planned = in_study(study, "scrapy plan ../query.yaml", below="deep")
    assert planned.returncode == 0, planned.stderr
    assert list((study / "deep").iterdir()) == []
    shutil.copy(ROOT / "scrapy.cfg", study)


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="there is no program sqlite3")
def test_the_example_queries_of_a_study_can_be_run_as_they_are(study):
    done = in_study(study, "sqlite3 -box tiktok-sandbox.db < docs/queries/top_accounts.sql")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") > 10


def test_the_wheel_has_every_file_of_the_package(wheel):
    with ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    package = [
        path
        for path in (ROOT / "tiktok_crawler").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert {path.relative_to(ROOT).as_posix() for path in package} <= names


def test_documents_of_the_wheel_refer_to_what_it_has(wheel, tmp_path):
    with ZipFile(wheel) as packed:
        packed.extractall(tmp_path)
    root = tmp_path / "tiktok_crawler" / "shipped"
    documents = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("docs/**/*.ipynb")]
    links = {
        (path, link)
        for path in documents
        for link in re.findall(r"\]\((?!http)([^)#]+)", path.read_text("utf-8"))
    }
    assert len(documents) > 20
    assert len(links) > 60
    lost = {link for path, link in links if not (path.parent / link).exists()}
    assert lost == {"../benchmarks/README.md"}, "benchmarks are run in a checkout"


@pytest.fixture(scope="module")
def evening(installed, tmp_path_factory) -> Path:
    """The folder of a tutorial that was followed to its end, whose output is in a file."""
    place = tmp_path_factory.mktemp("evening")
    (place / ".venv").symlink_to(installed.parent)
    (place / "home").mkdir()
    script = tutorial.script(without="install")
    told = run("bash", "-c", script, cwd=place, HOME=str(place / "home"), **kept_downloads())
    (place / "told.txt").write_text(told.stdout)
    return place


def test_what_the_tutorial_shows_is_what_its_commands_print(evening):
    done = tutorial.done((evening / "told.txt").read_text())
    shows = re.findall(r"<!-- output: (\S+) -->", tutorial.TEXT)
    assert len(shows) > 7
    commands = {each.name for each in tutorial.steps() if each.kind == "command"}
    assert {*done} == commands - {"install"}
    assert {name: each.status for name, each in done.items() if each.status} == {"early": 75}
    for name in shows:
        assert printed(done[name].output, evening) == shown(tutorial.TEXT, name)
    assert {name for name, each in done.items() if each.output} == {*shows}


def test_the_tutorial_ends_with_a_plot_a_report_and_an_export(evening):
    study = evening / "my-study"
    assert (study / "videos.png").read_bytes().startswith(b"\x89PNG")
    assert "</html>" in (study / "report.html").read_text("utf-8")
    assert (study / "dataset" / "PROVENANCE.md").exists()


def test_the_line_for_cron_in_the_tutorial_is_the_studys_own(evening):
    lines = [
        re.findall(r"```crontab\n(.*)\n```", text)
        for text in (tutorial.TEXT, (evening / "my-study" / "README.md").read_text("utf-8"))
    ]
    assert lines[0] == [line.replace(str(evening), HOME) for line in lines[1]]
    assert len(lines[0]) == 1


def test_the_tutorial_begins_as_the_readme_says():
    (told,) = re.findall(r"<!-- command: init -->\n```sh\n(.*)\n```", README)
    lines = [*tutorial.step("install").text.splitlines(), tutorial.step("init").text.strip()]
    assert told == " && ".join(lines)


def test_the_query_file_of_the_tutorial_is_the_shipped_one_of_two_months():
    shipped = yaml.safe_load((ROOT / "query.yaml").read_text("utf-8"))
    theirs = yaml.safe_load(tutorial.step("query.yaml").text)
    assert theirs == shipped | {"end_date": date(2024, 2, 29)}


def test_the_plot_of_the_tutorial_is_that_of_the_readme():
    (plot,) = re.findall(r"<!-- block: plot -->\n```python\n(.*?)```", README, re.DOTALL)
    assert tutorial.step("plot.py").text == plot.replace("tiktok.db", "tiktok-sandbox.db")
