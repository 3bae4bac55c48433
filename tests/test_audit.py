"""The check of what is installed against published advisories fails where it has to, or says why.

The service of advisories is a small one on this machine, which pip-audit asks in place of others.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
AUDIT = ROOT / ".ci" / "audit.py"
ADVISORY = {
    "id": "PYSEC-0",
    "aliases": ["CVE-0"],
    "summary": "melts",
    "affected": [
        {
            "package": {"name": "butter", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}


class Advisories(BaseHTTPRequestHandler):
    """Knows something of butter alone."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = {"vulns": [ADVISORY]} if asked["package"]["name"] == "butter" else {}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(known).encode())

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def serving_advisories():
    with ThreadingHTTPServer(("127.0.0.1", 0), Advisories) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


@pytest.fixture
def installed(tmp_path):
    """A folder of packages, as pip installs them."""

    def install(*names, version="1.0"):
        for name in names:
            folder = tmp_path / f"{name}-{version}.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            )
        return tmp_path

    return install


def audit(folder, url, *arguments):
    service = ("--vulnerability-service=osv", f"--osv-url={url}", f"--cache-dir={folder}/cache")
    run = subprocess.run(
        [sys.executable, AUDIT, f"--path={folder}", *service, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == ""
    return run.returncode, run.stdout


def test_a_package_with_a_known_vulnerability_fails_the_run(installed):
    folder = installed("butter", "bread")
    with serving_advisories() as url:
        told = audit(folder, url)
        ignored = audit(folder, url, "--ignore-vuln=CVE-0")
    assert told == (1, "butter 1.0 is vulnerable: PYSEC-0, CVE-0; mended in 1.1\n")
    assert ignored == (0, "No advisory has been published for 2 packages\n")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [((), "Connection refused"), (("--within=0.01",), "it took longer than 0.01 seconds")],
)
def test_that_advisories_cannot_be_read_is_told_in_a_line(installed, arguments, reason):
    status, told = audit(installed("butter"), "http://127.0.0.1:1/", *arguments)
    assert status == 0
    assert told.startswith("NOT CHECKED against published advisories, which cannot be read: ")
    assert reason in told
    assert told.count("\n") == 1


def test_packages_of_which_nothing_can_be_read_are_told(installed):
    installed("bread")
    folder = installed(*"abcdefg", version="as.baked")
    with serving_advisories() as url:
        status, told = audit(folder, url)
    assert status == 0
    assert told == (
        "NOT CHECKED against published advisories: 7 packages of 8, of which none can be read: "
        "a, b, c, d, e and 2 more\nNo advisory has been published for 1 package\n"
    )


def test_the_decisive_run_has_it():
    assert "\npython .ci/audit.py\n" in (ROOT / ".ci" / "run").read_text()
