"""Tables equal lavaan's for every text that both accept."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"model_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


oracle = _module("oracle")


def test_tables_are_lavaans(shared_folder: Path) -> None:
    if not (shared_folder / "lavaan" / "accepts.jsonl").is_file():
        pytest.skip("NOT TESTED against lavaan: no lavaan/accepts.jsonl")
    texts = oracle.texts(shared_folder)
    same = [d for d in texts if d["semlang"] == "same"]
    wrong = {d["syntax"]: x for d in same if (x := oracle.difference(d)) is not None}
    assert len(same) >= 150
    assert not wrong, wrong


def test_rejected_texts_have_no_table(shared_folder: Path) -> None:
    for d in oracle.texts(shared_folder):
        if d["semlang"] == "reject":
            assert oracle.difference(d) is not None, d["syntax"]
