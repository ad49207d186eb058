"""The benchmark's own arithmetic, and that what it compares computes the same thing."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from build_scripts.bench import __main__ as bench
from build_scripts.bench.report import Row, percentile, ratio_row, table
from sim_engine.losses import nt_xent, nt_xent_value

PAGES = Path(bench.__file__).parent / "pages"


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


def test_the_reference_loops_compute_the_engine_s_nt_xent(tmp_path):
    script = tmp_path / "reference.mjs"
    script.write_text(
        f"import {{ ntXent, ntXentNormalized }} from {json.dumps((PAGES / 'reference.mjs').as_uri())};\n"
        f"import {{ views }} from {json.dumps((PAGES / 'timing.mjs').as_uri())};\n"
        "const [a, b] = views(17, 5);\n"
        "console.log(JSON.stringify({ a, b, values: [ntXent(a, b, 0.3), ntXentNormalized(a, b, 0.3)] }));\n"
    )
    said = json.loads(
        subprocess.run(["node", str(script)], capture_output=True, text=True, check=True).stdout
    )
    wanted = nt_xent_value(np.array(said["a"]), np.array(said["b"]), 0.3)
    assert said["values"] == pytest.approx([wanted, wanted], rel=1e-12)


def test_the_tuned_javascript_computes_the_engine_s_value_and_gradients(tmp_path):
    script = tmp_path / "tuned.mjs"
    script.write_text(
        f"import {{ tuned }} from {json.dumps((PAGES / 'tuned.mjs').as_uri())};\n"
        f"import {{ views }} from {json.dumps((PAGES / 'timing.mjs').as_uri())};\n"
        "const [a, b] = views(17, 7);\n"
        "const quick = tuned(a, b);\n"
        "const values = [quick.value(0.3), quick.gradients(0.3)];\n"
        "console.log(JSON.stringify({ a, b, values, gradient: [...quick.gradient] }));\n"
    )
    said = json.loads(
        subprocess.run(["node", str(script)], capture_output=True, text=True, check=True).stdout
    )
    wanted = nt_xent(np.array(said["a"]), np.array(said["b"]), 0.3)
    assert said["values"] == pytest.approx([wanted.value, wanted.value], rel=1e-12)
    gradient = np.reshape(said["gradient"], (2, 17, 7))
    np.testing.assert_allclose(gradient, [wanted.grad_a, wanted.grad_b], rtol=1e-10, atol=1e-13)


def test_the_engine_is_timed_against_the_same_losses(monkeypatch):
    from build_scripts.bench import engine

    monkeypatch.setattr(engine, "COUNTS", (8,))
    monkeypatch.setattr(engine, "DIMENSIONS", (5,))
    found = engine._times(1)  # raises where two values differ
    assert len(found) == 10
    assert all({"engine", "torch", "torch_value"} <= entry["times"].keys() for entry in found)


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
