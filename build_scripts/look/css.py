"""`tokens.css`: the tokens as custom properties, light and dark."""

from __future__ import annotations

from collections.abc import Mapping

from build_scripts.look.fallback import FALLBACKS
from build_scripts.look.tokens import tokens

__all__ = ["css"]

# The book's pages carry Material's attribute, the sims ours.
LIGHT = '[data-theme="light"], [data-md-color-scheme="default"]'
DARK = '[data-theme="dark"], [data-md-color-scheme="slate"]'
AUTO = ':root:not([data-theme]), :root[data-theme="auto"]'


def css() -> str:
    """Return the custom properties: `--ink`, `--class-0`, `--font-text`, `--size-measure`, `--motion-calm`.

    A page is light unless `data-theme="dark"` stands on it or an element around it, or unless it
    has no `data-theme` (or "auto") and the reader's system is dark. Print is always light.
    """
    book = tokens()
    light = _rule("color-scheme: light", book.light)
    dark = _rule("color-scheme: dark", book.dark)
    fixed = {f"font-{n}": _with_fallback(v) for n, v in book.font.items()}
    fixed |= {f"size-{n}": f"{v}px" if isinstance(v, int) else v for n, v in book.size.items()}
    fixed |= {f"motion-{n}": v for n, v in book.motion.items()}
    return (
        f":root {{ {_properties(fixed)} }}\n"
        f":root, {LIGHT} {{ {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ {AUTO} {{ {dark} }} }}\n"
        f"@media screen {{ {DARK} {{ {dark} }} }}\n"
    )


def _rule(first: str, values: Mapping[str, str]) -> str:
    return f"{first}; {_properties(values)}"


def _properties(values: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in values.items())


def _with_fallback(stack: str) -> str:
    """Put the metric-adjusted local face behind the book's own, so that the swap moves nothing."""
    faces = stack.split(", ")
    at = [i for i, face in enumerate(faces) if face.strip("'") in FALLBACKS]
    if at:
        faces.insert(at[0] + 1, f"'{faces[at[0]].strip(chr(39))} Fallback'")
    return ", ".join(faces)
