"""What compose.yaml starts is for this machine alone, and is what the docs say.

No container is started: the same daemons run as processes in other tests.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from urllib.error import HTTPError

import pytest
import yaml
from scrapyd_nodes import CONF as SCRAPYD_CONF_IN_DOCS
from scrapyd_nodes import node
from sqlalchemy import make_url

ROOT = Path(__file__).parents[1]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
POSTGRES = COMPOSE["services"]["postgres"]
NODES = {name: each for name, each in COMPOSE["services"].items() if name != "postgres"}
SCRAPYD_CONF = COMPOSE["configs"]["scrapyd"]["content"]


def test_it_is_a_file_of_docker_composes():
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    file = ROOT / "compose.yaml"
    run = subprocess.run([*check, file], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("service", COMPOSE["services"].values(), ids=COMPOSE["services"])
def test_it_listens_on_loopback_only(service):
    assert service["ports"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_the_nodes_are_started_only_if_they_are_meant():
    assert len(NODES) > 1
    assert all(node["profiles"] == ["nodes"] for node in NODES.values())
    assert len({port for node in NODES.values() for port in node["ports"]}) == len(NODES)
    assert len({node["volumes"][0] for node in NODES.values()}) == len(NODES)


def test_a_node_begins_with_what_the_docs_write_into_its_file():
    written = ConfigParser()
    written.read_string(SCRAPYD_CONF)
    assert dict(written.items("settings")) == {"default": "tiktok_crawler.settings"}
    assert SCRAPYD_CONF.partition("[scrapyd]")[2] == SCRAPYD_CONF_IN_DOCS.partition("[scrapyd]")[2]


def test_a_node_has_no_secret_that_is_written_here():
    for name, value in NODES["node1"]["environment"].items():
        assert ("PASSWORD" in name) == value.startswith("${")


def test_a_node_does_not_start_without_a_password():
    shell, option, command = NODES["node1"]["entrypoint"]
    run = subprocess.run(
        [shell, option, command.replace("$$", "$")],
        env={"PATH": os.environ["PATH"], "SCRAPYD_PASSWORD": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "choose a password" in run.stderr


@pytest.mark.slow
def test_a_node_knows_the_project_by_its_files_alone(tmp_path):
    """Its folder has no scrapy.cfg: the file of compose.yaml, and its environment, are enough."""
    variables = {"SCRAPY_SETTINGS_MODULE": NODES["node1"]["environment"]["SCRAPY_SETTINGS_MODULE"]}
    with node(tmp_path, SCRAPYD_CONF, is_project=False, **variables) as daemon:
        assert "videos" in daemon.get("listspiders.json", project="default")["spiders"]
        with pytest.raises(HTTPError, match="404"):
            daemon.post("addversion.json", ("version", "1"), ("egg", "any"))


def test_the_password_is_required_and_stands_in_no_file():
    assert POSTGRES["environment"]["POSTGRES_PASSWORD"].startswith("${PGPASSWORD:?")


def test_its_data_is_on_a_volume_that_outlives_it():
    volume, _ = POSTGRES["volumes"][0].split(":")
    assert volume in COMPOSE["volumes"]


def test_the_documented_url_leads_to_its_database():
    (url,) = re.findall(r"TIKTOK_DATABASE_URL=(postgresql:\S+)", OPERATIONS)
    within = NODES["node1"]["environment"]["TIKTOK_DATABASE_URL"]
    assert within == url.replace("127.0.0.1", "postgres")
    database = make_url(url)
    assert database.username == POSTGRES["environment"]["POSTGRES_USER"]
    assert database.database == POSTGRES["environment"]["POSTGRES_DB"]
    assert database.password is None
