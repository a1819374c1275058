"""What filters leave is exactly what the reference's leave."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.generate import Decoding, filters
from headway.generate.rules import filters_of

THEIRS: dict[str, tuple[str, type[Any]]] = {
    "temperature": ("temperature", transformers.TemperatureLogitsWarper),
    "top_k": ("top_k", transformers.TopKLogitsWarper),
    "top_p": ("top_p", transformers.TopPLogitsWarper),
    "min_p": ("min_p", transformers.MinPLogitsWarper),
    "typical_p": ("mass", transformers.TypicalLogitsWarper),
    "epsilon": ("epsilon", transformers.EpsilonLogitsWarper),
    "eta": ("epsilon", transformers.EtaLogitsWarper),
}

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.sampled_from([0.3, 0.9, 2.5]),
    "top_k": st.integers(1, 60),
    "top_p": st.sampled_from([0.01, 0.3, 0.7, 0.95, 0.999]),
    "min_p": st.sampled_from([0.01, 0.1, 0.5, 0.99]),
    "typical_p": st.sampled_from([0.05, 0.3, 0.7, 0.95]),
    "epsilon": st.sampled_from([0.001, 0.01, 0.2, 0.9]),
    "eta": st.sampled_from([0.001, 0.01, 0.2, 0.9]),
}


def logits(seed: int, spread: float) -> torch.Tensor:
    """Random rows; in the second some tie, in the third some are forbidden already."""
    rows = torch.randn(3, 50, generator=torch.Generator().manual_seed(seed)) * spread
    rows[1] = rows[1].round()
    rows[2, 10:30] = -torch.inf
    return rows


@pytest.mark.parametrize("name", THEIRS)
@settings(max_examples=25)
@given(data=st.data(), seed=st.integers(0, 99), spread=st.sampled_from([0.1, 1.0, 5.0]))
def test_the_same_is_left_as_there(
    name: str, data: st.DataObject, seed: int, spread: float
) -> None:
    value, rows = data.draw(VALUES[name]), logits(seed, spread)
    option, warper = THEIRS[name]
    # Theirs takes logarithms of the forbidden in its entropy, which is nan.
    rows = rows[:2] if name == "eta" else rows
    given_options = {option: value} | ({"device": "cpu"} if name == "eta" else {})
    wanted = warper(**given_options)(None, rows.clone())
    got = getattr(filters, name)(value)(rows)
    assert torch.equal(got, wanted)
    assert (got > -torch.inf).any(-1).all()


def test_all_together_and_in_order() -> None:
    rows = logits(0, 2.0)
    wanted = rows
    for name, value in (("temperature", 0.7), ("top_k", 20), ("top_p", 0.8), ("min_p", 0.05)):
        option, warper = THEIRS[name]
        wanted = warper(**{option: value})(None, wanted)
    got = rows
    for each in filters_of(Decoding(min_p=0.05, top_p=0.8, temperature=0.7, top_k=20)):
        got = each(got)
    assert torch.equal(got, wanted)
    assert filters_of(Decoding(top_p=1.0, typical_p=1.0, temperature=1.0)) == []


def test_forbidden_tokens_do_not_spoil_eta() -> None:
    left = filters.eta(0.01)(logits(0, 1.0))[2]
    assert (left[10:30] == -torch.inf).all() and (left > -torch.inf).any()
    assert not left.isnan().any()
