"""The cache of kernels: loaded where it is whole, compiled again and replaced where it is not."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numba import types

from semlang.estimation.kernels import cached, compiling

ROOT = Path(__file__).parents[2]
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda data: b"",
    "cut": lambda data: data[: len(data) // 2],
    "short of a byte": lambda data: data[:-1],
    "garbled": lambda data: bytes(255 - b for b in data),
    "one bit": lambda data: data[:-40] + bytes([data[-40] ^ 1]) + data[-39:],
    "a pickle": lambda data: pickle.dumps({}),
}


def twice(x: float) -> float:
    return 2.0 * x


def fresh() -> compiling.Kernel:
    """Return the kernel as a new process has it."""
    return compiling.Kernel(twice, (types.float64,), True)


def hits(kernel: compiling.Kernel) -> int:
    return sum(kernel.dispatcher.stats.cache_hits.values())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(compiling, "kernel_folder", lambda: str(tmp_path))
    assert fresh()(1.5) == 3.0
    again = fresh()
    assert again(1.5) == 3.0
    assert hits(again) == 1
    return tmp_path


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_replaced(damage: Callable[[bytes], bytes], folder: Path) -> None:
    files = [p for p in folder.rglob("*") if p.suffix in (".nbi", ".nbc")]
    assert len(files) == 2
    for file in files:
        file.write_bytes(damage(file.read_bytes()))
        kernel = fresh()
        assert kernel(1.5) == 3.0
        assert hits(kernel) == 0
        after = fresh()
        assert after(1.5) == 3.0
        assert hits(after) == 1


def test_missing_files_are_made_again(folder: Path) -> None:
    for file in folder.rglob("*.nb?"):
        file.unlink()
        assert fresh()(1.5) == 3.0
        again = fresh()
        assert again(1.5) == 3.0
        assert hits(again) == 1


def test_a_full_disk_stops_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cached, "store", full)
    assert fresh()(1.5) == 3.0


@pytest.mark.slow
def test_every_fit_is_right_whatever_happened_to_the_cache(tmp_path: Path) -> None:
    """Each file of the cache of a fit is damaged in each way, by itself for the largest and all at once."""
    model, data = tmp_path / "m.sem", tmp_path / "d.csv"
    model.write_text("y :: binomial(logit)\ny ~ x + (1 | g)\n")
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(30), 8)
    y = rng.random(240) < 1 / (1 + np.exp(-rng.normal(size=30)[g]))
    rows = "\n".join(f"{int(a)},{b:.4f},{c}" for a, b, c in zip(y, rng.normal(size=240), g, strict=True))
    data.write_text(f"y,x,g\n{rows}\n")
    environment = {**os.environ, "SEMLANG_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "semlang", "fit", str(model), "--data", str(data), "--quiet"]

    def fit() -> str:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.split("Converged")[0]

    right = fit()
    files = [p for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    assert len(files) > 10
    for damage in (DAMAGES["emptied"], DAMAGES["cut"], DAMAGES["garbled"]):
        for file in files:
            file.write_bytes(damage(file.read_bytes()))
        assert fit() == right
    for file in sorted(files, key=lambda p: -p.stat().st_size)[:4]:
        file.write_bytes(DAMAGES["garbled"](file.read_bytes()))
        assert fit() == right
