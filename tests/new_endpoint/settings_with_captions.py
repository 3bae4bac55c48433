"""The project's settings, where an endpoint that does not exist was declared before all else."""

from __future__ import annotations

from pathlib import Path

import captions_endpoint  # noqa: F401 - before anything follows from what is declared

from tiktok_crawler.sandbox import lists
from tiktok_crawler.settings import *  # noqa: F403 - that of all settings
from tiktok_crawler.storage import records

FOLDER = Path(__file__).parent

lists.__path__.append(str(FOLDER / "sandbox_lists"))
records.__path__.append(str(FOLDER / "storage_records"))
