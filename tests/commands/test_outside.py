"""Commands outside of a project say where they work; other projects are left alone."""

from __future__ import annotations

import subprocess
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import iter_modules

import pytest
from marathon import in_marathon
from processes import SCRAPY, environment
from scrapy.cmdline import _get_commands_from_module

from tiktok_crawler import commands, outside
from tiktok_crawler.commands import plan

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[2]

SPIDER = """
import scrapy

class Greeter(scrapy.Spider):
    name = "greeter"

    async def start(self):
        print("hello")
        return
        yield
"""


def scrapy(folder, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = environment(folder)
    del variables["SCRAPY_SETTINGS_MODULE"]
    return subprocess.run(
        [SCRAPY, *arguments],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_command_is_known_outside_of_a_project():
    entries = {entry.name for entry in entry_points(group="scrapy.commands")}
    anywhere = set(_get_commands_from_module("scrapy.commands", inproject=False))
    assert {module.name for module in iter_modules(commands.__path__)} - anywhere == entries


@pytest.mark.parametrize(
    "command",
    [
        ("crawl", "videos", "-a", "query=query.yaml", "-s", "TIKTOK_SANDBOX=True"),
        ("plan", "query.yaml"),
        in_marathon(("status", "--json")),
        in_marathon(("replay", "archive")),
        in_marathon(("migrate", "--stamp")),
        in_marathon(("export", "dataset")),
        in_marathon(("sandbox", "--port", "0")),
    ],
)
def test_a_command_outside_of_a_project_says_where_it_works(tmp_path, command):
    run = scrapy(tmp_path, *command)
    assert run.returncode == 64
    assert run.stderr == (
        "error: there is no project here: run the command in the folder that has scrapy.cfg, or "
        f"below it (cd {CHECKOUT}); python -m tiktok_crawler init my-study makes a new one\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_without_a_checkout_the_way_to_a_study_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(outside, "CHECKOUT", tmp_path)
    with pytest.raises(SystemExit, match="64"):
        outside.Outside().process_options([], None)
    assert capsys.readouterr().err == (
        "error: there is no project here: run the command in the folder that has scrapy.cfg, or "
        "below it; python -m tiktok_crawler init my-study makes a new one\n"
    )


def test_inside_the_project_its_own_commands_are_meant():
    run = scrapy(CHECKOUT, "plan", "--help")
    assert plan.Command().short_desc() in run.stdout


def test_another_project_has_scrapys_own_crawl(tmp_path):
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = other\n")
    (tmp_path / "other.py").write_text("SPIDER_MODULES = ['greetings']\n")
    (tmp_path / "greetings.py").write_text(SPIDER)
    run = scrapy(tmp_path, "crawl", "greeter")
    assert run.returncode == 0, run.stderr
    assert run.stdout == "hello\n"
