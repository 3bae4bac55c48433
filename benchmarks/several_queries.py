"""Twenty queries in one run, one of which always fails, beside each of the others alone.

What is counted are requests. Nineteen queries ask for different days of the same videos, the last
one for days on which the sandbox's searches always fail.
"""

from __future__ import annotations

import json
import os
import tempfile
from datetime import date, timedelta
from pathlib import Path

from measured import EVERYTHING, answers, crawl_command, machine, print_table, run, served_sandbox
from requests_spent import NO_DELAYS

GOOD = 19
DAYS = 31
VIDEOS_PER_DAY = 65
LEAST_OF_A_QUERY = 21
"""31 days with 65 videos each, 100 a page."""
START, BAD_START = date(2022, 1, 1), date(2024, 1, 1)
MOST_OF_THE_FAILING_ONE = 10


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_queries(folder)
        alone = sum(
            spent(folder, f"queries/{number:02}.yaml", "alone.db") for number in range(GOOD)
        )
        together = spent(folder, "queries", "together.db", status=os.EX_TEMPFAIL)
        of_the_bad_one = spent(folder, "queries/bad.yaml", "bad.db", status=os.EX_TEMPFAIL)
    print(f"{machine()}\n")
    print_table(
        ["requests", "number", "target", "met"],
        ["least possible for 19 queries", f"{GOOD * LEAST_OF_A_QUERY}", "", ""],
        ["19 queries, a run each", f"{alone}", "", ""],
        [
            "the same in one run, with one that always fails",
            f"{together}",
            f"at most {alone + MOST_OF_THE_FAILING_ONE}",
            "yes" if together <= alone + MOST_OF_THE_FAILING_ONE else "NO",
        ],
        ["the failing one in a run of its own", f"{of_the_bad_one}", "", ""],
    )


def write_queries(folder: Path) -> None:
    queries = folder / "queries"
    queries.mkdir()
    starts = {f"{n:02}": START + n * timedelta(days=DAYS) for n in range(GOOD)}
    for name, start in (starts | {"bad": BAD_START}).items():
        end = start + timedelta(days=DAYS - 1)
        # Each is a query of its own, which finds everything.
        query = {"and": [*EVERYTHING["and"], everything_but(name)]}
        dates = {"start_date": f"{start}", "end_date": f"{end}"}
        (queries / f"{name}.yaml").write_text(json.dumps(dates | {"query": query}))
    days = [f"{BAD_START + timedelta(days=n)}" for n in range(DAYS)]
    (folder / "profile.yaml").write_text(json.dumps({"searches": {"fail_on_days": days}}))


def everything_but(name: str) -> dict[str, object]:
    number = 1_000_000_000 + int(name) if name.isdigit() else 2_000_000_000
    return {"operation": "LT", "field_name": "comment_count", "field_values": [f"{number}"]}


def spent(folder: Path, queries: str, database: str, *, status: int = os.EX_OK) -> int:
    """The requests of one run, by the sandbox's count."""
    options = (f"--profile={folder / 'profile.yaml'}", f"--videos-per-day={VIDEOS_PER_DAY}")
    with served_sandbox(folder, *options) as url:
        settings = NO_DELAYS | {"TIKTOK_PROBE_TIMES": 3}
        command = crawl_command(folder / queries, folder / database, url, **settings)
        run(command, folder, statuses=(status,))
        return sum(answers(url).values())


if __name__ == "__main__":
    main()
