"""Images classified by names: scores are the reference's, whatever form the images come in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from clip_files import clip_folder
from PIL import Image
from training.tiny import tiny_model
from transformers import ZeroShotImageClassificationPipeline

import headway
from headway.errors import ConfigError, DataError
from headway.model import Model

NAMES = ["cat", "dog", "a red car"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Any]:
    folder = tmp_path_factory.mktemp("clip")
    model, tokenizer, processor = clip_folder(folder)
    theirs = ZeroShotImageClassificationPipeline(
        model=model, tokenizer=tokenizer, image_processor=processor, device="cpu"
    )
    return headway.load(folder), theirs


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pictures")
    draw = np.random.default_rng(0)
    for number, shape in enumerate(
        [(40, 30, 3), (24, 24, 3), (9, 70, 3), (31, 25, 3), (50, 50, 3)]
    ):
        pixels = draw.integers(0, 256, shape, dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return sorted(folder.iterdir())


def same(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    assert [one["label"] for one in ours] == [one["label"] for one in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one["score"] == pytest.approx(other["score"], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("template", ["a photo of a {}.", "{}"])
def test_scores_are_the_references(
    made: tuple[Model, Any], pictures: list[Path], template: str
) -> None:
    model, theirs = made
    classify = headway.pipeline("zero-shot-image-classification", model, batch_images=2)
    answers = classify(pictures, labels=NAMES, template=template)
    for path, answer in zip(pictures, answers, strict=True):
        same(answer, theirs(str(path), candidate_labels=NAMES, hypothesis_template=template))
        assert sum(one["score"] for one in answer) == pytest.approx(1.0)
    assert len({answer[0]["score"] for answer in answers}) == len(pictures)


def test_vectors_are_the_references(made: tuple[Model, Any], pictures: list[Path]) -> None:
    model, theirs = made
    ids = theirs.tokenizer(NAMES, padding=True, return_tensors="pt")
    images = [Image.open(path) for path in pictures]
    with torch.no_grad():
        pixels = theirs.image_processor(images=images, return_tensors="pt")
        out = theirs.model(**ids, **pixels)
    np.testing.assert_allclose(model.embed(NAMES), out.text_embeds.numpy(), atol=1e-5)
    np.testing.assert_allclose(model.embed_images(pictures), out.image_embeds.numpy(), atol=1e-5)
    texts = ["cat<|endoftext|>dog", "cat"]  # the first end-of-text token is the one that counts
    np.testing.assert_allclose(*model.embed(texts), atol=1e-6)
    assert model.embed([]).shape == model.embed_images([]).shape == (0, 12)


def test_every_form_of_images(made: tuple[Model, Any], pictures: list[Path]) -> None:
    model, _ = made
    classify = headway.pipeline("zero-shot-image-classification", model, batch_images=3)
    wanted = classify(pictures, NAMES)
    opened = [Image.open(path) for path in pictures]
    forms = [
        [str(path) for path in pictures],
        opened,
        [np.asarray(image) for image in opened],
        pictures[0].parent,
        str(pictures[0].parent),
        tuple(pictures),
    ]
    for form in forms:
        for answer, want in zip(classify(form, NAMES), wanted, strict=True):
            same(answer, want)
    for one in (pictures[0], str(pictures[0]), opened[0], np.asarray(opened[0])):
        same(classify(one, NAMES), wanted[0])
    assert model.embed_images(pictures[0]).shape == (1, 12)
    assert np.allclose(model.embed_images(pictures[0].parent), model.embed_images(opened))


def test_an_iterator_is_answered_lazily(made: tuple[Model, Any], pictures: list[Path]) -> None:
    asked = []

    def stream() -> Iterator[Path]:
        for number in range(10**6):
            asked.append(number)
            yield pictures[number % len(pictures)]

    classify = headway.pipeline("zero-shot-image-classification", made[0], batch_images=2)
    answers = classify(stream(), NAMES)
    assert not asked
    same(next(answers), classify(pictures[0], NAMES))
    assert len(asked) == 2


def test_names_are_read_once(
    made: tuple[Model, Any], pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, read = made[0], []
    embed = Model.embed
    monkeypatch.setattr(
        Model, "embed", lambda self, texts, **more: read.append(texts) or embed(self, texts, **more)
    )
    classify = headway.pipeline("zero-shot-image-classification", model)
    first = classify(pictures[0], NAMES)
    assert classify(pictures[0], NAMES) == first
    assert len(read) == 1
    same(classify(pictures[0], NAMES[::-1]), first)
    assert len(read) == 2


def test_a_folder_of_classes_is_evaluated(
    made: tuple[Model, Any], pictures: list[Path], tmp_path: Path
) -> None:
    classify = headway.pipeline("zero-shot-image-classification", made[0])
    names = ["a red car", "cat", "dog"]
    best = [answer[0]["label"] for answer in classify(pictures, names)]
    for name in names:
        (tmp_path / name.replace(" ", "_")).mkdir()
    for number, path in enumerate(pictures):
        name = best[number] if number else next(n for n in names if n != best[0])  # one is wrong
        (tmp_path / name.replace(" ", "_") / path.name).write_bytes(path.read_bytes())
    used = sorted({p.parent.name.replace("_", " ") for p in tmp_path.rglob("*.png")})
    wanted = np.mean(
        [
            classify(p, used)[0]["label"] == p.parent.name.replace("_", " ")
            for p in tmp_path.rglob("*.png")
        ]
    )
    assert classify.accuracy(tmp_path) == pytest.approx(wanted)
    assert classify.accuracy(tmp_path, used) == pytest.approx(wanted)
    with pytest.raises(ConfigError, match=r"1 names.*Allowed: "):
        classify.accuracy(tmp_path, ["cat"])
    (tmp_path / "loose.png").write_bytes(pictures[0].read_bytes())
    with pytest.raises(DataError, match=r"loose\.png lies in no folder"):
        classify.accuracy(tmp_path)


@pytest.mark.parametrize(
    ("images", "options", "said"),
    [
        ("none.png", {}, "none.png does not exist"),
        (7, {}, "is a int"),
        ([7], {}, "7 is a int.*Allowed: the path"),
        (None, {"labels": []}, r"labels = \[\]"),
        (None, {"labels": 7}, "labels = 7"),
        (None, {"labels": ["cat", 7]}, r"labels = \('cat', 7\)"),
        (None, {"labels": "cat"}, "labels = 'cat'"),
        (None, {"labels": ["cat", "cat"]}, "each once"),
        (None, {"template": "a photo"}, "template = 'a photo'.*one {}"),
    ],
)
def test_what_cannot_be(
    made: tuple[Model, Any], pictures: list[Path], images: Any, options: dict[str, Any], said: str
) -> None:
    classify = headway.pipeline("zero-shot-image-classification", made[0])
    with pytest.raises((ConfigError, DataError), match=said):
        classify(pictures if images is None else images, **{"labels": NAMES, **options})


def test_models_that_read_no_images() -> None:
    for ask in (
        lambda model: headway.pipeline("zero-shot-image-classification", model),
        lambda model: model.embed_images("a.png"),
    ):
        with pytest.raises(ConfigError, match=r"reads no images.*Next: "):
            ask(tiny_model())


def test_options(made: tuple[Model, Any], pictures: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="batch_images = 0"):
        headway.pipeline("zero-shot-image-classification", made[0], batch_images=0)
    with pytest.raises(ConfigError, match="batch_images = 0"):
        made[0].embed_images(pictures, batch_images=0)
    with pytest.raises(ConfigError, match="second tower"):
        headway.export(made[0], "onnx", tmp_path / "out")
    made[0].save(tmp_path / "saved")
    again = headway.load(tmp_path / "saved")
    assert np.array_equal(again.embed_images(pictures), made[0].embed_images(pictures))
    assert np.array_equal(again.embed(NAMES), made[0].embed(NAMES))
