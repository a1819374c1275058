"""JAX gives what the reference gives, with gradients, and without torch where it is exported to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import torch

import headway
from headway.compress import jax_function
from headway.core.bottleneck import Bottleneck, put_bottlenecks
from headway.core.layout import Layout
from headway.errors import ConfigError

from .small import batch, differs, expected, pair

TOLERANCE = 1e-4

ALONE = """
import json, sys
import jax, numpy as np
sys.path.insert(0, sys.argv[1])
from jax_model import load
params, programs = load()
inputs = {name: np.array(rows) for name, rows in json.loads(sys.argv[2]).items()}
print(json.dumps(np.asarray(jax.jit(programs["model"])(params, **inputs)["logits"]).tolist()))
print(*(name for name in ("torch", "headway", "transformers") if name in sys.modules))
"""


def completed(program: Any, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    if "token_type_ids" in program.inputs:
        return {**inputs, "token_type_ids": np.zeros_like(inputs["input_ids"])}
    return inputs


def test_a_folder_runs_with_jax_alone(tmp_path: Path) -> None:
    import json

    ours, theirs, case = pair("bert", "text-classification", tmp_path / "model")
    told = headway.export(ours, "jax", tmp_path / "jax")
    assert told.difference < 1e-5
    assert told.outputs == {"model": ("logits",)}
    inputs = batch(case, (3, 1, 8))
    named = {name: np.zeros_like(inputs["input_ids"]) for name in told.inputs["model"]} | inputs
    arguments = json.dumps({name: rows.tolist() for name, rows in named.items()})
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path / "jax"), arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    logits, others = done.stdout.splitlines()
    assert others == ""
    assert differs(np.array(json.loads(logits)), expected(theirs, inputs).logits) < TOLERANCE


def test_adapters_are_in_the_program(tmp_path: Path) -> None:
    ours, _, case = pair("gpt2", "text-generation", tmp_path / "model")
    put_bottlenecks(ours.body, 3)
    with torch.no_grad():
        for part in ours.body.modules():
            if isinstance(part, Bottleneck):
                part.up.weight.normal_()
    params, programs = jax_function(ours)
    assert any(".bottleneck." in name for name in params)
    inputs = completed(programs["model"], batch(case, (6,), 0))
    with torch.no_grad():
        wanted = ours.forward(case.some_texts((6,), 0)).logits[0]
    assert differs(np.asarray(programs["model"](params, **inputs)["logits"])[0], wanted) < TOLERANCE


def test_gradients_are_torchs(tmp_path: Path) -> None:
    """Also of a table that is used twice, and of one that is compiled."""
    ours, _, case = pair("gpt2", "text-generation", tmp_path / "model")
    params, programs = jax_function(ours)
    assert set(params) == set(dict(ours.named_parameters()))
    texts = case.some_texts((6,), 0)
    weights = np.random.default_rng(0).normal(size=(6, case.config.vocab_size)).astype(np.float32)
    inputs = batch(case, (6,), 0)

    def loss(params: Any) -> Any:
        return (programs["model"](params, **inputs)["logits"][0] * weights).sum()

    found = jax.jit(jax.grad(loss))(params)
    hidden = ours.body(torch.tensor(texts[0]), Layout((6,)))
    (ours.head(hidden, Layout((6,))) * torch.from_numpy(weights)).sum().backward()
    for name, parameter in ours.named_parameters():
        scale = max(1.0, parameter.grad.abs().max().item())
        assert np.abs(np.asarray(found[name]) - parameter.grad.numpy()).max() < 1e-4 * scale, name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "task"), [("roberta", "text-classification"), ("deberta-v2", None)]
)
def test_architectures(tmp_path: Path, kind: str, task: str | None) -> None:
    ours, theirs, case = pair(kind, task, tmp_path / "model", seed=3)
    params, programs = jax_function(ours)
    forward = jax.jit(programs["model"])
    name, masked = ("last_hidden_state", True) if task is None else ("logits", False)
    for lengths in ((1,), (4, 1, 9)):
        inputs = batch(case, lengths, seed=len(lengths))
        made = forward(params, **completed(programs["model"], inputs))
        mask = inputs["attention_mask"] if masked else None
        wanted = expected(theirs, inputs)[name]
        assert differs(np.asarray(made[name]), wanted, mask) < TOLERANCE


@pytest.mark.slow
def test_an_encoder_decoder_is_two_programs(tmp_path: Path) -> None:
    ours, theirs, case = pair("t5", "text2text-generation", tmp_path / "model")
    params, programs = jax_function(ours)
    inputs, target = batch(case, (5, 1, 8)), batch(case, (4, 4, 4), seed=1)["input_ids"]
    states = programs["encoder_model"](params, **inputs)["last_hidden_state"]
    made = programs["decoder_model"](
        params,
        input_ids=target,
        encoder_attention_mask=inputs["attention_mask"],
        encoder_hidden_states=states,
    )
    wanted = expected(theirs, inputs, decoder_input_ids=target).logits
    assert differs(np.asarray(made["logits"]), wanted) < TOLERANCE


def test_without_jax(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, _, _ = pair("bert", None, tmp_path / "model")
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ConfigError, match=r"pip install 'headway\[jax\]'"):
        jax_function(ours)


def test_an_operation_that_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from headway.compress import jax_model

    ours, _, _ = pair("bert", None, tmp_path / "model")
    fewer = {name: op for name, op in jax_model.OPS.items() if name != "aten.linear.default"}
    monkeypatch.setattr(jax_model, "OPS", fewer)
    with pytest.raises(ConfigError, match=r"not known in JAX: aten\.linear\.default"):
        headway.export(ours, "jax", tmp_path / "out")
    assert not (tmp_path / "out").exists()
