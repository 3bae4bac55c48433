"""What `scrapy plan --probe 12` says of queries of the sandbox, beside what they take then.

Each query is probed, forecast and collected in a database of its own; the requests of the crawl
that follows are the truth.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from measured import (
    ENVIRONMENT,
    EVERYTHING,
    SCRAPY,
    answers,
    crawl_command,
    machine,
    print_table,
    run,
    served_sandbox,
)

START = date(2023, 4, 5)

RHYTHM = {"weekly_rhythm": 0.3}
TREND = {"weekly_rhythm": 0.3, "trend": 3}

HIT_TARGET = 0.9
WIDEST = 2.0


@dataclass(frozen=True)
class Query:
    """What is asked for of how many days, and how dense the sandbox is and how it varies."""

    name: str
    conditions: dict[str, Any]
    days: int
    videos_per_day: int = 500
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        end = START + timedelta(days=self.days - 1)
        return json.dumps({"start_date": f"{START}", "end_date": f"{end}"} | self.conditions)

    @property
    def shape(self) -> str:
        week = ", weekly rhythm" if "weekly_rhythm" in self.data else ""
        trend = ", trend" if "trend" in self.data else ""
        return f"{self.days} days{week}{trend}"


def hashtags(*names: str) -> dict[str, Any]:
    return {"include": {"any_hashtags": names}}


QUERIES = (
    Query("#butter or #cheese", hashtags("butter", "cheese"), 91),
    Query("#butter or #cheese", hashtags("butter", "cheese"), 91, data=RHYTHM),
    Query("#butter or #cheese", hashtags("butter", "cheese"), 365, data=TREND),
    Query("#fyp", hashtags("fyp"), 31),
    Query("#fyp", hashtags("fyp"), 84, data=RHYTHM),
    Query("#fyp from US", hashtags("fyp") | {"regions": ["US"]}, 365, data=TREND),
    Query("#pasta", hashtags("pasta"), 365),
    Query("#pasta", hashtags("pasta"), 730, data=TREND),
    Query("the keyword recipe", {"include": {"any_keywords": ["recipe"]}}, 91),
    Query("the keyword butter", {"include": {"any_keywords": ["butter"]}}, 168, data=TREND),
    Query(
        "either #food or the keyword music",
        {"include": {"either": {"hashtags": ["food"], "keywords": ["music"]}}},
        120,
        data=RHYTHM,
    ),
    Query("from DE or AT", {"regions": ["DE", "AT"]}, 60),
    Query("from FR", {"regions": ["FR"]}, 500, data=TREND),
    Query(
        "from JP, at least 100,000 views",
        {"regions": ["JP"], "view_count": {"gte": 100000}},
        900,
        data=RHYTHM,
    ),
    Query(
        "from BR without #fyp",
        {"regions": ["BR"], "exclude": {"any_hashtags": ["fyp"]}},
        200,
        200,
        TREND,
    ),
    Query("#viral, 3,000 videos a day", hashtags("viral"), 40, 3_000, RHYTHM),
    Query("LONG videos", {"video_lengths": ["LONG"]}, 91, 200, TREND),
    Query("everything, 40 videos a day", {"query": EVERYTHING}, 365, 40, TREND),
    Query("everything, 4 videos a day", {"query": EVERYTHING}, 900, 4, TREND),
    Query("everything, 2,000 videos a day", {"query": EVERYTHING}, 28, 2_000, RHYTHM),
)


@dataclass(frozen=True)
class Outcome:
    """What was forecast, and what it was."""

    forecast: dict[str, int]
    true: int

    @property
    def is_right(self) -> bool:
        return self.forecast["least"] <= self.true <= self.forecast["most"]

    @property
    def width(self) -> float:
        return self.forecast["most"] / max(self.forecast["least"], 1)


def main() -> None:
    parser = ArgumentParser(description=__doc__, formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("--probe", type=int, default=12, help="how many first pages are asked for")
    parser.add_argument("--seeds", type=int, default=1, help="so many sandboxes for each query")
    options = parser.parse_args()
    print(f"{machine()}; {options.probe} probes\n", flush=True)
    outcomes = [
        (query, measure(query, options.probe, seed))
        for query in QUERIES
        for seed in range(1, options.seeds + 1)
    ]
    print_table(
        ["query", "days", "about", "range", "true", "upper over lower end", "inside"],
        *(row(query, outcome) for query, outcome in outcomes),
    )
    right = sum(outcome.is_right for _, outcome in outcomes) / len(outcomes)
    widest = max(outcome.width for _, outcome in outcomes)
    print()
    print_table(
        ["", "measured", "target", "met"],
        [
            "inside the range",
            f"{right:.0%}",
            f"at least {HIT_TARGET:.0%}",
            met(right >= HIT_TARGET),
        ],
        ["widest range", f"{widest:.2f}", f"at most {WIDEST:.0f}", met(widest <= WIDEST)],
    )


def measure(query: Query, probe: int, seed: int) -> Outcome:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "query.yaml").write_text(query.text)
        (folder / "profile.yaml").write_text(json.dumps({"data": query.data}))
        with served_sandbox(
            folder,
            f"--seed={seed}",
            f"--videos-per-day={query.videos_per_day}",
            "--profile=profile.yaml",
        ) as url:
            crawl = crawl_command(folder / "query.yaml", folder / "crawl.db", url)
            forecast = forecast_of(folder, crawl[3:], probe)
            before = asked(url)
            run(crawl, folder)
            return Outcome(forecast, asked(url) - before)


def forecast_of(folder: Path, options: list[str], probe: int) -> dict[str, int]:
    """Probe and plan, with the options of the crawl."""
    command = [SCRAPY, "plan", *options, f"--probe={probe}", "--json"]
    planned = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, check=True, capture_output=True, text=True
    )
    found: dict[str, int] = json.loads(planned.stdout)["forecast"]
    return found


def asked(url: str) -> int:
    return sum(answers(url).values())


def row(query: Query, outcome: Outcome) -> list[str]:
    found = outcome.forecast
    return [
        query.name,
        query.shape,
        f"{found['likely']:,}",
        f"{found['least']:,} to {found['most']:,}",
        f"{outcome.true:,}",
        f"{outcome.width:.2f}" if found["most"] else "",
        met(outcome.is_right),
    ]


def met(is_met: bool) -> str:  # noqa: FBT001 - it is what is put in words
    return "yes" if is_met else "NO"


if __name__ == "__main__":
    main()
