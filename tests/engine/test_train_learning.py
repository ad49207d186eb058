"""Training on real digits: what falls, what rises, what collapses; and what is refused."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits

from sim_engine import encoders, losses, metrics, optim, similarity, train
from sim_engine._tree import leaves


@pytest.fixture(scope="module", autouse=True)
def _one_blas_thread():
    # Threads that wait for one another make small products many times slower on a busy machine.
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def digits():
    return (load_digits().data / 16).astype(np.float32)


def shifted(x, rng):
    """Every digit moved by up to one pixel, and noise: a mild augmentation of 8 x 8 pixels."""
    n = len(x)
    framed = np.pad(x.reshape(n, 8, 8), ((0, 0), (1, 1), (1, 1)))
    down, right = rng.integers(0, 3, size=(2, n, 1)) + np.arange(8)
    moved = framed[np.arange(n)[:, None, None], down[:, :, None], right[:, None, :]]
    return moved.reshape(n, 64) + 0.1 * rng.standard_normal((n, 64), dtype=np.float32)


def noisy(x, rng):
    return x + 0.3 * rng.standard_normal(x.shape, dtype=np.float32)


def retrieval(step, digits, augment):
    """Of positives among 512 fixed views, by the network as it is now."""
    rng = np.random.default_rng(9)
    return metrics.positive_retrieval(*(step.project(augment(digits[:256], rng)) for _ in range(2)))


def spread(z):
    """1 where directions are spread over all coordinates alike, 0 where they are one."""
    u = similarity.normalize(z).u
    return float(np.sqrt(np.sum(np.var(u, axis=0))))


def network(norm=True):
    return encoders.mlp([64, 128, 64], batch_norm=norm, last_relu=True), encoders.mlp([64, 32])


def test_simclr_learns(digits):
    run = train.simclr(
        digits, shifted, *network(), steps=120, batch_size=256, rng=np.random.default_rng(0), tau=0.1,
        learning_rate=lambda step: optim.cosine_schedule(step, peak=0.01, steps=120, warmup=10),
    )  # fmt: skip
    first, *_, last = run
    assert (first.step, last.step) == (0, 120)
    assert last.loss < first.loss - 3
    assert retrieval(last, digits, shifted) > retrieval(first, digits, shifted) + 0.15
    assert last.encode(digits[:3]).shape == (3, 64)
    assert last.project(digits[:3]).dtype == np.float32
    # A row is embedded alone, whatever stands beside it.
    np.testing.assert_allclose(last.project(digits[:1]), last.project(digits[:40])[:1], rtol=1e-4, atol=1e-5)
    # What the step shows of its batch is what its loss was computed from.
    assert losses.nt_xent_value(last.z_a, last.z_b, 0.1) == last.loss


def test_simclr_learns_with_a_convolution_and_lars(digits):
    images = digits[:512].reshape(-1, 8, 8, 1)
    first, *_, last = train.simclr(
        images, noisy, encoders.conv_net([1, 8, 16]), encoders.mlp([16, 16]), steps=25, batch_size=64,
        rng=np.random.default_rng(0), learning_rate=10.0, optimizer=optim.Lars(),
    )  # fmt: skip
    assert last.loss < first.loss - 0.2


def test_moco_learns_once_its_queue_holds_keys(digits):
    run = train.moco(
        digits, noisy, *network(), steps=80, batch_size=256, rng=np.random.default_rng(0), tau=0.2,
        momentum=0.9, queue_size=512, learning_rate=3e-3,
    )  # fmt: skip
    steps = list(run)
    # Random keys are easy negatives; when the queue is full of real ones, the loss begins to count.
    assert np.mean([s.loss for s in steps[-5:]]) < np.mean([s.loss for s in steps[2:7]]) - 0.5
    assert retrieval(steps[-1], digits, noisy) > retrieval(steps[0], digits, noisy) + 0.08
    assert [s.queue.start for s in steps[:4]] == [0, 256, 0, 256]
    keys = similarity.normalize(steps[7].z_b).u
    np.testing.assert_allclose(steps[8].queue.keys[256:], keys, atol=1e-6)
    np.testing.assert_array_equal(steps[8].queue.keys[:256], steps[7].queue.keys[:256])
    assert steps[8].queue.keys.dtype == np.float32


def byol(digits, **settings):
    norm = encoders.mlp([32, 64, 32], batch_norm=True)
    settings = {"predictor": norm, **settings}
    return list(
        train.byol(
            digits, shifted, *network(), steps=60, batch_size=128, rng=np.random.default_rng(0),
            learning_rate=3e-3, **settings,
        )
    )  # fmt: skip


@pytest.mark.parametrize("momentum", [0.99, 0.0])
def test_byol_and_simsiam_learn_and_stay_spread(digits, momentum):
    steps = byol(digits, momentum=momentum)
    assert steps[-1].loss < steps[0].loss - 1
    assert spread(steps[-1].z_a) > 0.6


@pytest.mark.parametrize("predictor", ["kept", None])
def test_byol_collapses_when_the_target_learns_too(digits, predictor):
    settings = {} if predictor else {"predictor": None}
    steps = byol(digits, stop_gradient=False, **settings)
    assert spread(steps[0].z_a) > 0.6
    assert steps[-1].loss < 0.15  # a better loss than the working method's, and worth nothing
    assert spread(steps[-1].z_a) < 0.25


def test_clip_joins_halves_of_digits(digits):
    pixels = digits.reshape(-1, 8, 8)
    top, bottom = pixels[:, :4].reshape(-1, 32), pixels[:, 4:].reshape(-1, 32)
    run = train.clip(
        top, bottom, encoders.mlp([32, 64, 16]), encoders.mlp([32, 64, 16]), steps=100, batch_size=128,
        rng=np.random.default_rng(0), learning_rate=0.01,
    )  # fmt: skip
    first, *_, last = run

    def found(step):
        """Share of 200 tops whose own bottom is among the ten nearest bottoms."""
        s = similarity.cosine(step.embed_images(top[:200]), step.embed_texts(bottom[:200]))
        return np.mean((s > np.diag(s)[:, None]).sum(axis=1) < 10)

    assert last.loss < first.loss - 1
    assert last.loss < np.log(128) - 0.5
    assert found(first) < 0.15
    assert found(last) > 0.35
    assert last.tau != pytest.approx(0.07, rel=1e-3)
    assert last.params["log_scale"].dtype == np.float32


METHODS = {
    "simclr": lambda x, rng, **s: train.simclr(x, shifted, *network(), rng=rng, **s),
    "moco": lambda x, rng, **s: train.moco(x, shifted, *network(), rng=rng, queue_size=100, **s),
    "byol": lambda x, rng, **s: train.byol(x, shifted, *network(), encoders.mlp([32, 32]), rng=rng, **s),
    "clip": lambda x, rng, **s: train.clip(
        x, x[:, ::2], encoders.mlp([64, 8]), encoders.mlp([32, 8]), rng=rng, augment=shifted, **s
    ),
}


@pytest.mark.parametrize("name", METHODS)
def test_same_seed_same_numbers_and_a_step_never_changes(digits, name):
    def once(seed):
        return METHODS[name](digits[:100], np.random.default_rng(seed), steps=5, batch_size=32)

    kept, copies = [], []
    for step in once(1):
        kept.append(step)
        copies.append([a.copy() for _, a in [*leaves(step.params), *leaves(step.state)]])
    for step, copy in zip(kept, copies, strict=True):
        for (path, a), b in zip([*leaves(step.params), *leaves(step.state)], copy, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=path)
            assert a.dtype == np.float32
    again = list(once(1))
    assert [s.loss for s in kept] == [s.loss for s in again]
    for (path, a), (_, b) in zip(leaves(kept[-1].params), leaves(again[-1].params), strict=True):
        np.testing.assert_array_equal(a, b, err_msg=path)
    assert [s.loss for s in once(2)] != [s.loss for s in kept]
    # 100 rows are three batches of 32 an epoch: no row twice in one.
    assert len(kept) == 6
    for epoch in (kept[:3], kept[3:]):
        rows = np.concatenate([s.batch for s in epoch])
        assert len(set(rows.tolist())) == 96
    assert not np.array_equal(kept[0].batch, kept[3].batch)
    assert [s.learning_rate for s in kept] == [1e-3] * 5 + [0.0]


@pytest.mark.parametrize("name", ["simclr", "moco", "byol"])
def test_divergence_is_said(digits, name):
    run = METHODS[name](
        digits, np.random.default_rng(0), steps=20, batch_size=64, learning_rate=1e30, optimizer=optim.Sgd()
    )
    with pytest.raises(ValueError, match="training diverged: an embedding is not finite at step"):
        list(run)


def test_clips_scale_grows_to_a_hundred_and_no_further(rng):
    x = 1 + 0.3 * rng.random(size=(20, 6))  # pairs agree already: only the scale is left to learn
    same = {"images": x, "texts": x, "image_encoder": encoders.Relu(), "text_encoder": encoders.Relu()}
    run = train.clip(
        **same, steps=8, batch_size=10, rng=rng, learning_rate=20.0, optimizer=optim.Sgd(momentum=0.0)
    )
    taus = [step.tau for step in run]
    assert taus[0] == pytest.approx(0.07)
    assert taus[1] < 0.07
    assert taus[-1] == pytest.approx(0.01, rel=1e-12)


def test_clips_scale_may_vanish_and_its_temperature_is_then_infinite(digits):
    run = METHODS["clip"](
        digits, np.random.default_rng(0), steps=3, batch_size=64, learning_rate=1e30, optimizer=optim.Sgd()
    )
    steps = list(run)
    assert steps[-1].tau == np.inf
    assert steps[-1].loss == pytest.approx(np.log(64), rel=1e-6)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, r"steps must be at least 1, got 0"),
        ({"steps": 2.5}, r"steps must be a whole number, got 2.5"),
        ({"batch_size": 1}, r"batch_size must be from 2 to 50, got 1"),
        ({"batch_size": 51}, r"batch_size must be from 2 to 50, got 51"),
        ({"rng": 0}, r"rng must be a numpy.random.Generator, got 0;"),
        ({"learning_rate": -1.0}, r"learning_rate must be finite and >= 0, got -1.0"),
        ({"learning_rate": "fast"}, r"learning_rate must be a number >= 0, got 'fast'"),
    ],
)
def test_refused_at_the_call(digits, name, change, message):
    settings = {"rng": np.random.default_rng(0), "steps": 3, "batch_size": 8, **change}
    with pytest.raises(ValueError, match=message):  # before the first step is asked for
        METHODS[name](digits[:50], **settings)


GOOD = {"steps": 2, "batch_size": 4}


def plain(x, rng):
    return x


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x, r: train.simclr(x[0], plain, *network(), rng=r, **GOOD), r"data must have shape \(images"),
        (lambda x, r: train.simclr(x * np.nan, plain, *network(), rng=r, **GOOD), r"data must be finite"),
        (
            lambda x, r: train.simclr(x, plain, *network(), rng=r, tau=0, **GOOD),
            r"tau must be finite and > 0",
        ),
        (lambda x, r: train.moco(x, plain, *network(), rng=r, tau=-1, **GOOD), r"tau must be finite and > 0"),
        (
            lambda x, r: train.moco(x, plain, *network(), rng=r, momentum=1.1, **GOOD),
            r"momentum must lie from 0 to 1, got 1.1",
        ),
        (
            lambda x, r: train.moco(x, plain, *network(), rng=r, queue_size=0, **GOOD),
            r"queue_size must be at least 1, got 0",
        ),
        (
            lambda x, r: train.byol(x, plain, *network(), None, rng=r, momentum=-0.1, **GOOD),
            r"momentum must lie from 0 to 1, got -0.1",
        ),
        (
            lambda x, r: train.clip(x, x[:-1], *network(), rng=r, **GOOD),
            r"images and texts must be pairs, row i of both, got 50 and 49",
        ),
        (
            lambda x, r: train.clip(x, x, *network(), rng=r, tau=0.005, **GOOD),
            r"tau must be at least 0.01, since the scale never exceeds 100, got 0.005",
        ),
    ],
)
def test_refused_by_name(digits, rng, make, message):
    with pytest.raises(ValueError, match=message):
        make(digits[:50], rng)


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (lambda x, rng: x[:2], r"augment must return one view of each of 4 rows, got \(2, 64\)"),
        (lambda x, rng: x[:, 0], r"augment must return one view of each of 4 rows, got \(4,\)"),
        (lambda x, rng: x[:, : rng.integers(1, 60)], r"augment must return views of one shape, got"),
        (lambda x, rng: x / 0.0 * 0, r"augment's view must be finite"),
        (lambda x, rng: x[:, :9], r"encoder: linear0: x must have shape \(N, 64\), got \(8, 9\)"),
    ],
)
def test_a_wrong_view_is_refused(digits, rng, augment, message):
    run = train.simclr(digits[:50], augment, *network(), rng=rng, **GOOD)
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=message):
        next(run)


def test_a_view_of_a_wider_dtype_does_not_widen_the_training(digits, rng):
    run = train.simclr(digits[:50], lambda x, rng: x + rng.normal(size=x.shape), *network(), rng=rng, **GOOD)
    *_, last = run
    assert {a.dtype for _, a in leaves(last.params)} == {np.dtype(np.float32)}
    assert last.z_a.dtype == np.float32


def test_a_negative_rate_of_a_schedule_is_refused(digits, rng):
    run = train.simclr(
        digits[:50], plain, *network(), rng=rng, learning_rate=lambda t: 1.0 - t, **GOOD | {"steps": 4}
    )
    with pytest.raises(ValueError, match=r"learning_rate must be finite and >= 0, got -1.0"):
        list(run)
