"""What docs/configuration.md says of each setting of Scrapy."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "configuration.md"


def documented() -> dict[str, list[str]]:
    """The settings that hold, that are refused, and that have no effect, as the table has them."""
    table = DOCUMENT.read_text(encoding="utf-8").split("## All settings of Scrapy\n")[1]
    found = defaultdict(list)
    for names, kind in re.findall(r"^\| (`.*?`) \| (.*?) \|", table, flags=re.MULTILINE):
        found[kind] += re.findall(r"[A-Z]\w+", names)
    return found
