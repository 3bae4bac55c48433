"""What exports are measured beside. Command: DATABASE_URL FOLDER pandas|all|csv|jsonl.

`pandas` reads the table `video` in chunks, parses its JSON and writes Parquet; `all` does so with
all tables of videos, and in `video` with the columns that an export makes, too. `csv` and `jsonl`
are bare loops over the rows of `video`.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import create_engine, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

CHUNK = 100_000
ROWS_AT_ONCE = 10_000

DOCUMENTS = (
    "hashtag_names",
    "effect_ids",
    "hashtag_info_list",
    "sticker_info_list",
    "effect_info_list",
    "video_mention_list",
    "video_label",
    "video_tag",
    "extra_data",
)

VIDEO = "SELECT * FROM video ORDER BY id"

LIST = {"sqlite": "json_group_array", "postgresql": "json_agg"}
AS_EXPORTED = """
    SELECT
        video.*,
        'https://www.tiktok.com/@' || username || '/video/' || id AS url,
        'https://www.tiktok.com/@' || username AS author_url,
        (SELECT {list}(name) FROM (
            SELECT name FROM videos_to_hashtags JOIN hashtag ON hashtag.id = hashtag_id
            WHERE video_id = video.id ORDER BY name
        ) AS of_video) AS hashtag_names,
        (SELECT {list}(effect_id) FROM (
            SELECT effect.effect_id FROM videos_to_effect_ids AS links
            JOIN effect ON effect.id = links.effect_id
            WHERE video_id = video.id ORDER BY effect.effect_id
        ) AS of_video) AS effect_ids
    FROM video ORDER BY id
"""
LINKED = {
    "video_hashtag": """
        SELECT video_id, name FROM videos_to_hashtags JOIN hashtag ON hashtag.id = hashtag_id""",
    "video_effect": """
        SELECT video_id, effect.effect_id FROM videos_to_effect_ids AS links
        JOIN effect ON effect.id = links.effect_id""",
    "video_query_tag": """
        SELECT video_id, name FROM videos_to_query_tags
        JOIN query_tag ON query_tag.id = query_tag_id""",
    "video_statistics": "SELECT * FROM video_statistics",
    "video_source": """
        SELECT video_id, crawl_id, crawl_started_at, query_id, run_id
        FROM videos_to_crawls JOIN crawl ON crawl.id = crawl_id""",
}


def main() -> None:
    url, folder, what = sys.argv[1:]
    Path(folder).mkdir()
    engine = create_engine(url)
    with engine.connect() as connection:
        PEERS[what](connection, Path(folder))


def with_pandas(connection: Connection, folder: Path) -> None:
    table_with_pandas(connection, folder, "video", VIDEO)


def all_with_pandas(connection: Connection, folder: Path) -> None:
    videos = AS_EXPORTED.format(list=LIST[connection.dialect.name])
    for name, select in {"video": videos, **LINKED}.items():
        table_with_pandas(connection, folder, name, select)


def table_with_pandas(connection: Connection, folder: Path, name: str, select: str) -> None:
    import pandas as pd  # noqa: PLC0415 - the loops do without

    options = {"stream_results": True, "max_row_buffer": CHUNK}
    streamed = connection.execution_options(**options)
    for number, chunk in enumerate(pd.read_sql(text(select), streamed, chunksize=CHUNK)):
        for column in set(DOCUMENTS) & set(chunk.columns):
            chunk[column] = [parsed(value) for value in chunk[column]]
        if name == "video":
            # What is a mixture of types, pandas cannot write.
            chunk["extra_data"] = [value and orjson.dumps(value) for value in chunk["extra_data"]]
        chunk.to_parquet(folder / f"{name}-{number}.parquet", compression="zstd")


def parsed(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str) else value


def csv_loop(connection: Connection, folder: Path) -> None:
    with (folder / "video.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        names, rows = read(connection)
        writer.writerow(names)
        for block in rows:
            writer.writerows(block)


def jsonl_loop(connection: Connection, folder: Path) -> None:
    with (folder / "video.jsonl").open("wb") as file:
        names, rows = read(connection)
        for block in rows:
            file.writelines(
                orjson.dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
                for row in block
            )


def read(connection: Connection) -> tuple[list[str], Iterator[list[tuple[Any, ...]]]]:
    """The rows as the driver of SQLite has them."""
    cursor = connection.connection.cursor()
    cursor.execute(VIDEO)
    names = [column[0] for column in cursor.description]
    return names, iter(lambda: cursor.fetchmany(ROWS_AT_ONCE), [])


PEERS: dict[str, Callable[[Connection, Path], None]] = {
    "pandas": with_pandas,
    "all": all_with_pandas,
    "csv": csv_loop,
    "jsonl": jsonl_loop,
}

if __name__ == "__main__":
    main()
