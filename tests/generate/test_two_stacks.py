"""What encoder-decoders write is the reference's, each family's with random weights."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoints.models import loaded, random_case, reference, write
from families import test_marian

from headway.errors import ConfigError

SEEDS = {"bart": (20, 43), "mbart": (60, 79), "pegasus": (42, 69), "marian": (15, 43)}
"""Of random models that write more than the same word again and again."""

NEW = 9
TASK = "text2text-generation"


def theirs_alone(theirs: Any, text: list[int]) -> list[int]:
    """What the reference writes for one text alone, where no padding can touch it."""
    out = theirs.generate(
        torch.tensor([text]),
        attention_mask=torch.ones(1, len(text), dtype=torch.int64),
        max_new_tokens=NEW,
        do_sample=False,
        eos_token_id=None,
    )
    return list(out[0, 1:].tolist())


def model_and_reference(kind: str, seed: int, folder: Path) -> tuple[Any, Any, Any]:
    case = random_case(kind, seed)
    case.config.forced_eos_token_id = case.config.eos_token_id = None
    case.config.decoder_layers = case.config.encoder_layers  # the reference's cache counts these
    theirs = reference(case, TASK)
    return case, loaded(write(theirs, folder)), theirs


@pytest.mark.parametrize(("kind", "seed"), [(k, seed) for k in SEEDS for seed in SEEDS[k]])
def test_a_ragged_batch_writes_what_each_text_alone_does_there(
    kind: str, seed: int, tmp_path: Path
) -> None:
    case, model, theirs = model_and_reference(kind, seed, tmp_path)
    wanted = [theirs_alone(theirs, text) for text in case.texts]
    assert len({token for new in wanted for token in new}) > 3
    assert model.generate_ids(case.texts, max_new_tokens=NEW) == wanted


def test_room_is_counted_for_each_stack_alone(tmp_path: Path) -> None:
    case, model, _ = model_and_reference("bart", 1, tmp_path)
    longest = case.config.max_position_embeddings
    text = case.some_texts((longest,), 0)
    assert len(model.generate_ids(text, max_new_tokens=longest - 1)[0]) == longest - 1
    with pytest.raises(ConfigError, match=f"1 tokens and {longest} new ones. Allowed: {longest}"):
        model.generate_ids(text, max_new_tokens=longest)


def test_targets_have_words_of_their_own(tmp_path: Path) -> None:
    config = test_marian.config(random.Random(0), shared=False)
    case = random_case("marian", 0)
    case.config = config
    model = loaded(write(reference(case, TASK), tmp_path))
    last = config.decoder_vocab_size - 1
    assert last >= config.vocab_size
    model.forward([[1]], target=[[last]])
    with pytest.raises(ConfigError, match=f"token id {last} is not in the model's table"):
        model.forward([[last]], target=[[1]])
    with pytest.raises(ConfigError, match=f"token id {last + 1} is not .*0 to {last}"):
        model.forward([[1]], target=[[last + 1]])
