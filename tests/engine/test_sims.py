"""Both sims as functions: at their defaults, at every control's ends, and against known values."""

import importlib.util
import json
import types
from pathlib import Path

import altair as alt
import numpy as np
import pytest

from sim_engine import floors, losses, metrics, sphere
from sim_engine.bridge import load_microsim
from sim_engine.microsim import Frame, Microsim

SIMS = Path(__file__).parents[2] / "sims"
SLUGS = ("nt-xent-explorer", "embedding-training")


def opened(slug: str) -> Microsim:
    return load_microsim(SIMS / slug / "sim.py")


def charts(slug: str) -> types.ModuleType:
    path = SIMS / slug / "charts.py"
    spec = importlib.util.spec_from_file_location(f"charts_{slug.replace('-', '_')}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXPLORER, TRAINING = (opened(slug) for slug in SLUGS)
GLOBALS = EXPLORER.function.__globals__
RUN = TRAINING.function.__globals__["RUN"]


def ends(slug: str) -> list:
    """Every control at each of its ends, the others at their defaults."""
    rows = []
    for name, control in opened(slug).controls.items():
        values = [control.min, control.max] if hasattr(control, "min") else control.values(3)
        rows += [pytest.param(slug, {name: v}, id=f"{slug}-{name}-{v}") for v in values]
    return rows


ALL = [pytest.param(slug, {}, id=f"{slug}-defaults") for slug in SLUGS] + [p for s in SLUGS for p in ends(s)]


def value(frame: Frame, name: str) -> float:
    return frame.readouts[name].value


@pytest.mark.parametrize(("slug", "controls"), ALL)
def test_every_end_gives_a_whole_frame(slug, controls):
    frame = opened(slug)(**controls)
    for name, readout in frame.readouts.items():
        assert np.isfinite(readout.value), name
    for name, table in frame.tables.items():
        for column, array in table.items():
            assert len(array) > 0, f"{name}.{column}"
            if array.dtype.kind == "f":
                assert np.isfinite(array).all(), f"{name}.{column}"
    assert frame.alt.endswith(".")
    assert "nan" not in frame.alt


@pytest.mark.parametrize("slug", SLUGS)
def test_the_charts_ask_for_tables_and_controls_that_exist(slug):
    sim = opened(slug)
    frame = sim()
    for panel in charts(slug).panels():
        spec = panel.chart.to_dict()
        asked = {d["name"] for d in find(spec, "data") if "name" in d}
        assert asked
        assert asked <= set(frame.tables)
        params = {p["name"]: p for p in spec.get("params", []) if "expr" not in p}
        for name, param in params.items():
            assert sim.controls[name].chart
            assert param["value"] == json.loads(json.dumps(sim.defaults[name]))
        assert set((panel.drag or {}).values()) <= set(params)
        if panel.tooltip_image:
            assert panel.tooltip_image.image in frame.images
    assert alt.Chart  # the specs above were validated by Altair


def find(node: object, key: str) -> list:
    if isinstance(node, dict):
        return [v for k, v in node.items() if k == key and isinstance(v, dict)] + [
            f for v in node.values() for f in find(v, key)
        ]
    return [f for v in node for f in find(v, key)] if isinstance(node, list) else []


# nt-xent-explorer


def anchor_loss(positive: float, similarities: np.ndarray, tau: float) -> float:
    return float(GLOBALS["anchor_loss"](positive, GLOBALS["log_sum"](similarities, tau), tau))


def slow_loss(positive: float, similarities: np.ndarray, tau: float) -> float:
    """The formula of the paper as it stands; only where nothing overflows."""
    top = np.exp(positive / tau)
    return -np.log(top / (top + sum(np.exp(s / tau) for s in similarities)))


@pytest.mark.parametrize("tau", [0.07, 0.3, 1.0])
@pytest.mark.parametrize("positive", [-0.5, 0.1, 0.8])
def test_the_anchor_loss_is_the_papers_formula(tau, positive):
    s = GLOBALS["random_directions"](30, 8)
    assert anchor_loss(positive, s, tau) == pytest.approx(slow_loss(positive, s, tau), rel=1e-9)


@pytest.mark.parametrize("tau", [0.02, 0.1, 1.0])
@pytest.mark.parametrize("n", [2, 16, 300])
def test_a_perfect_simplex_reaches_the_engines_floor(tau, n):
    s = np.full(2 * (n - 1), -1 / (n - 1))
    assert anchor_loss(1.0, s, tau) == pytest.approx(floors.best(n, tau), rel=1e-12)


@pytest.mark.parametrize("tau", [0.02, 0.07, 1.0])
def test_all_far_apart_with_a_perfect_positive_is_the_best_there_is(tau):
    for n in (2, 256, 4096):
        frame = EXPLORER(tau=tau, batch_size=n, positive=1.0, source="simplex")
        assert value(frame, "loss") == pytest.approx(floors.best(n, tau), rel=1e-12)


def test_the_anchor_loss_is_the_engines_loss_of_a_real_batch():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2, 12, 5))
    u = z.reshape(24, 5) / np.linalg.norm(z.reshape(24, 5), axis=1, keepdims=True)
    s = u @ u.T
    rows = []
    for i in range(24):
        others = np.delete(s[i], [i, (i + 12) % 24])
        rows.append(anchor_loss(s[i, (i + 12) % 24], others, 0.2))
    assert np.mean(rows) == pytest.approx(losses.nt_xent(*z, 0.2).value, rel=1e-12)


@pytest.mark.parametrize("dimension", [2, 3, 16, 512])
def test_random_directions_are_the_engines_quantiles(dimension):
    exact = sphere.cosine_quantiles((np.arange(510) + 0.5) / 510, dimension)
    np.testing.assert_allclose(GLOBALS["random_directions"](510, dimension), exact, atol=1e-5)


@pytest.mark.parametrize("tau", [0.02, 0.07, 1.0])
@pytest.mark.parametrize("positive", [-1.0, 0.8])
def test_equal_similarities_cost_log_2n_minus_1_and_share_the_push_alike(tau, positive):
    for n in (2, 7, 256, 4096):
        frame = EXPLORER(tau=tau, batch_size=n, positive=positive, source="collapsed")
        assert value(frame, "loss") == pytest.approx(np.log(2 * n - 1), rel=1e-12)
        assert value(frame, "hard_share") == pytest.approx(10)


def test_real_negatives_cost_what_the_training_recorded():
    """The sim, set as the training was, finds the loss that torch and the held-out views gave."""
    metrics, config = RUN.metrics, RUN.manifest["config"]
    positive = 1 - metrics["alignment_3_last"] / 2  # |z_a - z_b|^2 = 2 - 2 cos
    frame = EXPLORER(
        source="digits", tau=config["tau"], batch_size=config["batch"], positive=positive, dimension=2
    )
    assert value(frame, "loss") == pytest.approx(metrics["loss_3_last"], abs=0.01)


def test_real_negatives_are_binned_as_the_training_counted_them():
    bars = EXPLORER(source="digits", batch_size=4096).tables["bins"]["count_all"]
    counted = RUN["negatives_hist_3"]
    np.testing.assert_allclose(bars / bars.sum(), counted / counted.sum(), rtol=0, atol=1e-3)


def test_real_negatives_crowd_where_random_ones_do_not():
    measured, random = GLOBALS["measured"](5000), GLOBALS["random_directions"](5000, 3)
    assert measured.mean() == pytest.approx(random.mean(), abs=0.01)
    assert measured.std() == pytest.approx(random.std(), abs=0.01)
    assert (measured > 0.95).mean() > 1.8 * (random > 0.95).mean()


@pytest.mark.parametrize("source", ["digits", "simplex", "collapsed"])
def test_the_dimension_is_of_random_directions_alone(source):
    frames = [EXPLORER(source=source, dimension=d) for d in (2, 512)]
    for name in frames[0].readouts:
        assert value(frames[0], name) == value(frames[1], name)
    assert frames[0].alt == frames[1].alt


def test_every_source_says_what_it_is():
    said = {source: EXPLORER(source=source).alt for source in EXPLORER.controls["source"].values(9)}
    assert len(set(said.values())) == 4
    assert "measured on digits after training in 3-D" in said["digits"]
    assert "random directions of 16 dimensions" in said["sphere"]


@pytest.mark.parametrize("source", ["sphere", "digits", "simplex", "collapsed"])
def test_a_frame_does_not_depend_on_those_before_it(source):
    """Sums are kept between frames: a sim that was moved about tells the same as a fresh one."""
    moves = [{"tau": 0.3}, {"batch_size": 9}, {"positive": -0.4}, {"dimension": 5}, {"source": "sphere"}]
    for move in moves:
        EXPLORER(**({"source": source} | move))
    fresh = opened("nt-xent-explorer")
    for move in moves:
        used, new = EXPLORER(**({"source": source} | move)), fresh(**({"source": source} | move))
        assert used.alt == new.alt
        for table, columns in new.tables.items():
            for column, array in columns.items():
                np.testing.assert_array_equal(used.tables[table][column], array, err_msg=f"{table}.{column}")


def test_the_readouts_agree_with_one_another():
    for controls in ({}, {"tau": 0.02, "positive": -1.0}, {"tau": 1.0, "batch_size": 4096}):
        frame = EXPLORER(**controls)
        difference = value(frame, "log_denominator") - value(frame, "log_numerator")
        assert difference == pytest.approx(value(frame, "loss"))
        assert value(frame, "probability") == pytest.approx(100 * np.exp(-value(frame, "loss")))
        n = controls.get("batch_size", 256)
        assert value(frame, "negative_count") == 2 * (n - 1)
        assert value(frame, "chance") == pytest.approx(floors.equal(n))


def test_in_many_dimensions_the_loss_is_its_limit():
    # log(1 + M E exp(s/tau) / exp(s+/tau)), with M negatives
    for dimension in (16, 128, 512):
        frame = EXPLORER(tau=0.5, batch_size=4096, positive=0.3, dimension=dimension)
        limit = np.logaddexp(0, np.log(8190) + sphere.log_mean_exp(2.0, dimension) - 0.6)
        assert value(frame, "loss") == pytest.approx(limit, abs=1e-3)


def test_the_hardest_tenth_takes_more_as_the_temperature_falls():
    shares = [value(EXPLORER(tau=tau), "hard_share") for tau in (1.0, 0.5, 0.2, 0.1, 0.05, 0.02)]
    assert shares == sorted(shares)
    assert 10 < shares[0] < 20
    assert shares[-1] > 99


def test_the_hardest_tenth_is_a_tenth_of_any_batch():
    for count in (2, 9, 10, 510, 8190):
        hard = GLOBALS["hardness"](count)
        assert hard.sum() == pytest.approx(count / 10)
        assert (np.diff(hard) >= 0).all()


@pytest.mark.parametrize(("slug", "controls"), [p.values for p in ends("nt-xent-explorer")])
def test_the_dot_lies_on_its_curves_and_inside_the_axes(slug, controls):
    tables = EXPLORER(**controls).tables
    point = {k: v[0] for k, v in tables["point"].items()}
    curve = tables["by_similarity"]
    on_curve = np.interp(point["positive"], curve["positive"], curve["loss"])
    assert on_curve == pytest.approx(point["loss"], abs=0.02)
    batch = tables["by_batch"]
    on_curve = np.interp(np.log(point["batch_size"]), np.log(batch["batch_size"]), batch["loss"])
    assert on_curve == pytest.approx(point["loss"], abs=0.02)
    assert max(batch["loss"].max(), curve["loss"].max()) < 150


def test_the_largest_loss_of_all_still_fits_the_axis():
    frame = EXPLORER(tau=0.02, positive=-1.0, dimension=2, batch_size=4096)
    assert 100 < value(frame, "loss") < 150


def test_the_bars_hold_every_negative_once():
    for controls in (
        {},
        {"batch_size": 2},
        {"source": "collapsed", "positive": 1.0},
        {"dimension": 2},
        {"source": "digits"},
    ):
        bins = EXPLORER(**controls).tables["bins"]
        for name in ("count", "push"):
            assert bins[f"{name}_all"].max() == pytest.approx(1)
            assert (bins[f"{name}_easy"] <= bins[f"{name}_all"] + 1e-12).all()
        hard = (bins["count_all"] - bins["count_easy"]).sum() / bins["count_all"].sum()
        assert hard == pytest.approx(0.1)


# embedding-training


@pytest.mark.parametrize("epoch", [0, 7, 50])
@pytest.mark.parametrize("dimension", ["2", "3"])
def test_the_readouts_are_the_recorded_numbers(epoch, dimension):
    frame = TRAINING(epoch=epoch, dimension=dimension)
    scales = {"loss": 1, "top1": 100, "top5": 100, "alignment": 1, "uniformity": 1, "knn": 100}
    for name, scale in scales.items():
        assert value(frame, name) == scale * RUN[f"{name}_{dimension}"][epoch]
    # The uniformity is of the very points that are drawn, so the engine must find it again.
    z = RUN[f"z{dimension}"][epoch]
    assert metrics.uniformity(z / np.linalg.norm(z, axis=1, keepdims=True)) == pytest.approx(
        value(frame, "uniformity"), abs=2e-3
    )


@pytest.mark.parametrize("epoch", [0, 25, 50])
def test_points_lie_on_the_sphere_and_on_the_rings(epoch):
    points = TRAINING(epoch=epoch, dimension="3").tables["points"]
    np.testing.assert_allclose(np.hypot(np.hypot(points["x"], points["y"]), points["z"]), 1, atol=5e-4)
    assert not points["flat_x"].any()
    points = TRAINING(epoch=epoch, dimension="2").tables["points"]
    assert not any(points[axis].any() for axis in "xyz")  # the circle does not turn
    x, y = points["flat_x"], points["flat_y"]
    ring = TRAINING.function.__globals__["LANES"][points["digit"].astype(int)]
    np.testing.assert_allclose(np.hypot(x, y), ring, atol=5e-4)
    z = RUN["z2"][epoch]
    turned = np.angle((x + 1j * y) / (z[:, 0] + 1j * z[:, 1]))
    np.testing.assert_allclose(turned, 0, atol=2e-3)


def test_training_begins_at_log_2n_minus_1_and_helps():
    for dimension in ("2", "3"):
        first, last = TRAINING(epoch=0, dimension=dimension), TRAINING(epoch=50, dimension=dimension)
        assert value(first, "loss") == pytest.approx(floors.equal(120), abs=0.01)
        assert value(last, "loss") < value(first, "loss") - 1
        assert value(last, "knn") > 3 * value(first, "knn")
        assert value(last, "loss") > floors.best(120, 0.5)
        assert value(last, "uniformity") > floors.best_uniformity(int(dimension)) - 0.02
    assert value(TRAINING(dimension="3"), "knn") > value(TRAINING(dimension="2"), "knn")


def test_the_sentence_tells_what_is_seen():
    assert "almost on one point of the sphere" in TRAINING(epoch=0).alt
    last = TRAINING(epoch=50, dimension="2")
    assert "spread round the circle" in last.alt
    assert "ring of its own" in last.alt
    assert f"{value(last, 'loss'):.2f} nats" in last.alt


def test_a_tile_is_the_image_of_its_point():
    frame = TRAINING()
    tiles, atlas = frame.tables["points"]["tile"].astype(int), frame.images["digits"]
    per_row = atlas.shape[1] // 8
    for row in (0, 19, 20, 359):
        y, x = divmod(tiles[row], per_row)
        tile = atlas[8 * y : 8 * y + 8, 8 * x : 8 * x + 8, 0]
        np.testing.assert_array_equal(tile, 255 - RUN["image"][row])
    assert frame.tables["points"]["digit"].astype(int).tolist() == RUN["label"].tolist()


def test_axes_hold_still_over_the_epochs():
    first, last = TRAINING(epoch=0).tables, TRAINING(epoch=50).tables
    for column, array in first["curves"].items():
        np.testing.assert_array_equal(array, last["curves"][column])
    np.testing.assert_array_equal(first["guide"]["x1"], last["guide"]["x1"])
