"""Runs tiktok-research-api-helper's own command, in its own environment, against a sandbox.

Command: URL ARGUMENTS. The tool has no setting for the API's address, so requests to it are turned
to the sandbox on their way out; nothing else of the tool is touched.
"""

from __future__ import annotations

import sys
from typing import Any

import requests
from tiktok_research_api_helper.cli.main import APP

API_URL = "https://open.tiktokapis.com"


def main() -> None:
    _, sandbox_url, *arguments = sys.argv
    request = requests.Session.request

    def redirected(
        session: requests.Session, method: str, url: str, **options: Any
    ) -> requests.Response:
        return request(session, method, url.replace(API_URL, sandbox_url), **options)

    requests.Session.request = redirected  # type: ignore[assignment,method-assign]
    APP(arguments)


if __name__ == "__main__":
    main()
