"""`python -m build_scripts.look [FOLDER]` writes the look's files, to build/look/ by default."""

import sys
from pathlib import Path

from build_scripts.look import write
from build_scripts.look.faces import ROOT

out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "look"
write(out)
for path in sorted(p for p in out.rglob("*") if p.is_file()):
    print(f"{path.stat().st_size:>9,}  {path.relative_to(out)}")
