from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from headway.core import packed
from headway.errors import ConfigError
from headway.pipelines import TextGeneration

from .models import classifier, writer

PROMPTS = ["w1 w2", "w3"]


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_prompts_are_continued_as_the_model_does(kind: str) -> None:
    model = writer(kind)
    write = TextGeneration(model)
    texts = write(PROMPTS, max_new_tokens=3)
    assert texts == model.generate(PROMPTS, max_new_tokens=3)
    assert [len(text.split()) for text in texts] == [3, 3]
    assert write("w1 w2", max_new_tokens=3) == texts[0]
    assert write("w1", max_new_tokens=0) == ""
    assert write(PROMPTS) == model.generate(PROMPTS)
    assert write(tuple(PROMPTS), max_new_tokens=3) == texts
    assert write([]) == []


@pytest.mark.parametrize(
    "options", [{"beams": 3}, {"temperature": 2.0, "seed": 5}, {"stop": "w"}, {"contrastive": 0.5}]
)
def test_options_go_to_the_model(options: dict[str, Any]) -> None:
    model = writer()
    wanted = model.generate(PROMPTS, 6, **options)
    assert TextGeneration(model)(PROMPTS, max_new_tokens=6, **options) == wanted
    assert TextGeneration(model, max_new_tokens=6, **options)(PROMPTS) == wanted
    other = TextGeneration(model, max_new_tokens=2, seed=1)(PROMPTS, max_new_tokens=6, **options)
    assert other == model.generate(PROMPTS, 6, **{"seed": 1, **options})


def test_several_texts_of_a_prompt_are_a_list() -> None:
    model = writer()
    write = TextGeneration(model, beams=3, sequences=2, max_new_tokens=4, stop_tokens=())
    flat = model.generate(PROMPTS, 4, beams=3, sequences=2, stop_tokens=())
    assert write(PROMPTS) == [flat[:2], flat[2:]]
    assert write("w3") == flat[2:]
    details = write(PROMPTS, details=True)
    assert [[each["text"] for each in row] for row in details] == [flat[:2], flat[2:]]


def test_details_are_dicts() -> None:
    model = writer()
    (told,) = TextGeneration(model)(["w1 w2"], max_new_tokens=4, details=True, alternatives=2)
    (written,) = model.generate_details(["w1 w2"], 4, alternatives=2)
    assert told["tokens"] == {"used": 2, "total": 2, "windows": 1, "new": len(written.ids)}
    for key in ("text", "ids", "log_probabilities", "stopped_by", "score", "alternatives"):
        assert told[key] == getattr(written, key)
    assert told["acceptance"] is None


def test_an_iterator_is_answered_lazily(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headway.pipelines.text_generation.CHUNK", 2)
    read = 0

    def prompts() -> Iterator[str]:
        nonlocal read
        for prompt in PROMPTS * 3:
            read += 1
            yield prompt

    write = TextGeneration(writer(), max_new_tokens=3)
    answers = write(prompts())
    assert read == 0
    first = next(answers)
    assert read == 2
    assert [first, *answers] == write(PROMPTS * 3)


def test_what_is_no_prompt() -> None:
    with pytest.raises(ConfigError, match="3 is a int"):
        TextGeneration(writer())(3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="text 1 is 3"):
        TextGeneration(writer())(["w1", 3])  # type: ignore[list-item]


def test_a_model_that_writes_no_text_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"writes no text\. Allowed: a model for text-generation"):
        TextGeneration(classifier())


def test_a_model_without_a_tokenizer_is_refused() -> None:
    model = writer()
    model.checkpoint.tokenizer = None
    with pytest.raises(ConfigError, match="no tokenizer"):
        TextGeneration(model)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_precisions(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps that know no casts stand aside; here every layer is worth packing."""
    monkeypatch.setattr(packed, "SMALLEST", 1)
    model, options = writer(kind), {"max_new_tokens": 12, "details": True}
    exact, half = (
        TextGeneration(model, precision=precision)(PROMPTS, **options)
        for precision in ("fp32", "bf16")
    )
    assert exact == TextGeneration(model)(PROMPTS, **options)
    for one, other in zip(exact, half, strict=True):
        first, second = one["log_probabilities"][0], other["log_probabilities"][0]
        assert first != second and first == pytest.approx(second, abs=0.05)
    with pytest.raises(ConfigError, match="precision"):
        TextGeneration(model, precision="fp64")
