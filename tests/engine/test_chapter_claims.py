"""What the NT-Xent chapter says, run: its code blocks, its worked numbers, its derivations, its bugs."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import torch

from sim_engine import floors, losses, similarity, sphere
from sim_engine.bridge import load_microsim
from sim_engine.data import load

PAGE = Path(__file__).parents[2] / "docs/chapters/03-nt-xent/index.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLE = (np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.8, 0.6], [-0.6, 0.8]]))
NEGATIVES = np.array([0.75, 0.40, 0.10])


def block(title: str) -> str:
    """The fenced code block of the page with this title."""
    fence = rf'^( *)```\w+ title="{re.escape(title)}"\n(.*?)^\1```'
    found = re.findall(fence, TEXT, re.DOTALL | re.MULTILINE)
    assert len(found) == 1, f"{PAGE} must have one block titled {title!r}, has {len(found)}"
    return dedent(found[0][1])


def run_python(title: str, scope: dict | None = None) -> dict:
    scope = {} if scope is None else scope
    exec(compile(block(title), f"{PAGE.name}: {title}", "exec"), scope)
    return scope


@pytest.fixture(scope="module")
def numpy_loss() -> Callable:
    return run_python("nt_xent in NumPy, with its gradient")["nt_xent"]


@pytest.fixture(scope="module")
def torch_loss() -> Callable:
    torch.set_num_threads(1)
    return run_python("nt_xent in PyTorch")["nt_xent"]


def views(seed: int, n: int = 12, d: int = 6, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(n, d))
    return base + noise * rng.normal(size=(n, d)), base + noise * rng.normal(size=(n, d))


def parts(z_a: np.ndarray, z_b: np.ndarray, tau: float):
    """Unit rows, scores with -inf on the diagonal, log-probabilities, index of each partner."""
    u = similarity.normalize(np.concatenate([z_a, z_b])).u
    scores = u @ u.T / tau
    np.fill_diagonal(scores, -np.inf)
    log_p = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
    return u, scores, log_p, np.roll(np.arange(len(u)), len(z_a))


# The code on the page


@pytest.mark.parametrize("tau", [0.05, 0.1, 0.5, 2.0])
@pytest.mark.parametrize(("n", "d"), [(2, 2), (7, 3), (32, 64)])
def test_the_code_blocks_agree_with_one_another_and_with_the_engine(numpy_loss, torch_loss, n, d, tau):
    z_a, z_b = views(n, n, d)
    value, grad_a, grad_b = numpy_loss(z_a, z_b, tau)
    t_a, t_b = (torch.tensor(z, requires_grad=True) for z in (z_a, z_b))
    loss = torch_loss(t_a, t_b, tau)
    loss.backward()
    engine = losses.nt_xent(z_a, z_b, tau)
    assert value == pytest.approx(loss.item(), rel=1e-12, abs=1e-13)
    assert value == pytest.approx(engine.value, rel=1e-12, abs=1e-13)
    for grad, by_torch, by_engine in ((grad_a, t_a.grad, engine.grad_a), (grad_b, t_b.grad, engine.grad_b)):
        np.testing.assert_allclose(grad, by_torch.numpy(), rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(grad, by_engine, rtol=1e-10, atol=1e-13)


def test_the_javascript_agrees_with_the_engine():
    node = shutil.which("node")
    assert node, "Node 20 is needed to run the chapter's JavaScript; README says how to install it"
    shapes = [(2, 2, 0.5), (9, 4, 0.1), (16, 32, 0.05)]
    cases = [(*views(seed, n, d), tau) for seed, (n, d, tau) in enumerate(shapes)]
    program = block("ntXent in JavaScript") + (
        "\nconst cases = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
        "\nconsole.log(JSON.stringify(cases.map(([a, b, tau]) => ntXent(a, b, tau))));"
    )
    given = json.dumps([(a.tolist(), b.tolist(), tau) for a, b, tau in cases])
    done = subprocess.run([node, "-e", program], input=given, capture_output=True, text=True, check=True)
    np.testing.assert_allclose(json.loads(done.stdout), [losses.nt_xent(*c).value for c in cases], rtol=1e-12)


def test_the_check_prints_the_value_that_the_page_worked_by_hand(capsys):
    run_python("check it", run_python("nt_xent in NumPy, with its gradient"))
    assert capsys.readouterr().out == f"{losses.nt_xent(*EXAMPLE, 0.5).value:.4f}\n"


def test_the_rows_worked_by_hand():
    _, _, log_p, partner = parts(*EXAMPLE, 0.5)
    rows = -log_p[np.arange(4), partner]
    near = np.log(1 + np.exp(-1.6) + np.exp(-2.8))
    far = np.log(1 + np.exp(-1.6) + np.exp(-0.4))
    np.testing.assert_allclose(rows, [near, far, far, near], rtol=1e-12)
    written = -np.log(np.exp(1.6) / (np.exp(0) + np.exp(1.6) + np.exp(-1.2)))
    assert rows[0] == pytest.approx(written)
    cosines = similarity.cosine(np.concatenate(EXAMPLE), np.concatenate(EXAMPLE))
    expected = [[1, 0, 0.8, -0.6], [0, 1, 0.6, 0.8], [0.8, 0.6, 1, 0], [-0.6, 0.8, 0, 1]]
    np.testing.assert_allclose(cosines, expected, atol=1e-15)


def test_the_five_checks_pass():
    run_python("five checks", run_python("nt_xent in NumPy, with its gradient"))


# Planted bugs: the NumPy block with one line changed, and what the table says one sees

BUGS = {
    "the anchor stays": ("np.fill_diagonal(scores, -np.inf)", "pass"),
    "diagonal zero": ("np.fill_diagonal(scores, -np.inf)", "np.fill_diagonal(scores, 0)"),
    "no normalisation": ("unit = z / norm", "unit = z"),
    "interleaved": ("np.concatenate([z_a, z_b])", "np.stack([z_a, z_b], axis=1).reshape(2 * n, -1)"),
    "own term only": ("(error + error.T) @ unit", "error @ unit"),
    "sum": (".mean()", ".sum()"),
}


def planted(bug: str) -> Callable:
    code, (good, bad) = block("nt_xent in NumPy, with its gradient"), BUGS[bug]
    assert code.count(good) == 1, f"the page's code no longer holds {good!r} once"
    scope: dict = {}
    exec(code.replace(good, bad), scope)
    return scope["nt_xent"]


@pytest.mark.parametrize("bug", BUGS)
def test_the_five_checks_catch_every_planted_bug(bug):
    scope = run_python("nt_xent in NumPy, with its gradient")
    scope["nt_xent"] = planted(bug)
    with pytest.raises(AssertionError):
        run_python("five checks", scope)


@pytest.mark.parametrize("tau", [0.01, 0.05, 0.5])
def test_an_anchor_among_its_own_candidates_keeps_the_loss_above_log_2(tau):
    z = np.eye(8)
    assert planted("the anchor stays")(z, z, tau)[0] >= np.log(2) * (1 - 1e-12)
    assert planted("the anchor stays")(z, z, 0.01)[0] == pytest.approx(np.log(2))
    assert losses.nt_xent(z, z, 0.01).value < 1e-9


def test_a_diagonal_of_zeros_adds_a_phantom_candidate():
    ones, tau = np.ones((8, 5)), 0.5
    value = planted("diagonal zero")(ones, ones, tau)[0]
    assert value == pytest.approx(np.log((15 * np.exp(1 / tau) + 1) / np.exp(1 / tau)))
    assert value != pytest.approx(np.log(15), abs=1e-3)


def test_without_normalisation_growing_the_embeddings_lowers_the_temperature():
    z_a, z_b = (similarity.normalize(z).u for z in views(0))
    grown = planted("no normalisation")(3 * z_a, 3 * z_b, 0.9)[0]
    assert grown == pytest.approx(losses.nt_xent(z_a, z_b, 0.9 / 9).value)
    assert losses.nt_xent(3 * z_a, 3 * z_b, 0.9).value == pytest.approx(losses.nt_xent(z_a, z_b, 0.9).value)


def test_partners_taken_wrongly_pull_strangers_together():
    z = np.eye(6)
    _, grad_a, _ = planted("interleaved")(z, z, 0.5)
    # The rows are a1 b1 a2 b2 ...; row 0 is trained towards row 6, which is a4, and not towards b1.
    assert grad_a[0] @ z[3] < 0 < losses.nt_xent(z, z, 0.5).grad_a[0] @ z[3]
    assert planted("interleaved")(z, z, 0.1)[0] > floors.equal(6)


def test_z_j_in_the_denominator_makes_the_loss_constant():
    _, scores, _, partner = parts(*views(0), 0.2)
    positive = scores[np.arange(24), partner]
    slip = -positive + np.log(sum(np.exp(positive) for k in range(23)))
    np.testing.assert_allclose(slip, np.log(23))


def test_that_slip_passes_all_five_checks_and_fails_on_the_batch_worked_by_hand():
    def slip(z_a, z_b, tau):
        return np.log(2 * len(z_a) - 1), np.zeros_like(z_a), np.zeros_like(z_b)

    run_python("five checks", {"np": np, "nt_xent": slip})
    assert slip(*EXAMPLE, 0.5)[0] != pytest.approx(losses.nt_xent(*EXAMPLE, 0.5).value, abs=0.1)


def test_cross_view_negatives_alone_know_nothing_at_log_n():
    ones = torch.ones(8, 5, dtype=torch.float64)
    unit = torch.nn.functional.normalize(ones, dim=1)
    loss = torch.nn.functional.cross_entropy(unit @ unit.T / 0.1, torch.arange(8))
    assert loss.item() == pytest.approx(np.log(8))


def test_a_sum_in_place_of_the_mean_scales_with_the_batch():
    assert planted("sum")(np.ones((8, 5)), np.ones((8, 5)), 0.2)[0] == pytest.approx(16 * np.log(15))


# Similarity and softmax


def test_retrieval_example_flips_with_normalisation():
    q, a, b = np.array([0.6, 0.8, 0.02]), np.array([3, 4, 0.1]), np.array([5.0, 5, 5])
    np.testing.assert_allclose(a, 5 * q, rtol=1e-15)
    assert (f"{q @ a:.1f}", f"{q @ b:.1f}") == ("5.0", "7.1")
    assert (f"{np.linalg.norm(a):.2f}", f"{np.linalg.norm(b):.2f}") == ("5.00", "8.66")
    assert [f"{c:.2f}" for c in similarity.cosine(q[None], np.stack([a, b]))[0]] == ["1.00", "0.82"]


def test_distance_on_the_sphere_is_two_minus_two_cosines():
    u = similarity.normalize(views(3)[0]).u
    np.testing.assert_allclose(((u[:, None] - u) ** 2).sum(-1), 2 - 2 * u @ u.T, atol=1e-14)


def test_four_candidates():
    p = np.exp(np.array([0.8, *NEGATIVES]) / 0.5)
    p /= p.sum()
    np.testing.assert_allclose(losses.negative_weights(NEGATIVES, 0.5, 0.8), p[1:], rtol=1e-12)
    assert [f"{x:.3f}" for x in p[1:]] == ["0.348", "0.173", "0.095"]
    assert 2 < 1 / p[0] < 3  # "between two and three"


def test_shares_of_the_negatives():
    printed = {0.07: ".993 .007 .0001", 0.1: ".969 .029 .001", 0.5: ".565 .281 .154", 1.0: ".449 .316 .234"}
    for tau, shares in printed.items():
        for share, text in zip(losses.negative_weights(NEGATIVES, tau), shares.split(), strict=True):
            assert f"{share:.{len(text) - 1}f}" == f"0{text}"
    assert np.exp(0.65 / 0.5) == pytest.approx(3.669, abs=5e-4)


# Temperature


def test_at_low_temperature_only_the_hardest_negative_counts():
    _, scores, log_p, partner = parts(*views(1, noise=1.5), 1.0)
    cosines, rows = scores, np.arange(24)
    positive = cosines[rows, partner].copy()
    others = cosines.copy()
    others[rows, partner] = -np.inf
    limit = np.maximum(0, others.max(axis=1) - positive)
    assert (limit > 0.05).any()
    tau = 1e-4
    log_p = cosines / tau - np.logaddexp.reduce(cosines / tau, axis=1, keepdims=True)
    np.testing.assert_allclose(-tau * log_p[rows, partner], limit, atol=tau * np.log(23))


def test_at_high_temperature_all_candidates_count_alike():
    _, cosines, _, partner = parts(*views(1), 1.0)
    rows = np.arange(24)
    mean = np.where(np.isfinite(cosines), cosines, 0).sum(axis=1) / 23
    for tau in (50.0, 500.0):
        loss = -(cosines / tau - np.logaddexp.reduce(cosines / tau, axis=1, keepdims=True))[rows, partner]
        expected = np.log(23) + (mean - cosines[rows, partner]) / tau
        np.testing.assert_allclose(loss, expected, atol=1 / tau**2)


# What a value means


@pytest.mark.parametrize("tau", [0.02, 0.1, 1.0])
def test_collapse_is_worth_log_2n_minus_1(tau):
    z = np.tile([0.3, -1.2, 2.0], (16, 1))
    assert losses.nt_xent(z, z, tau).value == pytest.approx(np.log(31), rel=1e-12)
    assert floors.equal(16) == pytest.approx(np.log(31))


@pytest.mark.parametrize("tau", [0.07, 0.1, 0.5, 1.0])
def test_the_simplex_reaches_the_floor(tau):
    corners = np.eye(24) - 1 / 24  # cosine -1/23 between any two
    np.testing.assert_allclose(similarity.cosine(corners, corners)[0, 1:], -1 / 23)
    assert losses.nt_xent(corners, corners, tau).value == pytest.approx(floors.best(24, tau), rel=1e-9)
    formula = np.log(1 + 2 * 23 * np.exp(-1 / tau * 24 / 23))
    assert floors.best(24, tau) == pytest.approx(formula, rel=1e-9)
    rng = np.random.default_rng(0)
    near = corners + 0.05 * rng.normal(size=corners.shape)
    assert losses.nt_xent(near, near, tau).value > floors.best(24, tau)


def test_random_directions_are_worse_than_equal_ones():
    for d in (64, 128):
        excess = floors.uniform(256, d, 0.5) - floors.equal(256)
        assert excess == pytest.approx(1 / (2 * d * 0.5**2), rel=0.1)
    rng = np.random.default_rng(0)
    drawn = [losses.nt_xent(*rng.normal(size=(2, 256, 3)), 0.5).value for _ in range(20)]
    assert np.mean(drawn) == pytest.approx(floors.uniform(256, 3, 0.5), abs=0.05)


def test_below_log_2_the_positive_is_ranked_first():
    seen = 0
    for seed in range(20):
        _, scores, log_p, partner = parts(*views(seed, noise=0.8), 0.2)
        sure = -log_p[np.arange(24), partner] < np.log(2)
        assert (scores.argmax(axis=1) == partner)[sure].all()
        seen += sure.sum()
    assert seen > 20


# Parts and gradient


@pytest.mark.parametrize("tau", [0.05, 0.5, 3.0])
def test_the_decomposition_is_an_identity(tau):
    z_a, z_b = views(5)
    u, scores, _, _ = parts(z_a, z_b, tau)
    alignment = ((u[:12] - u[12:]) ** 2).sum(axis=1).mean()
    total = alignment / (2 * tau) - 1 / tau + np.logaddexp.reduce(scores, axis=1).mean()
    assert losses.nt_xent(z_a, z_b, tau).value == pytest.approx(total, rel=1e-12)


def gradient_terms(seed: int, tau: float, n: int = 64, d: int = 64):
    z_a, z_b = views(seed, n, d)
    z = np.concatenate([z_a, z_b])
    u, _, log_p, partner = parts(z_a, z_b, tau)
    a = np.exp(log_p)
    a[np.arange(2 * n), partner] -= 1
    a /= 2 * n * tau

    def through(g):
        return (g - (g * u).sum(axis=1, keepdims=True) * u) / np.linalg.norm(z, axis=1, keepdims=True)

    return z, a, through(a @ u), through(a.T @ u)


@pytest.mark.parametrize("tau", [0.1, 0.5])
def test_the_gradient_has_two_terms_and_either_is_about_half(tau):
    z, a, own, others = gradient_terms(0, tau)
    whole = np.concatenate(losses.nt_xent(z[:64], z[64:], tau)[1:])
    np.testing.assert_allclose(own + others, whole, rtol=1e-9, atol=1e-14)
    missing = np.linalg.norm(own - whole) / np.linalg.norm(whole)
    assert 0.45 < missing < 0.55
    direction = (own * whole).sum() / np.linalg.norm(own) / np.linalg.norm(whole)
    assert direction > 0.98  # which is why it resembles half the learning rate
    np.testing.assert_allclose(a.sum(axis=1), 0, atol=1e-14)  # pull equals push
    np.testing.assert_allclose((whole * z).sum(axis=1), 0, atol=1e-13)


def test_adam_cannot_tell_half_of_a_gradient_from_the_whole():
    def walk(scale):
        z = torch.ones(3, dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.Adam([z], lr=0.1)
        for step in range(20):
            z.grad = scale * torch.sin(z.detach() + torch.arange(3) + step)
            optimiser.step()
        return z.detach().numpy()

    np.testing.assert_allclose(walk(0.5), walk(1.0), rtol=1e-6)


def test_with_a_symmetric_matrix_one_term_is_exactly_half():
    # Two images at the corners of a square: every row has the same denominator, so A is symmetric.
    z = np.array([[1.0, 0.2], [-1.0, 0.2]]), np.array([[1.0, -0.2], [-1.0, -0.2]])
    u, _, log_p, partner = parts(*z, 0.5)
    a = np.exp(log_p)
    a[np.arange(4), partner] -= 1
    np.testing.assert_allclose(a, a.T, atol=1e-15)
    assert np.abs(a @ u).max() > 0.01
    np.testing.assert_allclose((a + a.T) @ u, 2 * a @ u, atol=1e-15)


def test_a_step_never_shortens_and_a_long_row_turns_slowly():
    z_a, z_b = views(7)
    grad = losses.nt_xent(z_a, z_b, 0.2).grad_a
    assert (np.linalg.norm(z_a - 0.3 * grad, axis=1) >= np.linalg.norm(z_a, axis=1)).all()
    longer = losses.nt_xent(10 * z_a, 10 * z_b, 0.2).grad_a
    np.testing.assert_allclose(longer, grad / 10, rtol=1e-9)


# Floating point


def test_where_the_exponential_overflows():
    for dtype, limit in ((np.float16, 0.0902), (np.float32, 0.0113), (np.float64, 0.0014)):
        tau = 1 / np.log(float(np.finfo(dtype).max))
        assert tau == pytest.approx(limit, abs=6e-5)
        with np.errstate(over="ignore"):
            assert np.isfinite(np.exp(dtype(1 / (1.01 * tau))))
            assert np.isinf(np.exp(dtype(1 / (0.98 * tau))))


def test_the_naive_formula_works_at_ordinary_temperatures_and_fails_in_half_precision():
    u = similarity.normalize(np.concatenate(views(2))).u

    def naive(dtype, tau):
        with np.errstate(all="ignore"):
            e = np.exp((u @ u.T).astype(dtype) / dtype(tau))
            np.fill_diagonal(e, 0)
            partner = np.roll(np.arange(24), 12)
            return -np.log(e[np.arange(24), partner] / e.sum(axis=1)).mean()

    exact = losses.nt_xent(u[:12], u[12:], 0.1).value
    assert naive(np.float32, 0.1) == pytest.approx(exact, rel=1e-5)
    assert naive(np.float64, 0.1) == pytest.approx(exact, rel=1e-12)
    assert not np.isfinite(naive(np.float16, 0.07))


def test_the_maximum_must_be_taken_after_the_diagonal_is_gone():
    u = np.eye(4, dtype=np.float16)  # four views, all strangers; the lowest temperature of the explorer
    scores = (u @ u.T) / np.float16(0.02)
    with np.errstate(divide="ignore"):
        shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
        np.fill_diagonal(shifted, 0)
        assert np.isneginf(np.log(shifted.sum(axis=1))).all()
    np.fill_diagonal(scores, -np.inf)
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(np.log(shifted.sum(axis=1)), np.log(3), rtol=1e-3)


@pytest.mark.parametrize("tau", [0.1, 0.05, 0.02])
def test_a_lower_temperature_pushes_the_undecided_and_leaves_the_sure(tau):
    def push(positive, tau):
        return losses.negative_weights(NEGATIVES, tau, positive).sum() / tau

    assert push(0.8, tau) > push(0.8, 0.5) > push(0.8, 1.0)
    if tau < 0.1:
        assert push(1.0, tau) < push(1.0, 0.1) < push(1.0, 0.5)


# The microsims


@pytest.fixture(scope="module")
def explorer() -> Callable:
    sim = load_microsim(PAGE.parents[3] / "sims/nt-xent-explorer/sim.py")
    return lambda **controls: {n: float(getattr(r, "value", r)) for n, r in sim(**controls).readouts.items()}


def test_explorer_doubling_the_batch_adds_about_log_2(explorer):
    for n in (64, 128, 256, 512):
        more, fewer = explorer(tau=0.5, batch_size=2 * n)["loss"], explorer(tau=0.5, batch_size=n)["loss"]
        assert more - fewer == pytest.approx(np.log(2), abs=0.05)


def test_explorer_a_collapsed_batch_ignores_temperature_and_positive(explorer):
    for tau in (0.02, 0.5, 1.0):
        for positive in (-1.0, 0.8, 1.0):
            readouts = explorer(source="collapsed", tau=tau, positive=positive)
            assert readouts["loss"] == pytest.approx(floors.equal(256))


def test_explorer_shows_the_floor(explorer):
    for tau in (0.02, 0.07, 0.1, 0.5, 1.0):
        readouts = explorer(source="simplex", positive=1.0, tau=tau)
        assert readouts["loss"] == pytest.approx(floors.best(256, tau), rel=1e-9)


def test_explorer_the_two_predictions(explorer):
    assert explorer(tau=0.5)["loss"] - explorer(tau=0.1)["loss"] > 3  # "by several nats"
    perfect = explorer(tau=0.5, positive=1.0)
    assert perfect["negative_count"] == 510
    assert perfect["loss"] > 4
    assert 7 < np.exp(2) < 8  # "about seven"


@pytest.fixture(scope="module")
def training():
    return load(PAGE.parents[3] / "sims/embedding-training/sim.py")


def test_training_starts_like_a_collapsed_network(training):
    n = training.metrics["batch_pairs"]
    assert training.metrics["loss_equal"] == pytest.approx(floors.equal(n))
    for d in ("2", "3"):
        assert np.linalg.norm(training[f"z{d}"][0].mean(axis=0)) > 0.99
        assert training[f"loss_{d}"][0] == pytest.approx(floors.equal(n), abs=0.005)


def test_training_flattens_far_above_zero_and_close_to_what_the_surface_allows(training):
    n, tau = training.metrics["batch_pairs"], training.manifest["config"]["tau"]
    assert tau == 0.5  # the page's expressions hold 1 / tau = 2
    for d in (2, 3):
        loss = training[f"loss_{d}"]
        even = np.log(np.exp(2) + 2 * (n - 1) * np.exp(sphere.log_mean_exp(2, d))) - 2
        assert floors.best(n, tau) < even < loss[-1] < even + 0.15
        assert loss[0] - loss[10] > 5 * (loss[10] - loss[-1])
    assert training["loss_2"][-1] > training["loss_3"][-1]


def test_an_even_spread_with_coinciding_partners_costs_what_the_page_says():
    # 120 points spread evenly over the sphere by the golden angle, each twice
    k = np.arange(120) + 0.5
    height, turn = 1 - 2 * k / 120, np.pi * (1 + 5**0.5) * k
    z = np.stack(
        [np.sqrt(1 - height**2) * np.cos(turn), np.sqrt(1 - height**2) * np.sin(turn), height], axis=1
    )
    even = np.log(np.exp(2) + 2 * 119 * np.exp(sphere.log_mean_exp(2, 3))) - 2
    assert losses.nt_xent(z, z, 0.5).value == pytest.approx(even, abs=0.03)


def test_training_finds_more_partners_on_the_sphere(training):
    assert training["top1_3"][-1] > 3 * training["top1_2"][-1] > 3 * training["top1_2"][0]
    assert training["top1_3"][0] < 0.02


def test_retrieval_is_easier_among_fewer_candidates():
    def found(n, tau=0.2):
        rows = [parts(*views(seed, n, 4, noise=1.0), tau) for seed in range(30)]
        return np.mean([(scores.argmax(axis=1) == partner).mean() for _, scores, _, partner in rows])

    assert found(4) > found(16) > found(64)


# Questions


def quizzes() -> list[str]:
    return re.findall(r"<quiz>(.*?)</quiz>", TEXT, re.DOTALL)


def test_fill_in_answers_are_computed():
    n = 256
    blanks = re.findall(r"\[\[([^\]]+)\]\]", "".join(quizzes()))
    assert blanks == [str(2 * n - 1), "0"]
    assert floors.equal(n) == pytest.approx(np.log(2 * n - 1))


def test_every_choice_has_its_own_feedback_and_every_question_a_right_answer():
    assert len(quizzes()) >= 6
    for quiz in quizzes():
        lines = [line for line in quiz.splitlines() if line.strip()]
        choices = [i for i, line in enumerate(lines) if re.match(r"- \[[ x]\] ", line)]
        assert choices or "[[" in quiz, quiz
        assert not choices or any(lines[i].startswith("- [x]") for i in choices), quiz
        for i in choices:
            assert lines[i + 1].startswith("> "), f"no feedback for {lines[i]!r}"


def test_the_questions_export_to_qti_as_the_teachers_page_says(tmp_path):
    package = tmp_path / "nt-xent.zip"
    command = [Path(sys.executable).parent / "mkdocs-quiz", "export", "qti", PAGE, "-o", package]
    subprocess.run(command, check=True, capture_output=True)
    with zipfile.ZipFile(package) as archive:
        items = [archive.read(name).decode() for name in archive.namelist() if name.startswith("items/")]
    assert len(items) == len(quizzes())
    assert any(">511<" in item for item in items)
    assert all("{value" not in item and "general_fb" in item for item in items)
