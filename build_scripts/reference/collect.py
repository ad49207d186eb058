"""A Griffe extension: gives each public module of the engine what its page shows.

The page of `sim_engine.losses` lists what `losses.__all__` names, wherever it is defined, under the
name by which it is imported. Nothing is imported: Griffe reads the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import griffe

from build_scripts.reference import docstrings
from build_scripts.reference.signatures import call, is_named_tuple, parameters_of, result
from build_scripts.reference.write import Links, claim, index_line, returned_by, sections

__all__ = ["Entry", "Listing", "Reference", "entries", "modules"]


# Of the names with underscores those by which an object is used.
OPERATORS = ("__call__", "__getitem__")


@dataclass(frozen=True)
class Entry:
    """What a page shows of one name.

    Attributes:
        name: as it is written after its module, or, of a method, after its class.
        path: the address, `sim_engine.losses.nt_xent`.
        role: "function", "class", "method" or "attribute".
        signature: Python text.
        text: what is claimed, Markdown.
        sections: the labelled rest, Markdown.
        index: one line of Markdown for the list at the top.
        members: a class's documented methods.
        docstring: in parts.
        target: what Griffe found.
        givers: addresses of the functions that return a class which has no example of its own, and whose
            examples show it.
    """

    name: str
    path: str
    role: str
    signature: str
    text: str
    sections: str
    index: str
    members: tuple[Entry, ...]
    docstring: docstrings.Docstring
    target: griffe.Object
    givers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """What a module's page shows. Read when it is asked for: by then Griffe knows the dataclasses."""

    module: griffe.Module

    @cached_property
    def entries(self) -> list[Entry]:
        """The names of the module's `__all__`."""
        return entries(self.module)


class Reference(griffe.Extension):
    """Puts a `Listing` into `extra["reference"]["listing"]` of every public module of a package."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **kwargs: Any) -> None:
        """Mark the package's public modules once it has been loaded."""
        for module in modules(pkg):
            module.extra["reference"]["listing"] = Listing(module)


def modules(package: griffe.Module) -> list[griffe.Module]:
    """Return the package's public modules: its own files and folders without an underscore."""
    found = (m for name, m in sorted(package.members.items()) if not name.startswith("_"))
    return [module for module in found if isinstance(module, griffe.Module)]


def entries(module: griffe.Module) -> list[Entry]:
    """Return what `module.__all__` names: by file and line; what functions return comes last.

    A module among them stands for its own names, as `dcl.best` in `floors`.
    """
    links = Links(_known(module.package), module.path)
    givers = _givers(module.package)
    named = sorted(
        _names(module),
        key=lambda p: (_last(p[1], module), p[0].count("."), str(p[1].filepath), p[1].lineno or 0),
    )
    found = []
    for name, target in named:
        inner = name.rpartition(".")[0]
        near = replace(links, module=f"{module.path}.{inner}") if inner else links
        found.append(_entry(name, f"{module.path}.{name}", target, near, givers.get(target.path, ())))
    return found


def _exports(module: griffe.Module) -> list[str]:
    return [str(name) for name in module.exports or []]


def _names(module: griffe.Module, prefix: str = "") -> Iterator[tuple[str, griffe.Object]]:
    for name in _exports(module):
        target = _resolve(module, name)
        if isinstance(target, griffe.Module):
            yield from _names(target, f"{prefix}{name}.")
        else:
            yield prefix + name, target


def _resolve(module: griffe.Module, name: str) -> griffe.Object:
    """Return what `from module import name` gives; a file of that name must not stand before it."""
    member = module.members[name]
    if isinstance(member, griffe.Module) and name in member.members:
        member = member.members[name]
    found = member.final_target if isinstance(member, griffe.Alias) else member
    if not isinstance(found, griffe.Object):
        raise ValueError(f"{module.path}.__all__ names {name}, which is not found")
    return found


def _last(target: griffe.Object, module: griffe.Module) -> bool:
    """Whether the target is what functions return, or stands in a private file."""
    path = target.filepath
    private = not isinstance(path, list) and path.name.startswith("_") and path != module.filepath
    return private or is_named_tuple(target) or target.name.endswith(("Result", "Step"))


def _known(package: griffe.Module) -> dict[str, str]:
    """Every public address, by itself and by the address at which the thing is defined."""
    known = {}
    for module in modules(package):
        for name, target in _names(module):
            address = f"{module.path}.{name}"
            known[address] = address
            known.setdefault(target.path, address)
    return known


def _givers(package: griffe.Module) -> dict[str, tuple[str, ...]]:
    """Which functions and methods with an example return a class, by the address where that is defined."""
    found: dict[str, dict[str, None]] = {}
    for module in modules(package):
        for name, target in _names(module):
            whole = f"{module.path}.{name}"
            methods = [(f"{whole}.{m.name}", m, f".{m.name}(") for m in _documented(target)]
            for address, function, called in [(whole, target, target.name), *methods]:
                # A method may be shown by the example of its class.
                shown = _said(function).section("Examples") or _said(target).section("Examples")
                if shown is None or called not in shown.text:
                    continue
                for path in _returned(function):
                    found.setdefault(path, {})[address] = None
    return {path: tuple(addresses) for path, addresses in found.items()}


def _returned(function: griffe.Object) -> list[str]:
    """Return the addresses of all classes in the annotation of what a function returns."""
    expression = result(function) if isinstance(function, griffe.Function) else None
    if expression is None or isinstance(expression, str):
        return []
    return [p.canonical_path for p in expression.iterate(flat=True) if isinstance(p, griffe.ExprName)]


def _entry(name: str, path: str, target: griffe.Object, links: Links, givers: tuple[str, ...] = ()) -> Entry:
    said = _said(target)
    own = {p.name for p in parameters_of(target)} | {name, target.name, *target.members}
    within = links.without(own)
    role = {griffe.Kind.CLASS: "class", griffe.Kind.FUNCTION: "function"}.get(target.kind, "attribute")
    if role == "function" and target.parent is not None and target.parent.is_class:
        role = "method"
    if role != "class" or said.section("Examples"):
        givers = ()
    members = tuple(
        _entry(member.name, f"{path}.{member.name}", member, within) for member in _documented(target)
    )
    parts = (sections(said, result(target), within), returned_by(givers, links))
    return Entry(
        name=name,
        path=path,
        role=role,
        signature="" if role == "attribute" else call(name, target),
        text=claim(said, within),
        sections="\n\n".join(part for part in parts if part),
        index=index_line(name, path, said),
        members=members,
        docstring=said,
        target=target,
        givers=givers,
    )


def _said(target: griffe.Object) -> docstrings.Docstring:
    if target.docstring is None:
        return docstrings.Docstring()
    try:
        return docstrings.read(target.docstring.value)
    except ValueError as error:
        raise ValueError(f"{target.filepath}:{target.docstring.lineno}: {error}") from None


def _documented(target: griffe.Object) -> Iterator[griffe.Object]:
    """Yield a class's own methods and properties that have a docstring, in their order."""
    if not isinstance(target, griffe.Class):
        return
    for name, member in target.members.items():
        if isinstance(member, griffe.Object) and member.docstring and (name[0] != "_" or name in OPERATORS):
            yield member
