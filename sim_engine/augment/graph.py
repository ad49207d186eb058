"""Views of a graph: edges dropped, features masked, nodes dropped; what was dropped is returned.

A graph is edges (E, 2), whole numbers naming nodes 0 ... N - 1, and features (N, F). A row of edges
and its reverse, and rows that repeat, are one undirected edge: they are dropped together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import Array, floats
from sim_engine.augment._pixels import in_range
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


class GraphOperation(Protocol):
    """Anything with a `draw` that looks at a graph and says what to drop."""

    def draw(self, rng: np.random.Generator, edges: Whole, features: Array) -> Step:
        """Draw one step for this graph."""


def edge_drop(edges: ArrayLike, features: ArrayLike, dropped: ArrayLike) -> GraphView:
    """Leave out the given edges; every node and feature stays.

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
    edges, features = _graph(edges, features)
    rows = np.flatnonzero(_others("dropped", dropped, len(edges)))
    return GraphView(edges[rows], features.copy(), np.arange(len(features)), rows)


def feature_mask(edges: ArrayLike, features: ArrayLike, masked: ArrayLike) -> GraphView:
    """Set the given columns of the features to 0, for every node alike.

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
    edges, features = _graph(edges, features)
    kept = _others("masked", masked, features.shape[1])
    return GraphView(
        edges.copy(),
        np.where(kept, features, features.dtype.type(0)),
        np.arange(len(features)),
        np.arange(len(edges)),
    )


def node_drop(edges: ArrayLike, features: ArrayLike, dropped: ArrayLike) -> GraphView:
    """Leave out the given nodes and every edge that touches one; the rest is numbered anew, in order.

    Args:
        edges: (E, 2), whole numbers in [0, N).
        features: (N, F), finite.
        dropped: nodes to leave out, not all; repeats count once.

    Returns:
        The view; its `nodes` says which node is which.

    Raises:
        ValueError: edges or features are of another shape or type, a node does not exist, or none is left.

    Source:
        You et al. (2020), arXiv:2010.13902, section 3.1 (GraphCL).

    Examples:
        >>> seen = node_drop([[0, 1], [1, 2], [2, 3]], np.eye(4), [0])
        >>> seen.edges.tolist(), seen.nodes.tolist()
        ([[0, 1], [1, 2]], [1, 2, 3])
    """
    edges, features = _graph(edges, features)
    kept = _others("dropped", dropped, len(features))
    if not kept.any():
        raise ValueError(f"dropped must leave at least one of the {len(features)} nodes")
    rows = np.flatnonzero(kept[edges].all(axis=1))
    number = np.cumsum(kept) - 1  # a kept node's number in the view
    nodes = np.flatnonzero(kept)
    return GraphView(number[edges[rows]], features[nodes], nodes, rows)


@dataclass(frozen=True)
class RandomEdgeDrop:
    """`edge_drop`, every undirected edge on its own with probability p, both its directions together.

    Attributes:
        p: in [0, 1].

    Raises:
        ValueError: p lies outside [0, 1].

    Examples:
        >>> RandomEdgeDrop(1.0).draw(np.random.default_rng(0), np.array([[0, 1], [1, 0]]), np.eye(2))
        Step(name='edge_drop', parameters={'dropped': (0, 1)})
    """

    p: float = 0.2

    def __post_init__(self) -> None:
        in_range("p", self.p, 0.0, 1.0)

    def draw(self, rng: np.random.Generator, edges: Whole, features: Array) -> Step:
        """One step with the rows to leave out."""
        if len(edges) == 0:
            return Step("edge_drop", {"dropped": ()})
        pairs, which = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
        gone = (rng.random(len(pairs)) < self.p)[which.reshape(-1)]
        return Step("edge_drop", {"dropped": tuple(np.flatnonzero(gone).tolist())})


@dataclass(frozen=True)
class RandomFeatureMask:
    """`feature_mask`, every column on its own with probability p.

    Attributes:
        p: in [0, 1].

    Raises:
        ValueError: p lies outside [0, 1].

    Examples:
        >>> RandomFeatureMask(1.0).draw(np.random.default_rng(0), np.array([[0, 1]]), np.ones((2, 3)))
        Step(name='feature_mask', parameters={'masked': (0, 1, 2)})
    """

    p: float = 0.2

    def __post_init__(self) -> None:
        in_range("p", self.p, 0.0, 1.0)

    def draw(self, rng: np.random.Generator, edges: Whole, features: Array) -> Step:
        """One step with the columns to set to 0."""
        masked = np.flatnonzero(rng.random(features.shape[1]) < self.p)
        return Step("feature_mask", {"masked": tuple(masked.tolist())})


@dataclass(frozen=True)
class RandomNodeDrop:
    """`node_drop` of floor(part * N) nodes, every set of that size equally likely.

    Attributes:
        part: of the nodes, in [0, 1); the paper uses 0.2.

    Raises:
        ValueError: part lies outside [0, 1).

    Examples:
        >>> step = RandomNodeDrop(0.5).draw(np.random.default_rng(0), np.array([[0, 1]]), np.eye(4))
        >>> len(step.parameters["dropped"])
        2
    """

    part: float = 0.2

    def __post_init__(self) -> None:
        if in_range("part", self.part, 0.0, 1.0) == 1.0:
            raise ValueError("part must be less than 1, got 1: a view needs a node")

    def draw(self, rng: np.random.Generator, edges: Whole, features: Array) -> Step:
        """One step with the nodes to leave out, in order."""
        n = len(features)
        dropped = np.sort(rng.permutation(n)[: int(self.part * n)])
        return Step("node_drop", {"dropped": tuple(dropped.tolist())})


def graph_view(
    edges: ArrayLike, features: ArrayLike, operations: list[GraphOperation], rng: np.random.Generator
) -> GraphView:
    """Draw one view of a graph by several operations in order.

    Args:
        edges: (E, 2), whole numbers in [0, N).
        features: (N, F), finite.
        operations: such as `[RandomEdgeDrop(0.2), RandomFeatureMask(0.3)]`.
        rng: where chance comes from; the only one.

    Returns:
        The view with its steps; `nodes` and `rows` are numbers of the graph that was given.

    Raises:
        ValueError: edges or features are of another shape or type.

    Examples:
        >>> ring = [[0, 1], [1, 2], [2, 0]]
        >>> seen = graph_view(ring, np.eye(3), [RandomEdgeDrop(0.5)], np.random.default_rng(0))
        >>> seen.rows.tolist(), seen.steps
        ([0], (Step(name='edge_drop', parameters={'dropped': (1, 2)}),))
    """
    apply: dict[str, Callable[..., GraphView]] = {
        "edge_drop": edge_drop,
        "feature_mask": feature_mask,
        "node_drop": node_drop,
    }
    edges, features = _graph(edges, features)
    seen = GraphView(edges, features, np.arange(len(features)), np.arange(len(edges)))
    for operation in operations:
        step = operation.draw(rng, seen.edges, seen.features)
        new = apply[step.name](seen.edges, seen.features, **step.parameters)
        seen = GraphView(
            new.edges, new.features, seen.nodes[new.nodes], seen.rows[new.rows], (*seen.steps, step)
        )
    return seen


def _graph(edges: ArrayLike, features: ArrayLike) -> tuple[Whole, Array]:
    x = floats("features", features, ndim=2)
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
    c = np.asarray(chosen)
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
