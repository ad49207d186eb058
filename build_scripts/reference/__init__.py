"""The API reference: what the docstrings of `sim_engine` say, as pages of the book."""
