"""The notebooks run from the first cell to the last, and show what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from os import EX_TEMPFAIL
from pathlib import Path

import nbformat
import pytest
from marathon import first
from postgres_server import temporary_database
from processes import environment
from several_queries import collect, collect_others, one_of, truth

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

# A process of its own keeps Jupyter's event loop and warnings out of this one. The kernel listens
# on sockets in the folder, on no port.
EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

notebook = nbformat.read(sys.argv[1], as_version=4)
sockets = Config(KernelManager={"transport": "ipc", "ip": "kernel"})
NotebookClient(notebook, timeout=120, kernel_name="python3", config=sockets).execute()
nbformat.write(notebook, "executed.ipynb")
"""

BUTTER_AND_CHEESE = {
    "and": [
        one_of("hashtag_name", "butter", "cheese"),
        one_of("region_code", "US", "GB", "FR", "DE"),
    ]
}
COLLECTING = {"query", "crawl", "again"}
"""Cells that those delete who have collected already."""


@pytest.fixture(scope="module")
def first_look(tmp_path_factory):
    """The outputs of the notebook's cells, by the cell's id, and the folder that it ran in."""
    folder = tmp_path_factory.mktemp("first_look")
    return execute(FOLDER / "first_look.ipynb", folder), folder


@pytest.fixture(scope="module")
def filled_sqlite(tmp_path_factory):
    folder = tmp_path_factory.mktemp("filled")
    fill(folder, url := f"sqlite:///{folder / 'filled.db'}")
    return url


@pytest.fixture(scope="module")
def filled_postgresql(postgres_url, tmp_path_factory):
    with temporary_database(postgres_url) as url:
        fill(tmp_path_factory.mktemp("filled"), url)
        yield url


def fill(folder, url):
    """Collect two other queries, ten days of the notebook's, and a page of the rest."""
    collect_others(folder, TIKTOK_DATABASE_URL=url)
    names: dict[str, str] = {"folder": folder}
    exec(cell("query").source, names)
    query = names["query"]
    collect(folder, query, "-a", "end_date=2024-01-10", TIKTOK_DATABASE_URL=url)
    collect(folder, query, "-a", "max_requests=1", status=EX_TEMPFAIL, TIKTOK_DATABASE_URL=url)


@pytest.fixture(params=first(1, ["postgresql", "sqlite"]))
def of_third_query(request, tmp_path):
    """The outputs of the notebook's cells on a database of three queries, of which it is the last.

    The last cell has the ids of its videos.
    """
    url = request.getfixturevalue(f"filled_{request.param}")
    notebook = nbformat.read(FOLDER / "first_look.ipynb", as_version=4)
    notebook.cells = [one for one in notebook.cells if one.id not in COLLECTING]
    (setup,) = [one for one in notebook.cells if one.id == "setup"]
    own_url = """database_url = f"sqlite:///{folder / 'first-look.db'}"\n"""
    assert setup.source.count(own_url) == setup.source.count("query_id = 1") == 1
    setup.source = setup.source.replace(own_url, f"database_url = {url!r}\n")
    setup.source = setup.source.replace("query_id = 1", "query_id = 3")
    ids = nbformat.v4.new_code_cell("print(videos[['id', 'music_id']].to_csv(index=False))")
    ids["id"] = "ids"
    notebook.cells.append(ids)
    nbformat.write(notebook, tmp_path / "own.ipynb")
    return execute(tmp_path / "own.ipynb", tmp_path)


def cell(id_):
    notebook = nbformat.read(FOLDER / "first_look.ipynb", as_version=4)
    (found,) = [one for one in notebook.cells if one.id == id_]
    return found


def execute(notebook, folder):
    """The outputs of a notebook's cells."""
    (folder / "tmp").mkdir()
    run = subprocess.run(
        [sys.executable, "-c", EXECUTE, notebook],
        cwd=folder,
        env=environment(folder, TMPDIR=str(folder / "tmp")),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    executed = nbformat.read(folder / "executed.ipynb", as_version=4)
    return {cell.id: cell.outputs for cell in executed.cells if cell.cell_type == "code"}


def printed(outputs) -> str:
    return "".join(output.text for output in outputs if output.output_type == "stream")


def table(outputs) -> str:
    (result,) = (output for output in outputs if output.output_type == "execute_result")
    return result.data["text/plain"]


def plots(outputs) -> list[str]:
    return [output.data["image/png"] for output in outputs if output.output_type == "display_data"]


def test_no_cell_fails_or_warns(first_look):
    cells, _ = first_look
    outputs = [output for outputs in cells.values() for output in outputs]
    assert "error" not in {output.output_type for output in outputs}
    assert "Warning" not in printed(outputs)


def test_the_crawl_brings_all_videos_once(first_look):
    cells, _ = first_look
    videos = truth(BUTTER_AND_CHEESE, date(2024, 1, 1), date(2024, 1, 31))
    assert f"{len(videos):,} new, 0 updated" in printed(cells["crawl"])
    assert "0 in this run" in printed(cells["again"])
    assert printed(cells["videos"]).startswith(f"{len(videos):,} videos of ")


def test_coverage_is_shown_to_be_complete(first_look):
    cells, _ = first_look
    assert re.findall(r"^(covered +True +False) +31", table(cells["coverage"]), re.MULTILINE)
    assert printed(cells["coverage"]) == "0 of 31 days are missing\n"


def test_of_three_queries_it_shows_the_videos_and_the_days_of_one(of_third_query):
    """The two others have searched all days, and share videos with it."""
    assert "Warning" not in "".join(map(printed, of_third_query.values()))
    assert printed(of_third_query["coverage"]) == "21 of 31 days are missing\n"
    first, last = date(2024, 1, 1), date(2024, 1, 31)
    of_ten_days = {video["id"] for video in truth(BUTTER_AND_CHEESE, first, date(2024, 1, 10))}
    music = {video["id"]: video.get("music_id") for video in truth(BUTTER_AND_CHEESE, first, last)}
    _, *lines = printed(of_third_query["ids"]).split()
    shown = {int(id_): int(music_id) if music_id else None for id_, music_id in map(ids, lines)}
    assert of_ten_days < shown.keys() < music.keys()
    assert shown == {id_: music[id_] for id_ in shown}
    assert None in shown.values()
    assert all(len(plots(of_third_query[name])) == 1 for name in ("days", "hashtags"))


def ids(line):
    return line.split(",")


@pytest.mark.parametrize("cell", ["days", "hashtags"])
def test_plots_are_drawn(first_look, cell):
    cells, _ = first_look
    assert len(plots(cells[cell])) == 1


def test_the_hashtags_that_were_asked_for_are_the_most_frequent(first_look):
    cells, _ = first_look
    first_two = re.findall(r"^[01] +(\w+)", table(cells["hashtags"]), re.MULTILINE)
    assert set(first_two) == {"butter", "cheese"}


def test_views_are_compared_by_region(first_look):
    cells, _ = first_look
    regions = re.findall(r"^[A-Z]{2}\b", table(cells["views"]), re.MULTILINE)
    assert sorted(regions) == ["DE", "FR", "GB", "US"]


def test_nothing_is_left_behind(first_look):
    _, folder = first_look
    visible = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    assert visible == {"tmp", "executed.ipynb"}
    assert not [*(folder / "tmp").iterdir()]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebooks_are_kept_without_what_running_them_adds(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert not any(cell.metadata for cell in notebook.cells)
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}
    assert notebook.metadata.language_info == {"name": "python"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_links_of_notebooks_lead_somewhere(path):
    links = re.findall(r"\]\((?!http)([^)#]+)", path.read_text(encoding="utf-8"))
    assert links
    assert all((FOLDER / link).exists() for link in links)
