"""Does what docs/tutorial.md says, as its reader: in one shell, in a folder with the wheel."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

TEXT = (Path(__file__).parents[1] / "docs" / "tutorial.md").read_text("utf-8")
_BLOCK = re.compile(r"<!-- (command|file): (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
_END = "=== end of "


@dataclass(frozen=True, slots=True)
class Step:
    """A command to type, or a file to write."""

    kind: str
    name: str
    text: str

    @property
    def script(self) -> str:
        if self.kind == "file":
            return f"printf %s {shlex.quote(self.text)} > {self.name}\n"
        lines = " &&\n".join(self.text.splitlines())
        return f'{lines}\necho "{_END}{self.name} $?"\n'


@dataclass(frozen=True, slots=True)
class Done:
    """What a command has printed, in the order in which it came, and its exit status."""

    output: str
    status: int


def steps() -> list[Step]:
    return [Step(*found) for found in _BLOCK.findall(TEXT)]


def step(name: str) -> Step:
    """The command, or the file, of a name."""
    (found,) = [each for each in steps() if each.name == name]
    return found


def script(*, without: str) -> str:
    """All that is typed, for one shell, but for one command."""
    return "exec 2>&1\n" + "".join(each.script for each in steps() if each.name != without)


def done(printed: str) -> dict[str, Done]:
    """Take apart what the shell has printed: what came of each command."""
    parts = re.findall(rf"(.*?){_END}(\S+) (\d+)\n", printed, re.DOTALL)
    return {name: Done(output, int(status)) for output, name, status in parts}
