from __future__ import annotations

from pathlib import Path

import pytest

from .calls import document, error_of, headway


@pytest.mark.slow
def test_a_run_is_exported_with_its_labels(run: str, tmp_path: Path) -> None:
    out = tmp_path / "onnx"
    result = headway("export", run, "--to", "onnx", "--out", str(out))
    assert result.exit_code == 0, result.stderr
    assert "input_ids, attention_mask, token_type_ids -> logits" in result.stdout
    files = {path.name for path in out.iterdir()}
    assert files == {"config.json", "model.onnx", "tokenizer.json", "tokenizer_config.json"}
    assert "praise" in (out / "config.json").read_text()


def test_json(run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    exporting = importlib.import_module("headway.compress.export")
    monkeypatch.setattr(exporting, "EXPORTS", {"onnx": lambda model, parts, folder: 0.0})
    told = document(headway("export", run, "--to", "onnx", "--out", str(tmp_path / "x"), "--json"))
    assert told["format"] == "onnx"
    assert told["outputs"] == {"model": ["logits"]}
    assert told["folder"] == str(tmp_path / "x")


def test_wrong_input(run: str, tmp_path: Path) -> None:
    said = error_of(headway("export", run, "--to", "onyx", "--out", str(tmp_path / "x")))
    assert "'onyx'" in said and "did you mean 'onnx'" in said
    (tmp_path / "file").write_text("")
    said = error_of(headway("export", run, "--to", "onnx", "--out", str(tmp_path / "file")))
    assert "is a file" in said
