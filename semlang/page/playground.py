"""Write the page as a static site: Python runs in the visitor's browser, no server computes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from semlang.page.bundle import bundle
from semlang.page.files import page_files
from semlang.version import VERSION

PYODIDE = "0.27.7"
"""Version of Pyodide, a distribution of Python for browsers."""
CDN = f"https://cdn.jsdelivr.net/pyodide/v{PYODIDE}/full/"
RUNTIME = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")


class UnusableRuntime(Exception):
    """The folder does not hold the version of Pyodide that the page needs."""


def site_files(offline: Path | None = None) -> dict[str, bytes]:
    """Return the site's files by path.

    Parameters
    ----------
    offline : Path, optional
        Folder with Pyodide's files and numpy's wheel, which then are a part of the site; else visitors' browsers fetch
        them from Pyodide's own distribution, by version.

    Raises
    ------
    UnusableRuntime
        Where the folder lacks a file, or holds another version.
    """
    files = dict(page_files())
    code = bundle()
    digest = hashlib.sha256(code).hexdigest()[:16]
    files[f"semlang-{digest}.zip"] = code
    site = {"semlang": VERSION, "pyodide": CDN, "numpy": None, "code": f"semlang-{digest}.zip"}
    if offline is not None:
        runtime = _runtime(offline)
        files |= {f"pyodide/{name}": data for name, data in runtime.items()}
        site |= {"pyodide": "pyodide/", "numpy": next(n for n in runtime if n.endswith(".whl"))}
    whole = hashlib.sha256(json.dumps(site).encode())
    for name in sorted(files):
        whole.update(name.encode() + hashlib.sha256(files[name]).digest())
    site["version"] = whole.hexdigest()[:16]
    files["site.json"] = json.dumps(site).encode()
    return files


def _runtime(folder: Path) -> dict[str, bytes]:
    """Read Pyodide's files and numpy's wheel, each checked against the list that Pyodide carries."""
    missing = [name for name in RUNTIME if not (folder / name).is_file()]
    if missing:
        raise UnusableRuntime(f"{folder} lacks {', '.join(missing)} of Pyodide {PYODIDE}")
    lock = json.loads((folder / "pyodide-lock.json").read_text(encoding="utf-8"))
    found = {name: (folder / name).read_bytes() for name in RUNTIME}
    version = lock["info"]["version"]
    if version != PYODIDE:
        raise UnusableRuntime(f"{folder} holds Pyodide {version}, not {PYODIDE}")
    numpy = lock["packages"]["numpy"]
    wheel = folder / numpy["file_name"]
    if not wheel.is_file():
        raise UnusableRuntime(f"{folder} lacks {wheel.name}")
    data = wheel.read_bytes()
    if hashlib.sha256(data).hexdigest() != numpy["sha256"]:
        raise UnusableRuntime(f"{wheel} is not the file that Pyodide {PYODIDE} names: its hash differs")
    return found | {wheel.name: data}


def write_site(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files of a site into a folder, which is made where it is not there.

    Raises
    ------
    OSError
    """
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
