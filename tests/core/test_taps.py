"""Taps: named points that can be listed, read and edited, and that leave nothing behind."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from headway.core.taps import Tap, record, replace, taps
from headway.errors import ConfigError


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Tap(), Tap()

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x + 1) * 2)


X = torch.tensor([1.0, 2.0])


def test_names_are_paths() -> None:
    assert list(taps(nn.ModuleDict({"body": Two()}))) == ["body.first", "body.second"]


def test_record_by_name_and_pattern() -> None:
    model = Two()
    with record(model, ["fir*", "first"]) as seen:
        model(X)
    assert list(seen) == ["first"]
    assert torch.equal(seen["first"], X + 1)  # type: ignore[arg-type]  # one tensor here
    with record(model, ["*"]) as seen:
        model(X)
        model(X * 0)
    assert torch.equal(seen["second"], torch.full((2,), 2.0))  # type: ignore[arg-type]  # the last


def test_edits_take_the_place_of_values_and_none_leaves_them() -> None:
    model = Two()
    with replace(model, {"first": lambda value: value * 10}):
        assert torch.equal(model(X), (X + 1) * 20)
    with replace(model, {"*": lambda value: None}):
        assert torch.equal(model(X), (X + 1) * 2)
    assert torch.equal(model(X), (X + 1) * 2)


def test_contexts_nest_in_order() -> None:
    model = Two()
    with (
        replace(model, {"first": lambda value: value * 10}),
        record(model, ["first"]) as seen,
        replace(model, {"first": lambda value: value + 1}),
    ):
        out = model(X)
    assert torch.equal(seen["first"], (X + 1) * 10)  # type: ignore[arg-type]  # one tensor here
    assert torch.equal(out, ((X + 1) * 10 + 1) * 2)


def test_closing_one_context_leaves_the_others_open() -> None:
    model = Two()
    with replace(model, {"first": lambda value: value * 10}):
        with record(model, ["first"]):
            pass
        assert torch.equal(model(X), (X + 1) * 20)


def test_an_error_inside_leaves_nothing_behind() -> None:
    model = Two()
    with pytest.raises(ZeroDivisionError), record(model, ["*"]):
        raise ZeroDivisionError
    assert not any(tap.watched for tap in taps(model).values())


def test_unknown_names_are_refused_with_what_there_is() -> None:
    with (
        pytest.raises(ConfigError, match=r"'frist'.*first, second.*did you mean 'first'"),
        record(Two(), ["frist"]),
    ):
        pass
    with pytest.raises(ConfigError, match="no tap is named"), replace(Two(), {"x*": print}):
        pass
