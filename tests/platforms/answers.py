"""What `check` and `identify` answer on model texts, as JSON: the same on every platform.

``python answers.py FOLDER`` prints one object, path to answer. It needs semlang, numpy, lark, networkx and click.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def answer(text: str) -> dict[str, Any]:
    """Return slugs and places of findings, and the report on identification but for what is a floating number."""
    from semlang.api import Model
    from semlang.errors import SemlangError

    try:
        model = Model(text)
        found = [[d.slug, d.span.start if d.span else None] for d in model.check()]
        report = model.identify(simulate=False).to_json()  # units are simulated by compiled code
    except SemlangError as problem:
        return {"errors": sorted(d.slug for d in problem.diagnostics)}
    except Exception as problem:
        return {"raised": repr(problem)}
    kept = ("verdict", "rank", "df", "n_free", "n_moments", "unidentified", "sets", "only_if", "repairs", "counting")
    return {"findings": sorted(found, key=str), **{k: report[k] for k in kept}}


def answers(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the answers on all model texts below a folder."""
    paths = sorted(folder.rglob("*.sem"))
    return {p.relative_to(folder).as_posix(): answer(p.read_text(encoding="utf-8", errors="replace")) for p in paths}


if __name__ == "__main__":
    print(json.dumps(answers(Path(sys.argv[1])), sort_keys=True))
