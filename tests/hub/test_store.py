from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

import pytest

from headway.errors import OutputError, ResolveError
from headway.hub import Fetched, cached, remove
from headway.hub.names import parse_package
from headway.hub.store import fetched_versions, packages_folder, store, workspace

from .wheelhouse import CONFIG


def put(name: str, version: str, text: bytes = CONFIG) -> Fetched:
    """Stores a package of one file."""
    with workspace() as work:
        files = work / "files"
        (files / "m").mkdir(parents=True)
        (files / "m/config.json").write_bytes(text)
        sizes = {"m/config.json": len(text)}
        return store(files, name=name, version=version, sha256="00", sizes=sizes)


def versions(name: str) -> list[str]:
    return [each.version for each in fetched_versions(parse_package(name))]


def test_an_empty_cache_holds_nothing_and_is_not_created(cache: Path) -> None:
    assert cached() == []
    assert fetched_versions(parse_package("pkg:a")) == []
    assert not cache.exists()


def test_what_is_stored_is_listed(cache: Path) -> None:
    stored = put("some-model", "1.0")
    assert stored == Fetched(
        name="some-model",
        version="1.0",
        path=cache / "packages/some-model/1.0",
        sha256="00",
        files=("m/config.json",),
        bytes=len(CONFIG),
        already=False,
    )
    assert [(each.name, each.version, each.already) for each in cached()] == [
        ("some-model", "1.0", True)
    ]
    manifest = json.loads((stored.path / "fetched.json").read_text())
    assert manifest["files"] == {"m/config.json": len(CONFIG)}
    assert [path.name for path in packages_folder().iterdir()] == ["some-model"]


def test_versions_are_ordered_as_versions(cache: Path) -> None:
    for version in ("1.9", "1.10", "1.10rc1"):
        put("a", version)
    assert versions("pkg:a") == ["1.10", "1.10rc1", "1.9"]
    assert versions("pkg:a==1.09") == ["1.9"]
    assert versions("pkg:a==2") == []


def damage_file(folder: Path) -> None:
    (folder / "m/config.json").write_bytes(b"{")


def damage_nothing_there(folder: Path) -> None:
    (folder / "m/config.json").unlink()


def damage_manifest(folder: Path) -> None:
    (folder / "fetched.json").write_text("{")


def damage_manifest_kind(folder: Path) -> None:
    (folder / "fetched.json").write_text("[]")


def damage_manifest_missing(folder: Path) -> None:
    (folder / "fetched.json").unlink()


def damage_name(folder: Path) -> None:
    manifest = folder / "fetched.json"
    manifest.write_text(manifest.read_text().replace('"a"', '"b"'))


@pytest.mark.parametrize(
    "damage",
    [
        damage_file,
        damage_nothing_there,
        damage_manifest,
        damage_manifest_kind,
        damage_manifest_missing,
        damage_name,
    ],
)
def test_what_is_damaged_is_not_listed_and_is_replaced(cache: Path, damage: object) -> None:
    assert callable(damage)
    damage(put("a", "1.0").path)
    assert cached() == []
    assert not put("a", "1.0").already
    assert versions("pkg:a") == ["1.0"]
    assert [path.name for path in packages_folder().iterdir()] == ["a"]


def test_a_strangers_file_in_the_cache_is_left_out(cache: Path) -> None:
    put("a", "1.0")
    (packages_folder() / "a" / "notes").mkdir()
    (packages_folder() / "a" / "notes.txt").touch()
    (packages_folder() / "file").touch()
    assert [(each.name, each.version) for each in cached()] == [("a", "1.0")]


def test_of_two_that_store_one_wins_and_the_other_uses_it(cache: Path) -> None:
    start = threading.Barrier(4)
    stored = []

    def race(number: int) -> None:
        start.wait()
        stored.append(put("a", "1.0", text=str(number).encode()))

    threads = [threading.Thread(target=race, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.already for each in stored) == [False, True, True, True]
    assert len({each.path for each in stored}) == 1
    assert [path.name for path in packages_folder().iterdir()] == ["a"]


def test_an_error_leaves_no_workspace(cache: Path) -> None:
    with pytest.raises(KeyboardInterrupt), workspace() as work:
        (work / "half").touch()
        raise KeyboardInterrupt
    assert list(packages_folder().iterdir()) == []


def test_what_a_killed_process_left_is_swept_after_a_day(cache: Path) -> None:
    for name, age in ((".unfinished-old", 25 * 3600), (".unfinished-new", 3600)):
        left = packages_folder() / name
        left.mkdir(parents=True)
        (left / "half").touch()
        os.utime(left, (time.time() - age,) * 2)
    assert cached() == []
    put("a", "1.0")
    assert {path.name for path in packages_folder().iterdir()} == {"a", ".unfinished-new"}


def test_a_cache_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="set HEADWAY_CACHE to another folder"):
        put("a", "1.0")


def test_a_full_disk_is_an_output_error(cache: Path) -> None:
    with pytest.raises(OutputError, match="No space left"), workspace():
        raise OSError(28, "No space left on device")
    assert list(packages_folder().iterdir()) == []


def test_one_version_is_removed_or_all(cache: Path) -> None:
    for version in ("1.0", "2.0", "3.0"):
        put("a", version)
    put("b", "1.0")
    assert [each.version for each in remove("pkg:A==2")] == ["2.0"]
    assert versions("pkg:a") == ["3.0", "1.0"]
    assert [each.version for each in remove("pkg:a")] == ["3.0", "1.0"]
    assert [each.name for each in cached()] == ["b"]
    assert not (cache / "packages/a/1.0").exists()


@pytest.mark.parametrize("name", ["pkg:aa", "pkg:a==2", "pkg:a/m"])
def test_removing_what_is_not_there_is_an_error(cache: Path, name: str) -> None:
    put("a", "1.0")
    with pytest.raises(ResolveError, match=r"Allowed: pkg:a\."):
        remove(name)
    assert versions("pkg:a") == ["1.0"]
