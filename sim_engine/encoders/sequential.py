"""Sequential: layers one after another, and the chain rule through them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from sim_engine._check import Array
from sim_engine._tree import Tree, branch
from sim_engine.encoders._layer import Backward, Forward, Layer


class Sequential:
    r"""Named layers, each fed with what the one before returns; it is a layer itself.

    $$y = f_L(\dots f_2(f_1(x))), \qquad
    \partial x = J_1^\top J_2^\top \cdots J_L^\top\,\partial y$$

    with $J_l$ the Jacobian of layer l where its input was.

    Parameters and statistics: those of the layers, under the layers' names; a layer that has none
    has no entry.

    Args:
        layers: name to layer, in order, at least one.

    Raises:
        ValueError: layers is no mapping of names to layers, or there is none.

    Source:
        Derived here: the chain rule; the same networks of torch's layers in the tests.

    Examples:
        >>> from sim_engine.encoders import Linear, Relu
        >>> network = Sequential({"first": Linear(3, 4), "relu": Relu(), "last": Linear(4, 2)})
        >>> params, state = network.init(np.random.default_rng(0))
        >>> sorted(params), network.forward(params, state, np.ones((5, 3), np.float32)).y.shape
        (['first', 'last'], (5, 2))
    """

    def __init__(self, layers: Mapping[str, Layer]) -> None:
        if not isinstance(layers, Mapping):
            raise ValueError(f"layers must map names to layers, got {type(layers).__name__}")
        if not layers:
            raise ValueError("layers must hold at least one layer, got none")
        self.layers = dict(layers)

    def __repr__(self) -> str:
        return f"Sequential({self.layers!r})"

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> tuple[Tree, Tree]:
        """Return every layer's first parameters and statistics, drawn in the layers' order.

        Raises:
            ValueError: as the layers.
        """
        drawn = {name: layer.init(rng, dtype) for name, layer in self.layers.items()}
        params = {name: params for name, (params, _) in drawn.items() if params}
        return params, {name: state for name, (_, state) in drawn.items() if state}

    def forward(self, params: Tree, state: Tree, x: Array, *, training: bool = True) -> Forward:
        """Return what the last layer returns, of x for the first.

        Raises:
            ValueError: as the layers, after the name of the one concerned.
        """
        after: dict[str, Tree] = {}
        caches: dict[str, Any] = {}
        for name, layer in self.layers.items():
            try:
                x, kept, caches[name] = layer.forward(
                    branch(params, name), branch(state, name), x, training=training
                )
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            if kept:
                after[name] = kept
        return Forward(x, after, caches)

    def backward(self, grad_y: Array, cache: Any, *, to_input: bool = True) -> Backward:
        """Return gradients in x and in every layer's parameters, of one in the output.

        Raises:
            ValueError: as the layers, after the name of the one concerned; the gradient in the output
                is what the last one is given.
        """
        grads: dict[str, Tree] = {}
        first = next(iter(self.layers))
        grad_x: Array | None = None
        for name, layer in reversed(self.layers.items()):
            try:
                grad_x, own = layer.backward(grad_y, cache[name], to_input=to_input or name != first)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
            if own:
                grads[name] = own
            if grad_x is not None:  # it is None at the first layer alone
                grad_y = grad_x
        return Backward(grad_x if to_input else None, {name: grads[name] for name in reversed(grads)})
