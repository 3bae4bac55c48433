"""The commands and their options, as they parse a command line."""

from __future__ import annotations

import argparse
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from markdown_tables import code, plain, table
from scrapy.utils.project import get_project_settings

from tiktok_crawler import __main__, commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scrapy.commands import ScrapyCommand

OF_SCRAPY = "Global Options"
"""Scrapy's group of options that each command has."""


def commands_in_words() -> str:
    """A section for each command, and one for the options that all have."""
    settings = get_project_settings()
    found = {name: _command(name) for name in sorted(_names())}
    sections = []
    for name, command in found.items():
        command.settings = settings
        parser = _parser_of(command)
        usage = f"scrapy {name} {command.syntax()}".strip()
        own = [group for group in parser._action_groups if group.title != OF_SCRAPY]
        sections.append(section(f"scrapy {name}", usage, command.short_desc(), own))
    return "\n\n".join([*sections, _of_all(parser), _init()])


def section(title: str, usage: str, meaning: str, groups: Iterable[argparse._ArgumentGroup]) -> str:
    parts = [f"## {title}", f"{plain(meaning).removesuffix('.')}.", f"```text\n{usage}\n```"]
    for group in groups:
        if rows := list(_rows(group._group_actions)):
            title = "option" if (group.title or "").islower() else str(group.title)
            parts.append(table((title, "meaning"), rows))
    return "\n\n".join(parts)


def _names() -> Iterator[str]:
    return (module.name for module in iter_modules(commands.__path__))


def _command(name: str) -> ScrapyCommand:
    command: ScrapyCommand = import_module(f"{commands.__name__}.{name}").Command()
    return command


def _parser_of(command: ScrapyCommand) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, conflict_handler="resolve")
    command.add_options(parser)
    return parser


def _of_all(parser: argparse.ArgumentParser) -> str:
    groups = [group for group in parser._action_groups if group.title == OF_SCRAPY]
    meaning = "Each command takes these options of Scrapy's"
    return section("Options of all commands", "scrapy COMMAND [options]", meaning, groups)


def _init() -> str:
    parser = __main__._parser()
    (usage,) = (parser.usage or "").splitlines()
    return section(
        f"{parser.prog} init", usage, parser.description or "", parser._action_groups[1:]
    )


def _rows(actions: Iterable[argparse.Action]) -> Iterator[tuple[str, str]]:
    for action in actions:
        if action.help and action.help != argparse.SUPPRESS and action.dest != "help":
            value = _value(action)
            written = ", ".join(code(f"{option}{value}") for option in action.option_strings)
            yield written, plain(action.help % vars(action)) + _choices(action)


def _choices(action: argparse.Action) -> str:
    return f"; one of {', '.join(map(code, map(str, action.choices)))}" if action.choices else ""


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    name = action.metavar or action.dest.upper()
    return f" {name if isinstance(name, str) else ' '.join(name)}{' ...' * (action.nargs == '+')}"
