"""Numbers at their ends: a finite answer without a warning, or an error that names the argument.

Underflow to 0 is no fault (NumPy does not warn of it either): exp(-1e5) is 0 to every digit there is.
"""

import inspect
import math
import re
import warnings
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

from sim_engine import floors, metrics, sphere, tsne

TINY = [5e-324, 1e-308, 2.3e-308, 1e-300, 1e-100, 1e-16, 1e-8, 1e-3]
HUGE = [1e3, 1e8, 1e16, 1e100, 1e200, 1e300, 1e307, 1.7e308]
FLOATS = [0.0, *TINY, 0.5, 1.0, 2.0, *HUGE]
REALS = [*FLOATS, *(-value for value in FLOATS[1:])]
SHARES = [0.0, *TINY, 0.5, 1 - 1e-8, 1 - 2**-53, 1.0]
SIGNED_SHARES = [*SHARES, *(-value for value in SHARES[1:])]
WHOLES = [-1, 0, 1, 2, 3, 7, 100, 10**4, 2**31, 2**53, 10**18, 2**63 - 1, 2**63, 10**300, 10**400, 10**5000]
# Of these the answer's size, or the work, grows with the number.
SMALL_WHOLES = [-1, 0, 1, 2, 3, 5, 7, 8, 40, 10**5000]

_RNG = np.random.default_rng(0)
Z_A, Z_B, Z = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in _RNG.normal(size=(3, 8, 4)))
SAME = np.tile(Z[:1], (8, 1))
APART = np.array([[1.0, 0.0], [-1.0, 0.0]])
LABELS = [0, 0, 0, 1, 1, 1, 0, 1]
P = tsne.joint_probabilities(Z, 2.0)
FEW_STEPS = {"init": Z[:, :2], "perplexity": 2.0, "steps": 3, "early": 1}

# Of each function: arguments that are fine, and what each number among them is set to in turn.
OF_N_TAU = {"n": WHOLES, "tau": FLOATS, "d": WHOLES}
TABLE = [
    (floors.equal, {"n": 8}, {"n": WHOLES}),
    (floors.uniform, {"n": 8, "d": 4, "tau": 0.5}, OF_N_TAU),
    (floors.best, {"n": 8, "tau": 0.5}, OF_N_TAU),
    (floors.best_bound, {"n": 8, "tau": 0.5, "d": 4}, OF_N_TAU),
    (floors.best_bound, {"n": 2**63 - 1, "tau": 0.5, "d": 2**53}, {"tau": FLOATS, "d": WHOLES}),
    (floors.best_uniformity, {"d": 4, "t": 2.0}, {"d": WHOLES, "t": FLOATS}),
    (floors.best_uniformity, {"d": 1, "t": 2.0}, {"t": FLOATS}),
    (floors.best_uniformity, {"d": 2, "t": 2.0}, {"t": FLOATS}),
    (floors.best_uniformity_of_points, {"n": 8, "t": 2.0}, {"n": WHOLES, "t": FLOATS}),
    (floors.clip.equal, {"n": 8}, {"n": WHOLES}),
    (floors.clip.uniform, {"n": 8, "d": 4, "tau": 0.5}, OF_N_TAU),
    (floors.clip.best, {"n": 8, "tau": 0.5}, OF_N_TAU),
    (floors.dcl.equal, {"n": 8}, {"n": WHOLES}),
    (floors.dcl.uniform, {"n": 8, "d": 4, "tau": 0.5}, OF_N_TAU),
    (floors.dcl.best, {"n": 8, "tau": 0.5}, OF_N_TAU),
    (floors.debiased.best, {"n": 8, "tau": 0.5, "tau_plus": 0.05}, {**OF_N_TAU, "tau_plus": SHARES}),
    (floors.info_nce.equal, {"k": 8}, {"k": WHOLES}),
    (floors.info_nce.uniform, {"k": 8, "d": 4, "tau": 0.5}, {"k": WHOLES, "d": WHOLES, "tau": FLOATS}),
    (floors.info_nce.best, {"k": 8, "tau": 0.5}, {"k": WHOLES, "tau": FLOATS}),
    (
        floors.nt_logistic.equal,
        {"n": 8, "tau": 0.5, "similarity": 1.0},
        {"n": WHOLES, "tau": FLOATS, "similarity": REALS},
    ),
    (floors.nt_logistic.equal, {"n": 8, "tau": 0.5, "similarity": -1.0}, {"tau": FLOATS}),
    (floors.nt_logistic.uniform, {"n": 8, "d": 4, "tau": 0.5}, OF_N_TAU),
    (floors.nt_logistic.best, {"n": 8, "tau": 0.5}, OF_N_TAU),
    (floors.sup_con.equal, {"rows": 8}, {"rows": WHOLES}),
    (
        floors.sup_con.uniform,
        {"rows": 8, "d": 4, "tau": 0.5, "positives": 1, "variant": "in"},
        {"rows": WHOLES, "d": WHOLES, "tau": FLOATS, "positives": WHOLES},
    ),
    (
        floors.sup_con.best,
        {"classes": 8, "rows_each": 4, "tau": 0.5},
        {"classes": WHOLES, "rows_each": WHOLES, "tau": FLOATS, "d": WHOLES},
    ),
    (floors.triplet.equal, {"margin": 0.2}, {"margin": FLOATS}),
    (floors.triplet.best, {"margin": 0.2}, {"margin": FLOATS, "n": WHOLES}),
    (floors.spectral.equal, {"similarity": 1.0}, {"similarity": REALS}),
    (floors.spectral.best, {"d": 4}, {"d": WHOLES}),
    (floors.barlow_twins.equal, {"d": 4}, {"d": WHOLES}),
    (floors.barlow_twins.uniform, {"n": 8, "d": 4}, {"n": WHOLES, "d": WHOLES, "lam": FLOATS}),
    (floors.barlow_twins.best, {"n": 8, "d": 40}, {"n": WHOLES, "d": WHOLES, "lam": [*SHARES, *HUGE]}),
    (floors.vicreg.equal, {}, {"variance": FLOATS, "gamma": FLOATS, "eps": FLOATS}),
    (metrics.alignment, {"z_a": Z_A, "z_b": Z_B}, {"alpha": FLOATS}),
    (metrics.alignment, {"z_a": APART, "z_b": -APART}, {"alpha": FLOATS}),
    (metrics.uniformity, {"z": Z}, {"t": FLOATS}),
    (metrics.uniformity, {"z": SAME}, {"t": FLOATS}),
    (metrics.uniformity, {"z": APART}, {"t": FLOATS}),
    (metrics.positive_retrieval, {"z_a": Z_A, "z_b": Z_B}, {"k": WHOLES}),
    (metrics.gaussian_mutual_information, {"rho": 0.5, "d": 4}, {"rho": SIGNED_SHARES, "d": WHOLES}),
    (metrics.gaussian_log_ratio, {"x": Z_A, "y": Z_B, "rho": 0.5}, {"rho": SIGNED_SHARES}),
    (metrics.gaussian_log_ratio, {"x": 1e100 * Z_A, "y": 1e100 * Z_B, "rho": 0.5}, {"rho": SIGNED_SHARES}),
    (
        metrics.knn_accuracy,
        {"z": Z, "labels": LABELS, "z_test": Z_A, "labels_test": LABELS},
        {"k": WHOLES},
    ),
    (metrics.softmax_regression, {"z": Z, "labels": LABELS}, {"l2": FLOATS}),
    (
        metrics.linear_probe,
        {"z": Z, "labels": LABELS, "z_test": Z_A, "labels_test": LABELS},
        {"l2": FLOATS},
    ),
    (
        metrics.few_label_probe,
        {
            "z": Z,
            "labels": LABELS,
            "z_test": Z_A,
            "labels_test": LABELS,
            "per_class": 2,
            "rng": _RNG,
            "draws": 2,
        },
        {"per_class": WHOLES, "draws": [-1, 0, 1, 2], "l2": FLOATS},
    ),
    (sphere.cosine_density, {"s": [0.0, 0.5], "d": 4}, {"d": WHOLES}),
    (sphere.cosine_cdf, {"s": [-1.0, 0.0, 0.5, 1.0], "d": 4}, {"d": WHOLES}),
    (sphere.cosine_quantiles, {"p": [0.0, 0.5, 1.0], "d": 4}, {"d": WHOLES}),
    (sphere.log_mean_exp, {"kappa": 2.0, "d": 4}, {"kappa": FLOATS, "d": WHOLES}),
    (sphere.log_mean_exp, {"kappa": 2.0, "d": 1, "below_most": True}, {"kappa": FLOATS}),
    (sphere.nodes, {"d": 4}, {"d": WHOLES, "panels": SMALL_WHOLES}),
    (tsne.joint_probabilities, {"x": Z}, {"perplexity": [*FLOATS, 1 + 1e-15, 1 + 1e-8, 7 - 1e-8, 7 - 1e-15]}),
    (
        tsne.tsne_steps,
        {"x": Z, **FEW_STEPS},
        {
            "perplexity": FLOATS,
            "exaggeration": FLOATS,
            "learning_rate": FLOATS,
            "steps": [-1, 0, 1],
            "early": WHOLES,
        },
    ),
    (
        tsne.tsne_steps,
        {"x": Z, "rng": _RNG, "perplexity": 2.0, "steps": 1},
        {"d": [-1, 0, 1, 2, 9, 2**63, 10**5000]},
    ),
    (tsne.tsne, {"x": Z, **FEW_STEPS}, {"exaggeration": FLOATS, "learning_rate": FLOATS}),
]
# No number among their arguments.
WITHOUT = {
    metrics.confusion,
    metrics.effective_rank,
    metrics.info_nce_bound,
    metrics.mean_vector_length,
    metrics.nwj_bound,
    metrics.precision_recall_f1,
    metrics.tolerance,
    tsne.kl_divergence,
}


def public_functions(module):
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.ismodule(thing):
            yield from public_functions(thing)
        elif inspect.isfunction(thing):
            yield thing


def test_the_table_has_every_function_and_every_number_of_it():
    functions = {f for module in (floors, metrics, sphere, tsne) for f in public_functions(module)}
    assert {row[0] for row in TABLE} | WITHOUT == functions
    for function in functions - {tsne.tsne}:
        numbers = {
            name
            for name, parameter in inspect.signature(function).parameters.items()
            if re.fullmatch(r"(int|float)( \| None)?", str(parameter.annotation))
        }
        tried = {name for row in TABLE if row[0] is function for name in row[2]}
        assert numbers == tried, function.__qualname__


def numbers_of(result):
    if hasattr(result, "__next__"):
        return [x for part in result for x in numbers_of(part)]
    if is_dataclass(result):
        return [x for field in fields(result) for x in numbers_of(getattr(result, field.name))]
    if isinstance(result, tuple):
        return [x for part in result for x in numbers_of(part)]
    return [np.asarray(result)]


CASES = [
    pytest.param(function, fine, name, values, id=f"{function.__module__}.{function.__name__}-{name}-{row}")
    for row, (function, fine, numbers) in enumerate(TABLE)
    for name, values in numbers.items()
]


@pytest.mark.parametrize(("function", "fine", "name", "values"), CASES)
def test_at_its_ends_a_number_gives_a_finite_answer_or_is_named(function, fine, name, values):
    faults = []
    for value in values:
        try:
            with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
                warnings.simplefilter("error")
                found = numbers_of(function(**{**fine, name: value}))
        except ValueError as error:
            if not re.search(rf"\b{name}\b", str(error)):
                faults.append(f"{value}: not named: {error}")
        except Exception as error:
            faults.append(f"{value}: {type(error).__name__}: {error}")
        else:
            if not all(np.isfinite(x.astype(float)).all() for x in found):
                faults.append(f"{value}: not finite")
    assert faults == []


def test_a_case_that_warns_or_is_not_finite_is_found():
    """The test above can fail: of a function that divides, and of one that hides it."""
    check = test_at_its_ends_a_number_gives_a_finite_answer_or_is_named
    for function in (lambda t: np.float64(1.0) / t, lambda t: math.inf, lambda t: math.exp(1 / t)):
        with pytest.raises(AssertionError):
            check(function, {}, "t", [0.0, 5e-324])
