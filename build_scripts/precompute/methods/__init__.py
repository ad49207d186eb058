"""The methods behind one interface: `build(name, encoder=..., d=...)`; one file each."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from build_scripts.precompute import models
from build_scripts.precompute.methods.barlow_twins import BarlowTwins
from build_scripts.precompute.methods.base import Method, here_alone
from build_scripts.precompute.methods.byol import BYOL
from build_scripts.precompute.methods.clip import CLIP
from build_scripts.precompute.methods.moco import MoCo
from build_scripts.precompute.methods.random import Random
from build_scripts.precompute.methods.simclr import SimCLR
from build_scripts.precompute.methods.simsiam import SimSiam
from build_scripts.precompute.methods.supcon import SupCon
from build_scripts.precompute.methods.supervised import Supervised
from build_scripts.precompute.methods.vicreg import VICReg

__all__ = ["NAMES", "Method", "build", "here_alone", "options"]

_METHODS: dict[str, type[Method]] = {
    "simclr": SimCLR,
    "supcon": SupCon,
    "moco": MoCo,
    "byol": BYOL,
    "simsiam": SimSiam,
    "barlow_twins": BarlowTwins,
    "vicreg": VICReg,
    "clip": CLIP,
    "supervised": Supervised,
    "random": Random,
}
NAMES = tuple(_METHODS)

# Given to `build` by name, or made by it.
_OWN = {"encoder", "head", "d", "tau", "second_head"}


def options(name: str) -> tuple[str, ...]:
    """Return the options that `build` takes for a method, besides those that all have.

    Raises:
        ValueError: no such method.
    """
    if name not in _METHODS:
        raise ValueError(f"there is no method {name!r}; there are: {', '.join(NAMES)}")
    known = [option for option in _parameters(name) if option not in _OWN]
    return (*known, "predictor_hidden") if "predictor" in known else tuple(known)


def build(
    name: str,
    *,
    encoder: nn.Module,
    d: int,
    head: str = "nonlinear",
    hidden: int | None = None,
    tau: float | None = None,
    **given: Any,
) -> Method:
    """Return a method by name, with first weights from torch's global generator.

    Args:
        name: one of `NAMES`.
        encoder: (n, C, H, W) to h (n, encoder.features).
        d: length of z.
        head: "none", "linear" or "nonlinear", from h to z.
        hidden: width of the head's hidden layer; None: as wide as h.
        tau: temperature, > 0; None: the method's own. Methods without a temperature do not use it.
        given: the method's own options, see `options`. "predictor" (BYOL, SimSiam) is True or False,
            "predictor_hidden" the width of its hidden layer (None: d / 4, at least 4), "second" (CLIP)
            another encoder, which gets a head like the first's, and "classes" (supervised) must be given.

    Raises:
        ValueError: no such method, an option that it does not take or that it lacks, or a value out of
            range.
    """
    known = options(name)
    unknown = sorted(set(given) - set(known))
    if unknown:
        wanted = ", ".join(known) if known else "none"
        raise ValueError(f"{name} takes no option {', '.join(unknown)}; its options are: {wanted}")
    parameters = _parameters(name)
    if tau is not None:
        if isinstance(tau, bool) or not isinstance(tau, int | float) or not 0 < tau < float("inf"):
            raise ValueError(f"tau must be a finite number > 0, got {tau!r}")
        if "tau" in parameters:
            given["tau"] = float(tau)
    missing = [
        option for option in known if option in parameters and _needed(parameters[option], option, given)
    ]
    if missing:
        raise ValueError(f"{name} needs the option {', '.join(missing)}")
    if "d" in parameters:
        given["d"] = d
    if "predictor" in parameters:
        width = given.pop("predictor_hidden", None)
        width = max(4, d // 4) if width is None else width
        given["predictor"] = models.predictor(d, width) if _switch(given, "predictor") else None
    projection = _head(encoder, head, d, hidden)
    second = given.get("second")
    if second is not None:
        given["second_head"] = _head(second, head, d, hidden)
    return _METHODS[name](encoder, projection, **given)


def _head(encoder: nn.Module, kind: str, d: int, hidden: int | None) -> nn.Module:
    features = getattr(encoder, "features", None)
    if type(features) is not int:
        raise ValueError(f"encoder must say the length of h as `features`, got {features!r}")
    return models.head(kind, features, d, hidden)


def _parameters(name: str) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(_METHODS[name]).parameters


def _needed(parameter: inspect.Parameter, option: str, given: Mapping[str, Any]) -> bool:
    # The predictor is made here unless it is switched off.
    return option != "predictor" and parameter.default is parameter.empty and option not in given


def _switch(given: Mapping[str, Any], option: str) -> bool:
    value = given.get(option, True)
    if not isinstance(value, bool):
        raise ValueError(f"{option} must be True or False, got {value!r}")
    return value
