"""A checkpoint's tensors in a module: all that does not fit is said at once."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from headway.checkpoints.assign import Mismatch, assign, same_values, tensors_of
from headway.core.names import Fused
from headway.core.positions import StaticPositions
from headway.errors import CheckpointError

ROWS = [
    ("0.*", "first.*"),
    ("1.*", "second.*"),
    ("2.*", "third.*"),
]


def module(*, tied: bool = False) -> Any:
    with torch.device("meta"):
        made = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2, bias=False))
    if tied:
        made[2].weight = made[0].weight
    return made


def stored() -> dict[str, Tensor]:
    torch.manual_seed(0)
    shapes = {"first.weight": (2, 2), "first.bias": (2,), "second.weight": (2, 2)}
    shapes |= {"second.bias": (2,), "third.weight": (2, 2)}
    return {name: torch.randn(shape) for name, shape in shapes.items()}


def test_all_that_does_not_fit_is_said_at_once() -> None:
    tensors = stored()
    del tensors["second.bias"]
    tensors["first.weight"] = torch.ones(3, 2)
    tensors["first.bias"] = torch.ones(2, dtype=torch.int8)
    mismatch = Mismatch(unexpected={"left.over": (7,)})
    assert assign(module(), ROWS, tensors, mismatch) == {*stored()}
    with pytest.raises(CheckpointError) as caught:
        mismatch.raise_if_any("here")
    assert str(caught.value) == (
        "here: 4 tensors do not fit the config:\n"
        "  missing     second.bias [2]\n"
        "  unexpected  left.over [7]\n"
        "  misshaped   first.weight is [3, 2], the config says [2, 2]\n"
        "  mistyped    first.bias holds int8."
        " Next: check that config.json and the weights belong together."
    )
    Mismatch().raise_if_any("here")


def test_there_and_back_in_any_type() -> None:
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        made, mismatch = module(), Mismatch()
        tensors = {name: tensor.to(dtype) for name, tensor in stored().items()}
        assign(made, ROWS, tensors, mismatch)
        mismatch.raise_if_any("")
        back = tensors_of(made, ROWS)
        assert back.keys() == tensors.keys()
        for name, tensor in tensors.items():
            assert back[name].dtype == torch.float32
            assert torch.equal(back[name], tensor.float())


@pytest.mark.parametrize("left_out", [(), ("third.weight",), ("first.weight",)])
def test_a_tied_tensor_may_lie_under_any_of_its_names(left_out: tuple[str, ...]) -> None:
    tensors = stored()
    value = tensors["third.weight"] = tensors["first.weight"].clone()
    for name in left_out:
        del tensors[name]
    made, mismatch = module(tied=True), Mismatch()
    assert assign(made, ROWS, tensors, mismatch) == {*stored()}
    mismatch.raise_if_any("")
    assert made[2].weight is made[0].weight
    assert torch.equal(made[0].weight, value)


def test_parts_that_are_held_whole_are_written_again() -> None:
    made, tensors = module(tied=True), stored()
    del tensors["third.weight"]
    assign(made, ROWS, tensors, Mismatch())
    assert tensors_of(made, ROWS).keys() == tensors.keys()
    again = tensors_of(made, ROWS, apart=("2.",))
    assert again.keys() == {*tensors, "third.weight"}
    assert torch.equal(again["third.weight"], tensors["first.weight"])
    assert again["third.weight"].data_ptr() != again["first.weight"].data_ptr()


@pytest.mark.parametrize("other", [torch.zeros(2, 2), torch.zeros(3, 2), torch.zeros(2, 2).half()])
def test_a_tied_tensor_that_differs_is_an_error(other: Tensor) -> None:
    mismatch = Mismatch()
    assign(module(tied=True), ROWS, {**stored(), "third.weight": other}, mismatch)
    with pytest.raises(CheckpointError) as caught:
        mismatch.raise_if_any("here")
    assert "torn        third.weight differs from first.weight" in str(caught.value)
    assert "set tie_word_embeddings to false" in str(caught.value)


def test_what_is_not_a_number_equals_itself() -> None:
    strange = torch.tensor([float("nan"), 1.0, float("inf")])
    assert same_values(strange, strange.clone())
    assert not same_values(strange, torch.tensor([0.0, 1.0, float("inf")]))


def test_a_fused_tensor_whose_parts_are_incomplete_lists_each() -> None:
    made: Any = nn.Sequential(nn.Linear(2, 4, bias=False))
    made[0].widths = (2, 2)  # as FusedLinear has
    mismatch = Mismatch()
    assign(made, [("0.weight", Fused("q", "k"))], {"k": torch.ones(2, 3)}, mismatch)
    assert mismatch.missing == {"q": (2, 2)}
    assert mismatch.misshaped == {"k": ((2, 2), (2, 3))}


def test_frozen_parameters_stay_frozen() -> None:
    made = module()
    made[0].weight.requires_grad_(False)
    assign(made, ROWS, stored(), Mismatch())
    assert not made[0].weight.requires_grad
    assert made[1].weight.requires_grad


def test_static_positions_are_made_where_they_lack_and_all_else_fits() -> None:
    def built(count: int) -> Any:
        with torch.device("meta"):
            return nn.ModuleDict({"0": nn.Linear(2, 2), "1": StaticPositions(count, 4)})

    tensors, table = stored(), torch.randn(3, 4)
    for given in ({}, {"second.weight": table}):
        made, mismatch = built(3), Mismatch()
        rows = [("0.*", "first.*"), ("1.weight", "second.weight")]
        first = {name: tensors[name] for name in ("first.weight", "first.bias")}
        assert assign(made.half(), rows, {**first, **given}, mismatch) == {*first, "second.weight"}
        mismatch.raise_if_any("here")
        assert made["1"].weight.dtype == torch.float16
        assert not made["1"].weight.requires_grad
        wanted = table if given else StaticPositions(3, 4).table()
        assert torch.equal(made["1"].weight, wanted.half())
    # A table of 16 TiB, beside weights that do not fit, is not made.
    made, mismatch = built(2**40), Mismatch()
    assign(made, rows, {**first, "first.bias": torch.ones(3)}, mismatch)
    assert made["1"].weight.is_meta
    assert list(mismatch.misshaped) == ["first.bias"]
