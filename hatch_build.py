"""Wheels with compiled kernels: ``SEMLANG_SHIP_KERNELS="x86-64-v2 x86-64-v3 x86-64-v4" python -m build --wheel``.

Without that variable a wheel holds no machine code and is for any platform.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LEVELS = os.environ.get("SEMLANG_SHIP_KERNELS", "").split()


def platform_tag() -> str:
    """Return the tag of the platform; the code calls nothing but the C library's elementary functions."""
    tag = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return tag.replace("linux_", "manylinux2014_") if tag.startswith("linux_") else tag


class ShipKernels(BuildHookInterface[Any]):
    """Compiles the kernels and puts them into the wheel."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Return what compiling needs."""
        return ["numba>=0.61", "numpy>=2.0"] if LEVELS else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, where a wheel of its own is asked for."""
        if not LEVELS or self.target_name != "wheel" or version != "standard":
            return
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name).resolve()
        subprocess.run(
            [sys.executable, "-m", "semlang.estimation.kernels.ship", str(folder), *LEVELS],
            cwd=self.root, env={**os.environ, "PYTHONPATH": self.root}, check=True,
        )  # fmt: skip
        build_data["force_include"][str(folder)] = "semlang/estimation/kernels/compiled"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag()}"
