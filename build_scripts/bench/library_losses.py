"""Those of the engine's losses that pytorch-metric-learning has, with its memory in view.

Each takes the arrays of the case of its name, in `build_scripts.bench.cases`, as tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from pytorch_metric_learning import distances, reducers  # type: ignore[import-untyped]
from pytorch_metric_learning import losses as pml
from torch import Tensor

from build_scripts.bench.cases import MARGIN, QUEUE, TAU
from build_scripts.bench.torch_losses import Loss

__all__ = ["LIBRARY", "Library"]


@dataclass(frozen=True)
class Library:
    """A loss of pytorch-metric-learning.

    Attributes:
        loss: takes the arrays of the case, as tensors.
        entries: of the largest array that it makes, by N.
    """

    loss: Loss
    entries: Callable[[int], int]


_NT_XENT: Loss = pml.NTXentLoss(temperature=TAU)
_SUP_CON: Loss = pml.SupConLoss(temperature=TAU)
_N_PAIRS: Loss = pml.NPairsLoss(distance=distances.DotProductSimilarity(normalize_embeddings=False))
_VICREG: Loss = pml.VICRegLoss()
_SQUARED = distances.LpDistance(power=2)
_TRIPLET: Loss = pml.TripletMarginLoss(margin=MARGIN, distance=_SQUARED, reducer=reducers.MeanReducer())
_VIOLATING: Loss = pml.TripletMarginLoss(margin=MARGIN, distance=_SQUARED)


def _by_image(loss: Loss) -> Loss:
    """Label both views of an image alike."""
    return lambda z_a, z_b: loss(torch.cat([z_a, z_b]), torch.arange(len(z_a)).repeat(2))


def _to_keys(query: Tensor, positive: Tensor, negatives: Tensor) -> Tensor:
    """Pair row i of the query with key i, and with every negative."""
    n, count = len(query), len(negatives)
    own = torch.arange(n)
    pairs = (own, own, own.repeat_interleave(count), n + torch.arange(count).repeat(n))
    return _NT_XENT(query, indices_tuple=pairs, ref_emb=torch.cat([positive, negatives]))


def _both_ways(image: Tensor, text: Tensor, log_scale: Tensor) -> Tensor:
    """Row i of one kind against all rows of the other; the temperature is fixed there."""
    labels = torch.arange(len(image))
    same = labels.clone()  # of one and the same tensor it would leave out the pairs (i, i)
    to_text = _NT_XENT(image, labels, ref_emb=text, ref_labels=same)
    return (to_text + _NT_XENT(text, labels, ref_emb=image, ref_labels=same)) / 2


def _partners(z_a: Tensor, z_b: Tensor) -> Tensor:
    n = len(z_a)
    own, none = torch.arange(n), torch.arange(0)
    return _N_PAIRS(torch.cat([z_a, z_b]), own.repeat(2), (own, n + own, none, none))


def _triplets(anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    own, n = torch.arange(len(anchor)), len(anchor)
    return _TRIPLET(torch.cat([anchor, positive, negative]), indices_tuple=(own, n + own, 2 * n + own))


# Where the loss is of pairs, each positive meets each negative of the batch; that is what fills memory.
LIBRARY: dict[str, Library] = {
    "nt_xent": Library(_by_image(_NT_XENT), lambda n: 2 * n * 2 * n * (2 * n - 2)),
    "sup_con": Library(_SUP_CON, lambda n: (2 * n) ** 2),
    "triplet_views, violating": Library(_by_image(_VIOLATING), lambda n: 2 * n * (2 * n - 2)),
    "clip": Library(_both_ways, lambda n: n * n * (n - 1)),
    "n_pair": Library(_partners, lambda n: (2 * n) ** 2),
    "info_nce": Library(_to_keys, lambda n: n * n * n),
    "moco": Library(_to_keys, lambda n: n * n * QUEUE),
    "triplet": Library(_triplets, lambda n: (3 * n) ** 2),
    "vicreg": Library(lambda z_a, z_b: _VICREG(z_a, ref_emb=z_b), lambda n: n),
}
