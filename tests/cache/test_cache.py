"""The cache: where it may lie, whose files are read, and that damage does no harm."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from semlang import cache

ROOT = Path(__file__).parents[2]
POSIX = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="owners and modes are POSIX's")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of ours that holds the cache; nothing else says where it is."""
    for name in ("SEMLANG_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_default_is_in_the_users_cache_folder(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache.cache_folder() == own / ".cache" / "semlang"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache.cache_folder() == own / "Library" / "Caches" / "semlang"


@pytest.mark.parametrize("value", ["", ".", "here", "../x", "~/x"])
@pytest.mark.parametrize("variable", ["SEMLANG_CACHE_DIR", "XDG_CACHE_HOME"])
def test_paths_that_are_not_absolute_do_not_count(
    variable: str, value: str, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv(variable, value)
    assert cache.cache_folder() == own / ".cache" / "semlang"


def test_given_folders_win(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(own / "xdg"))
    assert cache.cache_folder() == own / "xdg" / "semlang"
    monkeypatch.setenv("SEMLANG_CACHE_DIR", str(own / "chosen"))
    assert cache.cache_folder() == own / "chosen"
    assert (own / "chosen").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("home", ["", "relative", None])
def test_without_a_home_there_is_no_cache_in_the_current_folder(
    home: str | None, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor an exception where the user is in no list of users."""
    if home is None:
        monkeypatch.delenv("HOME")
        monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    else:
        monkeypatch.setenv("HOME", home)
    folder = cache._chosen()
    assert folder is None or (folder.is_absolute() and not folder.is_relative_to(own))
    assert home != "relative" or folder is None


@POSIX
@pytest.mark.parametrize("mode", [0o777, 0o722, 0o702])
def test_a_folder_that_others_can_write_is_not_used(mode: int, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = own / "open"
    folder.mkdir()
    folder.chmod(mode)
    monkeypatch.setenv("SEMLANG_CACHE_DIR", str(folder))
    monkeypatch.setattr(cache, "_private", lambda group: False)
    assert cache.cache_folder() is None
    assert "other users" in cache.unusable()


@POSIX
def test_nor_one_inside_of_it_unless_that_is_sticky(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    above = own / "above"
    above.mkdir()
    monkeypatch.setenv("SEMLANG_CACHE_DIR", str(above / "mine"))
    above.chmod(0o777)
    assert cache.cache_folder() is None
    above.chmod(0o1777)
    assert cache.cache_folder() == above / "mine"


@POSIX
def test_links_are_followed_to_what_is_checked(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, link = own / "open", own / "link"
    target.mkdir()
    target.chmod(0o777)
    link.symlink_to(target)
    monkeypatch.setenv("SEMLANG_CACHE_DIR", str(link))
    assert cache.cache_folder() is None


@POSIX
def test_folders_and_files_of_others_are_not_used(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = own / "theirs"
    folder.mkdir(mode=0o755)
    file = folder / "a"
    assert cache.store(file, b"content")
    assert cache.load(file) == b"content"
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    if me:  # what belongs to root is the system's
        assert cache.load(file) is None
        assert "another user" in cache.refusal(folder)
    else:
        os.chown(folder, 4321, 4321)
        os.chown(file, 4321, 4321)
        assert cache.load(file) is None
        assert "another user" in cache.refusal(folder)


@POSIX
def test_a_file_that_others_can_write_is_not_read(own: Path) -> None:
    file = own / "a"
    assert cache.store(file, b"content")
    file.chmod(0o602)
    assert cache.load(file) is None


def test_damaged_files_are_as_if_missing(own: Path) -> None:
    file = own / "a"
    assert cache.load(file) is None
    content = bytes(range(256)) * 4
    assert cache.store(file, content)
    whole = file.read_bytes()
    assert cache.load(file) == content
    for damaged in (b"", whole[:-1], whole[:31], whole[:32], whole + b"x", whole[:500] + b"\xff" + whole[501:], b"x"):
        file.write_bytes(damaged)
        assert cache.load(file) is None, len(damaged)
    file.write_bytes(pickle.dumps({"a": 1}))
    assert cache.load(file) is None


def test_what_can_not_be_written_is_not_written(own: Path) -> None:
    assert not cache.store(own / "missing" / "a", b"content")
    (own / "a").mkdir()
    assert not cache.store(own / "a", b"content")
    assert [p.name for p in own.iterdir()] == ["a"]


def test_nothing_is_loaded_from_the_current_folder(tmp_path: Path) -> None:
    """Files with the names that the cache has are planted where earlier versions looked."""
    mark = tmp_path / "mark"
    home = tmp_path / "home"
    work = tmp_path / "work"
    home.mkdir()
    work.mkdir()
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": ""}
    environment.pop("SEMLANG_CACHE_DIR", None)
    check = [sys.executable, "-m", "semlang", "check", "m.sem"]
    (work / "m.sem").write_text("f =~ x1 + x2 + x3\n")
    subprocess.run(check, cwd=work, env=environment, check=True, capture_output=True)
    (made,) = home.rglob("*.tables")
    planted = pickle.dumps(_Planted(str(mark)))
    for folder in (work, work / "semlang", work / "x", work / "x" / "semlang"):
        folder.mkdir(exist_ok=True)
        (folder / made.name).write_bytes(planted)
    made.write_bytes(planted)
    for more in ({}, {"SEMLANG_CACHE_DIR": "."}, {"XDG_CACHE_HOME": "x"}, {"SEMLANG_CACHE_DIR": "x"}, {"HOME": ""}):
        done = subprocess.run(check, cwd=work, env=environment | more, check=True, capture_output=True, text=True)
        assert "no findings" in done.stdout
    assert not mark.exists()


class _Planted:
    """Pickles to a call that makes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self.path, "w")
