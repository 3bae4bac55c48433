"""Profiles as YAML files: those that come with the sandbox, and the user's own.

The keys of a file are the fields of `Profile` and of the classes in it; unknown ones are errors.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from tiktok_crawler.exceptions import ConfigurationError
from tiktok_crawler.query_file.mistakes import Mistakes
from tiktok_crawler.query_file.yaml_text import ListNode, MapNode, TextNode, parse
from tiktok_crawler.sandbox.faults.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiktok_crawler.query_file.yaml_text import Node

SHIPPED = Path(__file__).with_name("profiles")

_READERS: dict[object, Callable[[str], Any]] = {date: date.fromisoformat}
_EXPECTED: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    date: "a day such as 2024-01-31",
}
_BOOLEANS = {"true": True, "false": False}


def shipped_profiles() -> list[str]:
    """The names of the profiles that come with the sandbox."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def load_profile(name_or_path: str) -> Profile:
    """Read a shipped profile by its name, or any other by the path of its file.

    Raises:
        ConfigurationError: there is none, or it is not a profile; the message says where and why.
    """
    try:
        text = _path(name_or_path).read_text(encoding="utf-8")
    except OSError as exc:
        raise ConfigurationError(
            f"sandbox profile {name_or_path!r}: no file of that name can be read "
            f"({exc.strerror}); profiles that need none are {', '.join(shipped_profiles())}"
        ) from exc
    except ValueError as exc:
        raise ConfigurationError(f"sandbox profile {name_or_path!r}: not UTF-8 text") from exc
    return parse_profile(text, name_or_path)


def parse_profile(text: str, name: str) -> Profile:
    """Build the profile that YAML text describes; `name` is what error messages call it."""
    mistakes = Mistakes(Path(name))
    document = _plain(parse(text, mistakes))
    if mistakes.has_mistakes:
        mistakes.stop()
    try:
        profile: Profile = _build(Profile, document, "")
    except _ProfileError as exc:
        raise ConfigurationError(f"sandbox profile {name!r}: {exc}") from exc
    return profile


def _path(name_or_path: str) -> Path:
    shipped = name_or_path in shipped_profiles()
    return SHIPPED / f"{name_or_path}.yaml" if shipped else Path(name_or_path)


class _ProfileError(Exception):
    """Raised within this module for what a profile cannot say."""


def _plain(node: Node | None) -> Any:
    """The text, list or mapping that a node is."""
    match node:
        case TextNode():
            return node.text
        case ListNode():
            return [_plain(item) for item in node.items]
        case MapNode():
            return {key: _plain(entry.value) for key, entry in node.entries.items()}
        case None:
            return {}


def _convert(kind: Any, value: Any, where: str) -> Any:
    """The value of a key as its type; `where` is the key's path, for messages."""
    if get_origin(kind) is UnionType:
        return _convert(get_args(kind)[0], value, where)
    if is_dataclass(kind):
        return _build(kind, value, where)
    if get_origin(kind) is tuple:
        return _convert_list(get_args(kind), value, where)
    if not isinstance(value, str):
        raise _ProfileError(f"{where} takes a single value")
    return _convert_scalar(kind, value, where)


def _build(kind: Any, value: Any, where: str) -> Any:
    """An object of a dataclass from a mapping."""
    if not isinstance(value, dict):
        raise _ProfileError(f"{where or 'the file'} must hold keys and values")
    kinds = get_type_hints(kind)
    values = {}
    for key, each in value.items():
        path = f"{where}.{key}" if where else key
        _check_known(key, list(kinds), path)
        values[key] = _convert(kinds[key], each, path)
    missing = [each.name for each in fields(kind) if _is_required(each) and each.name not in values]
    if missing:
        raise _ProfileError(f"{where}: {missing[0]} is missing")
    try:
        return kind(**values)
    except ValueError as exc:
        raise _ProfileError(f"{where}: {exc}") from exc


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _convert_list(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    """A list of any length if `kinds` ends with an ellipsis, else of exactly these kinds."""
    if not isinstance(value, list):
        raise _ProfileError(f"{where} takes a list")
    if kinds[-1] is ...:
        kinds = kinds[:1] * len(value)
    if len(kinds) != len(value):
        raise _ProfileError(f"{where} takes a list of {len(kinds)} values")
    numbered = enumerate(zip(kinds, value, strict=True), start=1)
    return tuple(_convert(kind, each, f"{where}[{number}]") for number, (kind, each) in numbered)


def _convert_scalar(kind: Any, value: str, where: str) -> Any:
    if kind is bool:
        _check_known(value, list(_BOOLEANS), where)
        return _BOOLEANS[value]
    if issubclass(kind, StrEnum):
        _check_known(value, [str(member) for member in kind], where)
    try:
        return _READERS.get(kind, kind)(value)
    except ValueError as exc:
        raise _ProfileError(f"{where} must be {_EXPECTED[kind]}, not {value!r}") from exc


def _check_known(word: str, known: list[str], where: str) -> None:
    if word not in known:
        nearest = get_close_matches(word, known, n=1)
        hint = f"did you mean {nearest[0]}? " if nearest else ""
        raise _ProfileError(f"{where}: {word!r} is unknown; {hint}Possible: {', '.join(known)}")
