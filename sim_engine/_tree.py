"""Nested dicts of arrays: what parameters, their gradients and batch statistics are kept in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np

from sim_engine._check import Array

Tree: TypeAlias = "Mapping[str, Array | Tree]"


def map_tree(f: Callable[..., Array], tree: Tree, *others: Tree) -> Tree:
    """Return the tree of f(leaf, leaf of each other tree); the others have the same names.

    Args:
        f: from arrays to an array.
        tree: whose names and order the result has.
        others: trees of the same names.
    """
    return {
        name: f(value, *(other[name] for other in others))
        if isinstance(value, np.ndarray)
        else map_tree(f, value, *(branch(other, name) for other in others))
        for name, value in tree.items()
    }


def leaves(tree: Tree, at: str = "") -> Iterator[tuple[str, Array]]:
    """Yield (path, array) of every leaf, the path's names joined by dots."""
    for name, value in tree.items():
        path = f"{at}.{name}" if at else name
        if isinstance(value, np.ndarray):
            yield path, value
        else:
            yield from leaves(value, path)


def branch(tree: Tree, name: str) -> Tree:
    """Return the part of that name, which may be absent: a ReLU has no parameters.

    Raises:
        ValueError: it is an array.
    """
    part = tree.get(name, {})
    if isinstance(part, np.ndarray):
        raise ValueError(f"{name} must be a dict of arrays, got an array of shape {part.shape}")
    return part


def leaf(tree: Tree, name: str, shape: tuple[int, ...]) -> Array:
    """Return the array of that name.

    Raises:
        ValueError: it is missing, or not an array of that shape.
    """
    array = tree.get(name)
    if not isinstance(array, np.ndarray):
        raise ValueError(f"params must hold an array {name!r} of shape {shape}, got {sorted(tree)}")
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
    return array


def alike(name: str, tree: Tree, params: Tree) -> None:
    """Check that a tree has the names and shapes of the parameters.

    Raises:
        ValueError: a name is missing or unknown, or a shape differs; it is given with its path.
    """
    got, wanted = dict(leaves(tree)), dict(leaves(params))
    if got.keys() != wanted.keys():
        odd = sorted(got.keys() ^ wanted.keys())[0]
        what = "no" if odd in wanted else "an unknown"
        raise ValueError(f"{name} must have the names of params, got {what} {odd!r}")
    for path, array in wanted.items():
        if got[path].shape != array.shape:
            raise ValueError(f"{name} must have shape {array.shape} at {path!r}, got {got[path].shape}")
