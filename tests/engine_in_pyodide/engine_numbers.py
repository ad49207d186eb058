"""Runs in CPython and in the browser's Python: the engine's own functions on one seeded input.

Prints {name: list of numbers} as JSON.
"""

import json
import sys

import numpy as np

from sim_engine import floors, losses, metrics, projection, similarity, sphere


def views(count, d, seed):
    rng = np.random.default_rng(seed)
    z_a = rng.normal(size=(count, d))
    return z_a, z_a + 0.7 * rng.normal(size=(count, d))


def numbers():
    found = {}
    for count, d in ((2, 2), (16, 3), (64, 32), (200, 64)):
        z_a, z_b = views(count, d, seed=count)
        for tau in (0.02, 0.07, 0.5, 1.0):
            result = losses.nt_xent(z_a, z_b, tau)
            name = f"nt_xent N={count} d={d} tau={tau}"
            found[name] = [result.value, losses.nt_xent_value(z_a, z_b, tau)]
            found[name + " grad_a"] = result.grad_a
            found[name + " grad_b"] = result.grad_b
        u_a, u_b = similarity.normalize(z_a).u, similarity.normalize(z_b).u
        found[f"alignment {count}"] = [metrics.alignment(u_a, u_b), metrics.alignment(u_a, u_b, alpha=1.0)]
        found[f"uniformity {count}"] = [metrics.uniformity(u_a), metrics.uniformity(u_b, t=1.0)]
        found[f"retrieval {count}"] = [metrics.positive_retrieval(u_a, u_b, k) for k in (1, 2)]
        found[f"rank {count}"] = [metrics.effective_rank(z_a), metrics.mean_vector_length(u_a)]
        components = projection.pca(z_a, 2)
        found[f"pca {count}"] = np.concatenate([part.ravel() for part in components])
        found[f"procrustes {count}"] = projection.procrustes(z_b, z_a)
        found[f"procrustes without reflection {count}"] = projection.procrustes(z_b, z_a, reflect=False)
    z_a, _ = views(40, 2, seed=1)
    turned = np.stack([z_a, z_a[:, ::-1] * [1, -1], -z_a])
    found["align_trajectory"] = projection.align_trajectory(turned)
    labels = np.arange(40) % 4
    found["knn"] = [metrics.knn_accuracy(z_a[:30], labels[:30], z_a[30:], labels[30:], k=5)]
    found["weights"] = losses.negative_weights(np.linspace(-1, 1, 9), 0.05)
    found["floors"] = [
        floors.equal(256),
        floors.uniform(256, 128, 0.5),
        floors.best(256, 0.1),
        floors.best_uniformity(64),
    ]
    found["sphere"] = sphere.cosine_cdf(np.linspace(-1, 1, 21), 7)
    single_a, single_b = (z.astype(np.float32) for z in views(32, 16, seed=9))
    found["float32 value"] = [round(losses.nt_xent(single_a, single_b, 0.05).value, 3)]
    return {name: np.asarray(value, dtype=float).ravel().tolist() for name, value in found.items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(numbers()) + "\n")
