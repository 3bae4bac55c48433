"""Which module may import which, and that every setting is documented."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import tiktok_crawler
from tiktok_crawler import settings

PACKAGE = Path(tiktok_crawler.__file__).parent
DOCUMENT = PACKAGE.parent / "docs" / "configuration.md"

FRAMEWORKS = {"scrapy", "twisted"}
PURE = tuple(
    f"tiktok_crawler.{name}"
    for name in ("research_api", "collection", "storage", "archive", "items")
)
ENDS_OF_THE_LINE = {"tiktok_crawler.spiders", "tiktok_crawler.commands"}
ENVIRONMENT_ONLY = {"TIKTOK_CLIENT_KEY", "TIKTOK_CLIENT_SECRET"}


def name_of(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def is_for_types_only(node):
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def statements(node):
    """Everything that runs, wherever it stands: imports inside functions too."""
    for child in ast.iter_child_nodes(node):
        runs = ast.Module(child.orelse, []) if is_for_types_only(child) else child
        yield runs
        yield from statements(runs)


def names_in(statement):
    """What an import names; `from a import b` may name the module a.b or something in a."""
    match statement:
        case ast.Import(names=names):
            return {name.name for name in names}
        case ast.ImportFrom(module=module, names=names, level=0):
            return {str(module), *(f"{module}.{name.name}" for name in names)}
        case ast.ImportFrom():
            pytest.fail("relative imports are not followed")
    return set()


def with_packages(name):
    """The name and the packages that it lies in: importing it runs them, too."""
    parts = name.split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts) + 1)}


def direct_imports(module):
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    named = {name for statement in statements(tree) for name in names_in(statement)}
    return {name for names in map(with_packages, named) for name in names}


IMPORTS = {module: direct_imports(module) for module in MODULES}


def chain_to(target, module):
    """How a module comes to import a framework: the modules on the way, or None."""
    came_from = {module: None}
    waiting = [module]
    while waiting:
        current = waiting.pop(0)
        if current in target:
            chain = [current]
            while came_from[chain[0]]:
                chain.insert(0, came_from[chain[0]])
            return chain
        for name in sorted(IMPORTS.get(current, ()) - came_from.keys()):
            came_from[name] = current
            waiting.append(name)
    return None


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith(PURE)])
def test_pure_modules_import_neither_scrapy_nor_twisted(module):
    assert chain_to(FRAMEWORKS, module) is None


def test_imports_are_found_wherever_they_stand():
    tree = ast.parse(
        "import a.b\n"
        "from c import d\n"
        "if TYPE_CHECKING:\n    import e\nelse:\n    import f\n"
        "def g():\n    import h\n"
    )

    found = {name for statement in statements(tree) for name in names_in(statement)}

    assert found == {"a.b", "c", "c.d", "f", "h"}


def test_imports_are_followed_through_the_package():
    # The spider needs Scrapy; whatever leads to it does, too.
    assert chain_to(FRAMEWORKS, "tiktok_crawler.spiders.videos")
    assert chain_to({"tiktok_crawler.items"}, "tiktok_crawler.research_api.responses") == [
        "tiktok_crawler.research_api.responses",
        "tiktok_crawler.items",
    ]


@pytest.mark.parametrize("module", MODULES)
def test_nothing_imports_spiders_or_commands(module):
    own = with_packages(module)
    forbidden = ENDS_OF_THE_LINE - own
    if "tiktok_crawler.commands" in own:
        forbidden = set()

    assert not IMPORTS[module] & forbidden


def own_settings():
    return {name for name in vars(settings) if name.startswith("TIKTOK_")}


def documented_settings():
    return set(re.findall(r"\bTIKTOK_[A-Z_]*[A-Z]\b", DOCUMENT.read_text(encoding="utf-8")))


def test_every_setting_is_documented():
    assert own_settings() - documented_settings() == set()


def test_every_documented_setting_exists():
    assert documented_settings() - own_settings() - ENVIRONMENT_ONLY == set()
