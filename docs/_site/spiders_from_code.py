"""The spiders and their arguments, as `scrapy crawl SPIDER --help` has them."""

from __future__ import annotations

from markdown_tables import code, plain, table

from tiktok_crawler.arguments.spider_help import SPIDER_NAMES, arguments_of
from tiktok_crawler.query_file.query_arguments import QUERY_ARGUMENTS

HEAD = ("argument", "meaning")


def spiders_in_words() -> str:
    return "\n\n".join([*map(_section, SPIDER_NAMES), _keys()])


def _section(spider: str) -> str:
    rows = (
        (code(f"-a {name}={_quoted(example)}"), plain(meaning))
        for name, example, meaning in arguments_of(spider)
    )
    return f"## {spider}\n\n{table(HEAD, rows)}"


def _quoted(example: str) -> str:
    return f"'{example}'" if " " in example else example


def _keys() -> str:
    keys = ", ".join(map(code, QUERY_ARGUMENTS))
    return (
        "## Keys of a query file as arguments\n\n"
        "In place of `query=`, the spider `videos` takes these, lists with commas between "
        f"([the query file](../README.md#the-query-file) says what they mean): {keys}."
    )
