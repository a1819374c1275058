from __future__ import annotations

import numpy as np
import pytest
import torch
from training.tiny import WORDS, put_head, rows, tiny_model

from headway.adaptation.scoring import Scored, score_texts
from headway.model import Model
from headway.tasks import meaning_of, task_named
from headway.training.collate import epoch_batches, text_logits
from headway.windows import Windowed, window_texts


def asked(model: Model, windows: list[Windowed], labels: list[str]) -> Scored:
    task = task_named("text-classification")
    return score_texts(
        task, model, windows, labels, meaning_of(model), precision="fp32", batch_tokens=100
    )


def test_training_and_measuring_see_the_same_logits() -> None:
    """Texts of one and of several windows."""
    model = put_head(tiny_model(), ("green", "red"))
    data = rows(n=20)
    texts = [f"{text} {' '.join(WORDS * (n % 3))}" for n, text in enumerate(data["text"])]
    windows = window_texts(model.need_tokenizer(), texts, size=24)
    assert len({len(text.ids) for text in windows}) == 3
    scored = asked(model, windows, data["label"])
    trained = np.zeros_like(np.asarray(scored.found))
    for batch in epoch_batches(windows, batch_tokens=100, seed=0, most_windows=99):
        with torch.no_grad():
            trained[batch.rows] = text_logits(model, batch).softmax(-1).numpy()
    np.testing.assert_allclose(np.asarray(scored.found), trained, atol=1e-6)
    assert scored.tokens == sum(len(ids) for text in windows for ids in text.ids)
    assert scored.seconds > 0
    right = (
        np.asarray(scored.found).argmax(axis=1) == np.array(data["label"] == np.array("red"))
    ).mean()
    assert scored.scores["accuracy"] == pytest.approx(right)


def test_a_model_in_training_mode_is_measured_without_dropout_and_stays_so() -> None:
    model = put_head(tiny_model(), ("green", "red"))
    data = rows(n=10)
    windows = window_texts(model.need_tokenizer(), data["text"], size=24)
    tables = []
    for mode in (False, True):
        model.train(mode)
        scored = asked(model, windows, data["label"])
        tables.append(np.asarray(scored.found))
        assert model.training == mode
    assert (tables[0] == tables[1]).all()
