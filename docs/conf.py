"""How Sphinx makes the site of the documents; CONTRIBUTING.md has the command."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_site"))

project = "tiktok_crawler"
author = "The tiktok_crawler authors"
language = "en"

extensions = ["myst_parser", "from_code"]
root_doc = "docs/index"
# The documents lie where readers of a checkout look for them.
include_patterns = [
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "benchmarks/README.md"),
    "docs/*.md",
]
exclude_patterns = [".*", "build"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = project
html_static_path = ["_site/static"]
html_extra_path = ["_site/root"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
# Where the site is opened as files, the parts of pages around what was found cannot be read.
html_show_search_summary = False
