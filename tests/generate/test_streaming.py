"""Streams are the texts that are written whole, piece by piece, as soon as they can be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pipelines.models import writer

from headway.errors import ConfigError
from headway.generate import OneOf
from headway.generate.streaming import until_stop

from .letters import letters_model

PROMPTS = ["ab", "é", "no abc", "🙂"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"temperature": 1.0, "seed": 3},
        {"temperature": 1.0, "stop": ("a", "é", "zz")},
        {"contrastive": 0.5},
        {"constraint": OneOf(["true", "🙂🙂", "ab"])},
        {"max_new_tokens": 0},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_pieces_are_the_text(kind: str, options: dict[str, Any]) -> None:
    model = letters_model(kind)
    options = {"max_new_tokens": 40, **options}
    wanted = model.generate(PROMPTS, **options)
    got = [""] * len(PROMPTS)
    for number, piece in model.stream(PROMPTS, **options):
        assert piece
        got[number] += piece
    assert got == wanted
    assert "".join(model.stream(PROMPTS[1], **options)) == wanted[1]


def test_pieces_come_as_they_are_written() -> None:
    model, read = writer("llama"), 0
    words = model.need_tokenizer().vocabulary

    def count(*_: Any) -> None:
        nonlocal read
        read += 1

    model.body.register_forward_hook(count)
    pieces = model.stream("w1 w2", 10, stop_tokens=())
    assert read == 0
    for steps, piece in enumerate(pieces, 1):
        assert piece.strip() in words
        # A piece may wait for the token behind it.
        assert steps <= read <= steps + 1
    assert read == 10


def test_between_pieces_the_model_is_as_it_was() -> None:
    model = letters_model(layers=2)
    model.train()
    pieces = model.stream("ab", 30)
    next(pieces)
    assert model.training and not torch.is_inference_mode_enabled() and torch.is_grad_enabled()
    wanted = model.forward([[1, 2]]).last[0]
    assert wanted.requires_grad
    del pieces
    assert all("forward" not in part.__dict__ for part in model.modules())


def test_what_is_not_streamed() -> None:
    model = letters_model()
    with pytest.raises(ConfigError, match=r"a stream of 3 texts at once.*generate them whole"):
        model.stream("a", beams=3)
    with pytest.raises(ConfigError, match="a stream of 2 texts"):
        model.stream("a", sequences=2, temperature=1.0)
    with pytest.raises(ConfigError, match="max_new_tokens = -1"):
        model.stream("a", -1)
    assert list(model.stream([])) == []
    model.checkpoint.tokenizer = None
    with pytest.raises(ConfigError, match="no tokenizer"):
        model.stream("a")


def cut(text: str, places: list[int]) -> Iterator[str]:
    ends = sorted({min(place, len(text)) for place in places} | {len(text)})
    starts = [0, *ends[:-1]]
    return (text[a:b] for a, b in zip(starts, ends, strict=True))


@given(
    text=st.text("abc", max_size=30),
    stop=st.lists(st.text("abc", min_size=1, max_size=4), max_size=3),
    places=st.lists(st.integers(0, 30)),
)
def test_stop_texts_are_held_back(text: str, stop: list[str], places: list[int]) -> None:
    pieces = list(until_stop(cut(text, places), stop))
    read = next((n for n in range(len(text) + 1) if stop and text[:n].endswith(tuple(stop))), None)
    longest = max((each for each in stop if text[:read].endswith(each)), key=len, default="")
    assert "".join(pieces) == (text if read is None else text[: read - len(longest)])
    assert all(pieces)
