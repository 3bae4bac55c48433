from __future__ import annotations

import pytest

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.storage.engine.database import database_url, describe

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("url", "rendered"),
    [
        ("sqlite:///tiktok.db", "sqlite:///tiktok.db"),
        (" sqlite:////srv/a b@c/tiktok.db\n", "sqlite:////srv/a b%40c/tiktok.db"),
        ("sqlite+pysqlite:///tiktok.db", "sqlite:///tiktok.db"),
        ("sqlite://", "sqlite://"),
        ("postgres://u:p@h/d", "postgresql+psycopg2://u:***@h/d"),
        ("postgresql://u:p%40x@h:5433/d", "postgresql+psycopg2://u:***@h:5433/d"),
        ("postgresql+psycopg2:///d?host=/run", "postgresql+psycopg2:///d?host=%2Frun"),
    ],
)
def test_urls_get_the_driver_that_is_installed(url, rendered):
    assert database_url(url).render_as_string() == rendered


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tiktok.db",
        "mysql://root@localhost/tiktok",
        "postgresql+asyncpg://h/d",
        "sqlite:///file:tiktok.db?mode=ro&uri=true",
        "sqlite:///file:tiktok.db",
        "sqlite://tiktok.db",
        "sqlite://data/tiktok.db",
        "sqlite://./tiktok.db",
        "sqlite://~/tiktok.db",
        "sqlite://localhost/tiktok.db",
        f"sqlite://u:{SECRET}@/tiktok.db",
        "sqlite:/tiktok.db",
        "sqlite:tiktok.db",
        "sqlite:///what?.db",
        "sqlite:///a%00b.db",
        "sqlite:///tiktok.db?mode=ro",
        f"postgresql://u:{SECRET}@h:port/d",
        f"postgresql://u:{SECRET}@x@h/d",
        f"postgresql://u:x@{SECRET}/x@h/d",
        f"{SECRET}://u:p@h/d",
        f"postgresql//u:{SECRET}@h/d",
        f"postgresql:///u:{SECRET}@h/d",
        f"postgresql:////u:{SECRET}@h:1/d",
        f"postgresql:///u:{SECRET}/d",
        f"postgresql://u:{SECRET}%00x@h/d",
    ],
)
def test_other_urls_are_refused_without_quoting_them(url):
    with pytest.raises(ConfigurationError) as refusal:
        database_url(url)

    assert "database URL" in str(refusal.value)
    assert SECRET not in repr([refusal.value, refusal.value.__cause__])
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "description"),
    [
        ("sqlite:///data/tiktok.db", "SQLite database data/tiktok.db"),
        ("sqlite://", "SQLite database :memory:"),
        (
            f"postgresql://u:{SECRET}@db.test:5433/d",
            "PostgreSQL database d on db.test:5433",
        ),
        ("postgresql:///videos?host=/run/pg", "PostgreSQL database videos on /run/pg"),
        ("postgresql://", "PostgreSQL database of the user on this machine"),
    ],
)
def test_descriptions_name_host_and_database_only(url, description):
    assert describe(database_url(url)) == description
