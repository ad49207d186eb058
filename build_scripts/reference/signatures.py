"""A call as Python writes it, one parameter a line where it is long."""

from __future__ import annotations

import griffe

__all__ = ["call", "is_named_tuple", "parameters_of", "result"]

# So many letters of code fit the narrowest phone without scrolling.
LINE = 40


def call(name: str, target: griffe.Object) -> str:
    """Return `name(a: T, *, b: U = 1) -> V`; of a class the call that makes one, or its bases."""
    if isinstance(target, griffe.Class) and not parameters_of(target):
        return f"class {name}({', '.join(str(b) for b in target.bases)})" if target.bases else f"class {name}"
    pieces = _pieces(parameters_of(target))
    annotation = result(target)
    ending = f" -> {annotation}" if annotation else ""
    line = f"{name}({', '.join(pieces)}){ending}"
    if len(line) <= LINE or not pieces:
        return line
    return "\n".join([f"{name}(", *(f"    {piece}," for piece in pieces), f"){ending}"])


def parameters_of(target: griffe.Object) -> list[griffe.Parameter]:
    """Return the parameters of a function, or those that make a class: its fields, where it is a tuple."""
    if isinstance(target, griffe.Function):
        found = list(target.parameters)
        is_method = target.parent is not None and target.parent.is_class
        return found[1:] if is_method and "staticmethod" not in target.labels else found
    if not isinstance(target, griffe.Class):
        return []
    if is_named_tuple(target):
        return [
            griffe.Parameter(a.name, annotation=a.annotation, default=a.value)
            for a in target.members.values()
            if isinstance(a, griffe.Attribute) and "property" not in a.labels and a.annotation is not None
        ]
    return list(target.parameters)[1:]


def is_named_tuple(target: griffe.Object) -> bool:
    """Whether the target is a class of `NamedTuple`'s kind."""
    bases = target.bases if isinstance(target, griffe.Class) else []
    return any(str(base).rpartition(".")[2] == "NamedTuple" for base in bases)


def result(target: griffe.Object) -> griffe.Expr | str | None:
    """Return the annotation of what a function returns or a property holds; None where that is nothing."""
    if not isinstance(target, griffe.Function | griffe.Attribute):
        return None
    annotation = target.annotation
    return None if annotation is None or str(annotation) == "None" else annotation


def _pieces(parameters: list[griffe.Parameter]) -> list[str]:
    pieces: list[str] = []
    kinds = griffe.ParameterKind
    open_to_place = True
    for i, p in enumerate(parameters):
        star = {kinds.var_positional: "*", kinds.var_keyword: "**"}.get(
            p.kind or kinds.positional_or_keyword, ""
        )
        if p.kind is kinds.keyword_only and open_to_place:
            pieces.append("*")
            open_to_place = False
        if p.kind is kinds.var_positional:
            open_to_place = False
        text = star + p.name
        if p.annotation is not None:
            text += f": {p.annotation}"
        if p.default is not None and not star:
            text += f" = {p.default}" if p.annotation is not None else f"={p.default}"
        pieces.append(text)
        following = parameters[i + 1].kind if i + 1 < len(parameters) else None
        if p.kind is kinds.positional_only and following is not kinds.positional_only:
            pieces.append("/")
    return pieces
