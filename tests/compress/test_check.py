"""What differs from the model is refused, and nothing of it is left."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoints import models

from headway.checkpoints import new_head
from headway.compress.check import Array, check_same
from headway.compress.graphs import parts_of, plain
from headway.errors import ConfigError
from headway.families import FAMILIES
from headway.model import Model

from .small import pair

exporting = importlib.import_module("headway.compress.export")  # the package has the function


def runner(model: Model, *, noise: float = 0.0, **off: float):  # type: ignore[no-untyped-def]
    """Runs the padded modules themselves."""
    parts = {part.name: part for part in parts_of(model)}

    def run(name: str, inputs: Mapping[str, Array]) -> list[Array]:
        part = parts[name]
        with torch.no_grad():
            made = part.module(*(torch.from_numpy(inputs[each]) for each in part.inputs))
        return [each.numpy() + off.get(name, noise) for each in made]

    return run


KINDS = [kind for kind in models.KINDS if kind not in ("clip", "longformer")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(2))
def test_padded_modules_give_what_the_ragged_model_gives(
    tmp_path: Path, kind: str, seed: int
) -> None:
    ours, _, _ = pair(kind, None, tmp_path / "model", seed)
    assert check_same(ours, runner(ours)) < 1e-5


@pytest.mark.parametrize("pooling", ["first", "last", "max", "mean"])
@pytest.mark.parametrize("normalise", [True, False])
def test_every_pooling(tmp_path: Path, pooling: str, normalise: bool) -> None:
    ours, _, _ = pair("bert", None, tmp_path / "model")
    how = dataclasses.replace(ours.checkpoint.embedding, pooling=pooling, normalise=normalise)
    ours.checkpoint.embedding = how
    assert check_same(ours, runner(ours)) < 1e-5


@pytest.mark.parametrize("kind", ["bert", "deberta-v2", "gpt2"])
def test_heads(tmp_path: Path, kind: str) -> None:
    for number, task in enumerate(FAMILIES[kind].HEADS):
        ours, _, _ = pair(kind, task, tmp_path / str(number))
        assert check_same(ours, runner(ours)) < 1e-5


@pytest.mark.parametrize("head", ["linear", "mlp"])
@pytest.mark.parametrize("pooling", ["first", "last", "max", "mean", "attention"])
def test_own_heads(tmp_path: Path, head: str, pooling: str) -> None:
    ours, _, _ = pair("bert", None, tmp_path / "model")
    plan = new_head(
        ours.checkpoint.family,
        "text-classification",
        labels=["a", "b"],
        kind="single-label",
        head=head,
        pooling=pooling,
    )
    ours.put_head(plan)
    assert check_same(ours.eval(), runner(ours)) < 1e-5


@pytest.mark.parametrize(
    ("head", "options"), [("lstm", {"pooling": "max"}), ("crf", {"of": "token"})]
)
def test_heads_that_read_in_order_are_refused(
    tmp_path: Path, head: str, options: dict[str, Any]
) -> None:
    ours, _, _ = pair("bert", None, tmp_path / "model")
    task = "text-classification" if head == "lstm" else "token-classification"
    family, labels = ours.checkpoint.family, ["a", "b"]
    plan = new_head(family, task, labels=labels, kind="single-label", head=head, **options)
    ours.put_head(plan)
    with pytest.raises(ConfigError, match=f"answers of the {task} head.*heads of linear layers"):
        parts_of(ours)


def test_tokens_that_see_all_are_refused(tmp_path: Path) -> None:
    ours, _, _ = pair("longformer", None, tmp_path / "model")
    with pytest.raises(ConfigError, match="tokens that see all of their text"):
        parts_of(ours)


@pytest.mark.parametrize("noise", [1e-3, np.nan, np.inf])
def test_a_difference_is_seen(tmp_path: Path, noise: float) -> None:
    ours, _, _ = pair("bert", "text-classification", tmp_path / "model")
    with pytest.raises(ConfigError, match="differs from the model by"):
        check_same(ours, runner(ours, noise=noise))
    both, _, _ = pair("t5", None, tmp_path / "both")
    with pytest.raises(ConfigError, match="differs from the model by"):
        check_same(both, runner(both, decoder_model=noise))


def test_nothing_is_left_of_what_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, _, _ = pair("bert", None, tmp_path / "model")

    def wrong(model, parts, folder):  # type: ignore[no-untyped-def]
        (folder / "model.onnx").write_bytes(b"x")
        return check_same(model, runner(model, noise=1.0))

    monkeypatch.setattr(exporting, "EXPORTS", {"onnx": wrong})
    with pytest.raises(ConfigError, match="so it is not kept"):
        exporting.export(ours, "onnx", tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def test_half_precision_and_training_are_left_as_they_are(tmp_path: Path) -> None:
    ours, _, _ = pair("bert", None, tmp_path / "model")
    ours.to(torch.bfloat16).train()
    made = plain(ours)
    assert next(made.parameters()).dtype == torch.float32
    assert not made.training
    assert ours.training
    assert next(ours.parameters()).dtype == torch.bfloat16


def test_unknown_formats(tmp_path: Path) -> None:
    ours, _, _ = pair("bert", None, tmp_path / "model")
    with pytest.raises(ConfigError, match="did you mean 'onnx'"):
        exporting.export(ours, "onxn", tmp_path / "out")
