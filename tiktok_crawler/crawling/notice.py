"""The level of the few log lines that everyone should read.

It stands between WARNING and INFO, which Scrapy fills with its settings and statistics.
"""

from __future__ import annotations

import logging

NOTICE = 25
LEVEL_NAME = "NOTICE"

logging.addLevelName(NOTICE, LEVEL_NAME)
