"""The static site: its files, its archive of the compiler, its links; a browser opens it in a slow test."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from semlang.cli import semlang
from semlang.page.analyse import analyse
from semlang.page.files import BUILT, gallery
from semlang.page.full_fit import full_fit
from semlang.page.link import packed, unpacked
from semlang.page.playground import CDN, PYODIDE, RUNTIME

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = CliRunner().invoke(semlang, ["playground", str(folder), "--json"])
    assert done.exit_code == 0
    assert sorted(json.loads(done.stdout)["result"]["files"]) == sorted(
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()
    )
    return folder


def test_python_comes_by_version_from_its_own_distribution(site: Path) -> None:
    about = json.loads((site / "site.json").read_text())
    assert about["pyodide"] == CDN
    assert PYODIDE in CDN
    assert (site / about["code"]).is_file()
    assert (site / "licences.txt").read_text().count("(MIT)") >= 9


def test_the_archive_answers_without_what_a_browser_lacks(site: Path, tmp_path: Path) -> None:
    """No pandas, scipy, numba, click: the answer is the same, a fit too."""
    about = json.loads((site / "site.json").read_text())
    with zipfile.ZipFile(io.BytesIO((site / about["code"]).read_bytes())) as archive:
        archive.extractall(tmp_path)
    model = next(m for m in gallery() if m["name"] == "mimic")
    csv = (site / "gallery" / model["data"]).read_text()
    code = """
import sys
class Lacking:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("scipy", "pandas", "numba", "click", "graphviz", "pygraphviz", "matplotlib"):
            raise ImportError(name)
sys.meta_path.insert(0, Lacking())
import json
from semlang.page.answering import answer
asked = json.load(sys.stdin)
key = json.loads(answer(json.dumps({"what": "data", "name": "d.csv", "csv": asked["csv"]})))["key"]
more = {"data": key, "values": {}}
parts = [{"what": w, "text": asked["text"], **more} for w in ("analyse", "fit", "draw", "implied")]
parts.append({"what": "compare", "a": asked["text"], "b": asked["text"]})
import semlang
print(json.dumps([semlang.__file__, *(json.loads(answer(json.dumps(p))) for p in parts)]))
"""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps({"text": 'data: "elsewhere.csv"\n' + model["text"], "csv": csv}),
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    where, answer, fitted, drawn, implied, compared = json.loads(done.stdout)
    assert Path(where).is_relative_to(tmp_path)
    assert answer["identification"] == json.loads(json.dumps(analyse(model["text"])))["identification"]
    assert fitted["fit"]["converged"]
    assert drawn["diagram"] == answer["diagram"]
    assert implied["moments"]["names"] == ["x1", "x2", "x3", "x4"]
    assert compared["relation"] == "equivalent"


def test_a_folder_for_offline_use_is_checked(tmp_path: Path) -> None:
    def written(*arguments: str) -> Any:
        return CliRunner().invoke(semlang, ["playground", str(tmp_path / "out"), *arguments])

    done = written("--offline", str(tmp_path))
    assert done.exit_code == 2
    assert "lacks pyodide.mjs" in done.stderr
    for name in RUNTIME:
        (tmp_path / name).write_bytes(b"x")
    numpy = {"file_name": "numpy.whl", "sha256": hashlib.sha256(b"good").hexdigest()}
    lock = {"info": {"version": "0.1"}, "packages": {"numpy": numpy}}
    (tmp_path / "pyodide-lock.json").write_text(json.dumps(lock))
    assert "0.1, not" in written("--offline", str(tmp_path)).stderr
    lock["info"] = {"version": PYODIDE}
    (tmp_path / "pyodide-lock.json").write_text(json.dumps(lock))
    (tmp_path / "numpy.whl").write_bytes(b"bad")
    assert "its hash differs" in written("--offline", str(tmp_path)).stderr
    (tmp_path / "numpy.whl").write_bytes(b"good")
    assert written("--offline", str(tmp_path)).exit_code == 0
    assert json.loads((tmp_path / "out" / "site.json").read_text())["numpy"] == "numpy.whl"


def test_a_site_is_the_same_every_time(site: Path, tmp_path: Path) -> None:
    CliRunner().invoke(semlang, ["playground", str(tmp_path)])
    assert (site / "site.json").read_bytes() == (tmp_path / "site.json").read_bytes()


@pytest.mark.parametrize("text", ["", "f =~ x1 + x2", "# ü 😀\n", "y ~ x\n" * 5_000])
def test_links(text: str) -> None:
    assert unpacked(packed(text)) == text
    assert set(packed(text)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize("fragment", ["%", "AAAA", packed("f =~ x1 + x2 + x3")[:-4], packed("x" * 10_000_000)])
def test_cut_links_and_bombs_hold_no_text(fragment: str) -> None:
    assert unpacked(fragment) is None


def test_the_gallery_is_as_it_should_be() -> None:
    models = gallery()
    assert len(models) >= 40
    assert len({m["name"] for m in models}) == len(models)
    for m in models:
        answer = analyse(m["text"])
        assert answer["ok"], m["name"]
        assert answer["findings"] == [], m["name"]
        assert answer["identification"]["verdict"] == "identified"


def test_the_page_is_built_from_its_sources() -> None:
    """``npm ci && npm run build`` in `semlang/page/web` was not forgotten; the bundle makes no code from text."""
    web = BUILT.parent
    names = sorted([*(f"src/{p.name}" for p in (web / "src").iterdir()), "style.css", "index.html", "package-lock.json",
                    "build.mjs"])  # fmt: skip
    grammar = HERE.parents[1] / "grammar" / "codemirror" / "semlang.js"
    whole = b"".join(p.read_bytes() for p in (*(web / name for name in names), grammar))
    assert (BUILT / "sources.txt").read_text().strip() == hashlib.sha256(whole).hexdigest()
    script = (BUILT / "page.js").read_text(encoding="utf-8")
    assert not [word for word in ("eval(", "new Function(") if word in script]


# ------------------------------------------------------------------ a browser


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def browse(task: str, folder: Path) -> dict[str, Any]:
    """Return what a headless Chromium shows of the site; skip where there is none.

    ``SEMLANG_PAGE_TEST`` names a folder with ``node_modules`` (``npm install puppeteer-core axe-core``) and a folder
    ``offline`` with Pyodide's files and numpy's wheel (as for ``semlang playground --offline``).
    """
    given, node, chromium = os.environ.get("SEMLANG_PAGE_TEST", ""), shutil.which("node"), shutil.which("chromium")
    if not given or node is None or chromium is None:
        pytest.skip("NOT TESTED in a browser: it needs node, chromium and SEMLANG_PAGE_TEST as this file says")
    done = CliRunner().invoke(semlang, ["playground", str(folder), "--offline", str(Path(given) / "offline")])
    assert done.exit_code == 0, done.stderr
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    command = [node, str(HERE / "browser.mjs"), str(Path(given) / "node_modules"), chromium, address, task]
    try:
        done2 = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    finally:
        server.shutdown()
        server.server_close()
    assert done2.returncode == 0, done2.stderr[-2000:]
    out: dict[str, Any] = json.loads(done2.stdout)
    assert "problem" not in out, out
    assert out["elsewhere"] == []
    return out


@pytest.mark.slow
def test_a_visit(tmp_path: Path) -> None:
    out = browse("visit", tmp_path)
    assert out["opened"]
    assert out["link"] < 200
    assert out["wrong"] == ["unknown-operator"]
    assert out["squiggles"] == 1
    assert out["mended"] == "f =~ x1 + x2 + x3"
    assert out["marked"] == ["x2"]
    assert out["cells"] == ["f=~x2"]
    assert (out["katex"], out["katexErrors"]) == (2, 0)
    assert out["terms"] == 1
    assert out["moved"]
    assert out["drawn"] == "f =~ y1\n"
    assert out["relation"] == "a nested in b"
    lines = out["moved_to"]["text"].splitlines()
    x, y = out["moved_to"]["place"]
    assert [n for n in lines if n.startswith("layout")] == [f"layout: at(f, {x:.0f}, {y:.0f})"]
    assert out["moved_to"]["ok"]
    assert len(out["sets"]) >= 4
    assert set(out["listed"]) == {"0"}
    assert out["lesson"] == ["Not yet: the answer lacks y ~ z.", "Right: the same rows."]
    assert "x3 measures f, free" in out["back"]
    assert out["offline"]
    assert out["console"] == []


@pytest.mark.slow
def test_waiting(tmp_path: Path) -> None:
    """Milliseconds on an idle machine: what was waited, by how many times longer a fixed loop took than it computed."""
    shown = browse("timing", tmp_path)["shown"]
    idle = {name: sorted(ms / load for ms, load in shown[name]) for name in ("warm", "keys")}
    assert idle["warm"][1] < 5_000, shown
    assert idle["keys"][5] < 300, shown


def routed(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer without the bends of its arrows: of two ways that cost the same, rounding may choose."""
    for diagram in answer["diagram"]:
        for edge in diagram["edges"]:
            edge["path"] = edge["label"] = None
    return answer


@pytest.mark.slow
def test_the_gallery_in_a_browser(tmp_path: Path) -> None:
    """Each model typed letter by letter shows what the command line says; fits are those of the program."""
    from semlang.data.sheet import read_sheet
    from semlang.page.fitting import fit_here
    from semlang.source import Source

    out = browse("gallery", tmp_path)
    models = gallery()
    assert out["console"] == []
    assert set(out["shown"]) == {m["name"] for m in models}
    fitted = 0
    for m in models:
        shown = out["shown"][m["name"]]
        expected = json.loads(json.dumps(analyse(m["text"])))
        assert routed(shown["typed"]["answer"]) == routed(expected), m["name"]
        assert shown["typed"]["verdict"] == "identified"
        assert shown["typed"]["nodes"] == sum(len(d["nodes"]) for d in shown["typed"]["answer"]["diagram"])
        if shown["fit"]["fit"] is None:
            assert [f["slug"] for f in shown["fit"]["findings"]] == ["not-here"]
            continue
        fitted += 1
        csv = (tmp_path / "gallery" / m["data"]).read_text()
        sheet = read_sheet(m["data"], csv)
        native = fit_here(Source(m["text"]), sheet, csv)["fit"]
        assert shown["fit"]["fit"]["loglik"] == pytest.approx(native["loglik"], abs=1e-6)
        if native["method"].endswith("closed form"):
            full = full_fit(Source(m["text"]), sheet, csv)["fit"]
            assert shown["fit"]["fit"]["loglik"] == pytest.approx(full["loglik"], abs=1e-6)
    assert fitted >= 25


@pytest.mark.slow
def test_looks(tmp_path: Path) -> None:
    """No serious fault of accessibility in light, dark and on a phone; nothing wider than the phone."""
    out = browse("looks", tmp_path)
    for name in ("wide", "dark", "phone"):
        assert [v for v in out["shown"][name] if v["impact"] in ("serious", "critical")] == []
    assert out["shown"]["phone-overflow"] <= 0
