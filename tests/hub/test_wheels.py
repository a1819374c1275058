from __future__ import annotations

import os
import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.errors import ResolveError
from headway.hub.wheels import DATA_SUFFIXES, Limits, is_data, unpack, wheel_name

from .wheelhouse import MODEL, build_wheel, model_files, record_row

INFO = "m-1.0.dist-info"
MARKER = b"open('ran', 'w')"


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_only_data_licences_and_metadata_are_written(tmp_path: Path) -> None:
    code = {
        "m/__init__.py": MARKER,
        "m/native.so": b"\x7fELF",
        "m/native.pyd": b"MZ",
        "m.pth": b"import m",
        "m/run.sh": b"#!/bin/sh",
        "m/weights.pkl": b"\x80",
        "m-1.0.data/scripts/m": b"#!python",
        "m/LICENSE.py": MARKER,
        f"{INFO}/entry_points.txt.py": MARKER,
    }
    data = {"m/LICENSE": b"MIT", "m/NOTICE-2.0": b"x", "m/A.JSON": b"{}", **model_files("m")}
    wheel = build_wheel(tmp_path, "m", "1.0", code | data)
    sizes = unpack(wheel, tmp_path / "out")
    assert written(tmp_path / "out") == {*data, f"{INFO}/METADATA", f"{INFO}/RECORD"}
    assert written(tmp_path / "out") == set(sizes)
    for path, contents in data.items():
        assert (tmp_path / "out" / path).read_bytes() == contents
        assert sizes[path] == len(contents)


def test_written_files_can_not_be_executed(tmp_path: Path) -> None:
    def executable(archive: zipfile.ZipFile) -> None:
        entry = zipfile.ZipInfo("m/run.json")
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, b"{}")

    wheel = build_wheel(
        tmp_path,
        "m",
        "1.0",
        model_files("m"),
        record=plus(record_row("m/run.json", b"{}")),
        change=executable,
    )
    unpack(wheel, tmp_path / "out")
    assert not (tmp_path / "out/m/run.json").stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("suffix", sorted(DATA_SUFFIXES))
def test_every_suffix_of_the_list_is_data(suffix: str) -> None:
    assert is_data(f"m/file{suffix}")


@given(st.text(max_size=20), st.sampled_from([".py", ".so", ".pth", ".pyd", ".sh", ".exe", ".dll"]))
def test_no_name_makes_code_into_data(name: str, suffix: str) -> None:
    assert not is_data(f"m/{name}{suffix}")
    assert not is_data(f"m/LICENSE{suffix}")


def test_the_names_of_a_wheel_are_normalised() -> None:
    assert wheel_name(Path("Some_Model-1.00-py3-none-any.whl")) == ("some-model", "1.0")
    with pytest.raises(ResolveError, match="not a wheel's file name"):
        wheel_name(Path("model.whl"))


def plus(rows: str) -> Callable[[str], str]:
    """Appends rows to a RECORD."""
    return lambda text: text + rows


def refuse(wheel: Path, match: str, *, limits: Limits | None = None) -> None:
    """Unpacking fails with a message; outside `out` nothing is written."""
    folder = wheel.parent
    before = written(folder)
    with pytest.raises(ResolveError, match=match):
        unpack(wheel, folder / "out", limits=limits)
    assert {path for path in written(folder) if not path.startswith("out/")} == before


def add(path: str, data: bytes = b"{}", mode: int = 0) -> Callable[[zipfile.ZipFile], None]:
    def change(archive: zipfile.ZipFile) -> None:
        entry = zipfile.ZipInfo("name")
        entry.filename = path  # the constructor would clean it
        entry.external_attr = mode << 16
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile warns of a second file of the same name
            archive.writestr(entry, data)

    return change


@pytest.mark.parametrize(
    "path",
    [
        "../evil.json",
        "m/../../evil.json",
        "/evil.json",
        "//evil.json",
        "m//evil.json",
        "./evil.json",
        "m/\0evil.json",
        "m/\x1b[2Jevil.json",
        "..\\evil.json",
        "C:\\evil.json",
        "C:evil.json",
        "m/evil.json:stream",
        "../",
    ],
)
def test_a_name_that_leaves_its_folder_is_refused(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "deep/er"
    folder.mkdir(parents=True)
    wheel = build_wheel(
        folder,
        "m",
        "1.0",
        model_files("m"),
        record=plus(record_row(path, b"{}")),
        change=add(path),
    )
    refuse(wheel, "has a file name that")
    assert not list(tmp_path.glob("*evil*")) and not (folder / "out").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    wheel = build_wheel(
        tmp_path, "m", "1.0", model_files("m"), change=add("m/x.json", b"/etc/passwd", kind | 0o777)
    )
    refuse(wheel, "has a link or device: 'm/x.json'")


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    wheel = build_wheel(
        tmp_path, "m", "1.0", model_files("m"), change=add("m/config.json", b"evil")
    )
    refuse(wheel, "two files named 'm/config.json'")


def test_a_name_that_is_a_file_and_a_folder_is_refused(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", model_files("m"), change=add("m/config.json/x.json"))
    refuse(wheel, "'m/config.json' both as a file and as a folder")


def test_the_name_of_the_manifest_is_refused(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", {**model_files("m"), "fetched.json": b"{}"})
    refuse(wheel, "'fetched.json', which is ours")


def test_a_file_that_differs_from_record_is_refused(tmp_path: Path) -> None:
    other = record_row("m/config.json", MODEL["config.json"])
    wheel = build_wheel(
        tmp_path,
        "m",
        "1.0",
        model_files("m"),
        record=lambda text: text.replace(other, record_row("m/config.json", b"other")),
    )
    refuse(wheel, "another 'm/config.json' than its RECORD says")


def test_a_file_that_record_does_not_list_is_refused(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", model_files("m"), change=add("m/more.json"))
    refuse(wheel, "RECORD does not list: m/more.json")


def test_a_file_that_only_record_has_is_missed(tmp_path: Path) -> None:
    wheel = build_wheel(
        tmp_path,
        "m",
        "1.0",
        model_files("m"),
        record=plus(record_row("m/more.json", b"")),
    )
    refuse(wheel, "lacks files that its RECORD lists: m/more.json")


@pytest.mark.parametrize("algorithm", ["md5", "sha1"])
def test_a_weak_hash_in_record_is_refused(tmp_path: Path, algorithm: str) -> None:
    row = record_row("m/x.json", b"{}", algorithm)
    wheel = build_wheel(
        tmp_path,
        "m",
        "1.0",
        model_files("m"),
        record=plus(row),
        change=add("m/x.json"),
    )
    refuse(wheel, "no SHA-256 or better in its RECORD for m/x.json")


@pytest.mark.parametrize("said", ["sha256=", "sha256", "", "=", "shake_128=AAAA"])
def test_a_row_of_record_without_a_hash_is_refused(tmp_path: Path, said: str) -> None:
    wheel = build_wheel(
        tmp_path,
        "m",
        "1.0",
        model_files("m"),
        record=plus(f"m/x.json,{said},2\n"),
        change=add("m/x.json"),
    )
    refuse(wheel, "no SHA-256 or better in its RECORD for m/x.json")


@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
def test_a_stronger_hash_in_record_is_checked(tmp_path: Path, algorithm: str) -> None:
    for said, accepted in ((b"{}", True), (b"[]", False)):
        row = record_row("m/x.json", said, algorithm)
        wheel = build_wheel(
            tmp_path,
            "m",
            "1.0",
            model_files("m"),
            record=plus(row),
            change=add("m/x.json"),
        )
        if accepted:
            unpack(wheel, tmp_path / algorithm)
        else:
            refuse(wheel, "another 'm/x.json'")


@pytest.mark.parametrize(
    ("record", "match"),
    [
        (lambda text: text + text.splitlines(keepends=True)[0], "lists 'm/config.json' twice"),
        (lambda text: text.replace("sha256=", "sha256=!"), "unreadable hash"),
        (lambda text: text.replace("sha256=", "sha256=é"), "is damaged"),
        (lambda text: '"' + "x" * 200_000, "is damaged"),
        (lambda text: "", "does not list"),
    ],
)
def test_a_broken_record_is_refused(
    tmp_path: Path, record: Callable[[str], str], match: str
) -> None:
    refuse(build_wheel(tmp_path, "m", "1.0", model_files("m"), record=record), match)


def test_a_record_that_is_not_text_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "m-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{INFO}/RECORD", b"\xff\xfe")
    refuse(wheel, "is damaged")


@pytest.mark.parametrize("count", [0, 2])
def test_a_wheel_has_one_record(tmp_path: Path, count: int) -> None:
    wheel = tmp_path / "m-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for number in range(count):
            archive.writestr(f"m-1.{number}.dist-info/RECORD", b"")
    refuse(wheel, f"has {count} RECORD files")


@pytest.mark.parametrize("stem", ["other-1.0", "m-2.0", "m", "m-1.0-x"])
def test_the_record_is_of_the_same_package(tmp_path: Path, stem: str) -> None:
    wheel = tmp_path / "m-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{stem}.dist-info/RECORD", b"")
    refuse(wheel, "RECORD of another package")


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.7, 0.99])
def test_a_truncated_wheel_is_refused(tmp_path: Path, kept: float) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", {**model_files("m"), "m/x.bin": os.urandom(5000)})
    data = wheel.read_bytes()
    wheel.write_bytes(data[: int(len(data) * kept)])
    refuse(wheel, "is damaged")


def test_a_wheel_with_any_changed_byte_is_refused_or_whole(tmp_path: Path) -> None:
    contents = model_files("m")
    wheel = build_wheel(tmp_path, "m", "1.0", contents)
    data = wheel.read_bytes()
    refused = 0
    for place in range(0, len(data), 7):
        wheel.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        out = tmp_path / f"out{place}"
        try:
            unpack(wheel, out)
        except ResolveError:
            refused += 1
            continue
        assert {path: (out / path).read_bytes() for path in contents} == contents
    assert refused > 20


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    def bomb(archive: zipfile.ZipFile) -> None:
        block = bytes(1 << 20)
        with archive.open("m/zeros.bin", "w", force_zip64=True) as out:
            for _ in range(300):
                out.write(block)

    wheel = build_wheel(tmp_path, "m", "1.0", model_files("m"), change=bomb)
    assert wheel.stat().st_size < 1 << 20
    refuse(wheel, "as a zip bomb does")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("limits", "match"),
    [
        (Limits(files=3), "has 6 files, more than 3"),
        (Limits(bytes=100), r"would unpack to \d+ bytes, more than 100"),
        (Limits(ratio=0.01, free=10), "zip bomb"),
    ],
)
def test_each_limit_holds(tmp_path: Path, limits: Limits, match: str) -> None:
    refuse(build_wheel(tmp_path, "m", "1.0", model_files("m")), match, limits=limits)


def forge_sizes(wheel: Path, path: str, size: int) -> None:
    """Changes the unpacked size that the zip file's table of contents declares for one file."""
    data = bytearray(wheel.read_bytes())
    place = 0
    while (place := data.find(b"PK\x01\x02", place)) >= 0:
        length = int.from_bytes(data[place + 28 : place + 30], "little")
        if data[place + 46 : place + 46 + length].decode() == path:
            data[place + 24 : place + 28] = size.to_bytes(4, "little")
        place += 46
    wheel.write_bytes(data)


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_size_other_than_declared_is_refused(tmp_path: Path, size: int) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", {**model_files("m"), "m/x.bin": os.urandom(5000)})
    forge_sizes(wheel, "m/x.bin", size)
    refuse(wheel, "is damaged|declares|hash differs")


def test_a_declared_giant_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", {**model_files("m"), "m/x.bin": b"x"})
    forge_sizes(wheel, "m/x.bin", 4_000_000_000)
    refuse(wheel, "zip bomb")
    assert not (tmp_path / "out").exists()


def test_a_giant_record_is_not_read(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", model_files("m"))
    forge_sizes(wheel, f"{INFO}/RECORD", 100 << 20)
    refuse(wheel, "has a RECORD of more than")


def test_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", model_files("m"))
    data = bytearray(wheel.read_bytes())
    place = data.find(b"PK\x01\x02")
    data[place + 8] |= 1
    wheel.write_bytes(data)
    refuse(wheel, "has an encrypted file: 'm/config.json'")


def test_an_unknown_compression_is_refused(tmp_path: Path) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", model_files("m"))
    data = bytearray(wheel.read_bytes())
    place = data.find(b"PK\x01\x02")
    data[place + 10] = 97
    wheel.write_bytes(data)
    refuse(wheel, "is damaged")


def test_two_names_at_one_place_on_the_disk_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = build_wheel(tmp_path, "m", "1.0", {**model_files("m"), "m/CONFIG.json": b"[]"})
    real = Path.open

    def without_case(self: Path, mode: str) -> object:
        return real(self.with_name(self.name.lower()), mode)

    monkeypatch.setattr(Path, "open", without_case)
    refuse(wheel, "two files at one place")


def test_a_package_of_code_alone_is_refused(tmp_path: Path) -> None:
    files = {"m/__init__.py": b"", "m/LICENSE": b"MIT", "m/README.md": b"# m"}
    wheel = build_wheel(tmp_path, "m", "1.0", files)
    refuse(wheel, "carries no model and no data, only code.*pip install m")


names = st.text(alphabet="ab./\\:\0\n é", max_size=8)


@settings(max_examples=150, deadline=None)
@given(st.lists(names.map(lambda name: f"{name}.json"), max_size=4))
def test_whatever_the_names_nothing_is_written_outside(paths: list[str]) -> None:
    def change(archive: zipfile.ZipFile) -> None:
        for path in paths:
            add(path)(archive)

    rows = "".join(record_row(f'"{path}"', b"{}") for path in dict.fromkeys(paths))
    with TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build_wheel(
            folder,
            "m",
            "1.0",
            model_files("m"),
            record=plus(rows),
            change=change,
        )
        try:
            sizes = unpack(wheel, folder / "out")
        except ResolveError:
            sizes = {}
        outside = {path for path in written(folder) if not path.startswith("out/")}
        assert outside == {wheel.name}
        if sizes:
            assert set(sizes) == written(folder / "out")
