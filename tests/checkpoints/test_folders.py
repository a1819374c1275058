"""A folder is replaced whole or not at all, whatever happens and wherever it lies."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from headway.checkpoints import folders
from headway.checkpoints.folders import replaced_folder
from headway.errors import OutputError


@contextmanager
def replaced(folder: Path) -> Iterator[Path]:
    with replaced_folder(
        folder,
        marker="mark",
        ours=lambda there: (there / "mark").is_file(),
        replaced=lambda name: name in ("mark", "stale", "states"),
    ) as new:
        yield new


def save(folder: Path, content: str = "new") -> None:
    with replaced(folder) as new:
        (new / "mark").write_text(content)
        (new / "weights").write_text(content)


def older(folder: Path) -> Path:
    """A folder as an older save left it, with files of others in it."""
    save(folder, "old")
    (folder / "stale").write_text("old")
    (folder / "states").mkdir()
    (folder / "states/1").write_text("old")
    (folder / "notes.txt").write_text("mine")
    (folder / "sub/deeper").mkdir(parents=True)
    (folder / "sub/deeper/x").write_text("mine")
    (folder / "link").symlink_to("nowhere")
    return folder


def content(folder: Path) -> dict[str, str]:
    """Every file and link below a folder."""
    return {
        str(path.relative_to(folder)): "->" if path.is_symlink() else path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


OTHERS = {"notes.txt": "mine", "sub/deeper/x": "mine", "link": "->"}
STATES = {"states/1": "old"}
OLD = {"mark": "old", "weights": "old", "stale": "old", **STATES, **OTHERS}
NEW = {"mark": "new", "weights": "new", **OTHERS}


def in_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "other")


def file_by_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_can_be_exchanged", lambda folder: False)


def without_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)


WAYS: list[Callable[[pytest.MonkeyPatch], None]] = [
    lambda _: None,
    in_two_steps,
    file_by_file,
    without_links,
]
way = pytest.mark.parametrize("way", WAYS, ids=["at once", "two steps", "by file", "no links"])


@way
def test_a_new_folder_with_its_parents(tmp_path: Path, monkeypatch: Any, way: Any) -> None:
    way(monkeypatch)
    save(tmp_path / "a/b/c")
    assert content(tmp_path) == {"a/b/c/mark": "new", "a/b/c/weights": "new"}
    assert list((tmp_path / "a/b").iterdir()) == [tmp_path / "a/b/c"]


@way
def test_an_older_one_is_replaced_and_the_rest_kept(
    tmp_path: Path, monkeypatch: Any, way: Any
) -> None:
    folder = older(tmp_path / "model")
    way(monkeypatch)
    save(folder)
    assert content(folder) == NEW
    assert list(tmp_path.iterdir()) == [folder]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir(mode=0o750)
    save(tmp_path / "empty")
    assert content(tmp_path / "empty") == {"mark": "new", "weights": "new"}
    assert (tmp_path / "empty").stat().st_mode & 0o777 == 0o750


def test_a_new_folder_can_be_read_as_the_system_says(tmp_path: Path) -> None:
    save(tmp_path / "ours")
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("name", ["mark", "weights", "other"])
def test_a_file_in_the_way_is_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match="is a file"):
        save(tmp_path / name)
    with pytest.raises(OutputError, match=r"cannot be written: (Not a directory|File exists)"):
        save(tmp_path / name / "below")
    assert content(tmp_path) == {name: "mine"}


def test_somebody_elses_folder_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("mine")
    with pytest.raises(OutputError, match=r"not empty and holds no model.*new or empty folder"):
        save(tmp_path)
    assert content(tmp_path) == {"photo.jpg": "mine"}


def test_a_link_to_a_folder_stays_one(tmp_path: Path) -> None:
    older(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "real") == NEW
    (tmp_path / "soon").symlink_to("not there yet")
    save(tmp_path / "soon")
    assert content(tmp_path / "not there yet") == {"mark": "new", "weights": "new"}


@pytest.mark.parametrize("name", [".", "", "../model", "sub/.."])
def test_the_working_directory_stays_the_same_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = older(tmp_path / "model")
    monkeypatch.chdir(folder)
    inode = folder.stat().st_ino
    save(Path(name))
    assert content(Path()) == NEW
    assert folder.stat().st_ino == inode


def test_an_open_file_of_others_goes_on(tmp_path: Path) -> None:
    folder = older(tmp_path / "model")
    with (folder / "notes.txt").open("a") as notes:
        save(folder)
        notes.write(", still")
    assert content(folder)["notes.txt"] == "mine, still"


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "loop"])
def test_a_name_that_cannot_be(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError, match="cannot be written"):
        save(tmp_path / name)
    assert list(tmp_path.iterdir()) == [tmp_path / "loop"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("a fault"), SystemExit(1)])
@pytest.mark.parametrize("before", [True, False])
def test_what_goes_wrong_while_writing_changes_nothing(
    tmp_path: Path, error: BaseException, before: bool
) -> None:
    if before:
        older(tmp_path / "model")
    with pytest.raises(type(error)), replaced(tmp_path / "model") as new:
        (new / "mark").write_text("new")
        raise error
    assert content(tmp_path) == {f"model/{name}": said for name, said in OLD.items() if before}
    assert len(list(tmp_path.iterdir())) == before


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the file system is read-only")],
)
def test_what_the_system_refuses_is_said(tmp_path: Path, number: int, said: str) -> None:
    older(tmp_path / "model")
    wanted = f"{said}.*what was there before is untouched"
    with pytest.raises(OutputError, match=wanted), replaced(tmp_path / "model"):
        raise OSError(number, os.strerror(number))
    assert content(tmp_path / "model") == OLD


CALLS = ("mkdir", "rename", "link", "open", "fsync", "unlink", "rmdir", "chmod")
"""Functions of `os` that replacing a folder calls; before each of them it can be interrupted."""


def fail_at(patch: pytest.MonkeyPatch, number: int, fail: Callable[[], None]) -> list[int]:
    """Lets calls of the file system through, and fails before this one; returns those counted."""
    counted: list[int] = []
    for name in CALLS:
        # Bringing bytes to the disk takes time and changes nothing that a test can see.
        real = getattr(os, name) if name != "fsync" else lambda *_: None

        def call(*args: Any, real: Any = real, **options: Any) -> Any:
            counted.append(1)
            if len(counted) == number:
                fail()
            return real(*args, **options)

        patch.setattr(os, name, call)
    return counted


def attempts(
    tmp_path: Path, monkeypatch: Any, way: Any, fail: Callable[[], None]
) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A folder and a save into it that fails, for each moment at which it can."""
    pattern = older(tmp_path / "pattern")
    for number in range(1, 500):
        folder = tmp_path / f"{number}/model"
        shutil.copytree(pattern, folder, symlinks=True)
        counted: list[list[int]] = []

        def attempt(number: int = number, folder: Path = folder, seen: Any = counted) -> None:
            with monkeypatch.context() as patch:
                way(patch)
                seen.append(fail_at(patch, number, fail))
                save(folder)

        yield folder, attempt
        if counted and len(counted[0]) < number:  # it went through
            assert number > 10
            return
    pytest.fail("saving never ends")


def without_litter(folder: Path) -> dict[str, str]:
    return {name: text for name, text in content(folder).items() if name[:9] != ".headway-"}


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(errno.EIO, "broken")], ids=repr)
@way
def test_interrupted_at_any_moment_it_is_the_old_or_the_new(
    tmp_path: Path, monkeypatch: Any, way: Any, failure: BaseException
) -> None:
    def fail() -> None:
        raise failure

    seen = []
    for folder, attempt in attempts(tmp_path, monkeypatch, way, fail):
        with contextlib.suppress(KeyboardInterrupt, OutputError):
            attempt()
        assert without_litter(folder) in (OLD, NEW)
        seen.append(without_litter(folder))
    assert OLD in seen
    assert NEW in seen


@pytest.mark.parametrize("way", WAYS[:3], ids=["at once", "two steps", "by file"])
def test_killed_at_any_moment_nothing_is_mixed(tmp_path: Path, monkeypatch: Any, way: Any) -> None:
    for folder, attempt in attempts(tmp_path, monkeypatch, way, lambda: os._exit(9)):
        child = os.fork()
        if child == 0:
            attempt()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        found = without_litter(folder)
        if way is in_two_steps and not folder.exists():  # between its two steps
            (aside,) = folder.parent.glob(".headway-*-old")
            assert content(aside) == OLD
        elif way is file_by_file and "mark" not in found:
            assert status  # killed among its moves; whoever reads the folder sees no model
            assert found.items() >= STATES.items()
        elif way is file_by_file and found == NEW | STATES:
            assert status
        else:
            assert found in (OLD, NEW)
        if status == 0:
            assert found == NEW
            return


def test_killed_at_any_moment_the_folder_can_be_saved_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, attempt in attempts(tmp_path, monkeypatch, file_by_file, lambda: os._exit(9)):
        child = os.fork()
        if child == 0:
            attempt()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        with monkeypatch.context() as patch:
            file_by_file(patch)
            save(folder)
        assert content(folder) == NEW  # and nothing of the killed one
        assert [path.name for path in folder.glob(".*")] == []
        if status == 0:
            return


def test_what_another_folder_below_is_saved_by_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_by_file(monkeypatch)
    folder = older(tmp_path / "model")
    with replaced(folder / "below") as new:
        (new / "mark").write_text("new")
        save(folder)
    assert content(folder) == NEW | {"below/mark": "new"}
