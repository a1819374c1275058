"""Longformer keeps every promise, in windows and out of them."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from contracts import PROMISES, Case, close, promise_name
from torch import Tensor
from transformers import LongformerConfig

from headway.core import masks
from headway.core.layout import Layout
from headway.errors import CheckpointError
from headway.families import longformer

SEPARATOR = 2


class LongformerCase(Case):
    """A case in which the reference is told which tokens are global, and shows maps as ours are."""

    def their_forward(self, model: Any, number: int, **options: bool) -> Any:
        """The reference's result for one text alone, its first token global."""
        ids = torch.tensor([self.texts[number]])
        marks = torch.zeros_like(ids)
        marks[:, 0] = 1
        with torch.no_grad():
            out = model(ids, global_attention_mask=marks, **options)
        if options.get("output_attentions"):
            out["attentions"] = whole_maps(out, longformer.windows_of(self.ours), globals_=1)
        return out

    def unheard(self, task: str) -> set[str]:
        """In the last block the first token gathers with its own projections only."""
        last = f"body.layers.{self.ours.layers - 1}.attention.qkv."
        return {last + "weight", last + "bias"} if task == "text-classification" else set()


def whole_maps(out: Any, windows: tuple[int, ...], *, globals_: int) -> tuple[Tensor, ...]:
    """The reference's maps, which hold a window a query, as [1, heads, queries, keys]."""
    maps = []
    for window, local, own in zip(windows, out.attentions, out.global_attentions, strict=True):
        length, half = local.shape[2], window // 2
        whole = torch.zeros(1, local.shape[1], length, length)
        for query in range(globals_, length):
            first, last = max(0, query - half), min(length - 1, query + half)
            column = globals_ + half + first - query
            whole[0, :, query, first : last + 1] = local[
                0, :, query, column : column + last + 1 - first
            ]
            # A global key has a column of its own, and none in the window.
            whole[0, :, query, :globals_] = local[0, :, query, :globals_]
        whole[0, :, :globals_] = own[0, :, :length].transpose(1, 2)
        maps.append(whole)
    return tuple(maps)


def config(draw: random.Random) -> Any:
    heads = draw.choice([1, 2, 3])
    layers = draw.choice([2, 3])  # two let any token reach any other by way of the global one
    # The reference pads to the widest window, which the others must divide, and cannot do 2.
    windows = [draw.choice([4, 8, 16]) for _ in range(layers)]
    return LongformerConfig(
        vocab_size=draw.randint(30, 99),
        hidden_size=heads * draw.choice([5, 7, 12]),
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=draw.randint(9, 41),
        hidden_act=draw.choice(["gelu", "relu"]),
        attention_window=draw.choice([windows, windows[0]]),
        max_position_embeddings=draw.randint(18, 40),
        type_vocab_size=draw.choice([1, 2]),
        pad_token_id=draw.choice([0, 1, 1, 5]),
        layer_norm_eps=draw.choice([1e-12, 1e-5]),
        tie_word_embeddings=draw.choice([True, True, False]),
    )


def case_of(theirs: Any, seed: int) -> LongformerCase:
    """A case whose texts hold no question, which would be global before an answer."""
    return LongformerCase("longformer", theirs, seed, (theirs.pad_token_id, SEPARATOR))


@pytest.fixture(params=[masks.BLOCK, 2], ids=["whole", "banded"])
def block(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "BLOCK", request.param)


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("promise", PROMISES, ids=promise_name)
@pytest.mark.parametrize("seed", range(3))
def test_promise(promise: Any, seed: int) -> None:
    promise(case_of(config(random.Random(seed)), seed))


@pytest.mark.usefixtures("block")
@pytest.mark.parametrize("seed", range(2))
def test_before_an_answer_the_question_is_global(seed: int) -> None:
    case = case_of(config(random.Random(seed)), seed)
    context = case.some_texts((13,), seed)[0]
    case.texts = [[9, 7, 8, SEPARATOR, SEPARATOR, *context, SEPARATOR]]
    theirs = case.reference("question-answering")
    whole = case.twin(theirs, "question-answering")
    layout = Layout.of(case.texts)
    with torch.no_grad():
        logits = whole["head"](case.forward(whole["body"])[0], layout)
        wanted = theirs(torch.tensor(case.texts))  # which works the question out by itself
    close(logits, torch.stack([wanted.start_logits[0], wanted.end_logits[0]], dim=-1))


def test_long_texts_in_bands_as_the_reference_reads_them() -> None:
    theirs = config(random.Random(2))
    theirs.update({"max_position_embeddings": 710, "attention_window": 64})
    case = case_of(theirs, 0)
    case.texts = case.some_texts((700, 5, 64, 333), 0)  # shorter, longer, multiples and not
    with torch.no_grad():
        for number, ours in enumerate(case.forward(case.body)):
            close(ours, case.their_forward(case.theirs, number).last_hidden_state[0])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"attention_window": 3}, "attention_window = 3. Allowed: an even number, or one for each"),
        ({"attention_window": [4, 4]}, r"attention_window = \[4, 4\].*each of 12 layers"),
        ({"attention_window": 0}, "attention_window = 0. Allowed: a list, each of it a whole num"),
        ({"attention_window": [4] * 11 + [5]}, "attention_window"),
        ({"attention_mode": "n2"}, "attention_mode = 'n2' is not supported"),
        ({"max_position_embeddings": 4, "pad_token_id": 3}, r"= 4 leaves no position .* 5 or more"),
    ],
)
def test_what_cannot_be_is_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        longformer.from_hf({"model_type": "longformer", **values})
