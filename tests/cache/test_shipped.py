"""Kernels that a wheel carries: chosen by the processor, used before the cache, and no harm where they do not fit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from semlang.estimation.kernels import objects, shipped
from semlang.estimation.kernels.compilation import compilation
from semlang.estimation.kernels.declaring import Kernel
from semlang.estimation.kernels.linking import machine
from semlang.estimation.kernels.ship import ship
from semlang.estimation.kernels.shipped import LEVELS, best_level

ROOT = Path(__file__).parents[2]
OF_AN_ITEM_RESPONSE_MODEL = (
    "equal_lists", "fill_tables", "forward", "reverse", "rows-binomial-logit", "sum_lines", "top_units",
)  # fmt: skip
FIT = """
import sys
from pathlib import Path

class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "numba":
            raise ImportError("numba is not here")

sys.meta_path.insert(0, Nothing())
from semlang.estimation.kernels import shipped
shipped.FOLDER = Path(sys.argv[1])
import semlang as sl
from semlang.estimation.kernels.compilation import compilation
fit = sl.read_model(sys.argv[2]).fit(threads=1)
print(repr(fit.loglik), compilation.misses, "numba" in sys.modules)
"""


def twice(x: float) -> float:
    return 2.0 * x


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the kernels of one kind of model, for any processor of this kind of machine."""
    place = tmp_path_factory.mktemp("shipped")
    assert ship(place, ["generic"], OF_AN_ITEM_RESPONSE_MODEL).is_dir()
    return place


def fitted(folder: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    model = ROOT / "examples" / "lsat" / "model.sem"
    environment = {**os.environ, "SEMLANG_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    for name in shipped.OPTIONS:
        environment.pop(name, None)
    command = [sys.executable, "-c", FIT, str(folder), str(model)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_fit_needs_no_numba_where_kernels_are_shipped(folder: Path, tmp_path: Path) -> None:
    done = fitted(folder, tmp_path)
    assert done.returncode == 0, done.stderr
    loglik, misses, imported = done.stdout.split()
    assert float(loglik) == pytest.approx(-2466.6534, abs=1e-4)  # as in tests/reference/cases/irt_lsat_2pl
    assert (misses, imported) == ("0", "False")


def test_without_them_it_would(tmp_path: Path) -> None:
    """The test above can fail."""
    done = fitted(tmp_path / "nothing", tmp_path)
    assert done.returncode != 0
    assert "numba is not here" in done.stderr


def test_the_best_level_is_taken_that_the_processor_has() -> None:
    there = set(LEVELS)
    some = {"avx": True, **dict.fromkeys(LEVELS["x86-64-v2"], True)}
    assert best_level(there, {}) in ("generic", "apple-m1")
    assert best_level(there - {"apple-m1"}, some) == "x86-64-v2"
    every = dict.fromkeys(LEVELS["x86-64-v4"], True)
    assert best_level(there - {"apple-m1"}, every) == "x86-64-v4"
    assert best_level({"generic", "x86-64-v3"}, every) == "x86-64-v3"
    assert best_level({"generic", "x86-64-v4"}, {**every, "avx512vl": False}) == "generic"
    assert best_level({"x86-64-v4", "something"}, some) == ""


def test_levels_contain_each_other() -> None:
    assert LEVELS["x86-64-v2"] < LEVELS["x86-64-v3"] < LEVELS["x86-64-v4"]
    if machine().triple.startswith("x86_64"):
        known = set(machine().features)
        assert known >= LEVELS["x86-64-v4"]  # no word of them is misspelt


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder where the code of this machine would be shipped; the cache is another."""
    for name in shipped.OPTIONS:
        monkeypatch.delenv(name, raising=False)
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setattr(objects, "kernel_folder", lambda: cache)
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    monkeypatch.setattr(objects, "shipped_folder", shipped.shipped_folder.__wrapped__)
    own = tmp_path / objects.sources_hash()[:16] / "generic"
    own.mkdir(parents=True)
    return own


def compiled() -> int:
    before = compilation.misses
    assert Kernel(twice, (float,))(1.5) == 3.0
    return compilation.misses - before


def test_what_is_shipped_is_used_before_the_cache(place: Path, tmp_path: Path) -> None:
    assert compiled() == 1
    (file,) = (tmp_path / "cache").iterdir()
    file.rename(place / file.name)
    assert compiled() == 0
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("why", ["damaged", "other sources", "no level", "own options"])
def test_what_does_not_fit_is_compiled(why: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compiled() == 1
    (file,) = (tmp_path / "cache").iterdir()
    file.rename(place / file.name)
    if why == "damaged":
        code = (place / file.name).read_bytes()
        (place / file.name).write_bytes(code[:60] + bytes([code[60] ^ 1]) + code[61:])
    elif why == "other sources":
        place.parent.rename(tmp_path / "0123456789abcdef")
    elif why == "no level":
        place.rename(place.with_name("another"))
    else:
        monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    assert compiled() == 1


def test_an_unknown_level_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x86-64-v3"):
        ship(tmp_path, ["sandybridge"])
