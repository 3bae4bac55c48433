"""What documents show of commands, and what these print, as texts that can be compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HOME = "/home/me/tiktok"
"""The folder in which documents work."""


def shown(document: str, name: str) -> str:
    """What a document shows as the output of a command."""
    (block,) = re.findall(rf"<!-- output: {name} -->\n```text\n(.*?)```", document, re.DOTALL)
    return with_one_time(block)


def with_one_time(text: str) -> str:
    return re.sub(r"2026-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?", "TIME", text)


def printed(text: str, path: Path) -> str:
    """An output as it would be in the folder of a document."""
    return with_one_time(re.sub(r"20(2[6-9]|[3-9]\d)-", "2026-", text)).replace(str(path), HOME)
