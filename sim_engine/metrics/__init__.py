"""What an embedding is like, without and with labels: spread, closeness, retrieval, probes, information."""

from __future__ import annotations

from sim_engine.metrics.classification import ClassScores, Confusion, confusion, precision_recall_f1
from sim_engine.metrics.closeness import alignment, tolerance
from sim_engine.metrics.mutual_information import (
    gaussian_log_ratio,
    gaussian_mutual_information,
    info_nce_bound,
    nwj_bound,
)
from sim_engine.metrics.probe import (
    FewLabels,
    SoftmaxRegression,
    few_label_probe,
    linear_probe,
    softmax_regression,
)
from sim_engine.metrics.retrieval import knn_accuracy, positive_retrieval
from sim_engine.metrics.spread import effective_rank, mean_vector_length, uniformity

__all__ = [
    "ClassScores",
    "Confusion",
    "FewLabels",
    "SoftmaxRegression",
    "alignment",
    "confusion",
    "effective_rank",
    "few_label_probe",
    "gaussian_log_ratio",
    "gaussian_mutual_information",
    "info_nce_bound",
    "knn_accuracy",
    "linear_probe",
    "mean_vector_length",
    "nwj_bound",
    "positive_retrieval",
    "precision_recall_f1",
    "softmax_regression",
    "tolerance",
    "uniformity",
]
