"""The PostgreSQL that compose.yaml starts is for this machine alone, and is the one in the docs."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from sqlalchemy import make_url

ROOT = Path(__file__).parents[1]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
POSTGRES = COMPOSE["services"]["postgres"]


def test_it_listens_on_loopback_only():
    assert all(port.startswith("127.0.0.1:") for port in POSTGRES["ports"])


def test_the_password_is_required_and_stands_in_no_file():
    assert POSTGRES["environment"]["POSTGRES_PASSWORD"].startswith("${PGPASSWORD:?")


def test_its_data_is_on_a_volume_that_outlives_it():
    volume, _ = POSTGRES["volumes"][0].split(":")
    assert volume in COMPOSE["volumes"]


def test_the_documented_url_leads_to_its_database():
    (url,) = re.findall(r"TIKTOK_DATABASE_URL=(postgresql:\S+)", OPERATIONS)
    database = make_url(url)
    assert database.username == POSTGRES["environment"]["POSTGRES_USER"]
    assert database.database == POSTGRES["environment"]["POSTGRES_DB"]
    assert database.password is None
