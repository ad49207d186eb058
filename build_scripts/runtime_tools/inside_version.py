"""Runs in the browser's Python: print its version."""

import platform

print(platform.python_version())
