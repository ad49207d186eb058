"""Random views of a graph: which edges, features and nodes to leave out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from sim_engine._check import Array, generator
from sim_engine.augment._pixels import in_range
from sim_engine.augment._step import Step
from sim_engine.augment.graph import GraphView, Whole, edge_drop, feature_mask, graph, node_drop


class GraphOperation(Protocol):
    """Anything with a `draw` that looks at a graph and says what to drop."""

    def draw(self, rng: np.random.Generator, edges: Whole, features: Array) -> Step:
        """Draw one step for this graph."""


@dataclass(frozen=True)
class RandomEdgeDrop:
    """`edge_drop`, every undirected edge on its own with probability p, both its directions together.

    Attributes:
        p: in [0, 1].

    Raises:
        ValueError: p lies outside [0, 1].

    Source:
        Zhu et al. (2020), arXiv:2006.04131, section 3.2.2 (GRACE); here both directions of an edge at once.

    Examples:
        >>> RandomEdgeDrop(1.0).draw(np.random.default_rng(0), np.array([[0, 1], [1, 0]]), np.eye(2))
        Step(name='edge_drop', parameters={'dropped': (0, 1)})
    """

    p: float = 0.2

    def __post_init__(self) -> None:
        in_range("p", self.p, 0.0, 1.0)

    def draw(self, rng: np.random.Generator, edges: Whole, features: Array) -> Step:
        """One step with the rows to leave out.

        Raises:
            ValueError: rng is no generator.
        """
        generator(rng)
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

    Source:
        Zhu et al. (2020), arXiv:2006.04131, section 3.2.2 (GRACE): one mask for all nodes.

    Examples:
        >>> RandomFeatureMask(1.0).draw(np.random.default_rng(0), np.array([[0, 1]]), np.ones((2, 3)))
        Step(name='feature_mask', parameters={'masked': (0, 1, 2)})
    """

    p: float = 0.2

    def __post_init__(self) -> None:
        in_range("p", self.p, 0.0, 1.0)

    def draw(self, rng: np.random.Generator, edges: Whole, features: Array) -> Step:
        """One step with the columns to set to 0.

        Raises:
            ValueError: rng is no generator.
        """
        generator(rng)
        masked = np.flatnonzero(rng.random(features.shape[1]) < self.p)
        return Step("feature_mask", {"masked": tuple(masked.tolist())})


@dataclass(frozen=True)
class RandomNodeDrop:
    """`node_drop` of floor(part * N) nodes, every set of that size equally likely.

    Attributes:
        part: of the nodes, in [0, 1); the paper uses 0.2.

    Raises:
        ValueError: part lies outside [0, 1).

    Source:
        You et al. (2020), arXiv:2010.13902 (GraphCL), "node dropping".

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
        """One step with the nodes to leave out, in order.

        Raises:
            ValueError: rng is no generator.
        """
        generator(rng)
        n = len(features)
        dropped = np.sort(rng.permutation(n)[: int(self.part * n)])
        return Step("node_drop", {"dropped": tuple(dropped.tolist())})


def graph_view(
    edges: ArrayLike, features: ArrayLike, operations: Sequence[GraphOperation], rng: np.random.Generator
) -> GraphView:
    r"""Draw one view of a graph by several operations in order, $t_n(\dots t_2(t_1(G)))$.

    Each operation sees the graph that the one before it left.

    Args:
        edges: (E, 2), whole numbers in [0, N).
        features: (N, F), finite.
        operations: such as `[RandomEdgeDrop(0.2), RandomFeatureMask(0.3)]`.
        rng: where chance comes from; the only one.

    Returns:
        The view with its steps; `nodes` and `rows` are numbers of the graph that was given.

    Raises:
        ValueError: edges or features are of another shape or type, or rng is not a generator.

    Source:
        Zhu et al. (2020), arXiv:2006.04131, section 3.2.2: both of its operations, one after the other.

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
    generator(rng)
    edges, features = graph(edges, features)
    seen = GraphView(edges, features, np.arange(len(features)), np.arange(len(edges)))
    for operation in operations:
        step = operation.draw(rng, seen.edges, seen.features)
        new = apply[step.name](seen.edges, seen.features, **step.parameters)
        seen = GraphView(
            new.edges, new.features, seen.nodes[new.nodes], seen.rows[new.rows], (*seen.steps, step)
        )
    return seen
