"""Adapters: what learns, what it is saved as, and how such a model learns on."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints.models import words_tokenizer
from torch import nn
from training.tiny import put_head, rows, tiny_model

from adaptation.quick import LEARNS, quick
from headway import load, pipeline
from headway.adaptation.methods import METHODS, method_named
from headway.checkpoints import Checkpoint
from headway.core.bottleneck import Bottleneck, bottleneck_width
from headway.errors import ConfigError
from headway.families import static
from headway.model import Model

TEXTS = ["w1 red w2", "blue w3", "w4 w5 green w6 w7"]


def adapted(out: Path, **settings: Any) -> Path:
    """A run with adapters that have learned something."""
    quick(data=rows(n=60), out=out, method="adapters", probe=False, lr=1e-2, **settings)
    return out


def read(model: Model) -> list[torch.Tensor]:
    """Its logits of some texts."""
    ids = [[2, 5, 24, 9, 3], [2, 25, 3]]
    with torch.no_grad():
        logits = model.forward(ids).logits
    assert logits is not None
    return list(logits)


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama", "distilbert", "roberta"])
def test_a_model_begins_as_it_was_and_only_these_learn(kind: str) -> None:
    model = put_head(tiny_model(kind), ("a", "b"))
    before = read(model)
    METHODS["adapters"].begin(model)
    assert all(map(torch.equal, read(model), before))
    model.train()
    sum(logits.square().sum() for logits in model.forward([[2, 5, 9, 3]]).logits).backward()  # type: ignore[union-attr, arg-type]
    norms = {
        f"{place}.{leaf}"
        for place, part in model.named_modules()
        if isinstance(part, (nn.LayerNorm, nn.RMSNorm))
        for leaf, _ in part.named_parameters(recurse=False)
    }
    assert norms
    learning = {name for name, p in model.named_parameters() if p.grad is not None}
    narrow = {name for name, _ in model.named_parameters() if ".bottleneck." in name}
    assert len(narrow) == 8
    head = {name for name, _ in model.named_parameters() if name.startswith("head.")}
    assert learning == norms | narrow | head
    assert {name for name, p in model.named_parameters() if p.requires_grad} == learning


def test_nothing_else_moves() -> None:
    model = tiny_model()
    before = {name: p.detach().clone() for name, p in model.body.named_parameters()}
    quick(model, method="adapters", probe=False, lr=1e-2)
    now = dict(model.body.named_parameters())
    names = {name: name.replace(".feedforward.", ".feedforward.layer.") for name in before}
    moved = {name for name in before if not torch.equal(now[names[name]], before[name])}
    assert moved == {name for name in before if "norm" in name}
    ups = [part.up.weight for part in model.body.modules() if isinstance(part, Bottleneck)]
    assert len(ups) == 2 and all(up.any() for up in ups)
    assert all(p.requires_grad for p in model.parameters()) and not model.training


def test_the_usual_width_is_a_sixteenth() -> None:
    model = put_head(tiny_model(), ("a", "b"))
    METHODS["adapters"].begin(model)
    assert bottleneck_width(model.body) == 2
    model = put_head(tiny_model(), ("a", "b"))
    method_named("adapters", width=7).begin(model)
    assert bottleneck_width(model.body) == 7


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama", "distilbert"])
def test_what_is_loaded_answers_as_what_was_saved(kind: str, tmp_path: Path) -> None:
    """To the bit, and again when it is saved once more."""
    out = tmp_path / "run"
    result = quick(
        tiny_model(kind), rows(n=60), method="adapters", width=3, out=out, probe=False, lr=1e-2
    )
    wanted = pipeline("text-classification", result.model)(TEXTS)
    model = load(out)
    assert bottleneck_width(model.body) == 3
    assert all(map(torch.equal, read(model), read(result.model)))
    assert pipeline("text-classification", out)(TEXTS) == wanted
    model.save(tmp_path / "again")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes()
    assert not (out / "adapter").exists()


def test_a_report_says_that_others_cannot_open_it(tmp_path: Path) -> None:
    report = quick(method="adapters", probe=False, out=tmp_path / "run").report
    assert report["adapters"] == 2 and report["settings"]["width"] is None
    assert "transformers" in (tmp_path / "run" / "README.md").read_text("utf-8")
    quick(probe=False, out=tmp_path / "full")
    assert "refuse the folder" not in (tmp_path / "full" / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", METHODS)
def test_a_model_with_adapters_is_adapted_again(name: str, tmp_path: Path) -> None:
    """In any way; they stay where they are not trained, and learn where they are."""
    first = adapted(tmp_path / "first")
    before = load(first).body.state_dict()
    result = quick(str(first), rows(n=60), method=name, out=tmp_path / "next", lr=1e-2, probe=False)
    after = load(tmp_path / "next").body.state_dict()
    assert after.keys() == before.keys() == result.model.body.state_dict().keys()
    moved = {key for key in before if not torch.equal(after[key], before[key])}
    narrow = {key for key in before if ".bottleneck." in key and key.endswith("weight")}
    learn = name in ("full", "gradual", "last-layers", "adapters")
    assert narrow & moved == (narrow if learn else set())
    assert bool(moved) == (name != "head")


def test_lora_beside_adapters_is_saved_without_them(tmp_path: Path) -> None:
    first = adapted(tmp_path / "first")
    quick(str(first), method="lora", out=tmp_path / "next", lr=1e-2, probe=False)
    again = load(tmp_path / "next" / "adapter", keep_head=False).body.state_dict()
    for name, value in load(tmp_path / "next").body.state_dict().items():
        torch.testing.assert_close(again[name], value, rtol=1e-5, atol=1e-6)


def test_a_pattern_is_learned_and_learned_on(tmp_path: Path) -> None:
    usual = LEARNS | {"data": rows(n=120), "test": rows(n=40, seed=1), "method": "adapters"}
    out = tmp_path / "run"
    report = quick(out=out, width=4, **usual | {"lr": 2e-2, "epochs": 20}).report
    assert report["test"]["accuracy"] > 0.9
    assert report["parameters"]["learned"] < 0.1 * report["parameters"]["body"]
    again = quick(str(out), **usual | {"lr": 5e-3}).report
    assert again["test"]["accuracy"] > 0.9 and again["adapters"] == 4


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"width": 0, "method": "adapters"}, "width = 0"),
        ({"width": 1.5, "method": "adapters"}, r"width = 1\.5"),
        ({"width": 33, "method": "adapters"}, "width = 33 with hidden states of 32.*1 to 32"),
        ({"width": 4}, "width = 4 with method = 'full'.*Allowed: adapters"),
        ({"rank": 4, "method": "adapters"}, "rank = 4 with method = 'adapters'.*Allowed: lora"),
    ],
)
def test_what_cannot_be_is_said(settings: dict[str, Any], said: str) -> None:
    model = tiny_model()
    with pytest.raises(ConfigError, match=said):
        quick(model, probe=False, **settings)
    assert bottleneck_width(model.body) is None


def test_adapters_have_one_width(tmp_path: Path) -> None:
    first = str(adapted(tmp_path / "first", width=3))
    quick(first, method="adapters", width=3, probe=False)
    said = r"width = 4 with .*first, which has adapters.*Allowed: 3"
    with pytest.raises(ConfigError, match=said):
        quick(first, method="adapters", width=4, probe=False)


def test_a_model_without_blocks_has_no_place_for_them() -> None:
    tokenizer = words_tokenizer()
    config = static.Config(vocabulary=len(tokenizer.vocabulary), hidden=8)
    parts = Checkpoint(static, config, static.build(config), tokenizer=tokenizer,
                       values={"model_type": "model2vec"})  # fmt: skip
    with pytest.raises(ConfigError, match="'adapters' with vectors, which has no blocks"):
        quick(Model(parts, source="vectors"), method="adapters", probe=False)


def test_trying_rates_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training begins with the body as it came."""
    adapting = import_module("headway.adaptation.adapt")
    real, before = adapting.fit, tiny_model().body.state_dict()
    seen: list[bool] = []

    def fit(model: Model, *others: Any) -> Any:
        body = model.body.state_dict()
        seen.append(body.keys() == before.keys())
        seen.extend(torch.equal(body[name], value) for name, value in before.items())
        return real(model, *others)

    monkeypatch.setattr(adapting, "fit", fit)
    quick(data=rows(n=60), method="adapters", find_lr=True, probe=False)
    assert len(seen) > 10 and all(seen)


def test_the_best_epoch_is_kept_with_its_adapters() -> None:
    usual = {"data": rows(n=120), "test": rows(n=40, seed=1), "probe": False, "validation": 0.25}
    report = quick(method="adapters", lr=2e-2, epochs=8, patience=8, average=0.5, **usual).report  # type: ignore[arg-type]
    scores = [row["accuracy"] for row in report["curve"]["validation"]]
    assert max(scores) > 0.85 and report["test"]["accuracy"] > 0.8
