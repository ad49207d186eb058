"""Calls public names of the engine and keeps every number that comes out."""

import dataclasses
import importlib
import types
from collections.abc import Iterator, Mapping

import numpy as np

import sim_engine

KEPT = {}  # {"losses.nt_xent 3": {"/value": [..], "/grad_a": [..]}}
SEEN = set()  # public names that were called or came back


def call(name, *arguments, **settings):
    """Call `sim_engine.<name>`, keep what it returns under that name, and return it."""
    answer = _named(name)(*arguments, **settings)
    if isinstance(answer, Iterator):
        answer = list(answer)
    SEEN.add(name)
    keep(name, answer)
    return answer


def keep(name, answer):
    count = 1 + sum(key.rpartition(" ")[0] == name for key in KEPT)
    KEPT[f"{name} {count}"] = dict(_leaves(answer, ""))


def rng(seed):
    return np.random.default_rng(seed)


def views(count, d, seed):
    """Two float64 views (count, d) of the same images, rows of many lengths."""
    draws = rng(seed)
    z_a = draws.normal(size=(count, d))
    return z_a, z_a + 0.7 * draws.normal(size=(count, d))


def _named(name):
    *modules, last = name.split(".")
    return getattr(importlib.import_module(".".join(["sim_engine", *modules])), last)


def _leaves(value, path):
    """Yield (path, numbers) of every array, number and word in a result."""
    _see(type(value))
    if isinstance(value, np.ndarray | np.generic):
        yield path, np.asarray(value, float).ravel().tolist()
    elif value is None or isinstance(value, bool | int | float | str):
        yield path, [value]
    elif isinstance(value, Mapping):
        for key in sorted(value):
            yield from _leaves(value[key], f"{path}/{key}")
    elif isinstance(value, list | tuple):
        names = getattr(value, "_fields", range(len(value)))
        for key, part in zip(names, value, strict=True):
            yield from _leaves(part, f"{path}/{key}")
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _leaves(getattr(value, field.name), f"{path}/{field.name}")
    elif type(value).__module__.startswith("sim_engine."):
        for key, part in sorted(vars(value).items()):
            yield from _leaves(part, f"{path}/{key}")
    elif not isinstance(value, types.FunctionType):
        raise TypeError(f"{path}: what are the numbers of a {type(value)}?")


def _see(kind):
    """Note a class of the engine under each public name that it has."""
    if kind.__module__.startswith("sim_engine."):
        family = kind.__module__.split(".")[1]
        if getattr(_named(family), kind.__name__, None) is kind:
            SEEN.add(f"{family}.{kind.__name__}")


def public(module=sim_engine, path=""):
    """Every public name, as `losses.nt_xent`, by `__all__` alone."""
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, types.ModuleType):
            yield from public(value, f"{path}{name}.")
        else:
            yield path + name
