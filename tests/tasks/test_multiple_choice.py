"""Multiple choice from rows to a saved model, and beside the reference's own model."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from adaptation.quick import quick
from training.choosing import choosing, put_choice_head
from training.steps import mean_of
from training.tiny import tiny_model

from headway import evaluate, load, pipeline
from headway.data import Dataset
from headway.errors import ConfigError, DataError
from headway.tasks import Meaning
from headway.tasks.choices import Asked
from headway.tasks.multiple_choice import Choices, MultipleChoice
from headway.training.collate import epoch_batches

TASK = MultipleChoice()
MEANING = Meaning("choice")
NAME = "multiple-choice"
ASKED = [
    Asked("w1 w2", ("w3", "w4 w5", "w6")),
    Asked(" ".join(f"w{n % 20}" for n in range(60)), ("w1", "w2")),
    Asked("w7", ("w8",), "w9"),
]


def encoded(model: Any, asked: list[Asked]) -> list[Choices]:
    return TASK.encode(model, asked, size=24, stride=None)


@pytest.mark.parametrize(
    ("kind", "head"), [("bert", "linear"), ("roberta", "family"), ("gpt2", "mlp")]
)
def test_learns_planted_choices_and_opens_again(kind: str, head: str, tmp_path: Path) -> None:
    data, test = choosing(160), choosing(60, seed=1)
    out = tmp_path / "run"
    settings = {"task": NAME, "epochs": 6, "lr": 5e-3, "head": head, "baseline": kind == "bert"}
    result = quick(tiny_model(kind), data, test=test, out=out, **settings)
    scores = result.report["test"]
    assert scores["n"] == 60 and scores["accuracy"] > 0.9 and 0 < scores["loss"] < 0.5
    low, high = scores["confidence_interval_95"]
    assert low <= scores["accuracy"] <= high
    if kind == "bert":
        assert result.report["baseline"]["accuracy"] < scores["accuracy"]
        assert "choice most like its context" in (out / "report.html").read_text()
        card = (out / "README.md").read_text()
        assert 'predict("a context", ["a choice", "another"])' in card

    again = load(out)
    assert again.task == NAME
    assert again.head is not None and again.head.output.out_features == 1
    measured = evaluate(out, test)["test"]
    assert measured == {**scores, "loss": pytest.approx(scores["loss"], rel=1e-5)}
    told, same = pipeline(out)(test), pipeline(result.model)(test)
    assert [one["index"] for one in told] == [one["index"] for one in same]
    right = sum(one["index"] == row["label"] for row, one in zip(test, told, strict=True))
    assert right / 60 == pytest.approx(scores["accuracy"])
    for row, one in zip(test, told, strict=True):
        assert one["label"] == row["choices"][one["index"]]
        assert len(one["scores"]) == len(row["choices"])
        assert sum(one["scores"]) == pytest.approx(1) and one["score"] == max(one["scores"])


@pytest.mark.parametrize("seed", range(2))
def test_scores_are_those_of_the_references_model(seed: int, tmp_path: Path) -> None:
    import transformers

    model = tiny_model()
    tokenizer = model.need_tokenizer()
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=24,
        initializer_range=0.3,
    )
    theirs = transformers.BertForMultipleChoice(config).eval()
    theirs.save_pretrained(tmp_path)
    tokenizer.save(tmp_path)
    choose = pipeline(tmp_path)
    rows = choosing(12, seed=seed)
    for row, told in zip(rows, choose(rows), strict=True):
        encodings = [tokenizer.encode(row["context"], choice) for choice in row["choices"]]
        longest = max(map(len, encodings))
        padded = [
            [part + [0] * (longest - len(part)) for part in parts]
            for parts in (
                [e.ids for e in encodings],
                [e.type_ids for e in encodings],
                [[1] * len(e) for e in encodings],
            )
        ]
        ids, types, there = (torch.tensor([part]) for part in padded)
        with torch.no_grad():
            logits = theirs(input_ids=ids, token_type_ids=types, attention_mask=there).logits[0]
        np.testing.assert_allclose(told["scores"], logits.softmax(0).numpy(), atol=1e-5)


def test_every_choice_is_read_beside_the_context_in_windows() -> None:
    model = tiny_model()
    short, long, begun = encoded(model, ASKED)
    tokenizer = model.need_tokenizer()
    assert short.ids == [tokenizer.encode("w1 w2", one).ids for one in ASKED[0].choices]
    assert short.counts == (1, 1, 1) and short.tokens == 3 * 2 + 4
    assert (short.longest, short.most_windows, long.longest, long.most_windows) == (4, 1, 61, 4)
    assert long.counts == (4, 4) and len(long.ids) == len(long.segments) == 8
    assert long.report() == {"used": 122, "total": 122, "windows": 8}
    for number, ids in enumerate(long.ids):
        assert tokenizer.token(ids[-2]) == ASKED[1].choices[number // 4]
    assert begun.ids == [tokenizer.encode("w7", "w9 w8").ids]


def test_logits_are_averaged_over_the_windows_of_each_choice() -> None:
    model = put_choice_head(tiny_model())
    texts = encoded(model, ASKED)
    found = TASK.read(model, texts, MEANING, batch_tokens=64, what="")
    for text, chances in zip(texts, found, strict=True):
        with torch.no_grad():
            logits = torch.stack(list(model.forward(text.ids, segments=text.segments).logits or []))
        means = torch.stack([part.mean() for part in logits.split(text.counts)])
        np.testing.assert_allclose(chances, means.double().softmax(0).numpy(), atol=1e-6)
    alone = TASK.read(model, texts[1:2], MEANING, batch_tokens=10**6, what="")
    np.testing.assert_allclose(alone[0], found[1], atol=1e-6)
    assert TASK.read(model, [], MEANING, batch_tokens=8, what="") == []


def test_the_loss_is_the_mean_surprise_of_the_right_choices() -> None:
    model = put_choice_head(tiny_model())
    texts = encoded(model, ASKED)
    targets = TASK.targets(model, texts, [2, 1, 0], MEANING)
    (batch,) = epoch_batches(texts, batch_tokens=10**6, seed=0, most_windows=None)
    loss = mean_of(TASK, model, batch, targets, MEANING)
    found = TASK.read(model, texts, MEANING, batch_tokens=10**6, what="")
    expected = -np.mean([np.log(row[n]) for row, n in zip(found, [2, 1, 0], strict=True)])
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_no_choice_is_left_out_of_a_step() -> None:
    (text,) = encoded(tiny_model(), [Asked(ASKED[1].context, tuple(f"w{n}" for n in range(6)))])
    assert text.counts == (4,) * 6
    drawn = [text.drawn(random.Random(seed), 2) for seed in range(9)]
    for numbers in drawn:
        assert numbers == sorted(numbers)
        assert [number // 4 for number in numbers] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert len({tuple(numbers) for numbers in drawn}) > 1
    assert text.drawn(random.Random(0), None) == list(range(24))
    model = put_choice_head(tiny_model())
    (batch,) = epoch_batches([text], batch_tokens=8, seed=0, most_windows=1)
    assert batch.counts == (6,)
    loss = mean_of(TASK, model, batch, TASK.targets(model, [text], [3], MEANING), MEANING)
    assert loss.isfinite()


def test_rows_that_cannot_be_used_are_named() -> None:
    rows = [{**row, "label": 9} for row in choosing(10)]
    said = r"row 1 of the train rows: '9' is none of the row's choices \(and 9 more such rows\)"
    with pytest.raises(DataError, match=said):
        quick(data=Dataset.from_rows(rows), task=NAME)
    with pytest.raises(DataError, match=r"there is no label.*the text, the letter or the index"):
        quick(data=Dataset.from_rows([{**rows[0], "label": None}, *choosing(9)]), task=NAME)
    with pytest.raises(ConfigError, match="is an encoder-decoder"):
        quick(tiny_model("t5"), choosing(20), task=NAME)
    with pytest.raises(ConfigError, match="class_weights with choices"):
        quick(data=choosing(20), task=NAME, class_weights=True)


def test_one_in_context_are_cut_together_and_those_that_differ_in_choices_all_stay() -> None:
    rows = [row for row in choosing(30) for _ in range(2)]
    data = Dataset.from_rows(
        [{**row, "choices": [*row["choices"], f"w{n % 2}"]} for n, row in enumerate(rows)]
    )
    result = quick(data=data, task=NAME)
    assert result.report["data"]["duplicates_dropped"] == 0
    assert sum(result.report["data"]["rows"].values()) == 60
    assert any("same context kept together" in note for note in result.report["notes"])
    # Several choices are no long text.
    lengths = result.report["lengths"]
    assert lengths["windowed"] == 0 and lengths["max_seen"] <= 5 + 4
