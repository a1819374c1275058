from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from adaptation.quick import changed, quick
from pipelines.models import writer
from training.steps import mean_of
from training.tiny import WORDS, tiny_model

from headway import Dataset, evaluate, load, pipeline
from headway.checkpoints import encoder_decoder_of
from headway.checkpoints.generation import Generation
from headway.core.layout import Layout
from headway.core.stacks import EncoderDecoder
from headway.errors import ConfigError, DataError
from headway.model import Model
from headway.tasks import TASKS, Meaning
from headway.tasks.text_to_text import TextToText, first_sentence
from headway.training.collate import Ready, epoch_batches
from headway.training.targets import continued_states, target_states

TASK = TASKS["summarization"]
MEANING = Meaning("summaries")


def writes(kind: str) -> Model:
    """A tiny model that begins with [CLS] and ends with [SEP]."""
    model = writer(kind) if kind != "bert" else Model(encoder_decoder_of(tiny_model().checkpoint))
    stored = {"decoder_start_token_id": 2, "eos_token_id": 3}
    model.checkpoint.generation = Generation(2, frozenset({3}), stored)
    return model


def translated_rows(n: int = 60, *, seed: int = 0, most: int = 4) -> Dataset:
    """Each word has one of its own in the other language: what no copy of a prompt gives."""
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        words = draw.sample(range(6), draw.randint(2, most))
        source, target = (" ".join(WORDS[n + more] for n in words) for more in (0, 6))
        rows.append({"source": source, "target": target})
    return Dataset.from_rows(rows, name="translated")


def learned(model: Model, **settings: Any) -> Any:
    usual = {"task": "summarization", "epochs": 60, "lr": 3e-3, "batch_tokens": 240}
    return quick(
        model, translated_rows(150), test=translated_rows(12, seed=1), **{**usual, **settings}
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["t5", "bert", "gpt2"])
def test_every_kind_of_model_learns_to_write(kind: str, tmp_path: Path) -> None:
    found = learned(writes(kind), out=tmp_path / "run", baseline=True)
    report = found.report
    assert report["kind"] == "summaries"
    assert report["test"]["rouge1"] > 0.5 > report["baseline"]["rouge1"]
    assert report["baseline"]["name"] == "the first sentence"
    again = evaluate(tmp_path / "run", translated_rows(12, seed=1))
    assert again["test"] == report["test"]
    answer = pipeline(tmp_path / "run")("w1 w2")
    assert set(answer) == {"text", "tokens"} and answer["tokens"]["windows"] == 1


def test_an_encoder_becomes_an_encoder_decoder(tmp_path: Path) -> None:
    found = quick(
        tiny_model(), translated_rows(20), test=translated_rows(4, seed=1), task="summarization",
        out=tmp_path / "run",
    )  # fmt: skip
    assert isinstance(found.model.body, EncoderDecoder)
    again = load(tmp_path / "run")
    prompts = ["w1 w2", "w3"]
    assert again.generate(prompts, 5) == found.model.generate(prompts, 5)


def test_new_cross_attention_depends_on_the_seed_alone() -> None:
    """Whatever random numbers were drawn before, and those of the caller go on undisturbed."""

    def made(seed: int) -> Model:
        data = {"data": translated_rows(12), "test": translated_rows(4, seed=1)}
        return quick(tiny_model(), **data, task="translation", seed=seed).model

    first = made(3)
    torch.manual_seed(7)
    drawn = torch.rand(3)
    torch.manual_seed(7)
    again = made(3)
    assert torch.rand(3).equal(drawn)
    assert not changed(first, again)
    assert changed(first, made(4))


@pytest.mark.parametrize("kind", ["t5", "bert", "gpt2"])
def test_logits_are_those_of_the_whole_model(kind: str) -> None:
    """Of all texts one by one, and only where target tokens are predicted."""
    model = writes(kind)
    sources = ["w1 w2 w3", "w4", "w5 w6 w7 w8"]
    read = TASK.encode(model, sources, size=None, stride=None)
    targets = TASK.targets(model, read, ["w3 w1", "w4 w5 w6", "w1"], MEANING)
    assert all(target[-1] == 3 for target in targets)
    (batch,) = epoch_batches(read, batch_tokens=10_000, seed=0, most_windows=4)
    wanted = [targets[row] for row in batch.rows]
    made = target_states if isinstance(model.body, EncoderDecoder) else continued_states
    lies = Layout(tuple(map(len, wanted)))
    assert model.head is not None
    rows = lies.split(model.head(made(model, batch, wanted).before, lies))
    for row, logits in zip(batch.rows, rows, strict=True):
        ids = read[row].ids
        if isinstance(model.body, EncoderDecoder):
            out = model.forward(ids, target=[[2, *targets[row][:-1]]])
        else:
            out = model.forward([[*ids[0], *targets[row][:-1]]])
        assert out.logits is not None
        whole = out.logits[0][-len(targets[row]) :]
        torch.testing.assert_close(logits, whole, atol=1e-5, rtol=1e-4)


def test_the_loss_is_the_mean_over_target_tokens() -> None:
    model = writes("t5")
    read = TASK.encode(model, ["w1", "w2 w3"], size=None, stride=None)
    targets = TASK.targets(model, read, ["w1 w2 w3", "w4"], MEANING)
    (batch,) = epoch_batches(read, batch_tokens=10_000, seed=0, most_windows=4)
    loss = mean_of(TASK, model, batch, targets, MEANING)
    parts = []
    for row in range(2):
        (one,) = epoch_batches(read[row : row + 1], batch_tokens=99, seed=0, most_windows=4)
        each = mean_of(TASK, model, one, targets[row : row + 1], MEANING)
        parts.append(each * len(targets[row]))
    torch.testing.assert_close(loss, sum(parts) / sum(map(len, targets)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", ["t5", "gpt2"])
def test_a_steps_tokens_are_those_read_and_those_to_be_written(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[int, int]] = []  # texts, tokens of sources and targets

    def watched(self: Any, model: Model, ready: Ready, meaning: Meaning) -> Any:
        steps.append((len(ready.batch.rows), ready.batch.tokens + sum(map(len, ready.wanted))))
        return loss(self, model, ready, meaning)

    loss = TextToText.loss
    monkeypatch.setattr(TextToText, "loss", watched)
    found = quick(
        writes(kind), translated_rows(40), test=translated_rows(2), task="summarization",
        epochs=1, batch_tokens=50,
    )  # fmt: skip
    assert all(tokens <= 50 for _, tokens in steps) and max(texts for texts, _ in steps) > 2
    told = found.report["tokens_per_second"]["train"] * found.report["seconds"]["train"]
    assert told >= sum(tokens for _, tokens in steps)


def test_a_long_source_is_seen_whole() -> None:
    """In windows, at all of which the decoder looks: its last word changes what is written."""
    torch.manual_seed(0)
    model = writes("bert")
    with torch.no_grad():  # as new, cross-attention of this size says less than a loss can show
        for name, parameter in model.body.named_parameters():
            if ".cross_attention." in name:
                parameter.mul_(10)
    long = " ".join(WORDS * 4)
    read = TASK.encode(model, [long, long + " red"], size=24, stride=None)
    assert len(read[0].ids) > 3
    targets = TASK.targets(model, read, ["w1", "w1"], MEANING)
    losses = []
    for row in range(2):
        (batch,) = epoch_batches(read[row : row + 1], batch_tokens=999, seed=0, most_windows=None)
        losses.append(mean_of(TASK, model, batch, targets[row : row + 1], MEANING).item())
    assert losses[0] != losses[1]
    answers = pipeline("summarization", model)([long, "w1"], max_new_tokens=4)
    assert [answer["tokens"]["windows"] > 3 for answer in answers] == [True, False]
    alone = pipeline("summarization", model)(long, max_new_tokens=4)
    assert alone == answers[0]


def test_several_references_and_sentences() -> None:
    rows = Dataset.from_rows(
        [{"source": ["w1 w2.", "w3."], "target": ["w1", "w2 w3"]} for _ in range(3)]
    )
    columns = TASK.columns(rows, text=None, pair=None, label=None)
    assert (columns.text, columns.label) == ("source", "target")
    assert TASK.inputs(rows, columns)[0] == "w1 w2. w3."
    scores = TASK.score(["w2 w3"] * 3, (), rows["target"], MEANING)
    assert scores["rougeL"] == pytest.approx(1)
    (one, *_) = TASK.compare(["w2 w3"] * 3, (), rows["target"], MEANING)
    assert one.error == 0


def test_measures_of_translations_are_shares() -> None:
    task, meaning = TASKS["translation"], Meaning("translations")
    scores = task.score(["das ist ein Haus"], (), ["das ist ein Haus"], meaning)
    assert scores["chrf"] == pytest.approx(1) and scores["bleu"] == pytest.approx(1)
    answers = TASKS["text2text-generation"].score(["The cat."], (), ["cat"], Meaning("texts"))
    assert answers["squad_exact_match"] == 1


@pytest.mark.parametrize(
    ("model", "data", "said"),
    [
        ("t5", {"source": ["w1"], "target": [3]}, "3 is no text"),
        ("t5", {"source": ["w1"], "target": [" "]}, "there is no text to learn"),
        ("t5", {"source": [[["w1"]]], "target": ["w1"]}, "is no text"),
        ("gpt2", {"source": ["w1 " * 30], "target": ["w1"]}, "row 1: its source of 30"),
    ],
)
def test_rows_that_cannot_be_used(model: str, data: dict[str, Any], said: str) -> None:
    rows = Dataset.from_columns({name: values * 2 for name, values in data.items()})
    with pytest.raises(DataError, match=said):
        quick(writes(model), rows, test=translated_rows(2), task="summarization")


def test_models_that_cannot_write() -> None:
    with pytest.raises(ConfigError, match="no head that writes"):
        quick(tiny_model("gpt2"), translated_rows(4), task="summarization")
    with pytest.raises(ConfigError, match="names no token that ends"):
        quick(writer("gpt2"), translated_rows(10), task="summarization")
    with pytest.raises(ConfigError, match="writes no text"):
        pipeline("translation", tiny_model())


def test_the_lead() -> None:
    assert first_sentence("Up 3.5 points! So.") == "Up 3.5 points!"
    assert first_sentence("no end") == "no end"
