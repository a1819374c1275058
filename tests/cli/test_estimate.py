"""`headway estimate`."""

from __future__ import annotations

import json
from pathlib import Path

from .calls import error_of, headway


def test_a_family_and_a_folder(model: str) -> None:
    said = headway("estimate", "gpt2", "--layers", "2", "--hidden", "128", "--heads", "2",
                   "--tokens", "1e6", "--memory", "8")  # fmt: skip
    assert said.exit_code == 0, said.stderr
    assert "activations" in said.stdout and "parameters" in said.stdout
    assert "It fits into 8 GB." in said.stdout
    folder = headway("estimate", model, "--peak-flops", "1e12", "--window", "16", "--json")
    assert json.loads(folder.stdout)["parameters"] > 0


def test_every_other_option() -> None:
    found = headway("estimate", "llama", "--devices", "2", "--sharding", "full", "--optimiser",
                    "lion", "--precision", "fp32", "--dropout", "--checkpoint-activations",
                    "--fused-attention", "--utilisation",
                    "0.3", "--batch-tokens", "4096", "--window", "256", "--memory", "0.001",
                    "--peak-flops", "1e12")  # fmt: skip
    assert found.exit_code == 0, found.stderr
    assert "does not fit" in found.stdout and "2 devices" in found.stdout


def test_what_is_refused(model: str) -> None:
    assert "utilisation" in error_of(headway("estimate", "bert", "--utilisation", "2"))
    assert "there" in error_of(headway("estimate", model, "--layers", "2"))
    assert "nowhere" in error_of(headway("estimate", "nowhere"))
    assert "heads = 0" in error_of(headway("estimate", "bert", "--heads", "0"))
    for memory in ("-1", "0", "nan", "inf"):
        said = error_of(headway("estimate", "bert", "--memory", memory))
        assert "memory = " in said and "a number above 0" in said


def test_windows_that_the_model_does_not_read_are_refused(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"model_type": "bert", "max_position_embeddings": 128}))
    said = error_of(headway("estimate", str(config), "--window", "512"))
    assert said.startswith("window = 512. Allowed: at most the model's 128 tokens")
    fits = headway("estimate", str(config), "--window", "128", "--fused-attention",
                   "--peak-flops", "1e12")  # fmt: skip
    assert fits.exit_code == 0, fits.stderr
