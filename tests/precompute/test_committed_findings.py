"""What the book says of the recorded tables is what the tables say, each seed for itself where it can be."""

import numpy as np
import pytest

from build_scripts.precompute import datasets
from build_scripts.precompute.job import Job, run_job
from build_scripts.precompute.recipes import RECIPES
from build_scripts.precompute.recipes.bugs import BUGS
from build_scripts.precompute.recipes.collapse import VARIANTS, WITHOUT
from build_scripts.precompute.recipes.method_zoo import ZOO
from build_scripts.precompute.recipes.moco_queue import KEYS, QUEUES, own_keys
from build_scripts.precompute.recipes.temperature import DIMENSIONS, TAUS
from sim_engine.data import Recorded

HEALTHY = [row for row, name in enumerate(VARIANTS) if not name.startswith("no ")]
COLLAPSED = [row for row, name in enumerate(VARIANTS) if name.startswith("no ")]


def recorded(name):
    return Recorded(RECIPES[name].folder)


# ---- collapse ----


def test_without_predictor_or_stop_gradient_z_is_nearly_a_point_in_every_seed():
    spread = recorded("collapse")["digits_spread_z"]
    assert spread[COLLAPSED].max() < 0.2
    assert spread[HEALTHY].min() > 0.7


def test_the_probe_falls_with_the_collapse():
    """The features of a collapsed network are worth less than those of the whole one, and not nothing."""
    data = recorded("collapse")
    whole, collapsed, untrained = (
        data["digits_few5_h"][list(VARIANTS).index("SimSiam")],
        data["digits_few5_h"][COLLAPSED],
        data["untrained_few5_h"][0],
    )
    assert (collapsed < whole).all()
    assert whole.mean() > untrained.mean() + 0.05
    assert data["digits_few5_h"][HEALTHY].mean(axis=1).min() > untrained.mean() + 0.05


def test_the_curve_shows_the_collapse_while_the_loss_looks_perfect():
    data = recorded("collapse")
    spread, loss = data["digits_curve_spread_z"], data["digits_curve_loss_train"]
    assert spread.shape == loss.shape == (len(VARIANTS), 3, 21)
    # The last epoch is what was measured at the end.
    np.testing.assert_allclose(spread[..., -1], data["digits_spread_z"], rtol=0, atol=1e-3)
    assert loss[COLLAPSED, :, -1].max() < -0.99
    assert loss[0, :, -1].min() > -0.95
    # Below the untrained network by the sixth epoch without a predictor.
    assert (spread[2, :, 6] < spread[2, :, 0] / 1.5).all()


def test_a_small_training_collapses_too_over_three_seeds():
    base = Job(
        method="simsiam", encoder="conv", width=8, hidden=64, d=64, learning_rate=5e-3,
        train_on=400, batch=32, epochs=7, view_draws=1, few_label_draws=1,
    )  # fmt: skip
    found = {
        name: [run_job(base.with_(**change, seed=seed).settings()) for seed in range(3)]
        for name, change in WITHOUT.items()
    }
    least = min(r["spread_z"] for r in found["SimSiam"])
    for name in ("no stop-gradient", "no predictor"):
        assert max(r["spread_z"] for r in found[name]) < least - 0.15, name
        assert max(r["loss_train"] for r in found[name]) < min(r["loss_train"] for r in found["SimSiam"])


# ---- bugs ----


def bug(name, measure):
    return recorded("bugs")[f"digits_{measure}"][list(BUGS).index(name)]


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("no normalisation", 0.05),
        ("views too weak", 0.1),
        ("views too strong", 0.03),
        ("temperature blind", 0.01),
        ("collapse", 0.08),
    ],
)
def test_five_bugs_cost_the_features_in_every_seed(name, least):
    assert (bug("none", "few5_h") - bug(name, "few5_h")).min() > least
    assert (bug("none", "knn") - bug(name, "knn")).min() > 0


def test_the_loss_of_two_bugs_looks_better_than_the_right_codes():
    for name in ("no normalisation", "views too weak"):
        assert bug(name, "loss_train").max() < bug("none", "loss_train").min() - 0.1


def test_self_similarity_kept_shows_in_the_loss_at_a_low_temperature_and_not_in_the_features():
    high = bug("self kept", "loss_train") - bug("none", "loss_train")
    low = bug("self kept, tau 0.1", "loss_train") - bug("none, tau 0.1", "loss_train")
    assert 0 < high.min() < high.max() < 0.05
    assert low.min() > 0.4
    assert (bug("self kept, tau 0.1", "uniformity") - bug("none, tau 0.1", "uniformity")).min() > 0.2
    for pair in (("self kept", "none"), ("self kept, tau 0.1", "none, tau 0.1")):
        assert abs(bug(pair[0], "few5_h").mean() - bug(pair[1], "few5_h").mean()) < 0.02


def test_a_kept_head_costs_where_z_is_short():
    assert abs(bug("none", "few5_h").mean() - bug("none", "few5").mean()) < 0.03
    assert (bug("none, d 3", "few5_h") - bug("none, d 3", "few5")).min() > 0.1


# ---- batch and epochs ----


def test_with_the_rate_of_its_batch_16_images_do_as_well_as_256_and_1024_make_too_few_updates():
    data = recorded("batch-and-epochs")
    few, top1 = (data[f"digits_{name}"].mean(axis=-1) for name in ("few5_h", "top1"))
    assert list(data["digits_batch"]) == [16, 64, 256, 1024]
    assert np.ptp(few[:3], axis=0).max() < 0.015
    assert (few[3] < few[:3].min(axis=0)).all()
    assert (top1[3] < top1[:3].min(axis=0)).all()
    # More epochs are better for every N.
    assert (np.diff(few, axis=1) > 0).all()
    assert (np.diff(top1, axis=1) > 0).all()


# ---- temperature ----


def test_z_is_most_even_between_the_ends_of_tau():
    """A low temperature is more even than a high one, but the lowest leaves z in a cone."""
    even = recorded("temperature")["digits_uniformity"].mean(axis=-1)
    mean = recorded("temperature")["digits_mean_vector"].mean(axis=-1)
    for row in range(1, len(DIMENSIONS)):
        assert TAUS[even[row].argmin()] == 0.2
        assert even[row].min() < even[row, -1] - 0.05
    assert (even[:, 0] > even[:, -1] + 0.5).all()
    assert (mean[:, 0] > 0.7).all()
    assert (mean[:, -1] < 0.2).all()


def test_more_dimensions_leave_more_to_the_neighbours():
    knn = recorded("temperature")["digits_knn"]
    best = knn.mean(axis=-1).max(axis=1)
    assert (np.diff(best) > 0).all()
    assert best[1] > best[0] + 0.15


# ---- MoCo's queue ----


def test_momentum_matters_most_for_the_longest_queue():
    data = recorded("moco-queue")
    for measure, least in (("few5_h", 0.02), ("knn", 0.04), ("top1", 0.15)):
        values = data[f"digits_{measure}"].mean(axis=-1)
        gain = values.max(axis=1) - values[:, 0]
        assert gain[-1] == gain.max() > least
    assert KEYS[0] == 0.0


def test_own_keys_are_counted_as_a_queue_holds_them():
    """Against a queue that is kept: every epoch a new order, whole batches alone."""
    rng, images, batch = np.random.default_rng(0), 30, 4
    for queue in (4, 12, 40):
        kept, met, queries = [], 0, 0
        for epoch in range(300):
            for rows in rng.permutation(images)[: images // batch * batch].reshape(-1, batch):
                if epoch > 10:
                    met += sum(kept.count(row) for row in rows.tolist())
                    queries += batch
                kept = [*kept, *rows.tolist()][-queue:]
        assert met / queries == pytest.approx(own_keys(queue, batch, images), rel=0.1)
    assert own_keys(QUEUES[-1], 128, 1437) > 5


# ---- methods ----


def test_every_method_beats_the_untrained_network_and_labels_beat_them_all():
    data = recorded("method-zoo")
    names = list(ZOO)
    few, knn_h = (data[f"digits_{name}"] for name in ("few5_h", "knn_h"))
    labelled = [row for row, name in enumerate(names) if name.endswith("(labels)")]
    own = [row for row in range(1, len(names)) if row not in labelled]
    assert names[0] == "random"
    assert len(labelled) == 2
    assert few[own].min() > few[0].max() + 0.05
    assert knn_h[own].mean(axis=1).min() > knn_h[0].mean() + 0.01
    assert few[labelled].min() > few[own].max() + 0.02


def test_byol_and_simsiam_are_no_worse_in_z_than_before_training():
    knn = recorded("method-zoo")["digits_knn"].mean(axis=-1)
    for name in ("BYOL", "SimSiam"):
        assert knn[list(ZOO).index(name)] > knn[0], name


# ---- strength by temperature ----


def surface(part, name):
    return recorded("loss-surface")[f"{part}_{name}"]


def test_the_lowest_loss_is_in_a_corner_and_the_best_features_are_elsewhere():
    """Views that change nothing, at the lowest temperature, are told apart best and teach least."""
    loss, few = surface("digits", "loss_train"), surface("digits", "few5_h")
    best = np.unravel_index(few.mean(axis=-1).argmax(), few.shape[:2])
    for seed in range(loss.shape[-1]):
        assert loss[..., seed].argmin() == 0
    assert best[0] > 1
    assert few[best].min() > few[0, 0].max() + 0.03


def test_a_sphere_shows_more_than_a_circle_at_every_strength():
    circle, sphere = (surface(part, "knn")[..., 0] for part in ("circle", "sphere"))
    assert (sphere.mean(axis=1) > circle.mean(axis=1) + 0.03).all()


def test_the_pictures_are_of_the_images_that_they_name():
    data = recorded("loss-surface")
    labels = recorded("digits-trajectory")["label"][:60]
    for part, d in (("circle", 2), ("sphere", 3)):
        z = data[f"{part}_z"]
        assert z.shape == (12, 12, 60, d)
        np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1, atol=1e-3)
        np.testing.assert_array_equal(data[f"{part}_label"], labels)


def test_the_pictures_of_factors_name_what_they_are_of():
    data = recorded("loss-surface")
    test = datasets.load(
        "factors", **RECIPES["loss-surface"].config.parts["factors"].base.dataset_options
    ).test
    for part, d in (("factors_circle", 2), ("factors_sphere", 3)):
        z = data[f"{part}_z"]
        assert z.shape == (12, 12, 60, d)
        np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1, atol=1e-3)
        np.testing.assert_array_equal(data[f"{part}_label"], test.labels[:60])
        for name in ("hue", "background"):
            np.testing.assert_array_equal(data[f"{part}_shown_{name}"], test.factors[name][:60])


def test_two_and_three_dimensions_keep_the_background_and_little_of_the_hue():
    parts = ("factors_circle", "factors_sphere", "factors")
    hue = [surface(part, "factor_hue").mean() for part in parts]
    assert hue == pytest.approx([0.11, 0.21, 0.75], abs=0.005)
    for part in parts[:2]:
        assert surface(part, "factor_background").min() > 0.8  # chance is a half


def test_stronger_views_of_factors_are_harder_to_match():
    """Where nothing changes, nearly every partner is found; at full strength hardly one."""
    top1 = surface("factors", "top1").mean(axis=(1, 2))
    assert (np.diff(top1[:-1]) < 0.02).all()
    assert top1[0] > 0.5
    assert top1[-1] < 0.1


def test_mild_views_let_z_tell_the_hue_and_strong_ones_hide_it_from_z_more_than_from_h():
    z, h = (surface("factors", name).mean(axis=(1, 2)) for name in ("factor_hue", "factor_hue_h"))
    assert 1 < z.argmax() < 7
    assert z.max() > z[0] + 0.05
    assert z.max() > z[-1] + 0.1
    assert (h > z + 0.05).all()
    assert h.max() - h[-1] < z.max() - z[-1]


# ---- trajectories of images ----


def first_and_last(recipe, name):
    """Before and after each training, two arrays of three."""
    curve = recorded(recipe)[name]
    assert len(curve) == 3
    return curve[:, 0], curve[:, -1]


def test_photographs_come_together_in_every_training():
    for name in ("knn_3", "few_label_h_3"):
        before, after = first_and_last("photos-trajectory", name)
        assert (after > before + 0.05).all(), name
    before, after = first_and_last("photos-trajectory", "rank_h_3")
    assert (after > 2 * before).all()
    # Their colours tell them apart before any training: what neighbours in h gain is less than seeds differ.
    before, after = first_and_last("photos-trajectory", "knn_h_3")
    assert before.min() > 0.6
    assert abs(after.mean() - before.mean()) < before.std() + after.std()


def test_shapes_are_sorted_by_their_paper_and_not_by_their_shape_in_every_training():
    assert (first_and_last("factors-trajectory", "reads_background_3")[1] > 0.95).all()
    for name in ("reads_shape_3", "reads_shape_h_3", "knn_h_3"):
        assert (first_and_last("factors-trajectory", name)[1] < 0.3).all(), name
    # The views change the light: h forgets it, and keeps how bright the shape itself is.
    before, after = first_and_last("factors-trajectory", "reads_light_h_3")
    assert (after < before - 0.1).all()
    before, after = first_and_last("factors-trajectory", "reads_brightness_h_3")
    assert (after > before + 0.2).all()


# ---- the report ----


def test_a_training_is_worth_more_than_none_at_every_share_of_the_labels_each_time():
    data = recorded("stl10-report")
    trained, untrained = data["efficiency_trained"], data["efficiency_untrained"]
    assert trained.shape == untrained.shape == (3, 3)
    assert (trained > untrained).all()
