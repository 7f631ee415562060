"""Fixtures of all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Return the folder of reference results, which is no part of this repository; skip where it is not there.

    It is ``../shared`` beside the checkout, or what ``SEMLANG_SHARED`` names.
    """
    folder = Path(os.environ.get("SEMLANG_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip(f"NOT TESTED against reference results: there is no folder {folder} (set SEMLANG_SHARED)")
    return folder
