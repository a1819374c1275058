"""What a model is called that has learned: never what it was begun from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from training.tiny import tiny_model

from headway.errors import ConfigError
from headway.training.keeper import Keeper

from .quick import quick


def base_of(out: Path) -> str | None:
    """The model that products are said to belong to."""
    about = json.loads((out / "adapter" / "adapter_config.json").read_text("utf-8"))
    base: str | None = about["base_model_name_or_path"]
    return base


def test_a_run_names_its_own_base_and_what_it_leaves_has_another_name(tmp_path: Path) -> None:
    first = quick(out=tmp_path / "first", method="lora")
    about = json.loads((tmp_path / "first" / "run.json").read_text("utf-8"))
    assert about["model"] == first.report["model"] == base_of(tmp_path / "first") == "tiny-bert"
    assert first.model.source == str(tmp_path / "first")
    second = quick(first.model, out=tmp_path / "second", method="lora")
    assert second.report["model"] == base_of(tmp_path / "second") == str(tmp_path / "first")


def test_what_is_saved_nowhere_has_no_name(tmp_path: Path) -> None:
    first = quick()
    assert first.report["model"] == "tiny-bert" and first.model.source == ""
    quick(first.model, out=tmp_path / "second", method="lora")
    assert base_of(tmp_path / "second") is None


def test_a_run_that_fails_leaves_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(self: Keeper, *given: object) -> None:
        raise ConfigError("the disk is gone")

    model = tiny_model()
    monkeypatch.setattr(Keeper, "begin", breaks)
    with pytest.raises(ConfigError, match="the disk is gone"):
        quick(model, out=tmp_path / "run")
    assert model.source == ""
