"""Files that are written: what they are stays what it is, and nothing is lost."""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from semlang import writing
from semlang.cli import semlang

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="modes, links and pipes are POSIX's")
UGLY, EVEN = b"f=~ x1+x2 +x3\n", b"f =~ x1 + x2 + x3\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(semlang, list(arguments))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("m.sem").write_bytes(UGLY)
    Path("fit.sem").write_text("y ~ x\n")
    rows = "\n".join(f"{(7 * i) % 11},{i % 5}" for i in range(40))
    Path("d.csv").write_text(f"y,x\n{rows}\n")
    return tmp_path


WRITERS = {
    "fmt": ("fmt", "m.sem"),
    "check --fix": ("check", "--fix", "m.sem"),
    "convert -o": ("convert", "--to", "lavaan", "fit.sem", "-o", "m.sem"),
    "fit -o": ("fit", "fit.sem", "--data", "d.csv", "--quiet", "-o", "m.sem"),
    "draw -o": ("draw", "fit.sem", "-o", "m.svg"),
}


def target(command: str) -> Path:
    """Return the file that a command writes, which exists."""
    path = Path("m.svg" if command == "draw -o" else "m.sem")
    path.write_bytes(b"f =- x1 + x2 + x3\n" if command == "check --fix" else UGLY)
    return path


@pytest.mark.parametrize("command", WRITERS)
@pytest.mark.parametrize("bits", [0o600, 0o640, 0o755])
def test_the_mode_stays(command: str, bits: int, folder: Path) -> None:
    path = target(command)
    before = path.read_bytes()
    path.chmod(bits)
    run(*WRITERS[command])
    assert path.read_bytes() != before
    assert mode(path) == bits
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]


@pytest.mark.parametrize("command", ["convert -o", "fit -o", "draw -o"])
def test_a_new_file_has_the_mode_of_the_umask(command: str, folder: Path) -> None:
    path = target(command)
    path.unlink()
    before = os.umask(0o027)
    try:
        run(*WRITERS[command])
    finally:
        os.umask(before)
    assert mode(path) == 0o640


@pytest.mark.parametrize("command", WRITERS)
def test_links_are_followed(command: str, folder: Path) -> None:
    path = target(command)
    before = path.read_bytes()
    real = folder / "elsewhere" / path.name
    real.parent.mkdir()
    path.rename(real)
    path.symlink_to(real)
    run(*WRITERS[command])
    assert path.is_symlink()
    assert real.read_bytes() != before


@pytest.mark.parametrize("command", WRITERS)
def test_all_names_of_a_file_stay_one_file(command: str, folder: Path) -> None:
    path = target(command)
    before = path.read_bytes()
    other = folder / "other"
    other.hardlink_to(path)
    run(*WRITERS[command])
    assert other.samefile(path)
    assert other.read_bytes() != before


@pytest.mark.parametrize("command", ["convert -o", "fit -o", "draw -o"])
def test_a_pipe_is_written_to(command: str, folder: Path) -> None:
    path = target(command)
    path.unlink()
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()), daemon=True)
    reader.start()
    assert run(*WRITERS[command]).exit_code == 0
    reader.join(10)
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert len(got[0]) > 10


def test_a_device_is_written_to(folder: Path) -> None:
    assert run("convert", "--to", "lavaan", "fit.sem", "-o", "/dev/null").exit_code == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize("arguments", [("fmt",), ("check", "--fix")])
def test_a_pipe_is_not_laid_out_in_place(arguments: tuple[str, ...], folder: Path) -> None:
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=lambda: pipe.write_bytes(b"f =- x1+x2 +x3\n" if "--fix" in arguments else UGLY)).start()
    done = run(*arguments, "pipe", "--json")
    assert done.exit_code == 2
    assert "unwritable-file" in [d["slug"] for d in json.loads(done.stdout)["diagnostics"]]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("wrong", ["", ".", "none/out.json", "d.csv/out.json", "loop", "nul\0l"])
def test_the_target_is_tested_before_the_fit(wrong: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from semlang.api import Model

    Path("loop").symlink_to("loop")
    monkeypatch.setattr(Model, "fit", lambda *_, **__: pytest.fail("it was fitted"))
    done = run("fit", "fit.sem", "--data", "d.csv", "-o", wrong, "--json")
    assert done.exit_code == 2
    assert [d["slug"] for d in json.loads(done.stdout)["diagnostics"]] == ["unwritable-file"]


def test_testing_the_target_leaves_no_trace(folder: Path) -> None:
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    assert writing.unwritable("new.json") is None
    assert writing.unwritable("m.sem") is None
    assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("shape", [[], ["--json"]])
def test_a_result_that_can_not_be_saved_is_shown(shape: list[str], folder: Path) -> None:
    done = run("fit", "fit.sem", "--data", "d.csv", "--quiet", "-o", "/dev/full", *shape)
    assert done.exit_code == 2
    assert "No space left" in done.stderr
    assert "y ~ x" in done.stdout
    if shape:
        answer = json.loads(done.stdout)
        assert answer["result"]["converged"] is True
        assert [d["slug"] for d in answer["diagnostics"] if d["severity"] == "error"] == ["unwritable-file"]


@pytest.mark.parametrize("names", [1, 2])
def test_a_full_disk_leaves_the_file_as_it_was(names: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "m.sem"
    if names > 1:
        (folder / "other").hardlink_to(path)
    written: list[int] = []

    class Full:
        """Fails after the first bytes."""

        def __init__(self, stream: object) -> None:
            self.stream = stream

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self.stream.close()

        def write(self, data: bytes) -> int:
            if written:
                raise OSError(28, "No space left on device")
            written.append(1)
            return self.stream.write(bytes(data[:3]))

        def truncate(self) -> None:
            self.stream.truncate()

    if names > 1:
        opened = Path.open

        def failing(path: Path, mode: str = "r", *more: object, **named: object) -> object:
            stream = opened(path, mode, *more, **named)
            return Full(stream) if mode == "r+b" else stream

        monkeypatch.setattr(Path, "open", failing)
    else:
        monkeypatch.setattr(writing, "_beside", lambda target: (_ for _ in ()).throw(OSError(28, "No space left")))
        monkeypatch.setattr(writing, "_overwrite", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    problem = writing.write_file(path, EVEN)
    monkeypatch.undo()
    assert problem is not None
    assert problem.slug == "unwritable-file"
    assert path.read_bytes() == UGLY
    assert {p.name for p in folder.iterdir()} - {"other"} == {"m.sem", "fit.sem", "d.csv"}


def test_one_file_that_can_not_be_written_does_not_stop_the_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("second.sem").write_bytes(UGLY)
    real = writing.write_file
    monkeypatch.setattr(
        "semlang.cli.mending.write_file",
        lambda path, data: writing._finding(path, "no") if Path(path).name == "m.sem" else real(path, data),
    )
    done = run("fmt", "m.sem", "second.sem", "--json")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["result"]["changed"] == ["second.sem"]
    assert Path("second.sem").read_bytes() == EVEN
