"""A body that learns labels by contrast, before there is a head."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from adaptation.quick import quick
from training.tiny import put_head, rows, tiny_model

from headway import Dataset
from headway.errors import ConfigError
from headway.heads.losses import label_cosines
from headway.tasks.labels import contrast
from headway.tasks.labels.contrast import contrast_body
from headway.training.interrupt import StopFlag
from headway.windows import Windowed

SETTINGS: dict[str, Any] = {"contrast": True, "probe": True, "epochs": 1, "lr": 1e-6}


def test_the_loss_is_the_error_of_cosines_with_both_kinds_of_others_weighing_the_same() -> None:
    torch.manual_seed(0)
    vectors, labels = torch.randn(7, 5), torch.tensor([0, 1, 0, 2, 1, 0, 3])
    found = label_cosines(vectors, labels)
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    for i in range(7):
        cosines = {j: float(unit[i] @ unit[j]) for j in range(7) if j != i}
        alike = [(one - 1) ** 2 for j, one in cosines.items() if labels[j] == labels[i]]
        unlike = [one**2 for j, one in cosines.items() if labels[j] != labels[i]]
        expected = sum(alike) / max(1, len(alike)) + sum(unlike) / len(unlike)
        torch.testing.assert_close(found[i], torch.tensor(expected))
    assert not label_cosines(vectors[:1], labels[:1]).any()


def test_contrast_finds_the_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe alone has less to go by: what the random body says."""
    monkeypatch.setattr(contrast, "RATE", 3e-3)
    data = rows(n=90)
    with_it = quick(tiny_model(), data, **SETTINGS)
    without = quick(tiny_model(), data, **{**SETTINGS, "contrast": False})
    assert with_it.report["settings"]["contrast"] and not without.report["settings"]["contrast"]
    assert with_it.report["test"]["accuracy"] >= without.report["test"]["accuracy"]
    (said,) = [note for note in with_it.report["notes"] if "by contrast" in note]
    first, last = said.rpartition("from ")[2].split(" to ")
    assert 0 <= float(last) < float(first) - 0.5


def test_it_is_used_where_the_probe_knows_little(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = Dataset.from_columns(
        {"text": [f"word{n % 7} word{n % 5}" for n in range(60)], "label": ["a", "b", "b"] * 20}
    )
    asked = quick(tiny_model(), unknown, contrast=None)
    assert asked.report["settings"]["contrast"]
    lora = quick(tiny_model(), unknown, contrast=None, method="lora")
    assert not lora.report["settings"]["contrast"]
    kinds = quick(tiny_model(), rows("multi-label", signs=3, n=40), contrast=None, probe=True)
    assert not kinds.report["settings"]["contrast"]


@pytest.mark.parametrize(
    "settings", [{"probe": False}, {"head": "mlp", "probe": None}, {"method": "head"}], ids=str
)
def test_where_it_cannot_be(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="contrast = True"):
        quick(tiny_model(), rows(n=30), **{**SETTINGS, **settings})


def test_the_same_seed_gives_the_same_body_and_parts_do_not_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(contrast, "STEPS", 30)
    found = []
    for most in (None, None, 20):
        model = tiny_model()
        model.put_head(None)
        result = quick(model, rows(n=40), **SETTINGS, micro_batch_tokens=most)
        found.append(torch.cat([p.flatten() for p in result.model.parameters()]))
    assert torch.equal(found[0], found[1])
    assert torch.nn.functional.cosine_similarity(found[0], found[2], dim=0) > 0.99


def steps(lengths: list[int], labels: list[int]) -> list[Any]:
    texts = [Windowed([[5] * n], [[0] * n], n) for n in lengths]
    return contrast._steps(texts, torch.tensor(labels), 0)


@pytest.mark.parametrize(("classes", "each"), [(30, 2), (12, 2), (6, 3), (2, 9)])
def test_steps_are_balanced(classes: int, each: int) -> None:
    many = steps([10] * 300, [n % classes for n in range(300)])
    assert len(many) == contrast.STEPS
    for batch in many:
        drawn = [n % classes for n in batch.rows]
        assert len(set(drawn)) == min(classes, contrast.LABELS)
        assert all(drawn.count(one) == each for one in set(drawn))


def test_steps_of_long_texts_are_bounded() -> None:
    long = steps([1000] * 60, [n % 5 for n in range(60)])
    assert len(long) == contrast.FEWEST
    assert contrast.FEWEST < len(steps([100] * 60, [n % 5 for n in range(60)])) < contrast.STEPS
    for batch in long:
        assert batch.tokens <= 1.3 * 10 * 1000
        assert min(map([n % 5 for n in batch.rows].count, range(5))) == 2


def test_rows_of_no_class_are_left_out() -> None:
    none = steps([4] * 20, [-1, 0, 1, -1] * 5)
    assert all({n % 4 for n in batch.rows} <= {1, 2} for batch in none)


def test_asked_to_stop_before_its_first_step() -> None:
    model, stop = put_head(tiny_model(), ("a", "b")), StopFlag()
    before = [p.clone() for p in model.parameters()]
    stop.asked = True
    texts = [Windowed([[5 + n, 6]], [[0, 0]], 2) for n in range(6)]
    losses = contrast_body(model, texts, torch.tensor([0, 1] * 3), precision="fp32", hidden=384,
                           micro_batch_tokens=None, seed=0, stop=stop)  # fmt: skip
    assert all(map(math.isnan, losses))
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_the_head_stays() -> None:
    model = quick(tiny_model(), rows(n=30), probe=True).model
    before = [p.clone() for p in model.head.parameters()]  # type: ignore[union-attr]
    texts = [Windowed([[5 + n, 6]], [[0, 0]], 2) for n in range(6)]
    contrast_body(model, texts, torch.tensor([0, 1] * 3), precision="fp32", hidden=384,
                  micro_batch_tokens=None, seed=0, stop=StopFlag())  # fmt: skip
    for old, new in zip(before, model.head.parameters(), strict=True):  # type: ignore[union-attr]
        assert torch.equal(old, new)
