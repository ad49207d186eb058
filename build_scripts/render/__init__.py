"""Sims to static pages: load, check, paint, bake, write. `build_scripts.render_sims` is the door."""
