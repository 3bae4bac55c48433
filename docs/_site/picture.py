"""Draws docs/crawl.svg from a crawl of the sandbox, as a terminal shows it.

The live line is shown as it stands half-way, and below it the summary.
"""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

CHECKOUT = Path(__file__).parents[2]
PICTURE = CHECKOUT / "docs" / "crawl.svg"
COLUMNS = 108
TYPED = "scrapy crawl videos -a query=query.yaml"
SHOWN_FOLDER = "/home/me/tiktok"
PROFILE = "latency: {seconds: 0.4}\n"
REDRAWN = "\r\x1b[2K"
"""What the live line begins with each time that it is drawn."""
CONTROL = r"\x1b\[[?\d;]*[A-Za-z]|\r"

THEME = TerminalTheme((250, 250, 248), (40, 44, 52), [(40, 44, 52)] * 8)
FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>{styles}
.{unique_id}-matrix {{ font: {char_height}px ui-monospace, Menlo, Consolas, monospace; }}
</style>
<defs>{lines}</defs>
<rect width="100%" height="100%" rx="8" fill="#fafaf8" stroke="#c8c8c4"/>
<g class="{unique_id}-matrix" transform="translate(12 22)">{matrix}</g>
</svg>
"""


def main() -> None:
    with TemporaryDirectory() as folder:
        copy(CHECKOUT / "query.yaml", folder)
        (Path(folder) / "slow.yaml").write_text(PROFILE, encoding="utf-8")
        lines = shown(crawl(folder).replace(os.path.realpath(folder), SHOWN_FOLDER))
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), highlight=False)
    console.print(Text.from_ansi("\n".join([f"$ {TYPED}", *lines])))
    drawn = console.export_svg(theme=THEME, code_format=FORMAT, unique_id="crawl")
    PICTURE.write_text(drawn, encoding="utf-8")


def crawl(folder: str) -> str:
    """Return all that a crawl writes on a terminal."""
    settings = ("TIKTOK_SANDBOX=True", "TIKTOK_SANDBOX_PROFILE=slow.yaml")
    command = [*TYPED.split(), *(word for setting in settings for word in ("-s", setting))]
    child, terminal = pty.fork()
    if not child:
        os.chdir(folder)
        os.environ |= {"SCRAPY_SETTINGS_MODULE": "tiktok_crawler.settings", "TERM": "xterm"}
        os.execv(Path(sys.executable).parent / command[0], command)  # noqa: S606 - no shell is needed
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    written = b"".join(iter(lambda: _read(terminal), b""))
    assert os.waitpid(child, 0)[1] == 0, written.decode()
    return written.decode()


def shown(written: str) -> list[str]:
    """Return the lines that are left at the end, but the live line as it stood half-way."""
    before, *drawn = (re.sub(CONTROL, "", part) for part in written.split(REDRAWN))
    last, _, summary = drawn[-1].partition("\n")
    half_way = min(drawn[:-1], key=lambda line: abs(_videos(line) - _videos(last) / 2))
    return [*before.strip("\n").splitlines(), half_way.strip(), "", *summary.strip().splitlines()]


def _videos(line: str) -> int:
    found = re.search(r"videos ([\d,]+)", line)
    assert found, line
    return int(found[1].replace(",", ""))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # what a terminal says at its end
        return b""


if __name__ == "__main__":
    main()
