"""Encoders (image to h), projection heads (h to z) and predictors, by name."""

from build_scripts.precompute.models.build import NAMES, build
from build_scripts.precompute.models.encoder import Encoder
from build_scripts.precompute.models.heads import HEADS, head, predictor

__all__ = ["HEADS", "NAMES", "Encoder", "build", "head", "predictor"]
