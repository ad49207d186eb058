"""Recipes that train, measure and export the book's recorded data (`python -m build_scripts.precompute`)."""
