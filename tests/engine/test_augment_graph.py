"""Views of graphs: what is dropped, what stays, and that the two are told apart rightly."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_engine import augment
from sim_engine.augment import RandomEdgeDrop, RandomFeatureMask, RandomNodeDrop, graph_view

RING = [[0, 1], [1, 2], [2, 3], [3, 4], [4, 0]]


@st.composite
def graphs(draw):
    """Edges, possibly none, with loops, repeats and reverses; features (N, F)."""
    n, f = draw(st.integers(1, 7)), draw(st.integers(1, 4))
    node = st.integers(0, n - 1)
    edges = draw(st.lists(st.tuples(node, node).map(list), max_size=12))
    return edges, np.random.default_rng(n).normal(size=(n, f))


@given(graphs(), st.integers(0, 99), st.floats(0, 1), st.floats(0, 1), st.floats(0, 0.99))
def test_view_is_a_part_of_the_graph_and_says_which(graph, seed, p, q, part):
    edges, x = graph
    operations = [RandomEdgeDrop(p), RandomNodeDrop(part), RandomFeatureMask(q), RandomEdgeDrop(p)]
    seen = graph_view(edges, x, operations, np.random.default_rng(seed))
    assert [s.name for s in seen.steps] == ["edge_drop", "node_drop", "feature_mask", "edge_drop"]
    assert len(seen.nodes) == len(seen.features) == len(x) - int(part * len(x))
    assert (np.diff(seen.nodes) > 0).all()
    masked = list(seen.steps[2].parameters["masked"])
    assert (seen.features[:, masked] == 0).all()
    kept = np.setdiff1d(np.arange(x.shape[1]), masked)
    np.testing.assert_array_equal(seen.features[:, kept], x[seen.nodes][:, kept])
    # Each edge of the view is the edge of the graph at its row, in the numbers of the view.
    assert seen.edges.shape == (len(seen.rows), 2)
    for edge, row in zip(seen.edges, seen.rows, strict=True):
        assert seen.nodes[edge].tolist() == edges[row]


@given(graphs(), st.integers(0, 99))
def test_an_edge_falls_with_its_reverse_and_its_repeats(graph, seed):
    edges, x = graph
    step = RandomEdgeDrop(0.5).draw(np.random.default_rng(seed), np.array(edges, int).reshape(-1, 2), x)
    gone = {frozenset(edges[row]) for row in step.parameters["dropped"]}
    stays = {frozenset(e) for row, e in enumerate(edges) if row not in step.parameters["dropped"]}
    assert not gone & stays


@given(graphs(), st.data())
def test_node_drop_keeps_every_edge_between_kept_nodes(graph, data):
    edges, x = graph
    dropped = data.draw(st.sets(st.integers(0, len(x) - 1), max_size=len(x) - 1))
    seen = augment.node_drop(edges, x, sorted(dropped))
    assert seen.nodes.tolist() == [i for i in range(len(x)) if i not in dropped]
    assert seen.rows.tolist() == [row for row, edge in enumerate(edges) if not dropped & set(edge)]
    assert seen.nodes[seen.edges].tolist() == [edges[row] for row in seen.rows]


def test_shares_are_those_asked_for():
    rng, draws = np.random.default_rng(0), 300
    edges = np.array([[i, i + 1] for i in range(20)])
    x = np.ones((21, 20))
    dropped = [len(RandomEdgeDrop(0.3).draw(rng, edges, x).parameters["dropped"]) for _ in range(draws)]
    masked = [len(RandomFeatureMask(0.6).draw(rng, edges, x).parameters["masked"]) for _ in range(draws)]
    # Hoeffding over 6000 independent edges or columns.
    bound = math.sqrt(math.log(2e6) / (2 * 20 * draws))
    assert abs(np.mean(dropped) / 20 - 0.3) < bound
    assert abs(np.mean(masked) / 20 - 0.6) < bound
    nodes = [RandomNodeDrop(0.2).draw(rng, edges, x).parameters["dropped"] for _ in range(draws)]
    assert {len(set(n)) for n in nodes} == {4}
    assert {i for n in nodes for i in n} == set(range(21))


def test_nothing_and_everything():
    x, rng = np.ones((5, 2), np.float32), np.random.default_rng(0)
    same = graph_view(RING, x, [RandomEdgeDrop(0.0), RandomFeatureMask(0.0), RandomNodeDrop(0.0)], rng)
    assert same.edges.tolist() == RING
    np.testing.assert_array_equal(same.features, x)
    assert same.features.dtype == np.float32
    bare = graph_view(RING, x, [RandomEdgeDrop(1.0), RandomFeatureMask(1.0)], rng)
    assert bare.edges.shape == (0, 2)
    assert (bare.features == 0).all()
    assert graph_view([], x, [RandomEdgeDrop(0.5)], rng).edges.shape == (0, 2)


def test_the_graph_is_left_as_it_is():
    edges, x = np.array(RING), np.ones((5, 2))
    operations = [RandomEdgeDrop(0.0), RandomFeatureMask(0.0)]
    for seen in (
        graph_view(edges, x, [], np.random.default_rng(0)),
        graph_view(edges, x, operations, np.random.default_rng(0)),
        augment.edge_drop(edges, x, []),
        augment.feature_mask(edges, x, []),
        augment.node_drop(edges, x, []),
    ):
        assert not np.shares_memory(seen.edges, edges)
        assert not np.shares_memory(seen.features, x)


@pytest.mark.parametrize(
    ("edges", "features", "message"),
    [
        ([[0, 5]], np.ones((5, 2)), r"edges must lie in \[0, 5\), as many as nodes are, got 5"),
        ([[-1, 0]], np.ones((5, 2)), r"edges must lie in \[0, 5\)"),
        ([[0.0, 1.0]], np.ones((5, 2)), "edges must hold whole numbers, got dtype float64"),
        ([[True, False]], np.ones((5, 2)), "edges must hold whole numbers, got dtype bool"),
        ([[0, 1, 2]], np.ones((5, 2)), r"edges must have shape \(E, 2\), got \(1, 3\)"),
        ([0, 1], np.ones((5, 2)), r"edges must have shape \(E, 2\), got \(2,\)"),
        ([[0, 1], [2]], np.ones((5, 2)), "edges must have shape .E, 2., got rows of different lengths"),
        (RING, np.ones(5), "features must have 2 axes"),
        (RING, np.full((5, 2), np.nan), "features must be finite"),
        (RING, np.ones((0, 2)), "features must not be empty"),
    ],
)
def test_graphs_are_checked(edges, features, message):
    for function in (augment.edge_drop, augment.feature_mask, augment.node_drop):
        with pytest.raises(ValueError, match=message):
            function(edges, features, [])
    with pytest.raises(ValueError, match=message):
        graph_view(edges, features, [], np.random.default_rng(0))


@pytest.mark.parametrize("chosen", [[9], [-1], [0.5], 0, [[0]], ["a"], [[0], [1, 2]], None])
def test_choices_are_checked(chosen):
    x = np.ones((5, 5))
    for function, name in (
        (augment.edge_drop, "dropped"),
        (augment.feature_mask, "masked"),
        (augment.node_drop, "dropped"),
    ):
        with pytest.raises(ValueError, match=f"^{name} must"):
            function(RING, x, chosen)


def test_a_view_needs_a_node_and_probabilities_are_checked():
    with pytest.raises(ValueError, match="dropped must leave at least one of the 2 nodes"):
        augment.node_drop([[0, 1]], np.ones((2, 1)), [0, 1])
    with pytest.raises(ValueError, match="part must be less than 1"):
        RandomNodeDrop(1.0)
    for make in (RandomEdgeDrop, RandomFeatureMask):
        with pytest.raises(ValueError, match="p must lie in"):
            make(1.5)
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator"):
        graph_view(RING, np.ones((5, 2)), [], 3)
