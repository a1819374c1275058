"""ONNX Runtime gives what the reference gives, on batches that no tracer has seen."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

import headway
from headway.core.bottleneck import Bottleneck, put_bottlenecks
from headway.errors import ConfigError, OutputError

from .small import batch, differs, expected, pair

TOLERANCE = 1e-4


def session(path: Path) -> Any:
    return onnxruntime.InferenceSession(path)


def names(made: Any) -> tuple[list[str], list[str]]:
    return [each.name for each in made.get_inputs()], [each.name for each in made.get_outputs()]


def outputs(made: Any, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    wanted = names(made)[0]
    if "token_type_ids" in wanted:
        inputs = {**inputs, "token_type_ids": np.zeros_like(inputs["input_ids"])}
    return made.run(None, inputs)  # type: ignore[no-any-return]


def test_a_classifier(tmp_path: Path) -> None:
    """Once whole: names, labels, batches of any shape, and padding wherever it stands."""
    ours, theirs, case = pair("bert", "text-classification", tmp_path / "model")
    told = headway.export(str(tmp_path / "model"), "onnx", tmp_path / "onnx")
    assert told.difference < 1e-5
    made = session(tmp_path / "onnx" / "model.onnx")
    wanted = ["input_ids", "attention_mask"]
    wanted += ["token_type_ids"] if case.config.type_vocab_size > 1 else []
    assert names(made) == (wanted, ["logits"])
    assert told.inputs == {"model": tuple(wanted)}
    assert told.outputs == {"model": ("logits",)}
    config = json.loads((tmp_path / "onnx" / "config.json").read_text())
    assert config["id2label"] == {str(n): label for n, label in enumerate(ours.labels)}
    for lengths in ((1,), (4, 9), (3, 3, 1, 12, 7)):
        inputs = batch(case, lengths, seed=len(lengths))
        (logits,) = outputs(made, inputs)
        assert differs(logits, expected(theirs, inputs).logits) < TOLERANCE
        before = {name: rows[:, ::-1].copy() for name, rows in inputs.items()}
        for row, text_mask in zip(before["input_ids"], before["attention_mask"], strict=True):
            row[text_mask == 1] = row[text_mask == 1][::-1]
        assert np.abs(outputs(made, before)[0] - logits).max() < TOLERANCE


def test_adapters_are_in_the_graph(tmp_path: Path) -> None:
    """So config.json says nothing of them: programs that run graphs find the plain type there."""
    ours, theirs, case = pair("bert", "text-classification", tmp_path / "plain")
    put_bottlenecks(ours.body, 3)
    with torch.no_grad():
        for part in ours.body.modules():
            if isinstance(part, Bottleneck):
                part.up.weight.normal_(std=5.0)
    ours.save(tmp_path / "model")
    headway.export(str(tmp_path / "model"), "onnx", tmp_path / "onnx")
    texts = case.some_texts((4, 9), 0)
    (logits,) = outputs(session(tmp_path / "onnx" / "model.onnx"), batch(case, (4, 9), 0))
    with torch.no_grad():
        wanted = torch.stack(ours.forward(texts).logits)
    assert differs(logits, wanted) < TOLERANCE
    assert differs(logits, expected(theirs, batch(case, (4, 9), 0)).logits) > 0.01
    config = json.loads((tmp_path / "onnx" / "config.json").read_text())
    assert config["model_type"] == "bert" and "headway" not in config


CASES = [
    ("bert", None),
    ("deberta-v2", "token-classification"),
    ("gpt2", "text-generation"),
    ("llama", "text-generation"),
]
"""Tracing takes seconds a block; `test_check.py` holds the padded modules of all architectures."""


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "task"), CASES)
def test_architectures(tmp_path: Path, kind: str, task: str | None) -> None:
    ours, theirs, case = pair(kind, task, tmp_path / "model", seed=2)
    told = headway.export(ours, "onnx", tmp_path / "onnx")
    made = session(tmp_path / "onnx" / "model.onnx")
    for lengths in ((1,), (4, 9), (3, 3, 1, 11, 7)):
        inputs = batch(case, lengths, seed=len(lengths))
        found = outputs(made, inputs)
        reference = expected(theirs, inputs)
        mask = inputs["attention_mask"]
        states = reference.last_hidden_state if task is None else reference.logits
        assert differs(found[0], states, mask) < TOLERANCE
        assert len(found) == len(told.outputs["model"]) == (2 if task is None else 1)
        if task is None:
            marks = inputs["attention_mask"][:, :, None]
            mean = (states.numpy() * marks).sum(1) / marks.sum(1)
            mean /= np.linalg.norm(mean, axis=1, keepdims=True)
            assert np.abs(found[1] - mean).max() < TOLERANCE


@pytest.mark.slow
def test_an_encoder_decoder_is_two_files(tmp_path: Path) -> None:
    ours, theirs, case = pair("t5", "text2text-generation", tmp_path / "model")
    told = headway.export(ours, "onnx", tmp_path / "onnx")
    assert list(told.inputs) == ["encoder_model", "decoder_model"]
    encoder, decoder = (session(tmp_path / "onnx" / f"{part}.onnx") for part in told.inputs)
    inputs, target = batch(case, (5, 1, 8)), batch(case, (4, 4, 4), seed=1)["input_ids"]
    (states,) = encoder.run(None, inputs)
    seen = {
        "encoder_hidden_states": states,
        "encoder_attention_mask": inputs["attention_mask"],
        "input_ids": target,
    }
    (logits,) = decoder.run(None, seen)
    wanted = expected(theirs, inputs, decoder_input_ids=target).logits
    assert differs(logits, wanted) < TOLERANCE


@pytest.mark.parametrize(("package", "lacks"), [("onnxruntime",) * 2, ("onnxscript",) * 2])
def test_what_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, lacks: str
) -> None:
    ours, _, _ = pair("bert", None, tmp_path / "model")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf"{lacks}.*pip install 'headway\[onnx\]'"):
        headway.export(ours, "onnx", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_place_that_is_somebody_elses(tmp_path: Path) -> None:
    ours, _, _ = pair("bert", None, tmp_path / "model")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="holds no model"):
        headway.export(ours, "onnx", tmp_path / "out")
