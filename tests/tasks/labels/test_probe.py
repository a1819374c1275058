from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from training.tiny import SIGNS, put_head, rows, tiny_model

from headway.checkpoints import new_head
from headway.heads import Classifier
from headway.model import Model
from headway.reading import read_windows
from headway.tasks.labels.columns import label_names
from headway.tasks.labels.kinds import KINDS
from headway.tasks.labels.probe import _share_right, probe_head
from headway.windows import Windowed, window_texts


def probed(
    kind: str, signs: int = 3, labels: tuple[str, ...] | None = None, model: Model | None = None
) -> tuple[Model, list[Windowed], np.ndarray, np.ndarray]:
    """The model with its probe, the texts, their features and their targets."""
    data = rows(kind, n=60, signs=signs)
    names = label_names(data["label"], kind) if labels is None else labels
    model = put_head(tiny_model(), names, kind) if model is None else model
    texts = window_texts(model.need_tokenizer(), data["text"], size=model.longest)
    targets = KINDS[kind].targets(data["label"], names)
    probe_head(model, texts, targets, kind=kind, precision="fp32", batch_tokens=500, seed=0)
    assert isinstance(model.head, Classifier)
    features = read_windows(model, texts, model.head.pooled).numpy()
    return model, texts, features, targets.numpy()


def table(model: Model, texts: list[Windowed]) -> np.ndarray:
    assert model.head is not None and model.checkpoint.plan is not None
    return KINDS[model.checkpoint.plan.kind].predict(read_windows(model, texts, model.head))


def unit(features: np.ndarray) -> Any:
    return features / np.linalg.norm(features, axis=1).mean()


def logistic(features: np.ndarray, targets: np.ndarray, **more: Any) -> Any:
    return LogisticRegression(C=10.0, max_iter=5000, **more).fit(unit(features), targets)


@pytest.mark.parametrize("signs", [2, 3])
def test_one_of_several_classes_as_scikit_learn_decides(signs: int) -> None:
    model, texts, features, targets = probed("single-label", signs)
    expected = logistic(features, targets).predict_proba(unit(features))
    np.testing.assert_allclose(table(model, texts), expected, atol=2e-3)
    assert (table(model, texts).argmax(axis=1) == expected.argmax(axis=1)).all()


def test_any_of_several_labels_as_scikit_learn_decides() -> None:
    model, texts, features, targets = probed("multi-label")
    for place in range(3):
        fitted = logistic(features, targets[:, place])
        expected = fitted.predict_proba(unit(features))[:, 1]
        np.testing.assert_allclose(table(model, texts)[:, place], expected, atol=2e-3)


def test_a_number_as_scikit_learn_decides() -> None:
    model, texts, features, targets = probed("regression")
    expected = Ridge(alpha=0.1).fit(unit(features), targets).predict(unit(features))
    np.testing.assert_allclose(table(model, texts)[:, 0], expected, atol=1e-2)


@pytest.mark.parametrize("signs", [2, 3])
def test_a_class_without_rows_starts_out_unlikely(signs: int) -> None:
    names = ("absent", *sorted(SIGNS[:signs]))
    model, texts, features, targets = probed("single-label", signs, names)
    found = table(model, texts)
    assert found[:, 0].max() < 0.05
    expected = logistic(features, targets).predict_proba(unit(features))
    assert (found[:, 1:].argmax(axis=1) == expected.argmax(axis=1)).all()


def test_a_label_that_no_row_has_starts_out_unlikely() -> None:
    model, texts, _, _ = probed("multi-label", 3, (*sorted(SIGNS), "zzz"))
    assert table(model, texts)[:, 3].max() < 0.05


def test_a_head_without_a_bias() -> None:
    model = tiny_model("gpt2")
    plan = new_head(
        model.checkpoint.family,
        "text-classification",
        labels=sorted(SIGNS),
        kind="single-label",
        head="family",
        pooling="last",
    )
    model.put_head(plan)
    model, texts, features, targets = probed("single-label", model=model)
    assert isinstance(model.head, Classifier) and model.head.output.bias is None
    expected = logistic(features, targets, fit_intercept=False).predict_proba(unit(features))
    np.testing.assert_allclose(table(model, texts), expected, atol=2e-3)


def test_the_body_is_not_touched() -> None:
    before = {name: value.clone() for name, value in tiny_model().body.state_dict().items()}
    model, *_ = probed("single-label")
    assert all(torch.equal(value, before[n]) for n, value in model.body.state_dict().items())


@pytest.mark.parametrize("apart", [True, False])
def test_how_much_the_body_knows_is_cross_validated(apart: bool) -> None:
    chance = np.random.default_rng(0)
    targets = np.repeat([0, 1], 20)
    features = chance.normal(size=(40, 8))
    features[:, 0] += 8.0 * targets * apart
    right = _share_right(features, targets, seed=0)
    assert right is not None and (right > 0.95 if apart else right < 0.8)
    assert right == _share_right(features, targets, seed=0)
    assert _share_right(features[:21], targets[:21], seed=0) is None  # a class with one row
