from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from headway import Dataset
from headway.errors import ConfigError, DataError, TokenizerError
from headway.pipelines import TextClassification, inputs

from .models import LABELS, classifier, tokenizer_of

TEXTS = ["w1 w2 red", "w3", "blue w4 w5 w6 w7", "w8 w9"]


@pytest.fixture(scope="module")
def classify() -> TextClassification:
    return TextClassification(classifier())


def logits_of(classify: TextClassification, text: str, pair: str | None = None) -> torch.Tensor:
    """The head's logits for one text, from the model's own forward()."""
    encoding = tokenizer_of(classify.reader.model).encode(text, pair)
    with torch.inference_mode():
        out = classify.reader.model.forward([encoding.ids], segments=[encoding.type_ids])
    assert out.logits is not None
    return out.logits[0].double()


def close(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> bool:
    """Whether answers are the same, but for the order in which numbers are added up."""
    same = [{**one, "score": None} for one in a] == [{**one, "score": None} for one in b]
    return same and np.allclose([x["score"] for x in a], [x["score"] for x in b], atol=1e-6)


def test_an_answer_is_the_softmax_of_the_models_logits(classify: TextClassification) -> None:
    for text, answer in zip(TEXTS, classify(TEXTS), strict=True):
        probabilities = logits_of(classify, text).softmax(0)
        assert answer["label"] == LABELS[int(probabilities.argmax())]
        assert answer["score"] == pytest.approx(float(probabilities.max()), abs=1e-6)
        length = len(text.split())
        assert answer["tokens"] == {"used": length, "total": length, "windows": 1}


def test_one_text_gives_one_answer_and_a_list_gives_a_list(classify: TextClassification) -> None:
    one = classify(TEXTS[0])
    assert set(one) == {"label", "score", "tokens"}
    assert close([one], classify(TEXTS[:1]))
    assert classify([]) == []


def test_pairs(classify: TextClassification) -> None:
    one = classify(("w1 w2", "w3"))
    probabilities = logits_of(classify, "w1 w2", "w3").softmax(0)
    assert one["score"] == pytest.approx(float(probabilities.max()), abs=1e-6)
    assert one["tokens"]["total"] == 3
    mixed = classify([("w1 w2", "w3"), "w1 w2"])
    assert close(mixed, [one, classify("w1 w2")])


def test_a_list_of_two_texts_is_no_pair(classify: TextClassification) -> None:
    assert len(classify(["w1", "w2"])) == 2


def test_answers_do_not_depend_on_neighbours_order_or_batches(
    classify: TextClassification,
) -> None:
    answers = classify(TEXTS)
    assert close(answers[::-1], classify(TEXTS[::-1]))
    assert close(answers, [classify(text) for text in TEXTS])
    assert close(answers, TextClassification(classify.reader.model, batch_tokens=1)(TEXTS))


def test_an_iterator_is_answered_lazily_chunk_by_chunk(
    classify: TextClassification, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "CHUNK", 3)
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield TEXTS[taken % 4]

    answers = classify(endless())
    assert taken == 0
    first = [next(answers) for _ in range(4)]
    assert taken == 6
    assert close(first, classify([TEXTS[n % 4] for n in range(1, 5)]))
    assert [*classify(iter(()))] == []


def test_a_long_list_is_read_in_chunks(
    classify: TextClassification, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = classify(TEXTS)
    monkeypatch.setattr(inputs, "CHUNK", 3)
    assert close(classify(TEXTS), whole)


def test_a_data_set_is_read_by_its_text_columns(classify: TextClassification) -> None:
    data = Dataset.from_columns({"text": ["w1", None, "w2"], "label": [1, 2, 3]})
    assert close(classify(data), classify(["w1", "", "w2"]))
    pairs = Dataset.from_columns({"premise": ["w1 w2"], "hypothesis": ["w3"]})
    assert close(classify(pairs), classify([("w1 w2", "w3")]))
    with pytest.raises(DataError, match="no column of text"):
        classify(Dataset.from_columns({"a": [1]}))


def test_a_long_text_is_the_mean_over_its_windows(classify: TextClassification) -> None:
    words = [f"w{n % 20}" for n in range(40)]
    answer = classify(" ".join(words))
    # 22 words fit beside the special tokens; neighbours share 24 // 8 = 3.
    cuts = [words[0:22], words[19:40]]
    logits = torch.stack([logits_of(classify, " ".join(cut)) for cut in cuts]).mean(0)
    assert answer["score"] == pytest.approx(float(logits.softmax(0).max()), abs=1e-6)
    assert answer["tokens"] == {"used": 40, "total": 40, "windows": 2}


def test_windows_can_be_smaller(classify: TextClassification) -> None:
    small = TextClassification(classify.reader.model, window=8, stride=0)
    assert small("w1 " * 12)["tokens"] == {"used": 12, "total": 12, "windows": 2}


def test_an_empty_text_is_answered(classify: TextClassification) -> None:
    answer = classify("")
    assert answer["label"] in LABELS
    assert answer["tokens"] == {"used": 0, "total": 0, "windows": 1}


def test_top_labels_come_likeliest_first(classify: TextClassification) -> None:
    probabilities = logits_of(classify, TEXTS[0]).softmax(0)
    order = probabilities.argsort(descending=True)
    for top, count in ((1, 1), (2, 2), (3, 3), (99, 3)):
        answer = classify(TEXTS[0], top=top)
        assert answer["label"] == [LABELS[n] for n in order[:count]]
        assert answer["score"] == pytest.approx(probabilities[order[:count]].tolist(), abs=1e-6)
    (lazy,) = classify(iter(TEXTS[:1]), top=2)
    assert lazy["label"] == [LABELS[n] for n in order[:2]]


def test_several_labels_are_those_above_one_half() -> None:
    classify = TextClassification(classifier("multi-label"))
    assert classify.reader.model.head is not None
    with torch.no_grad():
        classify.reader.model.head.output.bias.copy_(torch.tensor([8.0, -8.0, 9.0]))
    answer = classify("w1")
    assert answer["label"] == ["good", "bad"]
    assert answer["score"] == sorted(answer["score"], reverse=True) and answer["score"][1] > 0.9
    assert classify("w1", top=3)["label"] == ["good", "bad", "fine"]
    with torch.no_grad():
        classify.reader.model.head.output.bias.fill_(-9.0)
    assert classify("w1")["label"] == classify("w1")["score"] == []


def test_a_head_for_numbers_gives_its_number() -> None:
    classify = TextClassification(classifier("regression"))
    answer = classify("w1 w2")
    assert answer["label"] == "score"
    assert answer["score"] == pytest.approx(float(logits_of(classify, "w1 w2")[0]), abs=1e-6)
    with pytest.raises(ConfigError, match=r"top = 1.*this model gives a number"):
        classify("w1", top=1)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "auto"])
def test_precisions(classify: TextClassification, precision: str) -> None:
    answers = TextClassification(classify.reader.model, precision=precision)(TEXTS)
    exact = classify(TEXTS)
    far = max(abs(a["score"] - b["score"]) for a, b in zip(answers, exact, strict=True))
    assert far < 0.02
    if precision != "auto":
        assert (far == 0) == (precision == "fp32")


def test_the_model_is_left_as_it_was() -> None:
    model = classifier().train()
    classify = TextClassification(model)
    assert classify("w1") == classify("w1")
    assert model.training and all(part.training for part in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"precision": "fp64"}, "precision"),
        ({"window": 2}, "window = 2"),
        ({"stride": -1}, "stride = -1"),
        ({"batch_tokens": 0}, "batch_tokens = 0"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        TextClassification(classifier(), **options)


@pytest.mark.parametrize(
    ("texts", "problem"),
    [(5, "5 is a int"), (None, "None is a NoneType"), (["w1", 5], "text 1 is 5"), ([None], "None")],
)
def test_what_is_no_text(classify: TextClassification, texts: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        classify(texts)


def test_half_a_surrogate_pair_is_refused(classify: TextClassification) -> None:
    with pytest.raises(TokenizerError, match="text 1: character 3"):
        classify(["w1", "w2 \ud800"])


@pytest.mark.parametrize("made", [list, iter])
def test_texts_are_numbered_over_all_chunks(
    classify: TextClassification, monkeypatch: pytest.MonkeyPatch, made: Any
) -> None:
    monkeypatch.setattr(inputs, "CHUNK", 3)
    with pytest.raises(TokenizerError, match="text 7: character 3"):
        list(classify(made([*["w1"] * 7, "w2 \ud800"])))


def test_top_must_be_one_or_more(classify: TextClassification) -> None:
    with pytest.raises(ConfigError, match=r"top = 0\. Allowed: 1 or more"):
        classify("w1", top=0)


def test_a_model_without_a_tokenizer_is_refused() -> None:
    model = classifier()
    model.checkpoint.tokenizer = None
    with pytest.raises(ConfigError, match=r"no tokenizer.*tokenizer\.json"):
        TextClassification(model)
