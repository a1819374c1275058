"""The two tasks that learn from texts alone: text generation and masked words."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from adaptation.quick import quick
from pipelines.models import masker, writer
from training.tiny import SIGNS, WORDS, tiny_model

from headway import Dataset, evaluate, pipeline, train_tokenizer
from headway.checkpoints import HeadPlan
from headway.checkpoints.fresh import Shape, fresh_checkpoint, fresh_values
from headway.errors import ConfigError
from headway.model import Model
from headway.tasks import TASKS, Meaning
from headway.training.masking import hidden_tokens

WRITING, MASKED = TASKS["text-generation"], TASKS["fill-mask"]
LANGUAGE, HIDDEN = Meaning("language"), Meaning("masked-words")


def counting(n: int = 60) -> Dataset:
    """Texts that count on from somewhere: each word tells the next."""
    rows = [" ".join(WORDS[start % 12 : start % 12 + 7]) for start in range(n)]
    return Dataset.from_columns({"text": [f"{row} {SIGNS[n % 2]}" for n, row in enumerate(rows)]})


def test_a_decoder_learns_what_follows(tmp_path: Path) -> None:
    model = writer("gpt2")
    texts = [row["text"] for row in counting(24)]
    held = Dataset.from_columns({"text": [f"{text} w0" for text in texts[:6]]})
    result = quick(
        model, Dataset.from_columns({"text": texts}), test=held, task="text-generation",
        epochs=25, lr=5e-3, batch_tokens=64, baseline=True, out=tmp_path / "run",
    )  # fmt: skip
    test, baseline = result.report["test"], result.report["baseline"]
    assert test["bits_per_byte"] < 0.5 * baseline["bits_per_byte"]
    assert evaluate(tmp_path / "run", held)["test"] == test
    write = pipeline(tmp_path / "run")
    assert write("w3 w4 w5", max_new_tokens=1) == "w6"


def test_every_token_counts_once_behind_all_that_its_window_shows() -> None:
    """A text in windows; the shared tokens count in the first one."""
    model = writer("gpt2")
    text = " ".join(WORDS * 3)
    (read,) = WRITING.encode(model, [text], size=24, stride=6)
    assert len(read.ids) == 3
    (found,) = WRITING.read(model, [read], LANGUAGE, batch_tokens=100, what="")
    assert found.tokens == 59 and found.bytes == len(text) - len("w0")  # nothing stands before it
    nats = 0.0
    for window, counted in zip(read.ids, read.counted, strict=True):
        logits = model.forward([window]).logits
        assert logits is not None
        told = logits[0].detach()[:-1].log_softmax(-1)
        chosen = told[range(len(window) - 1), window[1:]]
        nats -= float(chosen[max(0, counted - 1) :].sum())
    assert found.nats == pytest.approx(nats, rel=1e-4)
    scores = WRITING.score([found], [read], [None], LANGUAGE)
    assert scores["perplexity"] == pytest.approx(math.exp(found.nats / 59))


def ending() -> Model:
    """A GPT-2 whose tokenizer puts nothing around texts, and knows what ends one."""
    texts = iter(["low lower lowest newest"] * 20)
    tokenizer = train_tokenizer(texts, kind="byte-bpe", size=280)
    torch.manual_seed(0)
    made = fresh_checkpoint(fresh_values("gpt2", Shape(2, 32, 2)), tokenizer)
    made.put_head(HeadPlan("text-generation", made.family.HEADS["text-generation"]))
    return Model(made)


@pytest.mark.parametrize("size", [None, 12])
def test_an_end_stands_behind_each_text(size: int | None) -> None:
    """All bytes but the first token's are told, and the end is learned; windows keep their size."""
    model, text = ending(), "lower lowest low newest lowest lower low"
    (end,) = model.parts.ends
    (read,) = WRITING.encode(model, [text], size=size, stride=3 if size else None)
    assert read.ids[-1][-1] == end and sum(ids.count(end) for ids in read.ids) == 1
    assert all(len(ids) <= (size or 99) for ids in read.ids)
    assert [len(ids) for ids in read.ids] == [len(part) for part in read.segments]
    (found,) = WRITING.read(model, [read], LANGUAGE, batch_tokens=100, what="")
    first, *others = model.need_tokenizer().encode(text).ids
    assert found.tokens == len(others) + 1
    assert found.bytes == len(text) - len(model.need_tokenizer().decode([first]))


def test_a_decoder_learns_to_stop() -> None:
    texts = [f"{first} lower" for first in ("low", "lowest", "newest", "new", "west", "est")]
    result = quick(
        ending(), Dataset.from_columns({"text": texts}), task="text-generation", epochs=30, lr=1e-2,
        test=Dataset.from_columns({"text": ["lower lower"]}), batch_tokens=64, validation=0.0,
    )  # fmt: skip
    assert pipeline(result.model)("newest", max_new_tokens=20) == " lower"


def test_changing_what_comes_later_changes_no_earlier_surprise() -> None:
    model = writer("llama")
    first, second = WRITING.encode(model, ["w1 w2 w3 w4", "w1 w2 w3 w9"], size=None, stride=None)
    from headway.training.likelihood import surprises

    one, other = surprises(model, [first.ids[0], second.ids[0]], batch_tokens=99)
    torch.testing.assert_close(one[:-1], other[:-1], atol=1e-6, rtol=0)
    assert one[-1] != other[-1]


def test_an_encoder_learns_hidden_words(tmp_path: Path) -> None:
    texts = [row["text"].replace("blue", "green") for row in counting(24)]
    held = Dataset.from_columns({"text": [f"{text} w0" for text in texts[:8]]})
    result = quick(
        masker(), Dataset.from_columns({"text": texts}), test=held, task="fill-mask",
        epochs=60, lr=1e-2, batch_tokens=100, baseline=True,
    )  # fmt: skip
    assert result.report["test"]["accuracy"] > 2 * result.report["baseline"]["accuracy"]
    answer = pipeline("fill-mask", result.model)("w3 w4 blue w6 w7", top=3)
    (mask,) = answer["masks"]
    assert (mask["start"], mask["end"]) == (6, 10)
    assert len(mask["words"]) == 3 and mask["scores"] == sorted(mask["scores"], reverse=True)


def test_the_same_tokens_are_hidden_each_time() -> None:
    model = masker()
    read = MASKED.encode(model, [row["text"] for row in counting(9)], size=24, stride=None)
    found = [MASKED.read(model, read, HIDDEN, batch_tokens=n, what="") for n in (30, 999)]
    for one, other in zip(*found, strict=True):
        assert (one.right, one.hidden) == (other.right, other.hidden)
        assert one.nats == pytest.approx(other.nats, rel=1e-4)


def test_which_tokens_are_hidden() -> None:
    ids = torch.randint(5, 100, (20_000,), generator=torch.Generator().manual_seed(0))
    ids[::10] = 2
    shown, chosen = hidden_tokens(
        ids, mask=4, words=100, never={2, 4}, generator=torch.Generator().manual_seed(1)
    )
    assert not chosen[::10].any() and torch.equal(shown[~chosen], ids[~chosen])
    assert chosen.sum() / (ids != 2).sum() == pytest.approx(0.15, abs=0.01)
    masked = (shown == 4)[chosen].float().mean()
    kept = (shown == ids)[chosen].float().mean()
    assert masked == pytest.approx(0.8, abs=0.03) and kept == pytest.approx(0.1, abs=0.03)
    alone, one = hidden_tokens(torch.tensor([2, 7, 2]), mask=4, words=100, never={2})
    assert one.tolist() == [False, True, False] and alone[0] == alone[2] == 2


def test_a_mask_in_a_long_text_has_its_place() -> None:
    model = masker()
    text = " ".join([*WORDS * 2, "blue", *WORDS])
    answer = pipeline("fill-mask", model)([text, "blue"])
    assert answer[0]["tokens"]["windows"] > 2
    (mask,) = answer[0]["masks"]
    assert text[mask["start"] : mask["end"]] == "blue"
    (alone,) = pipeline("fill-mask", model)("blue")["masks"]
    assert alone["words"] == answer[1]["masks"][0]["words"]
    assert alone["scores"] == pytest.approx(answer[1]["masks"][0]["scores"], abs=1e-5)


@pytest.mark.parametrize(
    ("task", "model", "settings", "said"),
    [
        ("text-generation", tiny_model, {}, "is no decoder"),
        ("fill-mask", lambda: writer("gpt2"), {}, "tells no hidden words"),
        ("fill-mask", tiny_model, {}, "has no mask token"),
        ("text-generation", lambda: writer("gpt2"), {"label": "text"}, "learns from texts alone"),
        ("fill-mask", masker, {"pair": "text"}, "a column of texts alone"),
    ],
)
def test_what_cannot_be(task: str, model: Any, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        quick(model(), counting(6), task=task, **settings)


def test_a_text_without_a_mask_is_said() -> None:
    with pytest.raises(ConfigError, match=r"text 1 has no mask token.*write blue"):
        pipeline("fill-mask", masker())(["blue", "w1"])
    with pytest.raises(ConfigError, match="no head that tells masked words"):
        pipeline("fill-mask", tiny_model())
