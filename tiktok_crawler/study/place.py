"""Where a study is to be, and why it cannot be there."""

from __future__ import annotations

import os
import shlex
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from scrapy.utils.conf import closest_scrapy_cfg

from tiktok_crawler.exceptions import ConfigurationError, UsageError
from tiktok_crawler.own_files import check_link
from tiktok_crawler.spelling import listed, named, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Place:
    """The absolute paths of a study's folder, and of the program that works in it."""

    folder: Path
    scrapy: Path


def place_of(name: str) -> Place:
    """Say where a study of this name will be.

    Raises:
        UsageError: the name cannot be used, or its folder not be a study's.
        ConfigurationError: there is no program `scrapy`.
    """
    if not name.strip():
        raise UsageError("name the folder of the new study: python -m tiktok_crawler init my-study")
    folder = Path(os.path.abspath(os.path.expanduser(name)))  # noqa: PTH100, PTH111 - without ..
    _check_name(folder)
    if not folder.parent.is_dir():
        way = shlex.join(["mkdir", "-p", str(folder.parent)])
        raise UsageError(f"{named(folder.parent)} is no folder: make it first ({way})")
    if outer := closest_scrapy_cfg(folder.parent):
        raise UsageError(
            f"{named(folder)} would be inside of another project, that of {named(outer)}, and one "
            "would be taken for the other: name a folder outside of it"
        )
    return Place(folder, _program())


def check_free(folder: Path, files: Iterable[str]) -> None:
    """Refuse a folder that has something already, but for what is hidden, or a Python environment.

    Raises:
        UsageError: naming what would be overwritten, or stand among the files of the study.
    """
    way = "name a folder that is new or empty"
    try:
        check_link(folder)
        found = sorted(each.name for each in folder.iterdir()) if folder.exists() else []
    except OSError as exc:
        raise UsageError(f"{named(folder)} cannot be used: {exc.strerror}; {way}") from None
    ours = dict.fromkeys(Path(file).parts[0] for file in files)
    if taken := [name for name in ours if name in found]:
        raise UsageError(
            f"{named(folder)} has {_some(taken)} already, and nothing is overwritten: {way}"
        )
    others = [each for each in found if not _may_stand_beside(folder / each)]
    if others:
        raise UsageError(f"{named(folder)} is not empty, it has {_some(others)}: {way}")


def _check_name(folder: Path) -> None:
    """Refuse a path that lines for cron, units of systemd or a terminal cannot have.

    Raises:
        UsageError: saying what is wrong with it.
    """
    path = str(folder)
    if not path.isprintable():
        wrong = "a character that cannot be shown"
    elif "\\" in path:
        wrong = "a backslash"
    elif path != path.rstrip():
        wrong = "a blank at its end"
    else:
        return
    raise UsageError(f"{quoted(path)} has {wrong}, which no study's folder can: name another one")


def _may_stand_beside(path: Path) -> bool:
    return path.name.startswith(".") or (path / "pyvenv.cfg").exists()


def _some(names: list[str]) -> str:
    shown = [named(name) for name in names[:_MOST_NAMED]]
    more = len(names) - len(shown)
    return listed([*shown, *([f"{more} more"] if more else [])], conjunction="and")


def _program() -> Path:
    """Find the program `scrapy` of the environment in which this runs.

    Raises:
        ConfigurationError: there is none.
    """
    of_user = sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
    folders = [str(Path(sys.executable).parent), sysconfig.get_path("scripts"), of_user]
    found = which("scrapy", path=os.pathsep.join(folders))
    if not found:
        raise ConfigurationError(
            f"the program scrapy is not found beside {sys.executable}: pip install scrapy"
        )
    return Path(found).absolute()
