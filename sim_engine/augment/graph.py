"""Views of a graph: edges dropped, features masked, nodes dropped; what was dropped is returned.

A graph is edges (E, 2), whole numbers naming nodes 0 ... N - 1, and features (N, F). A row of edges
and its reverse, and rows that repeat, are one undirected edge: they are dropped together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import Array, floats
from sim_engine.augment._step import Step

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class GraphView:
    """A view of a graph, and where each part of it comes from.

    Attributes:
        edges: (E', 2), in the numbers of the view's own nodes.
        features: (N', F).
        nodes: (N',), the number each node had in the graph.
        rows: (E',), the row each edge had in the graph.
        steps: what was applied, in order; "dropped" and "masked" are numbers in the view that the
            step met, which after a node drop are not those of the graph.
    """

    edges: Whole
    features: Array
    nodes: Whole
    rows: Whole
    steps: tuple[Step, ...] = ()


def edge_drop(edges: ArrayLike, features: ArrayLike, dropped: ArrayLike) -> GraphView:
    r"""Leave out the given edges, $E' = E \setminus D$; every node and feature stays.

    Args:
        edges: (E, 2), whole numbers in [0, N).
        features: (N, F), finite.
        dropped: rows of edges to leave out; repeats count once. It is taken literally: the reverse
            of an edge goes only if its row is named as well.

    Returns:
        The view.

    Raises:
        ValueError: edges or features are of another shape or type, or a row does not exist.

    Source:
        Zhu et al. (2020), arXiv:2006.04131, section 3.2.2 (GRACE); You et al. (2020), arXiv:2010.13902.

    Examples:
        >>> edge_drop([[0, 1], [1, 2]], np.eye(3), [0]).edges.tolist()
        [[1, 2]]
    """
    edges, features = graph(edges, features)
    rows = np.flatnonzero(_others("dropped", dropped, len(edges)))
    return GraphView(edges[rows], features, np.arange(len(features)), rows)


def feature_mask(edges: ArrayLike, features: ArrayLike, masked: ArrayLike) -> GraphView:
    r"""Set the given columns M of the features to 0, for every node alike: $x'_{ij} = x_{ij}\,[j \notin M]$.

    Args:
        edges: (E, 2), whole numbers in [0, N).
        features: (N, F), finite.
        masked: columns of features to set to 0; repeats count once.

    Returns:
        The view.

    Raises:
        ValueError: edges or features are of another shape or type, or a column does not exist.

    Source:
        Zhu et al. (2020), arXiv:2006.04131, section 3.2.2: one mask for all nodes.

    Examples:
        >>> feature_mask([[0, 1]], np.ones((2, 3)), [1]).features.tolist()
        [[1.0, 0.0, 1.0], [1.0, 0.0, 1.0]]
    """
    edges, features = graph(edges, features)
    kept = _others("masked", masked, features.shape[1])
    return GraphView(
        edges,
        np.where(kept, features, features.dtype.type(0)),
        np.arange(len(features)),
        np.arange(len(edges)),
    )


def node_drop(edges: ArrayLike, features: ArrayLike, dropped: ArrayLike) -> GraphView:
    r"""Leave out the given nodes and every edge that touches one; the rest is numbered anew, in order.

    $$V' = V \setminus D, \qquad E' = \{(u, v) \in E : u \notin D,\ v \notin D\}$$

    Args:
        edges: (E, 2), whole numbers in [0, N).
        features: (N, F), finite.
        dropped: nodes to leave out, not all; repeats count once.

    Returns:
        The view; its `nodes` says which node is which.

    Raises:
        ValueError: edges or features are of another shape or type, a node does not exist, or none is left.

    Source:
        You et al. (2020), arXiv:2010.13902 (GraphCL), "node dropping".

    Examples:
        >>> seen = node_drop([[0, 1], [1, 2], [2, 3]], np.eye(4), [0])
        >>> seen.edges.tolist(), seen.nodes.tolist()
        ([[0, 1], [1, 2]], [1, 2, 3])
    """
    edges, features = graph(edges, features)
    kept = _others("dropped", dropped, len(features))
    if not kept.any():
        raise ValueError(f"dropped must leave at least one of the {len(features)} nodes")
    rows = np.flatnonzero(kept[edges].all(axis=1))
    number = np.cumsum(kept) - 1  # a kept node's number in the view
    nodes = np.flatnonzero(kept)
    return GraphView(number[edges[rows]], features[nodes], nodes, rows)


def graph(edges: ArrayLike, features: ArrayLike) -> tuple[Whole, Array]:
    """Read a graph: edges (E, 2), whole numbers in [0, N), and finite features (N, F), both copied.

    Raises:
        ValueError: another shape or type, or an edge names a node that does not exist.
    """
    x = floats("features", features, ndim=2).copy()  # a view shares nothing with the graph
    try:
        e = np.asarray(edges)
    except ValueError:  # rows of different lengths
        raise ValueError("edges must have shape (E, 2), got rows of different lengths") from None
    if e.size == 0 and e.shape in ((0,), (0, 2)):
        return np.zeros((0, 2), np.int64), x
    if e.ndim != 2 or e.shape[1] != 2:
        raise ValueError(f"edges must have shape (E, 2), got {e.shape}")
    if e.dtype.kind not in "iu":
        raise ValueError(f"edges must hold whole numbers, got dtype {e.dtype}")
    _exist("edges", e, len(x), "nodes")
    return e.astype(np.int64), x


def _others(name: str, chosen: ArrayLike, count: int) -> NDArray[np.bool_]:
    """Return (count,) booleans: what is not chosen."""
    try:
        c = np.asarray(chosen)
    except ValueError:  # rows of different lengths
        raise ValueError(f"{name} must be a list of whole numbers, got rows of different lengths") from None
    if c.ndim != 1 or (c.size and c.dtype.kind not in "iu"):
        raise ValueError(f"{name} must be a list of whole numbers, got shape {c.shape} of {c.dtype}")
    kept = np.ones(count, dtype=bool)
    if c.size:
        _exist(name, c, count, "there")
        kept[c.astype(np.int64)] = False
    return kept


def _exist(name: str, numbers: NDArray[np.integer], count: int, what: str) -> None:
    outside = numbers[(numbers < 0) | (numbers >= count)]
    if outside.size:
        raise ValueError(
            f"{name} must lie in [0, {count}), as many as {what} are, got {int(outside.flat[0])}"
        )
