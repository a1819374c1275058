"""Images: prepared as the reference prepares them, and files that lie are refused by name."""

from __future__ import annotations

import json
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from headway.errors import CheckpointError, ConfigError, DataError
from headway.images import Preprocessing, image_files, is_image, open_image
from headway.images.reading import MOST_PIXELS

SIZES = [(37, 53), (224, 224), (1, 9), (301, 64), (50, 51)]
"""Width and height: odd, exact, smaller and larger than what is wanted."""

CONFIGS: dict[str, dict[str, Any]] = {
    "clip": {},
    "small": {"size": {"shortest_edge": 33}, "crop_size": {"height": 31, "width": 29}},
    "square": {"size": {"height": 40, "width": 25}, "crop_size": {"height": 25, "width": 40}},
    "older": {"size": 20, "crop_size": 20, "resample": 2},
    "nearest": {"size": {"shortest_edge": 9}, "crop_size": {"height": 12, "width": 12}}
    | {"resample": 0},
    "uncropped": {"do_center_crop": False, "size": {"shortest_edge": 17}},
    "unresized": {"do_resize": False, "crop_size": {"height": 48, "width": 64}},
    "unscaled": {"do_rescale": False, "size": {"shortest_edge": 17}},
    "raw": {"do_normalize": False, "rescale_factor": 0.5, "size": {"shortest_edge": 17}},
    "means": {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.1, 0.2, 0.3], "size": 18},
}


def drawn(width: int, height: int, mode: str = "RGB") -> Image.Image:
    count = width * height * len(mode)  # one letter a channel
    return Image.frombytes(mode, (width, height), np.random.default_rng(0).bytes(count))


def theirs(image: Image.Image, values: dict[str, Any]) -> np.ndarray:
    processor = CLIPImageProcessorPil(**values)
    return np.asarray(processor(images=image, return_tensors="np")["pixel_values"][0])


def ours(image: Any, values: dict[str, Any]) -> np.ndarray:
    return Preprocessing.from_hf(values, "a file")(open_image(image))


def close(one: np.ndarray, other: np.ndarray) -> None:
    assert one.dtype == np.float32
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", CONFIGS)
def test_numbers_are_the_references(name: str) -> None:
    for size in SIZES:
        image = drawn(*size)
        close(ours(image, CONFIGS[name]), theirs(image, CONFIGS[name]))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "CMYK", "P", "P with transparency", "1"])
def test_every_kind_of_pixel_is_the_references(mode: str, tmp_path: Path) -> None:
    if mode.startswith("P"):
        image = drawn(31, 45).quantize(16)
        image.save(tmp_path / "it.png", **({"transparency": 3} if mode != "P" else {}))
    elif mode == "1":
        drawn(31, 45).convert("1").save(tmp_path / "it.png")
    else:
        drawn(31, 45, mode).save(tmp_path / ("it.tiff" if mode == "CMYK" else "it.png"))
    file = next(tmp_path.iterdir())
    values = {"size": {"shortest_edge": 20}, "crop_size": {"height": 20, "width": 20}}
    with Image.open(file) as image:
        close(ours(file, values), theirs(image, values))


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_turned_photograph_is_put_upright(turn: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    drawn(40, 24).save(tmp_path / "it.jpg", exif=exif)
    values = {"size": {"shortest_edge": 20}, "crop_size": {"height": 20, "width": 24}}
    with Image.open(tmp_path / "it.jpg") as image:
        close(ours(tmp_path / "it.jpg", values), theirs(ImageOps.exif_transpose(image), values))
    assert open_image(tmp_path / "it.jpg").size == ((40, 24) if turn < 5 else (24, 40))


def test_grey_of_16_bits_is_made_8(tmp_path: Path) -> None:
    deep = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    Image.fromarray(deep).save(tmp_path / "it.png")
    assert np.array_equal(np.asarray(open_image(tmp_path / "it.png")), deep >> 8)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4)])
def test_arrays(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    wanted = Image.fromarray(pixels[:, :, 0] if shape[-1] == 1 else pixels)
    assert np.array_equal(np.asarray(open_image(pixels)), np.asarray(wanted))


@pytest.mark.parametrize("name", CONFIGS)
def test_files_go_both_ways(name: str) -> None:
    made = Preprocessing.from_hf(CONFIGS[name], "a file")
    assert Preprocessing.from_hf(made.to_hf(), "a file") == made
    stored = json.loads(CLIPImageProcessorPil(**CONFIGS[name]).to_json_string())
    assert Preprocessing.from_hf(stored, "a file") == made


def png(width: int, height: int) -> bytes:
    """A few bytes that say they are an image of any size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        sum_ = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + sum_

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 100)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def saved(image: Image.Image, path: Path, **how: Any) -> bytes:
    image.save(path, **how)
    content = path.read_bytes()
    path.unlink()
    return content


def test_broken_files_are_refused_by_name(tmp_path: Path) -> None:
    whole = {
        kind: saved(drawn(60, 40), tmp_path / f"it.{kind}") for kind in ("png", "jpg", "gif", "bmp")
    }
    bad = {f"cut.{kind}": content[: len(content) // 2] for kind, content in whole.items()}
    bad |= {
        "empty.png": b"",
        "text.jpg": b"not an image",
        "pickle.png": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
        "program.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "bomb.png": png(60_000, 60_000),
        "large.png": png(MOST_PIXELS, 2),
        "warned.png": png(MOST_PIXELS + 1, 1),
        "lying.png": png(300, 300),
        "turned.png": whole["png"][:20] + bytes([255] * 8) + whole["png"][28:],
    }
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=name.replace(".", r"\.")) as caught:
            open_image(tmp_path / name)
        assert "Next: " in str(caught.value)
    with pytest.raises(DataError, match=r"none\.png does not exist"):
        open_image(tmp_path / "none.png")


def test_flipped_bytes_are_an_image_or_an_error(tmp_path: Path) -> None:
    whole = [
        saved(drawn(20, 20), tmp_path / f"it.{kind}") for kind in ("png", "jpg", "gif", "tiff")
    ]
    draw = np.random.default_rng(0)
    for number in range(120):
        content = bytearray(whole[number % len(whole)])
        for place in draw.integers(0, min(len(content), 400), 3):
            content[place] = draw.integers(256)
        (tmp_path / "it").write_bytes(bytes(content))
        try:
            image = open_image(tmp_path / "it")
        except DataError as error:
            assert str(tmp_path / "it") in str(error)
        else:
            assert image.width * image.height <= MOST_PIXELS


def test_nothing_is_warned_of(tmp_path: Path) -> None:
    image = drawn(20, 20).quantize(4)
    image.save(tmp_path / "it.png", transparency=b"\x00\x80\xff\xff")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_image(tmp_path / "it.png")


def test_a_thin_image_is_not_blown_up() -> None:
    with pytest.raises(DataError, match=r"a\.png has 1 x 600000 pixels, and would get 224 x 134"):
        Preprocessing()(Image.new("RGB", (1, 600_000)), "a.png")


@pytest.mark.parametrize(
    ("image", "error", "said"),
    [
        (7, ConfigError, "7 is a int.*Allowed: the path"),
        (np.zeros((4, 4)), DataError, "array of float64.*Allowed: uint8"),
        (np.zeros((4, 4, 2), np.uint8), DataError, r"shape \(4, 4, 2\)"),
        (np.zeros((0, 4, 3), np.uint8), DataError, r"shape \(0, 4, 3\)"),
        (Image.new("F", (3, 3)), DataError, "pixels of 32 bits"),
    ],
)
def test_what_is_no_image(image: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        open_image(image)


@pytest.mark.parametrize(
    "values",
    [
        {"size": 0},
        {"size": {"longest_edge": 3}},
        {"crop_size": {"height": 10**9, "width": 2}},
        {"resample": 9},
        {"do_resize": "yes"},
        {"rescale_factor": float("nan")},
        {"image_mean": ["a"]},
        {"image_std": [0.0, 1.0, 1.0]},
        {"image_mean": [0.5]},
        {"do_pad": True},
        {"image_processor_type": "SiglipImageProcessor"},
    ],
    ids=str,
)
def test_what_a_file_cannot_ask_for(values: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match=r"a file: .*Allowed: "):
        Preprocessing.from_hf(values, "a file")


def test_folders(tmp_path: Path) -> None:
    for name in ("b/2.JPG", "a/1.png", "a/notes.txt", "3.webp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [str(path.relative_to(tmp_path)) for path in image_files(tmp_path)]
    assert found == ["3.webp", "a/1.png", "b/2.JPG"]
    assert is_image(tmp_path / "a/1.png")
    assert not is_image(tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"none has no images"):
        image_files(tmp_path / "none")
