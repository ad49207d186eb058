"""The benchmark's own arithmetic, and what it refuses."""

import pytest

from build_scripts.bench import __main__ as bench
from build_scripts.bench import probe, serve
from build_scripts.bench.browser import BenchError
from build_scripts.bench.report import Row, percentile, ratio_row, table
from build_scripts.static_server import StaticServer


def test_percentiles_are_values_that_occurred():
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [percentile(values, share) for share in (0.0, 0.2, 0.5, 0.95, 1.0)] == [1.0, 1.0, 3.0, 5.0, 5.0]


@pytest.mark.parametrize(
    ("value", "sense", "verdict"),
    [
        (1.0, "at most", "pass"),
        (1.01, "at most", "miss"),
        (1.0, "at least", "pass"),
        (0.99, "at least", "miss"),
    ],
)
def test_a_target_is_met_or_missed(value, sense, verdict):
    assert Row("x", "1", value=value, target=1.0, sense=sense).verdict == verdict


def test_a_row_compares_medians_not_means():
    row = ratio_row("x", [1.0, 1.0, 100.0], [2.0, 2.0, 2.0], unit="ms", target=0.6)
    assert row.value == 0.5
    assert row.verdict == "pass"


def test_the_table_says_pass_and_miss_beside_the_target():
    lines = table(
        [ratio_row("slow", [9.0], [3.0], unit="ms", target=1.2), Row("plain", "7 bytes")]
    ).splitlines()
    assert "3.00×" in lines[1]
    assert "≤ 1.20×" in lines[1]
    assert "miss" in lines[1]
    assert "7 bytes" in lines[2]
    assert "miss" not in lines[2]


def test_a_site_that_is_not_built_is_named(tmp_path, capsys):
    assert bench.main(["--site", str(tmp_path)]) == 1
    assert (
        f"{tmp_path / 'sims/nt-xent-explorer/main.html'} is not there; `make site`" in capsys.readouterr().err
    )


@pytest.mark.parametrize("wrong", [["--only", "speed"], ["--rounds", "0"]])
def test_wrong_options_are_refused_by_name(wrong, capsys):
    with pytest.raises(SystemExit):
        bench.main(wrong)
    assert wrong[0] in capsys.readouterr().err


def test_an_edit_that_is_never_served_is_told(tmp_path, monkeypatch):
    (tmp_path / "index.html").write_text("before")
    monkeypatch.setattr(serve, "PATIENCE", 0.2)
    with StaticServer(tmp_path) as server, pytest.raises(BenchError, match=r"no 'after' at http.* after 0 s"):
        serve._until(server.url, "after")


def test_the_probe_is_compared_at_one_minimum(monkeypatch):
    monkeypatch.setattr(probe, "WIDTHS", (16,))
    rows = probe.measure(1)
    assert len(rows) == len(probe.SOLVERS)
    for row, (solver, tol) in zip(rows, probe.SOLVERS, strict=True):
        assert solver in row.beside
        above = float(row.beside.split()[-3])  # nats above the engine's minimum
        # No solver gets below it but for rounding, and the close ones get near.
        assert -1e-6 < above < (1.0 if tol > 1e-6 else 1e-3), row
