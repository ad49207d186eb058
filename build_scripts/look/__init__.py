"""The book's look: one file of tokens, and the CSS, faces and chart theme made from it."""

from build_scripts.look.altair_theme import altair_theme, chart_font, use_in_altair
from build_scripts.look.css import css
from build_scripts.look.faces import fonts_css, painter_fonts
from build_scripts.look.tokens import CLASSES, Tokens, color, contrast, tokens
from build_scripts.look.write import write

__all__ = [
    "CLASSES",
    "Tokens",
    "altair_theme",
    "chart_font",
    "color",
    "contrast",
    "css",
    "fonts_css",
    "painter_fonts",
    "tokens",
    "use_in_altair",
    "write",
]
