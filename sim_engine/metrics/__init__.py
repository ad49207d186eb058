"""What an embedding is like, without and with labels: spread, closeness, retrieval, probes, information."""

from __future__ import annotations

from sim_engine.metrics.closeness import alignment, tolerance
from sim_engine.metrics.retrieval import knn_accuracy, positive_retrieval
from sim_engine.metrics.spread import effective_rank, mean_vector_length, uniformity

__all__ = [
    "alignment",
    "effective_rank",
    "knn_accuracy",
    "mean_vector_length",
    "positive_retrieval",
    "tolerance",
    "uniformity",
]
