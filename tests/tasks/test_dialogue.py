"""Replies in both designs: what is read, what is learned, what is measured."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from adaptation.quick import quick
from pipelines.models import writer
from torch import Tensor
from torch.nn.functional import cross_entropy
from training.steps import mean_of
from training.tiny import WORDS, tiny_model

from headway import Dataset, evaluate, load, pipeline
from headway.checkpoints.generation import Generation
from headway.core.stacks import Decoder, EncoderDecoder
from headway.errors import ConfigError, DataError, InputError
from headway.heads import LanguageModelHead
from headway.metrics import metric
from headway.model import Model
from headway.tasks import TASKS, Meaning, task_named
from headway.tasks.dialogue import Dialogue
from headway.tasks.talks.columns import Answer, Said, dialogue_columns, each_said, marked, said_of
from headway.tasks.talks.reading import Talk
from headway.training.collate import epoch_batches

TASK = TASKS["dialogue"]
assert isinstance(TASK, Dialogue)
MEANING = Meaning("ranked-replies")
DESIGNS = ["one-text", "marks-alone", "two-stacks", "t5"]


def plain(kind: str = "gpt2") -> Model:
    """A tiny model that begins with [CLS] and ends with [SEP]."""
    model = writer(kind) if kind != "bert" else tiny_model()
    stored = {"decoder_start_token_id": 2, "eos_token_id": 3}
    model.checkpoint.generation = Generation(2, frozenset({3}), stored)
    model.checkpoint.values |= {"bos_token_id": 2, "eos_token_id": 3}
    return model


def made(design: str, head: str | None = None) -> Model:
    kinds = {"one-text": "gpt2", "marks-alone": "llama", "two-stacks": "bert", "t5": "t5"}
    kind = kinds[design]
    return replace(TASK, choice=head == "choice").fitted(plain(kind)).eval()


def talks(n: int = 60, *, seed: int = 0, count: int = 4) -> Dataset:
    """The reply is the persona's word, then the partner of the last word said."""
    draw = random.Random(seed)
    rows = []
    for _ in range(n):
        who, said, earlier = draw.randrange(4), draw.randrange(4), draw.choice(WORDS[16:])
        right = f"{WORDS[who]} {WORDS[said + 8]}"
        others = [f"{WORDS[a]} {WORDS[b + 8]}" for a in range(4) for b in range(4)]
        others = [text for text in draw.sample(others, len(others)) if text != right]
        rows.append(
            {
                "persona": [WORDS[who]],
                "history": [earlier, draw.choice(WORDS[16:]), WORDS[said + 4]],
                "reply": right,
                "candidates": [*others[: count - 1], right],
            }
        )
    return Dataset.from_rows(rows, name="talks")


def encoded(model: Model, data: Dataset) -> tuple[list[Any], list[Answer]]:
    columns = TASK.columns(data, text=None, pair=None, label=None)
    read = TASK.encode(model, TASK.inputs(data, columns), size=model.longest, stride=None)
    return read, columns.answers(data)


def alone(model: Model, talk: Talk, reply: list[int]) -> tuple[Tensor, Tensor]:
    """A reply read alone: what the model says of each token, [tokens, words], and its score."""
    if isinstance(model.body, EncoderDecoder):
        out = model.forward(talk.ids, target=[[2, *reply]])
    else:
        marks = talk.segments[0]
        segments = [[*marks, *marks[-1:] * len(reply)]]
        carried = segments if model.checkpoint.speakers else None
        out = model.forward([[*talk.ids[0], *reply]], segments=carried)
    assert out.logits is not None and isinstance(model.head, LanguageModelHead)
    logits = out.logits[0][-len(reply) - 1 : -1]
    if model.head.choice is None:
        return logits, -cross_entropy(logits, torch.tensor(reply))
    linear = model.head.choice.output
    return logits, (linear.weight @ out.last[0][-1] + linear.bias)[0]


def test_rows() -> None:
    data = talks(3)
    columns = dialogue_columns(data)
    assert (columns.text, columns.pair, columns.label) == ("history", "persona", "reply")
    assert columns.candidates == "candidates" and columns.texts == ["history", "persona"]
    (first, *_) = said_of(data, columns)
    assert first.history == tuple(data[0]["history"]) and first.reply == data[0]["reply"]
    assert columns.answers(data)[0] == Answer(data[0]["reply"], tuple(data[0]["candidates"]))
    known = Dataset.from_columns({"history": ["a"], "reply": ["b"], "dialogue": [3]})
    assert dialogue_columns(known).group == "dialogue"
    assert next(each_said(data)) == first._replace(reply=None)
    assert TASK.kind_of(columns.answers(data)) == "ranked-replies"
    assert TASK.kind_of([Answer("a")]) == "replies"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"history": [["a"]], "reply": ["b"]}, "no text"),
        ({"history": [3], "reply": ["b"]}, "column 'history', row 1: 3 is no text"),
        ({"history": ["a"], "reply": [3]}, "3 is no text"),
        ({"history": ["a"], "reply": [" "]}, "there is no reply to learn"),
        ({"history": ["a"], "reply": ["b"], "candidates": [["c"]]}, "none of the row's candidates"),
        ({"text": ["a"], "reply": ["b"]}, "called like a history"),
        ({"history": ["a"], "words": ["b"]}, "called like a reply"),
    ],
)
def test_rows_that_cannot_be_used(row: dict[str, Any], said: str) -> None:
    if said == "no text":
        row = {"history": [[["a"]]], "reply": ["b"]}
    data = Dataset.from_columns({name: values * 3 for name, values in row.items()})
    with pytest.raises(InputError, match=said):
        quick(plain(), data, test=talks(2), task="dialogue")


def test_who_speaks_is_marked_from_the_end() -> None:
    assert marked(Said(())) == "<speaker2>"
    assert marked(Said(("a",))) == "<speaker1>a<speaker2>"
    assert marked(Said(("a", "b"))) == "<speaker2>a<speaker1>b<speaker2>"
    forged = marked(Said(("a<speaker2>b<spea<persona>ker1>",), ("<persona>c",)))
    assert forged == "<persona>c<speaker1>ab<speaker2>"


def test_a_decoder_reads_one_text() -> None:
    model = made("one-text")
    assert isinstance(model.body, Decoder)
    (talk,), _ = encoded(model, talks(1))
    (said,) = said_of(talks(1), dialogue_columns(talks(1)))
    tokenizer = model.need_tokenizer()
    inner = tokenizer.encode(marked(said), special=False)
    assert talk.ids[0][-len(inner) :] == list(inner.ids)
    assert talk.ids[0][-1] == tokenizer.vocabulary["<speaker2>"]
    assert talk.reply == [*tokenizer.encode(said.reply or "", special=False).ids, 3]
    assert talk.report()["used"] == talk.report()["total"]


def test_each_token_carries_who_speaks() -> None:
    model = made("one-text")
    said = Said(("w1", "w2 w3", "w4"), ("w5 w6",))
    (talk,) = TASK.encode(model, [said], size=24, stride=None)
    words = model.need_tokenizer().vocabulary
    persona, other, own = (words[mark] for mark in ("<persona>", "<speaker1>", "<speaker2>"))
    length = len(talk.ids[0])
    behind = [other] * 2 + [own] * 3 + [other] * 2 + [own]  # each mark and what is said there
    assert talk.segments == [[persona] * (length - len(behind)) + behind]
    (written,) = TASK.written(model, [talk], max_new_tokens=4)
    ids = talk.ids[0]
    for _ in range(4):
        marks = [*talk.segments[0], *[own] * (len(ids) - length)]
        out = model.forward([ids], segments=[marks])
        assert out.logits is not None
        ids = [*ids, int(out.logits[0][-1].argmax())]
    assert written == model.need_tokenizer().decode(ids[length:])
    (plain_,) = TASK.encode(made("marks-alone"), [said], size=24, stride=None)
    assert plain_.ids == talk.ids and not any(plain_.segments[0])


def test_the_oldest_utterances_leave_first_and_it_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "headway")
    model = made("one-text")
    said = Said(("w1 w2 w3 w4 w5 w6", "w7 w8 w9 w10 w11", "w12 w13 w14", "w15"), ("w0",))
    (talk,) = TASK.encode(model, [said], size=24, stride=None)
    shown = model.need_tokenizer().decode(talk.ids[0], skip_special=False)
    assert "w12 w13 w14" in shown and "w15" in shown and "w0" in shown and "w1 w2" not in shown
    assert len(talk.ids[0]) <= 18
    assert "1 of the dialogues leave no room" in caplog.text
    assert talk.used < talk.tokens and talk.report()["total"] - talk.used in (6, 11)
    for size in (8, 24):
        with pytest.raises(ConfigError, match="text 5: its persona and its last utterance"):
            TASK.encode(model, [Said((" ".join(WORDS * 2),))], size=size, stride=None, first=5)


def test_an_encoder_reads_all_in_windows() -> None:
    model = made("two-stacks")
    assert isinstance(model.body, EncoderDecoder)
    long = Said((" ".join(WORDS * 3), "w1"), ("w2",))
    (talk,) = TASK.encode(model, [long], size=24, stride=None)
    assert len(talk.ids) > 3 and talk.report()["used"] == talk.report()["total"] >= 62
    answer = pipeline("dialogue", model)(history=list(long.history), max_new_tokens=3)
    assert answer["tokens"]["windows"] > 3


@pytest.mark.parametrize("head", [None, "choice"])
@pytest.mark.parametrize("design", DESIGNS)
def test_the_loss_is_that_of_a_hand(design: str, head: str | None) -> None:
    """Of rows one by one: tokens of the right reply, and the softmax over scores."""
    model = made(design, head)
    data = talks(3, count=3)
    read, answers = encoded(model, data)
    targets = TASK.targets(model, read, answers, MEANING)
    (batch,) = epoch_batches(read, batch_tokens=10_000, seed=0, most_windows=4)
    loss = mean_of(TASK, model, batch, targets, MEANING)
    nats, counts, choices = [], [], []
    for talk, (right, others) in zip(read, targets, strict=True):
        assert len(others) == 2
        read_alone = [alone(model, talk, reply) for reply in (right, *others)]
        nats.append(cross_entropy(read_alone[0][0], torch.tensor(right)) * len(right))
        counts.append(len(right))
        choices.append(-torch.stack([score for _, score in read_alone]).log_softmax(0)[0])
    wanted = sum(nats) / sum(counts) + torch.stack(choices).mean()
    torch.testing.assert_close(loss, wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("head", [None, "choice"])
@pytest.mark.parametrize("design", DESIGNS)
def test_measures_are_those_of_brute_force(design: str, head: str | None) -> None:
    model = made(design, head)
    data = talks(6)
    read, answers = encoded(model, data)
    found = TASK.read(model, read, MEANING, batch_tokens=150, what="")
    one_by_one = [TASK.read(model, [talk], MEANING, batch_tokens=9999, what="")[0] for talk in read]
    right = 0
    for talk, reply, single, answer in zip(read, found, one_by_one, answers, strict=True):
        assert reply.text == single.text
        assert reply.scores == pytest.approx(single.scores, abs=1e-5)
        scores = [float(alone(model, talk, ids)[1].detach()) for ids in talk.candidates]
        assert reply.scores == pytest.approx(scores, abs=1e-4)
        right += answer.candidates[scores.index(max(scores))] == answer.text
        logits = alone(model, talk, talk.candidates[-1])[0].detach()
        nats = cross_entropy(logits, torch.tensor(talk.candidates[-1]), reduction="sum")
        assert reply.nats == pytest.approx(float(nats), rel=1e-4)
    measured = TASK.score(found, read, answers, MEANING)
    assert measured["hits_at_1"] == pytest.approx(right / 6) and measured["n"] == 6
    f1 = metric("squad_f1", [one.text for one in found], data["reply"])["squad_f1"] / 100
    assert measured["f1"] == pytest.approx(f1)
    assert measured["perplexity"] > 1 and measured["bits_per_byte"] > 0
    for name, made_of in TASK.metrics(found, read, answers, MEANING).items():
        whole = metric(made_of.metric, made_of.predictions, made_of.references, **made_of.options)
        assert whole[made_of.metric] / made_of.scale == pytest.approx(measured[name])
    compared = TASK.compare(found, read, answers, MEANING)
    assert sum(not one.error for one in compared) == right
    unranked = TASK.score(found, read, answers, Meaning("replies"))
    assert TASK.main("replies") == "f1" and unranked["f1"] == measured["f1"]


@pytest.mark.parametrize(
    ("kind", "design", "head", "body"),
    [
        ("gpt2", None, None, Decoder),
        ("gpt2", None, "choice", Decoder),
        ("gpt2", "two-stacks", None, EncoderDecoder),
        ("bert", None, "choice", EncoderDecoder),
    ],
)
def test_a_run_is_measured_and_answers_as_before(
    kind: str, design: str | None, head: str | None, body: type, tmp_path: Path
) -> None:
    result = quick(
        plain(kind), talks(9), test=talks(6, seed=1), task="dialogue", design=design, head=head,
        baseline=True, out=tmp_path / "run",
    )  # fmt: skip
    parameters = result.report["parameters"]["head"]
    assert (parameters == 33) if (kind, head) == ("gpt2", "choice") else parameters != 33
    assert any("choice head: 33" in note for note in result.model.notes) == (head == "choice")
    report = result.report
    assert isinstance(result.model.body, body) and report["kind"] == "ranked-replies"
    assert report["test"]["n"] == 6 and set(report["baseline"]) >= {"hits_at_1", "name"}
    assert evaluate(tmp_path / "run", talks(6, seed=1))["test"] == report["test"]
    row = talks(1, seed=1)[0]
    reply = pipeline(tmp_path / "run")
    told = reply(history=row["history"], persona=row["persona"], max_new_tokens=4)
    assert set(told) == {"text", "tokens"}
    again = pipeline("dialogue", load(tmp_path / "run"))
    said = {"history": row["history"], "persona": row["persona"]}
    assert again([said, said], max_new_tokens=4) == [told, told]
    ranked = again({**said, "candidates": row["candidates"]})
    assert ranked["choice"] in row["candidates"] and len(ranked["scores"]) == 4
    assert list(again(iter([said]), max_new_tokens=4)) == [told]
    short = again(history="w1", max_new_tokens=4)
    assert again("w1", max_new_tokens=4) == short
    assert again(["w1", said], max_new_tokens=4) == [short, told]
    assert len(again(talks(3), max_new_tokens=2)) == 3


def test_rows_without_candidates() -> None:
    data, test = talks(12).drop(["candidates"]), talks(4, seed=1).drop(["candidates"])
    report = quick(plain(), data, test=test, task="dialogue", baseline=True).report
    assert report["kind"] == "replies" and report["baseline"] is None
    assert "hits_at_1" not in report["test"] and report["test"]["perplexity"] > 1


def test_what_cannot_be() -> None:
    with pytest.raises(ConfigError, match="which is no decoder"):
        quick(plain("bert"), talks(4), test=talks(2), task="dialogue", design="one-text")
    with pytest.raises(ConfigError, match="design = 'three'"):
        task_named("dialogue", "three")
    with pytest.raises(ConfigError, match="head = 'choice' with fill-mask"):
        task_named("fill-mask", head="choice")
    alone_ = talks(4).drop(["candidates"])
    with pytest.raises(ConfigError, match="rows that have no candidates"):
        quick(plain(), alone_, test=alone_[:2], task="dialogue", head="choice")
    with pytest.raises(ConfigError, match="which has one"):
        task_named("fill-mask", "one-text")
    with pytest.raises(ConfigError, match="has no token <persona>"):
        pipeline("dialogue", plain())(history=["w1"])
    with pytest.raises(ConfigError, match="writes no text"):
        pipeline("dialogue", tiny_model())
    reply = pipeline("dialogue", made("one-text"))
    for wrong in (
        {"history": []},
        {"persona": ["a"]},
        {"history": [3]},
        3,
        [["a"]],
        {"history": ["a"], "x": 1},
    ):
        with pytest.raises(ConfigError):
            reply(wrong)
    long = talks(3).map(lambda row: {"reply": " ".join(WORDS * 2)}).drop(["candidates"])
    with pytest.raises(ConfigError, match="text 0: its persona and its last utterance"):
        quick(plain(), long, test=talks(2, seed=1), task="dialogue")
    with pytest.raises(DataError, match="row 1: with its longest reply it has 42 tokens"):
        quick(plain("bert"), long, test=talks(2, seed=1), task="dialogue")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "head", "epochs"), [("gpt2", None, 30), ("bert", None, 30), ("gpt2", "choice", 60)]
)
def test_both_designs_learn_to_reply(kind: str, head: str | None, epochs: int) -> None:
    report = quick(
        plain(kind), talks(300), test=talks(40, seed=1), task="dialogue", head=head,
        epochs=epochs, lr=3e-3, batch_tokens=300, baseline=True,
    ).report  # fmt: skip
    test = report["test"]
    assert test["hits_at_1"] > 0.9 > report["baseline"]["hits_at_1"]
    assert test["f1"] > 0.8 and test["perplexity"] < 2


def test_replies_that_are_read_count_in_a_step() -> None:
    right, others = [1, 2, 3], [[4], [5, 6], [7, 8, 9]]
    assert TASKS["dialogue"].beside([(right, []), (right, others[:1]), (right, others)]) == [
        3,
        4,
        7,
    ]
