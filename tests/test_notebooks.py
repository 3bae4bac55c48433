"""The notebooks run from the first cell to the last, and show what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import nbformat
import pytest
from processes import environment

from tiktok_crawler.sandbox import Sandbox

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
        {"operation": "IN", "field_name": "hashtag_name", "field_values": ["butter", "cheese"]},
        {
            "operation": "IN",
            "field_name": "region_code",
            "field_values": ["US", "GB", "FR", "DE"],
        },
    ]
}


@pytest.fixture(scope="module")
def first_look(tmp_path_factory):
    """The outputs of the notebook's cells, by the cell's id, and the folder that it ran in."""
    folder = tmp_path_factory.mktemp("first_look")
    (folder / "tmp").mkdir()
    run = subprocess.run(
        [sys.executable, "-c", EXECUTE, FOLDER / "first_look.ipynb"],
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
    return {cell.id: cell.outputs for cell in executed.cells if cell.cell_type == "code"}, folder


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
    truth = Sandbox().matches(BUTTER_AND_CHEESE, date(2024, 1, 1), date(2024, 1, 31))
    assert f"{len(truth):,} new, 0 updated" in printed(cells["crawl"])
    assert "0 in this run" in printed(cells["again"])
    assert printed(cells["videos"]).startswith(f"{len(truth):,} videos of ")


def test_coverage_is_shown_to_be_complete(first_look):
    cells, _ = first_look
    assert " complete " in table(cells["windows"])
    assert printed(cells["coverage"]) == "0 of 31 days are missing\n"


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
