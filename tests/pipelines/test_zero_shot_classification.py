from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from training.tiny import SIGNS, WORDS, tiny_model

from headway import Dataset, load, pipeline
from headway.checkpoints import new_head
from headway.errors import ConfigError, TokenizerError
from headway.model import Model
from headway.pipelines import ZeroShotClassification

from .models import classifier, writer

TEMPLATE = "w0 {} w1"
TASK = "zero-shot-classification"


def inference(labels: tuple[str, ...] = ("contradiction", "entailment", "neutral")) -> Model:
    """A random encoder with the family's head for labels of inference."""
    model = tiny_model()
    plan = new_head(
        model.checkpoint.family,
        "text-classification",
        labels=labels,
        kind="single-label",
        head="family",
    )
    with torch.random.fork_rng([]):
        torch.manual_seed(5)
        model.put_head(plan)
        for parameter in model.head.parameters():  # type: ignore[union-attr]
            torch.nn.init.normal_(parameter, std=0.5)
    return model


def texts(n: int = 6) -> list[str]:
    draw = random.Random(3)
    return [" ".join(draw.choices(WORDS, k=draw.randint(1, 12))) for _ in range(n)]


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(
    "names",
    [
        ("contradiction", "entailment", "neutral"),
        ("ENTAILMENT", "NEUTRAL", "CONTRADICTION"),
        ("entailment", "not_entailment"),
    ],
)
@pytest.mark.parametrize("labels", [SIGNS, ["red"]], ids=["three labels", "one"])
def test_scores_are_those_of_the_ecosystem(
    tmp_path: Path, names: tuple[str, ...], several: bool, labels: list[str]
) -> None:
    transformers = pytest.importorskip("transformers")
    model = inference(names)
    model.save(tmp_path)
    theirs = transformers.pipeline(
        TASK,
        model=transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval(),
        tokenizer=transformers.PreTrainedTokenizerFast(
            tokenizer_file=str(tmp_path / "tokenizer.json"),
            pad_token="[PAD]",
            model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        ),
    )
    ours = pipeline(TASK, model)(
        texts(), labels, template=TEMPLATE, several=several, top=len(labels)
    )
    wanted = theirs(texts(), labels, hypothesis_template=TEMPLATE, multi_label=several)
    for mine, one in zip(ours, wanted, strict=True):
        assert dict(zip(mine["label"], mine["score"], strict=True)) == pytest.approx(
            dict(zip(one["labels"], one["scores"], strict=True)), abs=1e-5
        )


@pytest.mark.parametrize("model", [inference(), tiny_model()], ids=["inference", "embedding"])
def test_whatever_it_is_given(model: Model, tmp_path: Path) -> None:
    ask = pipeline(TASK, model)
    many = texts()
    options: dict[str, Any] = {"labels": SIGNS, "template": TEMPLATE}
    found = ask(many, **options)
    for text, answer in zip(many, found, strict=True):
        alone = ask(text, **options)
        assert alone["label"] == answer["label"] and alone["label"] in SIGNS
        assert alone["score"] == pytest.approx(answer["score"], abs=1e-5)
        assert answer["tokens"] == {"used": (n := len(text.split())), "total": n, "windows": 1}
    assert [one["label"] for one in ask(iter(many), **options)] == [one["label"] for one in found]
    assert ask(Dataset.from_columns({"text": many}), **options) == found
    (tmp_path / "texts.jsonl").write_text(json.dumps({"text": many[0]}))
    assert ask(tmp_path / "texts.jsonl", **options)[0]["label"] == found[0]["label"]
    assert ask("", **options)["label"] in SIGNS and ask([], **options) == []
    best = ask(many[0], **options, top=2)
    assert best["label"][0] == found[0]["label"] and best["score"] == sorted(best["score"])[::-1]
    assert sum(ask(many[0], **options, top=3)["score"]) == pytest.approx(1)


def test_several_labels_hold_or_not() -> None:
    ask = pipeline(TASK, inference())
    for text in texts():
        whole = ask(text, SIGNS, template=TEMPLATE, several=True, top=3)
        held = ask(text, SIGNS, template=TEMPLATE, several=True)
        kept = zip(whole["label"], whole["score"], strict=True)
        assert held["label"] == [label for label, score in kept if score >= 0.5]


def test_of_a_long_text_only_the_text_is_cut() -> None:
    model = inference()
    label, text = " ".join(WORDS[:8]), " ".join(WORDS * 4)
    seen: list[list[int]] = []
    read = model.read_each

    def watched(pairs: Any, *arguments: Any, **options: Any) -> Any:
        seen.extend(window for pair in pairs for window in pair.ids)
        return read(pairs, *arguments, **options)

    model.read_each = watched  # type: ignore[method-assign]
    answer = pipeline(TASK, model)(text, [label, "red"], template=TEMPLATE, top=2)
    assert answer["tokens"]["total"] == 80 and answer["tokens"]["windows"] > 6
    tokenizer = model.need_tokenizer()
    ends = [tokenizer.encode(f"w0 {one} w1", special=False).ids for one in (label, "red")]
    assert all(len(window) <= 24 and any(window[-1 - len(end) : -1] == end for end in ends)
               for window in seen)  # fmt: skip
    with pytest.raises(TokenizerError, match=r"text 0.*no room"):
        pipeline(TASK, model)(text, [" ".join(WORDS + WORDS)])


def test_texts_and_labels_are_tokenized_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = inference()
    asked: list[str] = []
    tokenizer = model.need_tokenizer()
    side = tokenizer.side
    monkeypatch.setattr(
        type(tokenizer), "side", lambda self, text, n: (asked.append(text), side(text, n))[1]
    )
    ask = pipeline(TASK, model)
    labels = [f"{a} {b}" for a in WORDS for b in SIGNS]
    ask(texts(3), labels)
    assert len(asked) == 3 + len(labels)
    ask(texts(1), labels[:5])
    assert len(asked) == 4 + len(labels)


def test_label_vectors_are_remembered() -> None:
    model = tiny_model()
    ask = pipeline(TASK, model)
    first = ask("w1 red", SIGNS, template=TEMPLATE, top=3)
    vectors = {id(vector) for vector in ask.engine.known.values()}
    assert ask("w1 red", SIGNS[::-1], template=TEMPLATE, top=3)["label"] == first["label"]
    assert {id(vector) for vector in ask.engine.known.values()} == vectors


def test_nearness_is_the_cosine_of_embeddings(tmp_path: Path) -> None:
    tiny_model().save(tmp_path)
    model = load(tmp_path)
    answer = pipeline(TASK, model, temperature=0.1)("w1 red", SIGNS, template=TEMPLATE, top=3)
    text, *labels = model.embed(["w1 red", *(f"w0 {sign} w1" for sign in SIGNS)])
    wanted = torch.tensor([float(text @ label) for label in labels]).div(0.1).softmax(0)
    got = dict(zip(answer["label"], answer["score"], strict=True))
    assert [got[sign] for sign in SIGNS] == pytest.approx(wanted.tolist(), abs=1e-5)


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        (inference(), {"labels": []}, "no labels to choose from"),
        (inference(), {"labels": "sport"}, "list of names"),
        (inference(), {"labels": ["a", " "]}, "none of them blank"),
        (inference(), {"labels": ["a", "b", "a"]}, "label 'a' is there twice"),
        (inference(), {"labels": ["a"], "template": "about it"}, r"one \{\}, where the label"),
        (inference(), {"labels": ["a"], "template": "{} {}"}, r"one \{\}, where the label"),
        (inference(), {"labels": ["a"], "top": 0}, "top = 0"),
        (tiny_model(), {"labels": ["a"], "several": True}, "a model of inference"),
    ],
)
def test_what_cannot_be_asked(model: Model, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        pipeline(TASK, model)("w1", **options)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (classifier(), "no label of it is called entailment.*keep_head=False"),
        (writer(), "called entailment"),
        (tiny_model("t5"), "encoder-decoder"),
    ],
)
def test_models_that_cannot_answer(model: Model, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ZeroShotClassification(model)
    with pytest.raises(ConfigError, match="temperature"):
        ZeroShotClassification(tiny_model(), temperature=0)
