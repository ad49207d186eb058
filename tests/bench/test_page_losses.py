"""The JavaScript that the engine is timed against computes what the engine computes."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from build_scripts.bench import loss, page_losses
from build_scripts.bench.browser import BenchError
from build_scripts.bench.cases import CASES, gradients
from build_scripts.bench.page_losses import PAGE, module

PAGES = Path(page_losses.__file__).parent / "pages"
# Odd, the second beyond one block of the tuned products, which go by two, four and 32; then the least d.
SIZES = [(13, 7), (71, 37), (20, 2)]
# So many negatives are held to be false that the estimate of the true ones falls to its floor.
AT_THE_FLOOR = {name: {**PAGE[name].options, "tau_plus": 0.9} for name in ("debiased", "hard_negative")}
SCRIPT = """
const { timing, folder, jobs } = JSON.parse(process.argv[2]);
const { arrays, nested } = await import(timing);
const found = [];
for (const { file, options, ...size } of jobs) {
  const loss = await import(`${folder}/${file}.mjs`);
  const input = arrays(size).map(nested);
  const { value, gradients, arrays: made } = loss.tuned(input, options);
  const values = { plain: loss.plain(input, options), tuned: value() };
  if (loss.kinder) values.kinder = loss.kinder(input, options);
  gradients();
  values.tunedGradients = gradients(); // a second call finds nothing left of the first
  found.push({ input, values, arrays: made.map((array) => [...array]) });
}
console.log(JSON.stringify(found));
"""
JOBS = [(name, PAGE[name].options, n, d) for name in PAGE for n, d in SIZES] + [
    (name, options, 13, 7) for name, options in AT_THE_FLOOR.items()
]


@pytest.fixture(scope="module")
def javascript(tmp_path_factory):
    """What every loss of the pages finds, in the order of `JOBS`."""
    jobs = [
        {
            "file": module(name),
            "options": options,
            "n": n,
            "d": d,
            "shapes": PAGE[name].shapes,
            "unit": PAGE[name].unit,
        }
        for name, options, n, d in JOBS
    ]
    places = {"timing": (PAGES / "timing.mjs").as_uri(), "folder": (PAGES / "losses").as_uri()}
    script = tmp_path_factory.mktemp("losses") / "all.mjs"
    script.write_text(SCRIPT)
    command = ["node", str(script), json.dumps({**places, "jobs": jobs})]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("job", range(len(JOBS)), ids=[f"{name}-{n}-{d}" for name, _, n, d in JOBS])
@pytest.mark.parametrize(("dtype", "within"), [(np.float64, 1e-11), (np.float32, 1e-5)])
def test_both_loops_compute_the_engine_s_loss_and_the_tuned_its_gradients(javascript, job, dtype, within):
    name, options, *_ = JOBS[job]
    found = javascript[job]
    arrays = [np.array(array, dtype=dtype) for array in found["input"]]
    wanted = PAGE[name].gradients(*arrays, **options)
    assert {"plain", "tuned", "tunedGradients"} <= found["values"].keys()
    for key, value in found["values"].items():
        assert value == pytest.approx(wanted.value, rel=within), key
    # Of the arrays that learn, one below the other; a loss may keep several in one.
    ours = np.concatenate([np.ravel(grad) for grad in gradients(wanted)])
    theirs = np.concatenate(found["arrays"])
    assert np.abs(ours).max() > 0
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=within * np.abs(ours).max())


def test_every_loss_of_the_engine_s_table_is_timed_in_the_page():
    assert list(PAGE) == [case.name for case in CASES]


def test_every_loss_of_the_pages_has_its_two_sides():
    shared = {"between", "plain", "predictions", "quick", "views"}
    assert {path.stem for path in (PAGES / "losses").glob("*.mjs")} - shared == set(map(module, PAGE))


@pytest.mark.parametrize("name", AT_THE_FLOOR)
def test_some_rows_are_at_the_floor_and_some_are_not(javascript, name):
    job = next(j for j, (_, options, *_) in enumerate(JOBS) if options is AT_THE_FLOOR[name])
    tau, tau_plus = AT_THE_FLOOR[name]["tau"], AT_THE_FLOOR[name]["tau_plus"]
    z = np.concatenate(javascript[job]["input"])
    u = z / np.linalg.norm(z, axis=1)[:, None]
    e = np.exp(u @ u.T / tau)
    anchor = np.arange(len(z))
    positive = e[anchor, anchor - len(z) // 2]
    e[anchor, anchor] = e[anchor, anchor - len(z) // 2] = 0.0
    weight = np.where(e > 0, e ** AT_THE_FLOOR[name].get("beta", 0.0), 0.0)
    average = (weight * e).sum(axis=1) / weight.sum(axis=1)
    at_the_floor = (average - tau_plus * positive) / (1 - tau_plus) < np.exp(-1 / tau)
    assert 0 < at_the_floor.sum() < len(z)


def test_the_largest_size_is_left_out_by_the_stated_rule():
    assert all(set(loss.sizes(name)) >= {(64, 2), (256, 64), (1024, 256)} for name in PAGE)
    large = {name: [d for n, d in loss.sizes(name) if n == loss.LARGE] for name in PAGE}
    assert large["nt_xent"] == large["clip"] == large["byol"] == [64]
    assert large["dcl"] == large["sup_con, in"] == []
    assert str(loss.LARGE) in loss._RULES["sizes"]


def test_the_plain_loop_is_left_out_where_it_takes_long():
    assert all("plain" in loss.loops(name, 256, 64) for name in PAGE)
    assert loss.loops("nt_xent", 1024, 256) == ["plain", "kinder", "tuned"]
    assert loss.loops("dcl", 1024, 64) == ["tuned"]
    assert loss.loops("nt_xent", 4096, 64) == ["tuned"]
    assert loss.loops("byol", 4096, 64) == ["plain", "tuned"]
    assert str(loss.LARGE) in loss._RULES["plain loops"]


def test_only_nt_xent_has_targets_and_none_of_them_at_d_2():
    times = {key: [1.0] for key in ("value", "gradients", "plain", "kinder", "tuned", "tunedGradients")}
    rows = [row for name, given in PAGE.items() for row in loss._rows(name, given, 64, 64, times, {})]
    assert {row.what for row in rows if row.target} == {
        "nt_xent forward in the page, N 64, d 64",
        "nt_xent forward + backward in the page, N 64, d 64",
    }
    at_two = loss._rows("nt_xent", PAGE["nt_xent"], 1024, 2, times, {})
    assert [row.beside for row in at_two if row.target] == ["1.00 ms plain JavaScript loop"]


def test_what_the_engine_cannot_do_in_the_page_misses_its_target():
    times = {"value": [1.0], "tuned": [2.0], "tunedGradients": [3.0]}
    thrown = {"gradients": "ValueError: too large"}
    loss._compare("nt_xent", {"value": 0.5, "tuned": 0.5, "tunedGradients": 0.5}, thrown)
    forward, both = loss._rows("nt_xent", PAGE["nt_xent"], 4096, 64, times, thrown)
    assert (forward.value, forward.verdict) == (2.0, "pass")
    assert (both.ours, both.verdict) == ("fails", "miss")
    assert both.spread.startswith("ValueError: too large")


@pytest.mark.parametrize(
    ("values", "thrown"),
    [({"gradients": 1.0, "tuned": 1.001}, {}), ({"gradients": 1.0}, {"tuned": "RangeError: no memory"})],
)
def test_values_that_differ_and_loops_that_throw_stop_the_benchmark(values, thrown):
    with pytest.raises(BenchError, match=r"dcl, N 64: .*(differ|tuned throws RangeError)"):
        loss._compare("dcl, N 64", values, thrown)


def test_the_value_alone_is_the_value():
    rng = np.random.default_rng(0)
    for given in PAGE.values():
        if given.value:
            arrays = rng.normal(size=(len(given.shapes), 9, 4))
            with_gradients = given.gradients(*arrays, **given.options).value
            assert given.value(*arrays, **given.options) == pytest.approx(with_gradients, rel=1e-13)
