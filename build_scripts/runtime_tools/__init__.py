"""Parts of `build_scripts.runtime` and `build_scripts.package_engine`: one concern a file."""
