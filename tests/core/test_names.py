"""Weight names: rows go both ways, and every operation can be undone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from headway.core.linear import FusedLinear
from headway.core.names import (
    Doubled,
    Fused,
    OneRow,
    Transposed,
    matches_any,
    pair_names,
    prefixed,
)


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([FusedLinear(3, (2, 4)) for _ in range(11)])
        self.table = nn.Embedding(6, 3)
        self.output = nn.Linear(3, 6)
        self.output.weight = self.table.weight


ROWS: Any = [
    ("layers.#.*", Fused("enc.#.q.*", "enc.#.k.*")),
    ("table.weight", "words.weight"),
    ("output.weight", "head.weight"),
    ("output.bias", Doubled("head.bias", "head.decoder.bias")),
]


def test_names_and_numbers_are_carried_over() -> None:
    pairs, tied = pair_names(Small(), ROWS)
    found = {pair.ours: pair.theirs for pair in pairs}
    assert found["layers.10.bias"] == ("enc.10.q.bias", "enc.10.k.bias")
    assert found["table.weight"] == ("words.weight",)
    assert "output.weight" not in found
    assert [(pair.ours, pair.theirs) for pair in tied] == [("output.weight", ("head.weight",))]
    assert tied[0].tensor is next(pair.tensor for pair in pairs if pair.ours == "table.weight")
    assert len(found) == 11 * 2 + 2


def test_every_operation_is_undone_by_its_inverse() -> None:
    module = Small()
    pairs, _ = pair_names(module, ROWS)
    for pair in pairs:
        parts = pair.parts()
        assert torch.equal(pair.operation.join(list(parts.values())), pair.tensor)
    fused = {name: part for pair in pairs for name, part in pair.parts().items()}
    assert fused["enc.0.q.weight"].shape == (2, 3)
    assert fused["enc.0.k.weight"].shape == (4, 3)
    x = torch.randn(5, 3)
    q, k = module.layers[0].separate(x)
    torch.testing.assert_close(q, x @ fused["enc.0.q.weight"].T + fused["enc.0.q.bias"])
    torch.testing.assert_close(k, x @ fused["enc.0.k.weight"].T + fused["enc.0.k.bias"])


def test_transposed_doubled_and_one_row() -> None:
    theirs = torch.arange(6.0).view(2, 3)
    ours = Transposed("w").join([theirs])
    assert torch.equal(ours, theirs.T)
    assert torch.equal(Transposed("w").part(ours, ())[0], theirs)
    first, second = torch.zeros(2), torch.ones(2)
    assert torch.equal(Doubled("a", "b").join([first, second]), second)
    one, two = Doubled("a", "b").part(second, ())
    assert torch.equal(one, two)
    assert one.data_ptr() != two.data_ptr()
    assert torch.equal(OneRow("a").join([torch.tensor([[3.0, 4.0]])]), torch.tensor([3.0, 4.0]))
    assert OneRow("a").part(first, ())[0].shape == (1, 2)


def test_a_tensor_without_a_row_is_a_fault() -> None:
    with pytest.raises(KeyError, match=r"table\.weight"):
        pair_names(Small(), ROWS[:1])


def test_further_places_of_a_tensor_need_no_row() -> None:
    twice = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    twice[1].weight, twice[1].bias = twice[0].weight, twice[0].bias
    for named in ("0", "1"):
        pairs, tied = pair_names(twice, [(f"{named}.*", "theirs.*")])
        assert [(pair.ours, pair.theirs) for pair in pairs] == [
            (f"{named}.weight", ("theirs.weight",)),
            (f"{named}.bias", ("theirs.bias",)),
        ]
        assert not tied


def test_prefixes_reach_both_columns_and_operations() -> None:
    rows = prefixed(ROWS, "body.", "bert.")
    pairs, tied = pair_names(nn.ModuleDict({"body": Small()}), rows)
    assert pairs[0].theirs == ("bert.enc.0.q.weight", "bert.enc.0.k.weight")
    assert tied[0].theirs == ("bert.head.weight",)


@pytest.mark.parametrize(
    ("name", "pattern", "fits"),
    [
        ("encoder.layer.3.bias", "encoder.layer.#.bias", True),
        ("encoder.layer.x.bias", "encoder.layer.#.bias", False),
        ("cls.predictions.bias", "cls.*", True),
        ("clsx", "cls.*", False),
        ("h.12.attn.bias", "h.#.attn.bias", True),
        ("h.1.attn.bias.more", "h.#.attn.bias", False),
    ],
)
def test_patterns_of_checkpoint_names(name: str, pattern: str, fits: bool) -> None:
    assert matches_any(name, ["nothing", pattern]) is fits
