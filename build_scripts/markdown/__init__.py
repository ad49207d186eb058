"""The authoring syntax: a Python-Markdown extension that needs no particular site generator."""

from build_scripts.markdown.book import Book, Sim
from build_scripts.markdown.errors import Problem, SyntaxProblem
from build_scripts.markdown.extension import AuthoringExtension
from build_scripts.markdown.source import Source

__all__ = ["AuthoringExtension", "Book", "Problem", "Sim", "Source", "SyntaxProblem"]
