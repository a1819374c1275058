from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data import FORMATS, read
from headway.data.formats.compression import COMPRESSIONS
from headway.errors import ConfigError, DataError

from ..helpers import one, read_bytes, refusal
from .test_folder import plant
from .test_source import PLACES

PACK = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": lambda content: pa.compress(content, codec="zstd", asbytes=True),
}
suffixes = pytest.mark.parametrize("suffix", PACK)
LINES = b"a line with a number in it: %d\n" * 2000 % tuple(range(2000))


def test_every_compression_is_tested() -> None:
    assert set(PACK) == set(COMPRESSIONS)


@suffixes
@pytest.mark.parametrize("name", PLACES)
def test_every_format_of_text(name: str, suffix: str) -> None:
    content = PLACES[name] % "é漢".encode()
    data = read_bytes(PACK[suffix](content), name + suffix)
    assert data.to_arrow() == read_bytes(content, name).to_arrow()


@suffixes
@given(content=st.binary(max_size=100), cut=st.integers(1, 40))
def test_contents_come_back_and_a_cut_is_seen(content: bytes, cut: int, suffix: str) -> None:
    text = content.hex().encode() + b"\n"
    packed = PACK[suffix](text)
    assert read_bytes(packed, "a.txt" + suffix)["text"] == [content.hex()]
    refusal(packed[: max(1, len(packed) - cut)], "a.txt" + suffix)


@suffixes
def test_joined_members_are_one_text(suffix: str) -> None:
    packed = PACK[suffix](b"a\n") + PACK[suffix](b"b\n")
    assert read_bytes(packed, "a.txt" + suffix)["text"] == ["a", "b"]


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_padding_behind_the_end_is_no_garbage(suffix: str) -> None:
    assert read_bytes(PACK[suffix](b"a\n") + b"\0" * 512, "a.txt" + suffix)["text"] == ["a"]


@suffixes
def test_a_file_cut_short_says_where(suffix: str) -> None:
    packed = PACK[suffix](LINES)
    cut = packed[: len(packed) * 2 // 3]
    said = refusal(cut, "a.txt" + suffix)
    assert "is cut short" in said
    assert f"byte {len(cut)}" in said


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz"])
def test_garbage_behind_the_end_says_where(suffix: str) -> None:
    packed = PACK[suffix](LINES)
    said = refusal(packed + b"<html>", "a.txt" + suffix)
    assert f"byte {len(packed) + 1}: something that is not" in said
    assert f"head -c {len(packed)} a.txt{suffix}" in said


def test_garbage_behind_a_zstd_frame() -> None:
    packed = PACK[".zst"](LINES)
    assert f"by byte {len(packed) + 6}: damaged" in refusal(packed + b"<html>", "a.txt.zst")


@suffixes
def test_a_wrong_byte_inside_is_refused(suffix: str) -> None:
    packed = bytearray(PACK[suffix](LINES))
    packed[len(packed) // 2] ^= 0xFF
    if suffix == ".zst":  # its checksum is an option of the writer's
        packed[4:12] = b"\xff" * 8
    said = refusal(bytes(packed), "a.txt" + suffix)
    assert "damaged" in said or "cut short" in said


@suffixes
def test_another_kind_of_file_under_this_name(suffix: str) -> None:
    assert "byte 1: the name says" in refusal(b"text,label\na,b\n", "a.csv" + suffix)
    assert "is empty" in refusal(b"", "a.csv" + suffix)
    assert "is empty" in refusal(PACK[suffix](b""), "a.csv" + suffix)


@suffixes
def test_a_bomb_is_refused_unless_it_is_allowed(suffix: str) -> None:
    content = (b" " * 999 + b"\n") * 20_000
    packed = PACK[suffix](content)
    said = refusal(packed, "a.txt" + suffix)
    assert "grows more than 200 times" in said
    assert f"of {len(packed)}" in said
    assert "max_expansion" in said
    assert len(read_bytes(packed, "a.txt" + suffix, max_expansion=float("inf"))) == 20_000
    assert "more than 5 times" in refusal(packed, "a.txt" + suffix, max_expansion=5)


def test_a_small_file_may_shrink_as_much_as_it_likes() -> None:
    content = (b" " * 999 + b"\n") * 10_000
    assert len(read_bytes(gzip.compress(content), "a.txt.gz", max_expansion=1)) == 10_000


@pytest.mark.parametrize("wrong", [0, -1, float("nan")])
def test_an_expansion_below_everything(wrong: float) -> None:
    with pytest.raises(ConfigError, match="max_expansion"):
        read("a.txt.gz", max_expansion=wrong)


def test_an_error_inside_names_the_line_of_the_contents() -> None:
    assert "a.txt.gz line 2, byte 2: 0xe9" in refusal(gzip.compress(b"ok\nx\xe9\n"), "a.txt.gz")


def test_other_encodings_inside() -> None:
    packed = gzip.compress("é\n".encode("utf-16"))
    assert read_bytes(packed, "a.txt.gz", encoding="utf-16")["text"] == ["é"]


def test_a_compressed_file_under_another_name_is_recognised() -> None:
    for suffix, pack in PACK.items():
        assert f"ends in {suffix}" in refusal(pack(LINES), "a.txt")


@pytest.mark.parametrize("name", ["a.parquet.gz", "a.arrow.zst"])
def test_what_is_compressed_inside_is_not_compressed_again(name: str) -> None:
    assert "compressed inside" in refusal(gzip.compress(b"x"), name)


def test_an_unknown_format_inside() -> None:
    assert "the suffix '.tar' says no format" in refusal(gzip.compress(b"x"), "a.tar.gz")
    assert len(read_bytes(gzip.compress(b"a\nb\n"), "train.de.gz", format="txt")) == 2


def test_folders_of_compressed_files(tmp_path: Path) -> None:
    csv = gzip.compress(b"text,label\na,x\n")
    plant(tmp_path, {"train.csv.gz": csv, "test.csv.bz2": bz2.compress(b"text,label\nb,y\n")})
    data = read(tmp_path)
    assert isinstance(data, dict)
    assert {split: part["text"] for split, part in data.items()} == {"train": ["a"], "test": ["b"]}
    plant(tmp_path / "classes", {"x/1.txt.gz": gzip.compress(b"one"), "y/2.txt": b"two"})
    assert one(tmp_path / "classes")["text"] == ["one", "two"]


def test_no_room_for_the_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, {"a.txt.gz": gzip.compress(LINES)})

    class Full:
        def write(self, part: bytes) -> None:
            raise OSError(28, "No space left on device")

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *stop: object) -> None:
            pass

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    with pytest.raises(DataError, match=r"no room for the contents of .*TMPDIR"):
        one(tmp_path / "a.txt.gz", sample_by="document")


@pytest.mark.slow
@suffixes
def test_memory_does_not_grow_with_the_contents(suffix: str, tmp_path: Path) -> None:
    """What unpacks 300 MB holds a few of them, while the rest lies in a file."""
    plant(tmp_path, {"a.txt" + suffix: PACK[suffix](bytes(300_000_000))})
    code = (
        "import sys, pathlib\n"
        "from headway.data.formats.compression import decompressed\n"
        "status = pathlib.Path('/proc/self/status')\n"
        "peak = lambda: int(status.read_text().split('VmHWM:')[1].split()[0])\n"
        "before = peak()\n"
        "buffer = decompressed(pathlib.Path(sys.argv[1]), float('inf'))\n"
        "assert buffer.size == 300_000_000\n"
        "print(peak() - before)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / ("a.txt" + suffix))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(found.stdout) < 100_000  # kilobytes


def test_multi30k(shared: Path) -> None:
    data = one(shared / "multi30k" / "val.de.gz", format="txt")
    assert len(data) == 1014
    assert data["text"][1] == "Ein Mann schläft in einem grünen Raum auf einem Sofa."


def test_formats_of_text_are_those_that_may_be_compressed() -> None:
    whole = {name for name, one in FORMATS.items() if "encoding" not in one.options}
    assert whole == {"parquet", "arrow"}
