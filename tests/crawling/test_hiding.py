"""What is printed holds no secret."""

from __future__ import annotations

from pprint import pformat

import pytest
from scrapy.settings import Settings

from tiktok_crawler.crawling.hiding import hide_secrets, holds_secret, without_login


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("videos.jsonl", "videos.jsonl"),
        ("/data/a b@c.csv", "/data/a b@c.csv"),
        ("file:///data/a@b.csv", "file:///data/a@b.csv"),
        ("s3://key:secret@bucket/videos.csv", "s3://bucket/videos.csv"),
        ("ftp://ann:p@ss@example/x.csv", "ftp://example/x.csv"),
        ("ftp://ann:p/ss@example/x.csv", "ftp://example/x.csv"),
        ("ftp://ann:p#ss@example/x.csv", "ftp://example/x.csv"),
        ("ftp:///ann:s3cr3t@example/x.csv", "ftp://example/x.csv"),
        ("ftp:/ann:s3cr3t@example/x.csv", "ftp://example/x.csv"),
        ("ftp:ann:s3cr3t@example/x.csv", "ftp://example/x.csv"),
        ("https://example/x.csv?signature=s3cr3t", "https://example/x.csv"),
    ],
)
def test_an_address_has_no_login(uri, shown):
    assert without_login(uri) == shown


@pytest.mark.parametrize(
    ("argument", "has_secret"),
    [
        ("ftp://ann:s3cr3t@example/x.csv", True),
        ("TIKTOK_DATABASE_URL=postgresql://ann@example/x", True),
        ("TIKTOK_DATABASE_URL=sqlite:///butter.db", False),
        ("ftp:///ann:s3cr3t@example/x.csv", True),
        ("ftp:/ann:s3cr3t@example/x.csv", True),
        ("ftp:ann:s3cr3t@example/x.csv", True),
        ("ftp//ann:s3cr3t@example/x.csv", True),
        ("AWS_SECRET_ACCESS_KEY=x", True),
        ("TIKTOK_NOTIFY=slack://a/b/c", True),
        ("FEEDS={'https://example/x.csv?X-Amz-Signature=s3cr3t': {}}", True),
        ("postgresql://ann@example/x?sslmode=require&password=s3cr3t", True),
        ('DEFAULT_REQUEST_HEADERS={"Authorization": "Bearer s3cr3t"}', True),
        ('DEFAULT_REQUEST_HEADERS={"X-Api-Key": "s3cr3t"}', True),
        ("COOKIES_ENABLED=True", False),
        ("postgresql://ann@example/x?sslmode=require", False),
        ("videos.csv", False),
        ("TIKTOK_SECRETS_FILE=other.yaml", False),
        ("usernames=https://www.tiktok.com/@ann,https://www.tiktok.com/@bob", False),
    ],
)
def test_a_command_is_shown_again_unless_it_holds_a_secret(argument, has_secret):
    assert holds_secret(argument) is has_secret


def test_secrets_among_settings_are_what_they_are_and_not_shown():
    given = {
        "AWS_SECRET_ACCESS_KEY": "s3cr3t",
        "AWS_ENDPOINT_URL": "https://ann:s3cr3t@example",
        "FEED_URI": "ftp://ann:s3cr3t@example/x.csv",
        "GS_PLACE": "https://example/x.csv?signature=s3cr3t",
        "LOG_LEVEL": "INFO",
    }
    settings = Settings(given, priority="cmdline")

    hide_secrets(settings)

    assert {name: settings[name] for name in given} == given
    assert settings.getpriority("FEED_URI") == 40
    shown = pformat({name: settings[name] for name in given})
    assert "s3cr3t" not in shown
    assert "INFO" in shown
