"""Every notebook runs, and prints the numbers that its committed copy shows."""

import math
import re
import tempfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\bnan\b|\binf\b")


def texts(cell):
    """What a cell printed or returned as text; pictures differ between machines and are left out."""
    streams = [(o.name, o.text) for o in cell.outputs if o.output_type == "stream"]
    results = [
        ("result", o.data.get("text/plain", "")) for o in cell.outputs if o.output_type == "execute_result"
    ]
    return streams + results


def assert_same_text(shown, got, where):
    assert NUMBER.sub("#", shown) == NUMBER.sub("#", got), where
    for committed, fresh in zip(NUMBER.findall(shown), NUMBER.findall(got), strict=True):
        decimals = len(committed.partition("e")[0].partition(".")[2])
        within = 1.01 * 10.0**-decimals if "." in committed else 0.0
        one, other = float(committed), float(fresh)
        close = (math.isnan(one) and math.isnan(other)) or abs(one - other) <= within
        assert close, (
            f"{where}: the page shows {committed}, the run gave {fresh}; run the notebook and commit it"
        )


@pytest.fixture(params=NOTEBOOKS, ids=[path.name for path in NOTEBOOKS])
def notebook(request):
    return request.param


def test_there_are_notebooks():
    assert NOTEBOOKS


def test_outputs_are_those_of_a_fresh_run(notebook):
    committed = nbformat.read(notebook, as_version=4)
    fresh = nbformat.read(notebook, as_version=4)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    NotebookClient(
        fresh, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
    ).execute()
    printed = 0
    for number, (old, new) in enumerate(zip(committed.cells, fresh.cells, strict=True)):
        if old.cell_type != "code":
            continue
        where = f"{notebook.name}, cell {number}"
        assert [o.output_type for o in old.outputs] == [o.output_type for o in new.outputs], where
        for (kind, shown), (same, got) in zip(texts(old), texts(new), strict=True):
            assert kind == same, where
            assert_same_text(shown, got, where)
            printed += len(NUMBER.findall(shown))
    assert printed, "a notebook that prints no number is not checked by this"


def test_committed_copy_is_executed_in_order_small_and_clean(notebook):
    committed = nbformat.read(notebook, as_version=4)
    nbformat.validate(committed)
    code = [cell for cell in committed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [o for cell in code for o in cell.outputs if o.output_type == "stream" and o.name == "stderr"]
    assert notebook.stat().st_size < 300_000
    text = notebook.read_text(encoding="utf-8")
    for path in (str(ROOT), str(Path.home()), tempfile.gettempdir(), "/home/", "site-packages"):
        assert path not in text


def test_a_changed_number_is_noticed():
    assert_same_text("loss 1.946, nan", "loss 1.945, nan", "x")
    with pytest.raises(AssertionError, match=r"the page shows 1\.946"):
        assert_same_text("loss 1.946", "loss 1.943", "x")
    with pytest.raises(AssertionError, match="x"):
        assert_same_text("loss 1.946", "value 1.946", "x")
    with pytest.raises(AssertionError, match="the page shows nan"):
        assert_same_text("loss nan", "loss 2.5", "x")
