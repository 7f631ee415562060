"""The cache of kernels: loaded where it is whole, compiled again and replaced where it is not."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semlang.cache import store
from semlang.estimation.kernels import linking, objects
from semlang.estimation.kernels.compilation import compilation
from semlang.estimation.kernels.declaring import Kernel
from semlang.estimation.kernels.groups import Matrix, Vector

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


def double() -> Kernel:
    """Return the kernel as a new process has it."""
    return Kernel(twice, (float,))


def compiled(kernel: Kernel) -> int:
    """Return how often a call compiles."""
    before = compilation.misses
    assert kernel(1.5) == 3.0
    return compilation.misses - before


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(objects, "kernel_folder", lambda: tmp_path)
    assert compiled(double()) == 1
    assert compiled(double()) == 0
    return tmp_path


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_replaced(damage: Callable[[bytes], bytes], folder: Path) -> None:
    (file,) = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert compiled(double()) == 1
    assert compiled(double()) == 0


@pytest.mark.parametrize("code", [b"", b"\x7fELF", pickle.dumps({}), bytes(1000)], ids=["", "cut", "pickle", "zeros"])
def test_a_file_that_is_no_object_file_is_replaced(code: bytes, folder: Path) -> None:
    """Though its checksum holds."""
    (file,) = folder.iterdir()
    store(file, code)
    assert compiled(double()) == 1
    assert compiled(double()) == 0


def test_missing_files_are_made_again(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    assert compiled(double()) == 1
    assert compiled(double()) == 0


def test_code_that_calls_what_is_not_there_is_not_loaded(folder: Path) -> None:
    (file,) = folder.iterdir()
    binding = pytest.importorskip("llvmlite.binding")
    module = binding.parse_assembly(
        f"declare double @nothing_has_this_name(double)\ndefine double @{linking.ENTRY}(double %x) {{"
        " %y = call double @nothing_has_this_name(double %x)\n ret double %y }"
    )
    machine = binding.Target.from_triple(binding.get_process_triple()).create_target_machine()
    store(file, machine.emit_object(module))
    assert compiled(double()) == 1


def test_a_full_disk_stops_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in folder.iterdir():
        file.unlink()
    monkeypatch.setattr(objects, "store", lambda *_: False)
    assert compiled(double()) == 1
    assert compiled(double()) == 1


def test_a_kernel_that_needs_the_runtime_of_numba_is_refused(folder: Path) -> None:
    """Its code could not be loaded without numba."""

    def makes_an_array(n: int) -> float:
        return float(np.ones(n).sum())

    with pytest.raises(Exception, match="empty"):
        Kernel(makes_an_array, (int,))(3)


def test_arrays_are_checked(folder: Path) -> None:
    """Type, dimensions and order: machine code would read what is not there."""

    def total(x: Any) -> float:
        s = 0.0
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                s += x[i, j]
        return s

    kernel = Kernel(total, (Matrix,))
    x = np.arange(6.0).reshape(2, 3)
    assert kernel(x) == 15.0
    assert kernel(x[:0]) == 0.0
    x.flags.writeable = False
    assert kernel(x) == 15.0
    assert kernel(pickle.loads(pickle.dumps(x))) == 15.0  # its type is an object of its own
    crooked = np.frombuffer(b"0" + x.tobytes(), dtype=np.uint8)[1:].view(np.float64).reshape(2, 3)
    for wrong in (x.T, x[:, :2], x.astype(np.float32), x.astype(int), x.astype(">f8"), x.ravel(), x[None], crooked):
        with pytest.raises(TypeError, match="total: no contiguous array of float64 with 2 dimensions"):
            kernel(wrong)
    for nothing in (None, [[1.0]], "text", 3.0):
        with pytest.raises(TypeError, match="total: no array"):
            kernel(nothing)
    with pytest.raises(TypeError, match="1 arguments, not 2"):
        kernel(x, x)


def test_every_kind_of_argument_and_result_arrives(folder: Path) -> None:
    def number(a: float, b: int, c: bool, x: Any, d: bool) -> float:
        return a + 10.0 * b + (100.0 if c else 0.0) + x[1] + (1000.0 if d else 0.0)

    def count(a: float, b: int, c: bool, x: Any, d: bool) -> int:
        return b - 1 if c else b

    def truth(a: float, b: int, c: bool, x: Any, d: bool) -> bool:
        return a > 0.0 and not d

    def nothing(a: float, b: int, c: bool, x: Any, d: bool) -> None:
        x[0] = a

    kinds = (float, int, bool, Vector, bool)
    x = np.array([0.0, 0.25])
    assert Kernel(number, kinds)(0.5, -3, True, x, False) == 70.75
    assert Kernel(count, kinds)(0.5, -(2**62), True, x, False) == -(2**62) - 1
    assert Kernel(count, kinds)(np.float64(0.5), np.int64(3), np.bool_(False), x, False) == 3
    with pytest.raises(TypeError):
        Kernel(count, kinds)(0.5, 2.5, True, x, False)
    assert Kernel(truth, kinds)(0.5, 0, True, x, False) is True
    assert Kernel(truth, kinds)(0.5, 0, True, x, True) is False
    assert Kernel(nothing, kinds)(7.5, 0, True, x, True) is None
    assert x[0] == 7.5


def test_folders_of_other_versions_are_removed_when_nobody_has_used_them_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(objects, "cache_folder", lambda: tmp_path)
    days = {"kernels-0": 90, "kernels-1": 20, "grammar": 90}
    for name, age in days.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.object").write_bytes(b"")
        os.utime(tmp_path / name, (time.time() - age * objects.DAY,) * 2)
    folder = objects.kernel_folder.__wrapped__()
    assert folder is not None
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["grammar", "kernels-1", folder.name])
    os.utime(folder, (time.time() - 50 * objects.DAY,) * 2)
    assert objects.kernel_folder.__wrapped__() == folder
    assert time.time() - folder.stat().st_mtime < objects.DAY  # in use


def test_code_for_another_processor_has_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(objects, "cache_folder", lambda: tmp_path)
    find = objects.kernel_folder.__wrapped__
    here = find()
    assert find() == here
    machine = linking.Machine()
    some = next(iter(machine.features), "none")
    machine.features[some] = not machine.features.get(some, False)
    monkeypatch.setattr(objects, "machine", lambda: machine)
    assert find() != here
    monkeypatch.undo()
    monkeypatch.setattr(objects, "cache_folder", lambda: tmp_path)
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    assert find() != here


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
