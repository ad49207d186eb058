"""The linear probe beside scikit-learn's solvers, on features of digits, one thread each, timed in turn."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits  # type: ignore[import-untyped]  # ships no types
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no types
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # ships no types

from build_scripts.bench.report import Row, ratio_row
from sim_engine.metrics import softmax_regression

__all__ = ["measure"]

WIDTHS = (64, 256)
L2 = 0.1
# scikit-learn's own tolerance, and one that comes as near to the minimum as the engine goes.
SOLVERS = (("lbfgs", 1e-4), ("lbfgs", 1e-8), ("newton-cg", 1e-8))


def measure(rounds: int) -> list[Row]:
    """Time one probe of 1797 digits by ten classes with every solver; the ratio is time over theirs."""
    images, labels = load_digits(return_X_y=True)
    rows = []
    for width in WIDTHS:
        z = _features(images, width)
        fits: dict[str, Callable[[], Any]] = {"ours": partial(softmax_regression, z, labels, l2=L2)}
        for solver, tol in SOLVERS:
            model = LogisticRegression(C=1 / L2, solver=solver, tol=tol, max_iter=100_000)
            fits[f"{solver}, tol {tol:g}"] = partial(model.fit, z, labels)
        times: dict[str, list[float]] = {name: [] for name in fits}
        found: dict[str, Any] = {}
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn says when it met its own limits
            for _ in range(rounds + 1):
                for name, fit in fits.items():
                    began = time.perf_counter()
                    found[name] = fit()
                    times[name].append(1e3 * (time.perf_counter() - began))
        least = found["ours"].value
        for name in list(fits)[1:]:
            above = _objective(found[name], z, labels) - least
            rows.append(
                ratio_row(
                    f"linear probe of {len(z)} digits, {width} features",
                    times["ours"][1:],  # the first round warms up
                    times[name][1:],
                    unit="ms",
                    name=f"scikit-learn, {name}, {above:.0e} nats above",
                )
            )
    return rows


def _features(images: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Return what one random layer with ReLU makes of the images, standardised, (n, width)."""
    rng = np.random.default_rng(width)
    h = np.maximum((images - images.mean(axis=0)) @ rng.normal(size=(images.shape[1], width)), 0)
    standardised: NDArray[np.float64] = (h - h.mean(axis=0)) / h.std(axis=0)
    return standardised


def _objective(model: Any, z: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    log_p = model.predict_log_proba(z)[np.arange(len(z)), labels]
    return float(-log_p.sum() + 0.5 * L2 * np.sum(model.coef_**2))
