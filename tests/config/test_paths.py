"""Relative paths are relative to the project, wherever a command is run."""

from __future__ import annotations

from pathlib import Path

import pytest
from crawling import project_settings as settings

from tiktok_crawler.config import Config
from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.storage.engine.database import database_url

STRANGE = "50% of? #1 a+b%20c"
"""A name with all that has a meaning in URLs."""
ENCODED = "50%25%20of%3F%20%231%20a+b%2520c"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project, in a subfolder of which a command is run; the home folder is beside it."""
    (tmp_path / "project/deep/down").mkdir(parents=True)
    (tmp_path / "project/scrapy.cfg").touch()
    monkeypatch.chdir(tmp_path / "project/deep/down")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "project"


def config(**overrides) -> Config:
    return Config.of(settings(**overrides), {})


def database_file(url: str) -> Path:
    return Path(database_url(config(TIKTOK_DATABASE_URL=url).database_url).database)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("data", "project/data"),
        ("./data", "project/data"),
        ("../data", "project/../data"),
        (STRANGE, f"project/{STRANGE}"),
        ("~/data", "home/data"),
        ("~", "home"),
        (f"~/{STRANGE}", f"home/{STRANGE}"),
        ("/srv/data", "/srv/data"),
        ("sub/~", "project/sub/~"),
    ],
)
def test_paths_are_relative_to_the_project_as_they_are(project, written, found):
    chosen = config(TIKTOK_ARCHIVE=written, TIKTOK_SECRETS_FILE=written)

    assert chosen.archive == chosen.secrets_file == project.parent / found


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("sqlite:///data.db", "project/data.db"),
        ("sqlite+pysqlite:///sub/data.db", "project/sub/data.db"),
        (f"sqlite:///{ENCODED}.db", f"project/{STRANGE}.db"),
        ("sqlite:///a b#c.db", "project/a b#c.db"),
        ("sqlite:///~/data.db", "home/data.db"),
        (f"sqlite:///~/{ENCODED}.db", f"home/{STRANGE}.db"),
        (f"sqlite:////srv/{ENCODED}.db", f"/srv/{STRANGE}.db"),
    ],
)
def test_so_is_a_database_whose_url_is_percent_encoded(project, url, found):
    assert database_file(url) == project.parent / found


def test_so_are_the_defaults(project):
    assert config().secrets_file == project / "secrets.yaml"
    assert config().database_url == f"sqlite:///{project}/tiktok.db"
    assert config(TIKTOK_SANDBOX=True).database_url == f"sqlite:///{project}/tiktok-sandbox.db"


@pytest.mark.parametrize(
    ("written", "found"), [("bad-day", "bad-day"), ("mine.yaml", "mine.yaml"), ("sub/x", "sub/x")]
)
def test_so_is_a_profile_of_the_sandbox_that_is_a_file(project, written, found):
    profile = config(TIKTOK_SANDBOX_PROFILE=written).sandbox_profile

    assert profile == (found if found == "bad-day" else str(project / found))


def test_so_are_key_files_of_postgresql(project):
    url = "postgresql://ann:p%40w@h:5433/d?sslkey=~/my.key&sslrootcert=ca.pem&connect_timeout=3"
    found = database_url(config(TIKTOK_DATABASE_URL=url).database_url)

    assert (found.password, found.host, found.port, found.database) == ("p@w", "h", 5433, "d")
    assert dict(found.query) == {
        "sslkey": str(project.parent / "home/my.key"),
        "sslrootcert": str(project / "ca.pem"),
        "connect_timeout": "3",
    }


@pytest.mark.parametrize(
    "url",
    [
        *(
            "sqlite:///what?.db",
            "sqlite://my.db",
            "sqlite:///file:x.db",
            "postgresql://ann@h/d",
        ),
        *("postgresql://h/d?sslrootcert=system", "nonsense", "postgresql://a:b@c@h/d?sslkey=x"),
    ],
)
@pytest.mark.usefixtures("project")
def test_other_urls_stay_as_they_are(url):
    assert config(TIKTOK_DATABASE_URL=url).database_url == url


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", " sqlite:///:memory: "])
def test_a_database_in_memory_is_refused(url):
    with pytest.raises(ConfigurationError, match=r"names no file.* lost at the end"):
        config(TIKTOK_DATABASE_URL=url)


def test_without_a_project_paths_are_relative_to_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert config(TIKTOK_ARCHIVE="kept").archive == tmp_path / "kept"
    assert config().database_url == f"sqlite:///{tmp_path}/tiktok.db"


def test_the_home_of_an_unknown_user_is_refused():
    with pytest.raises(ConfigurationError, match="~nobody-of-this-name/x: no home folder"):
        config(TIKTOK_ARCHIVE="~nobody-of-this-name/x")
