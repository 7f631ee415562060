"""Memory of whole fits beside the data: bytes a row and what does not grow with the rows, of every kind of model.

Each fit is one of a process of its own, after one of 1,000 rows that imports and loads what there is; the highest point
of what the process holds (Linux: VmHWM, set back before the fit) at two sizes gives the slope and what is left at none.
What must hold is 3 times the data and 100 MB above the imports.
"""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the highest point is read from /proc"),
]

SIZES = 5_000, 20_000
SCRIPT = Path(__file__).with_name("memory_kinds.py")
KINDS = tuple(runpy.run_path(str(SCRIPT))["KINDS"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_takes_little_beside_its_data(kind: str) -> None:
    found = []
    for rows in SIZES:
        out = subprocess.run(
            [sys.executable, str(SCRIPT), kind, str(rows)], capture_output=True, text=True, check=True, timeout=900
        ).stdout.split()
        found.append([float(number) for number in out])
    peak, (more_data, more_peak, more_scores) = found[0][1], found[1]
    steps = SIZES[1] - SIZES[0]
    slope = (more_peak - peak) / steps
    must = 3.0 * more_data + 1e8
    print(
        f"\n{kind}: {slope:.0f} bytes a row and {(peak - slope * SIZES[0]) / 1e6:.0f} MB; {SIZES[1]} rows of "
        f"{more_data / SIZES[1]:.0f} bytes take {more_peak / 1e6:.0f} MB, must {must / 1e6:.0f}; "
        f"with scores or predictions {more_scores / 1e6:.0f} MB"
    )
    assert more_peak < must
