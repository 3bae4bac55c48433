"""The field's existing tool, installed from PyPI into an environment of its own when needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

NAME = "tiktok-research-api-helper"
VERSION = "0.1.3"
FOLDER = Path(__file__).with_name(".cache") / f"{NAME}-{VERSION}"


def python() -> str:
    """The Python that can import it."""
    executable, installed = FOLDER / "bin" / "python", FOLDER / "installed"
    if not installed.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True)
        install = ["-m", "pip", "install", "-qq", f"{NAME}=={VERSION}"]
        subprocess.run([executable, *install], check=True)
        installed.touch()
    return str(executable)
