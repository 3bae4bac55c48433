"""Which files a study begins with, and what is in them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from tiktok_crawler.config.credentials import EXAMPLES
from tiktok_crawler.query_file.secrets_file import NAMES
from tiktok_crawler.shipped import shipped

if TYPE_CHECKING:
    from tiktok_crawler.config.credentials import Credentials
    from tiktok_crawler.study.place import Place

SECRETS = "secrets.yaml"
COPIED = ("scrapy.cfg", "query.yaml", "secrets.example.yaml", "compose.yaml")
EXAMPLES_TO_EDIT = ("docs/queries", "docs/notebooks")

CRAWL = "crawl videos -a query=query.yaml"


def files_of(place: Place, credentials: Credentials | None) -> dict[str, bytes]:
    """The files by their paths in the folder; without credentials, with those of the example."""
    written = {
        SECRETS: secrets(_text("secrets.example.yaml"), credentials),
        ".gitignore": patterns_to_ignore(_text(".gitignore")),
        "README.md": guide(place),
    }
    return {
        **{name: shipped(name).read_bytes() for name in COPIED},
        **{name: text.encode() for name, text in written.items()},
        **{
            f"{folder}/{path.name}": path.read_bytes()
            for folder in EXAMPLES_TO_EDIT
            for path in sorted(shipped(folder).iterdir())
            if path.is_file()
        },
    }


def secrets(example: str, credentials: Credentials | None) -> str:
    """The first line of the example of a secrets file, and these credentials, or its own."""
    values = (credentials.client_key, credentials.client_secret) if credentials else EXAMPLES
    lines = [f"{name}: {json.dumps(value)}" for name, value in zip(NAMES, values, strict=True)]
    return "\n".join([example.splitlines()[0], *lines, ""])


def patterns_to_ignore(of_checkout: str) -> str:
    """The patterns of a checkout, for each folder of a study: none has files of the program."""
    data, _, _ = of_checkout.partition("# Tools")
    patterns = [line for line in data.splitlines() if line and not line.startswith("#")]
    everywhere = [re.sub("^(!?)/", r"\1", pattern) for pattern in patterns]
    return "\n".join(["# Secrets and data.", *everywhere, "!/docs/queries/*.sql", ""])


def guide(place: Place) -> str:
    """The README.md of a study."""
    template = Template(Path(__file__).with_name("guide.md").read_text("utf-8"))
    folder, scrapy = str(place.folder), str(place.scrapy)
    collect = f"cd {shlex.quote(folder)} && {shlex.quote(scrapy)} {CRAWL}"
    return template.substitute(
        name=place.folder.name,
        folder=shlex.quote(folder),
        programs=shlex.quote(str(place.scrapy.parent)),
        in_cron=collect.replace("%", r"\%"),
        unit=unit_name(place.folder.name),
        folder_in_unit=folder.replace("%", "%%"),
        name_in_unit=place.folder.name.replace("%", "%%"),
        scrapy_in_unit=_word_in_unit(scrapy),
        crawl=CRAWL,
        documents=shipped("docs").parent,
    )


def unit_name(name: str) -> str:
    """The name of the units that run a study, of the few characters that systemd allows."""
    return f"tiktok-{re.sub('[^A-Za-z0-9]+', '-', name).strip('-') or 'study'}"


def _word_in_unit(word: str) -> str:
    """A word of a command line in a unit, in which % and $ stand for something else."""
    return '"' + word.replace('"', r"\"").replace("%", "%%").replace("$", "$$") + '"'


def _text(name: str) -> str:
    return shipped(name).read_text("utf-8")
