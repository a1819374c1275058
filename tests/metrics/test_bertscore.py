"""BERTScore: equal to the paper's formula, token by token; with a model of Headway as encoder."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers

import headway
from headway.errors import ConfigError
from headway.metrics import bertscore, confidence_interval

from .contracts import token_vectors


def by_the_formula(said, there, said_weights, there_weights):
    """Precision, recall and F1 of one pair, loops as in equation 1 of the paper."""

    def nearest(token, others):
        return max(
            float(np.dot(token, other) / np.sqrt(np.dot(token, token) * np.dot(other, other)))
            for other in others
        )

    precision = sum(
        weight * nearest(token, there) for token, weight in zip(said, said_weights, strict=True)
    ) / sum(said_weights)
    recall = sum(
        weight * nearest(token, said) for token, weight in zip(there, there_weights, strict=True)
    ) / sum(there_weights)
    return {
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / (precision + recall),
    }


@pytest.mark.parametrize("measure", ["precision", "recall", "f1"])
def test_equal_to_the_formula(measure):
    for seed in range(5):
        random = np.random.default_rng(seed)
        said, there = token_vectors(seed, 8), token_vectors(seed + 50, 8)
        weights = [[random.random(len(row)) + 0.1 for row in column] for column in (said, there)]
        rows = zip(said, there, *weights, strict=True)
        expected = np.mean([by_the_formula(*row)[measure] for row in rows])
        weighted = [
            list(zip(column, of, strict=True))
            for column, of in zip((said, there), weights, strict=True)
        ]
        assert bertscore(*weighted, measure=measure) == pytest.approx(expected, abs=1e-9)
        even = [np.ones(len(row)) for row in said], [np.ones(len(row)) for row in there]
        expected = np.mean(
            [by_the_formula(*row)[measure] for row in zip(said, there, *even, strict=True)]
        )
        assert bertscore(said, there, measure=measure) == pytest.approx(expected, abs=1e-9)


def test_the_best_of_several_references_counts():
    said, near, far = np.eye(3)[:1], np.eye(3)[:2], np.eye(3)[1:]
    assert bertscore([said], [[far, near]]) == bertscore([said], [near]) > bertscore([said], [far])


def test_tokens_of_weight_zero_are_met_but_do_not_count():
    special = (np.eye(2), np.array([0.0, 1.0]))
    assert bertscore([special], [np.eye(2)[:1]], measure="precision") == 0.0
    assert bertscore([special], [np.eye(2)[:1]], measure="recall") == 1.0


def test_the_encoder_reads_each_text_once():
    asked = []

    def encoder(texts):
        asked.append(list(texts))
        return [np.array([[ord(c), 1.0] for c in text]).reshape(-1, 2) for text in texts]

    assert bertscore(["ab", "c"], [["ab", "c"], "c"], encoder=encoder) == pytest.approx(1.0)
    assert asked == [["ab", "c"]]
    assert bertscore(["", "a"], ["a", ""], encoder=encoder) == 0.0
    assert bertscore([], [], encoder=encoder) == 0.0
    low, high = confidence_interval("bertscore", ["a", "b"], ["a", "z"], encoder=encoder)
    assert 0 < low <= high <= 1.0 + 1e-12
    assert len(asked) == 3


def test_a_model_of_headway_is_an_encoder(tmp_path):
    torch.manual_seed(0)
    letters = [f"{chr(97 + i)}" for i in range(26)]
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters]))
    config = transformers.BertConfig(
        vocab_size=30,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
    )
    theirs = transformers.BertModel(config).eval()
    theirs.save_pretrained(tmp_path)
    model = headway.load(tmp_path)

    def encoder(texts):
        encoded = [model.tokenizer.encode(text) for text in texts]
        with torch.no_grad():
            out = model.forward([each.ids for each in encoded], record=["hidden"])
        return [
            (rows.numpy(), 1.0 - np.array(each.special_mask))
            for rows, each in zip(out.hidden[-1], encoded, strict=True)
        ]

    predictions, references = ["a b c", "d"], ["a c b", "e f"]
    found = bertscore(predictions, references, encoder=encoder)
    rows = []
    for pair in zip(predictions, references, strict=True):
        states, weights = [], []
        for text in pair:
            ids = [2, *(4 + ord(c) - 97 for c in text.split()), 3]
            with torch.no_grad():
                states.append(theirs(torch.tensor([ids])).last_hidden_state[0].double().numpy())
            weights.append(np.array([0.0, *[1.0] * (len(ids) - 2), 0.0]))
        rows.append(by_the_formula(*states, *weights)["f1"])
    assert found == pytest.approx(np.mean(rows), abs=1e-5)
    assert bertscore(predictions, predictions, encoder=encoder) == pytest.approx(1.0, abs=1e-6)
    assert found < 0.999


@pytest.mark.parametrize(
    ("predictions", "references", "options", "said"),
    [
        ([np.eye(2)], [np.eye(3)], {}, "vectors of size 2 and 3"),
        ([np.eye(2)], [], {}, "1 predictions for 0 references"),
        ([np.eye(2)], [[]], {}, "row 0 of the references is an empty list"),
        ([np.full((1, 2), np.nan)], [np.eye(2)], {}, "row 0 of the predictions holds NaN"),
        ([(np.eye(2), [-1, 1])], [np.eye(2)], {}, "a negative weight"),
        ([(np.eye(2), [1])], [np.eye(2)], {}, r"vectors \[2, 2\] and weights \[1\]"),
        ([np.ones(2)], [np.eye(2)], {}, r"vectors \[2\]"),
        (["a"], ["b"], {}, "encoder=FUNCTION makes vectors of texts"),
        ([None], [np.eye(2)], {}, "row 0 of the predictions"),
        (["a"], ["b"], {"encoder": lambda texts: []}, "the encoder gave 0 rows for 2 texts"),
        (["a"], ["b"], {"encoder": lambda texts: [np.eye(1), "b"]}, "made of 'b'"),
        ([np.eye(2)], [np.eye(2)], {"measure": "f"}, "unknown measure 'f'"),
    ],
)
def test_what_cannot_be_compared_is_refused(predictions, references, options, said):
    with pytest.raises(ConfigError, match=said):
        bertscore(predictions, references, **options)
