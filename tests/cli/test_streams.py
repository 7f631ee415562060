"""Streams that end, fill up or are closed, and the key that stops: a word, never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import semlang.cli as cli

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
PROGRAM = [sys.executable, "-m", "semlang"]
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "m.sem"
    path.write_text("f =~ x1 + x2 + x3\n")
    return path


@FULL
@pytest.mark.parametrize("arguments", [["table"], ["fmt"], ["check", "--json"], ["explain"]])
def test_a_full_disk_behind_standard_output(arguments: list[str], model: Path) -> None:
    source = ["-"] if arguments == ["fmt"] else [str(model)]
    with Path("/dev/full").open("w") as full, model.open() as text:
        done = subprocess.run(
            [*PROGRAM, *arguments, *source], stdin=text, stdout=full, stderr=subprocess.PIPE, text=True,
            env=ENVIRONMENT, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["semlang: the output can't be written: No space left on device"]


@FULL
def test_both_streams_full(model: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*PROGRAM, "table", str(model)], stdout=full, stderr=full, env=ENVIRONMENT, check=False)
    assert done.returncode == 2


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell closes the streams")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str, model: Path) -> None:
    words = f"'{sys.executable}' -m semlang check '{model}' {closed}"
    assert subprocess.run(["sh", "-c", words], env=ENVIRONMENT, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.6])
def test_stopping_shows_no_traceback(seconds: float, tmp_path: Path) -> None:
    """While it is importing, or waiting for standard input."""
    with subprocess.Popen(
        [*PROGRAM, "check", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=ENVIRONMENT, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # background jobs ignore it
    ) as process:  # fmt: skip
        started = time.monotonic()
        while not _python_is_up(process.pid) and time.monotonic() - started < 10:
            time.sleep(0.01)
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
    assert process.returncode in (130, -signal.SIGINT)
    assert b"bug" not in error
    assert b"semlang" not in error


def test_what_processes_shared_is_given_back() -> None:
    """The process is left at once, and semaphores of workers that were interrupted are unlinked nevertheless."""
    script = (
        "import multiprocessing, semlang.cli\n"
        "from semlang.__main__ import main\n"
        "shared = []\n"
        "def run():\n"
        "    shared.append(multiprocessing.get_context('spawn').Lock())\n"
        "    raise KeyboardInterrupt\n"
        "semlang.cli.main = run\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 130
    assert done.stderr.decode() == "stopped\n"


def _python_is_up(pid: int) -> bool:
    """Whether the interpreter has gone so far as to open the package."""
    maps = Path(f"/proc/{pid}/maps")
    return not maps.exists() or "_bisect" in maps.read_text() or "_json" in maps.read_text()


@pytest.mark.parametrize(
    ("raised", "status", "words"),
    [
        (KeyboardInterrupt(), 130, "stopped"),
        (EOFError("ran out"), 70, "this is a bug in semlang"),
        (OSError(28, "No space left on device"), 2, "No space left on device"),
        (OSError(2, "No such file", "x"), 70, "this is a bug in semlang"),
        (BrokenPipeError(), 0, ""),
        (ZeroDivisionError("x"), 70, "ZeroDivisionError: x"),
    ],
)
def test_what_is_said_of_what_goes_wrong(
    raised: BaseException, status: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise raised

    monkeypatch.setattr(cli, "_silence", lambda: None)
    monkeypatch.setattr(cli.Commands, "get_command", fail)
    assert cli._status(["check", "x"]) == status
    assert words in capsys.readouterr().err
