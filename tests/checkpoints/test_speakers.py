"""A model says whether its tokens carry who speaks."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import torch
from pipelines.models import writer
from transformers import GPT2LMHeadModel

from headway import load
from headway.checkpoints import can_carry, write_gguf
from headway.errors import CheckpointError, ConfigError


def test_it_is_saved_and_found_again(tmp_path: Path) -> None:
    model = writer()
    model.save(tmp_path / "plain")
    assert "headway" not in json.loads((tmp_path / "plain" / "config.json").read_text())
    assert not load(tmp_path / "plain").checkpoint.speakers
    model.checkpoint.speakers = True
    model.save(tmp_path / "told")
    again = load(tmp_path / "told")
    assert again.checkpoint.speakers and copy.deepcopy(again.checkpoint).speakers
    ids, segments = [[5, 9, 7, 8]], [[4, 4, 6, 6]]
    theirs = GPT2LMHeadModel.from_pretrained(tmp_path / "told").eval()
    with torch.no_grad():
        ours = again.forward(ids, segments=segments).logits
        out = theirs(torch.tensor(ids), token_type_ids=torch.tensor(segments))
    assert ours is not None
    torch.testing.assert_close(ours[0], out.logits[0], rtol=1e-5, atol=1e-5)
    with pytest.raises(ConfigError, match="carry the vector of who speaks"):
        write_gguf(again, tmp_path / "told.gguf")


@pytest.mark.parametrize(("kind", "told"), [("gpt2", "yes"), ("gpt2", 1), ("llama", True)])
def test_what_cannot_be_is_refused(kind: str, told: object, tmp_path: Path) -> None:
    model = writer(kind)
    assert can_carry(model.body) == (kind == "gpt2")
    model.save(tmp_path)
    values = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**values, "headway": {"speakers": told}}))
    with pytest.raises(CheckpointError, match=r"headway\.speakers = "):
        load(tmp_path)
