"""PCA against scikit-learn, Procrustes against SciPy and against every rotation, trajectories."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import orthogonal_procrustes
from sklearn.decomposition import PCA

from sim_engine import projection


@pytest.mark.parametrize("shape", [(30, 5), (4, 9)])
def test_pca_is_scikit_learns_up_to_signs(rng, shape):
    x = rng.normal(size=shape) * np.geomspace(1, 10, shape[1])
    ours = projection.pca(x, 3)
    model = PCA(3, svd_solver="full").fit(x)
    np.testing.assert_allclose(np.abs(ours.scores), np.abs(model.transform(x)), atol=1e-10)
    np.testing.assert_allclose(ours.explained, model.explained_variance_ratio_, rtol=1e-10)
    np.testing.assert_allclose((x - ours.mean) @ ours.axes.T, ours.scores, atol=1e-12)
    np.testing.assert_allclose(ours.axes @ ours.axes.T, np.eye(3), atol=1e-12)


def test_signs_follow_the_data_alone(rng):
    x = rng.normal(size=(40, 4)) * [4, 3, 2, 1]
    first = projection.pca(x, 2)
    again = projection.pca(x[rng.permutation(40)], 2)
    np.testing.assert_allclose(again.axes, first.axes, atol=1e-12)
    assert (first.axes[np.arange(2), np.abs(first.axes).argmax(axis=1)] > 0).all()


def test_pca_of_points_in_one_place():
    result = projection.pca(np.ones((5, 3)), 2)
    assert not result.scores.any()
    assert not result.explained.any()


def test_procrustes_is_scipys(rng):
    x, target = rng.normal(size=(2, 20, 3))
    wanted, _ = orthogonal_procrustes(x, target)
    np.testing.assert_allclose(projection.procrustes(x, target), wanted, atol=1e-12)


@given(st.integers(1, 4), st.integers(0, 10**6), st.booleans())
def test_procrustes_undoes_a_turn(d, seed, mirror):
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(d, d)))
    if (np.linalg.det(turn) < 0) != mirror:
        turn[:, 0] *= -1
    x = rng.normal(size=(d + 5, d))
    np.testing.assert_allclose(projection.procrustes(x, x @ turn), turn, atol=1e-9)
    rotation = projection.procrustes(x, x @ turn, reflect=False)
    assert np.linalg.det(rotation) == pytest.approx(1)
    if not mirror:
        np.testing.assert_allclose(rotation, turn, atol=1e-9)


def test_the_best_rotation_is_best_of_all():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(12, 2))
    target = x * [1, -1] + 0.1 * rng.normal(size=(12, 2))  # nearly a mirror image

    def distance(r):
        return np.linalg.norm(x @ r - target)

    best = distance(projection.procrustes(x, target, reflect=False))
    angles = np.linspace(0, 2 * np.pi, 721)
    turns = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in angles]
    assert best <= min(map(distance, turns)) + 1e-9
    assert best == pytest.approx(min(map(distance, turns)), rel=1e-3)
    assert distance(projection.procrustes(x, target)) < 0.2 * best


@pytest.mark.parametrize("reflect", [True, False])
def test_a_spinning_trajectory_stands_still(rng, reflect):
    x = rng.normal(size=(15, 3))
    turns = [np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(6)]
    turns = [q * np.sign(np.linalg.det(q)) for q in turns]
    frames = np.array([x @ q for q in turns])
    given = frames.copy()
    aligned = projection.align_trajectory(frames, reflect=reflect)
    np.testing.assert_allclose(aligned, np.broadcast_to(frames[0], frames.shape), atol=1e-10)
    np.testing.assert_array_equal(frames, given)


def test_alignment_keeps_distances_and_shortens_the_way(rng):
    steps = np.cumsum(0.1 * rng.normal(size=(8, 20, 2)), axis=0) + rng.normal(size=(20, 2))
    spun = np.array([f @ np.linalg.qr(rng.normal(size=(2, 2)))[0] for f in steps])
    aligned = projection.align_trajectory(spun)
    for a, b in zip(aligned, spun, strict=True):
        np.testing.assert_allclose(a @ a.T, b @ b.T, atol=1e-12)

    def way(frames):
        return np.linalg.norm(np.diff(frames, axis=0))

    assert way(aligned) <= way(steps) + 1e-9
    assert way(aligned) < 0.3 * way(spun)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: projection.pca(np.ones((3, 2)), 3), "d must be from 1 to 2, got 3"),
        (lambda: projection.pca(np.ones((3, 2)), 0), "d must be from 1 to 2, got 0"),
        (lambda: projection.pca([[np.nan, 1.0]], 1), "x must be finite"),
        (lambda: projection.procrustes(np.ones((3, 2)), np.ones((2, 2))), "x and target must have one shape"),
        (lambda: projection.align_trajectory(np.ones((3, 2))), "frames must have 3 axes"),
        (lambda: projection.align_trajectory([np.ones((3, 2)), np.ones((2, 2))]), "frames must be an array"),
    ],
)
def test_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
