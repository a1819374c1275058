"""What a checkpoint says about generating text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checkpoints.models import bert, loaded
from headway.checkpoints.generation import read_generation
from headway.errors import CheckpointError


def read(folder: Path, values: Any, stored: Any = None) -> tuple[int | None, set[int]]:
    if stored is not None:
        (folder / "generation_config.json").write_text(json.dumps(stored))
    found = read_generation(folder, values)
    return found.start, set(found.stop)


@pytest.mark.parametrize(
    ("values", "stored", "start", "stop"),
    [
        ({}, None, None, set()),
        ({"eos_token_id": 2, "decoder_start_token_id": 5}, None, 5, {2}),
        ({"eos_token_id": 2}, {"eos_token_id": [3, 4]}, None, {3, 4}),
        ({"eos_token_id": 2}, {"eos_token_id": None}, None, {2}),
        ({"eos_token_id": 2}, {"eos_token_id": []}, None, {2}),
        ({"eos_token_id": 0}, {}, None, {0}),
        ({"pad_token_id": 0}, None, 0, set()),
        ({"pad_token_id": 0, "bos_token_id": 1}, None, 1, set()),
        ({"pad_token_id": -1, "eos_token_id": -1}, None, None, set()),
        ({"decoder_start_token_id": 5}, {"decoder_start_token_id": 6}, 6, set()),
        ({"decoder_start_token_id": 5}, {"bos_token_id": 6}, 5, set()),
    ],
)
def test_who_says_what(tmp_path: Path, values: Any, stored: Any, start: Any, stop: Any) -> None:
    assert read(tmp_path, values, stored) == (start, stop)


@pytest.mark.parametrize("value", ["2", 2.0, True, [2, "3"], {"a": 1}])
def test_what_is_no_token(tmp_path: Path, value: Any) -> None:
    with pytest.raises(CheckpointError, match=r"config.json: eos_token_id = .*a token's number"):
        read(tmp_path, {"eos_token_id": value})
    with pytest.raises(CheckpointError, match=r"generation_config.json: eos_token_id = "):
        read(tmp_path, {}, {"eos_token_id": value})


def test_the_file_is_written_back(tmp_path: Path) -> None:
    folder = bert(tmp_path / "a")
    stored = {"eos_token_id": [1, 2], "temperature": 0.7}
    (folder / "generation_config.json").write_text(json.dumps(stored))
    loaded(folder).save(tmp_path / "b")
    assert json.loads((tmp_path / "b/generation_config.json").read_text()) == stored
    (folder / "generation_config.json").write_text("[]")
    with pytest.raises(CheckpointError, match="holds a list"):
        loaded(folder)
