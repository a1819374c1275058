from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from training.tiny import rows

from headway.adaptation import Settings
from headway.adaptation.settings import NUMBERS, settings_from
from headway.data import Text
from headway.errors import ConfigError, DataError

from .quick import changed, quick

VALUES: list[dict[str, Any]] = [
    {"text": "text"},
    {"pair": "other"},
    {"label": "label"},
    {"kind": "single-label"},
    {"kind": "multi-label"},
    {"kind": "regression"},
    {"encoding": "latin-1"},
    {"format": "csv"},
    {"recipe": {"format": "xml", "row": "d", "columns": {"text": ".", "label": "@label"}}},
    {"sample_by": "line"},
    {"features": {"text": Text()}},
    {"near": 0.9},
    {"out_of_scope": "none"},
    {"out_of_scope": ""},
    {"max_labels_per_class": 3},
    {"validation": 0},
    {"validation": 0.3},
    {"head": "linear"},
    {"head": "family"},
    {"pooling": "first"},
    {"pooling": "last"},
    {"pooling": "max"},
    {"pooling": "mean"},
    {"design": "one-text"},
    {"design": "two-stacks"},
    {"probe": True},
    {"probe": False},
    {"contrast": True, "probe": True},
    {"contrast": False},
    {"class_weights": True},
    {"method": "gradual"},
    {"layers": 1, "method": "last-layers"},
    {"rank": 2, "method": "lora"},
    {"width": 3, "method": "adapters"},
    {"layer_decay": 0.9},
    {"epochs": 2},
    {"max_steps": 1},
    {"max_seconds": 0.01},
    {"lr": 1e-2},
    {"find_lr": True},
    {"batch_tokens": 1},
    {"batch_tokens": 100_000},
    {"micro_batch_tokens": 1},
    {"checkpoint_activations": True},
    {"schedule": "cosine"},
    {"optimiser": "lion"},
    {"sharding": "full"},
    {"sharding": "none"},
    {"save_every": 0},
    {"resume": True},
    {"warmup": 0},
    {"warmup": 1},
    {"average": 0.9},
    {"weight_decay": 0},
    {"weight_decay": 0.5},
    {"clip": 0.01},
    {"patience": 1},
    {"validate_every": 1},
    {"validate_seconds": 0.001},
    {"keep": "best"},
    {"keep": "last"},
    {"tensorboard": True},
    {"window": 8},
    {"stride": 0},
    {"stride": 3},
    {"most_windows": 1},
    {"precision": "auto"},
    {"precision": "bf16"},
    {"precision": "fp32"},
    {"threads": 1},
    {"threads": 2},
    {"seed": 7},
    {"baseline": True},
]


@pytest.mark.parametrize("setting", VALUES, ids=str)
def test_every_setting_runs(
    setting: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path / "cache"))
    name, value = next(iter(setting.items()))
    kind = str(value) if name == "kind" else "single-label"
    data = rows(kind, n=30, pair=name == "pair")
    given: Any = data
    if name == "recipe":
        given = tmp_path / "rows.xml"
        made = [f'<d label="{row["label"]}">{row["text"]}</d>' for row in data]
        given.write_text(f"<r>{''.join(made)}</r>")
    if name in ("encoding", "format", "features"):
        given = tmp_path / "rows.data"
        lines = [f'"{row["text"]} é","{row["label"]}"' for row in data]
        encoding = setting.get("encoding", "utf-8")
        given.write_bytes("\n".join(["text,label", *lines]).encode(encoding))
    if name == "sample_by":  # of txt files, which hold no labels
        (tmp_path / "a.txt").write_text("some text\n")
        with pytest.raises(DataError, match="label"):
            quick(data=tmp_path / "a.txt", **setting)
        return
    if name == "design":  # of dialogues, whose own tests run both
        with pytest.raises(ConfigError, match="text-classification, which has one"):
            quick(data=data, **setting)
        return
    extra: dict[str, Any] = {"format": "csv"} if name in ("encoding", "features") else {}
    if name == "tensorboard":
        extra = {"out": tmp_path / "run"}
    result = quick(data=given, **{"validation": 0.2, **extra, **setting})
    assert result.report["test"]["n"] > 0
    shown = result.report["settings"]
    if (told := {"lr": "learning_rate"}.get(name, name)) in shown and name != "precision":
        assert shown[told] == value
    assert (result.report["baseline"] is not None) == (name == "baseline")


def test_every_field_is_run() -> None:
    assert {name for setting in VALUES for name in setting} == {
        field.name for field in dataclasses.fields(Settings)
    }


@pytest.mark.parametrize(
    "setting",
    [{"lr": 1e-2}, {"epochs": 2}, {"batch_tokens": 40}, {"warmup": 0.9}, {"weight_decay": 0.9},
     {"clip": 1e-3}, {"seed": 1}, {"class_weights": True}, {"pooling": "first"}, {"probe": True},
     {"window": 8}, {"precision": "bf16"}],
    ids=str,
)  # fmt: skip
def test_settings_of_training_change_what_is_trained(setting: dict[str, Any]) -> None:
    data = rows(n=30).concatenate(rows(n=12, seed=5).filter(lambda row: row["label"] == "red"))
    base = {"probe": False, "lr": 1e-3, "batch_tokens": 80}
    assert changed(quick(data=data, **base).model, quick(data=data, **{**base, **setting}).model)


@pytest.mark.parametrize("name", sorted(NUMBERS))
def test_numbers_outside_their_range_are_said(name: str) -> None:
    allowed = NUMBERS[name]
    below = allowed.least - 1 if allowed.ends else allowed.least
    for wrong in (below, float("nan"), "many", True, [1]):
        with pytest.raises(ConfigError, match=f"^{name} = "):
            Settings(**{name: wrong})
    if allowed.most < float("inf"):
        with pytest.raises(ConfigError, match=f"^{name} = "):
            Settings(**{name: allowed.most + 1})


def test_what_is_none_stays_at_its_default() -> None:
    found = settings_from({"warmup": None, "lr": None, "epochs": 4})
    assert found == Settings(epochs=4)


def test_an_unknown_name_is_said_with_the_nearest() -> None:
    with pytest.raises(
        ConfigError, match=r"'batch_token' is not known.*did you mean 'batch_tokens'"
    ):
        settings_from({"batch_token": 5})
