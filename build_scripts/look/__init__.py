"""The book's look: one file of tokens, and the CSS, faces and chart theme made from it."""

from build_scripts.look.tokens import CLASSES, Tokens, color, contrast, tokens

__all__ = ["CLASSES", "Tokens", "color", "contrast", "tokens"]
