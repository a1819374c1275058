"""Several optimisers, each over parameters of its own, as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from headway.training.optimisers.uncompiled import Uncompiled

__all__ = ["Together"]


class Together(Uncompiled):
    """Steps with each of them; its groups are theirs, one after the other.

    Args:
        members: over different parameters.
    """

    def __init__(self, members: Sequence[torch.optim.Optimizer]) -> None:
        self.members = list(members)
        super().__init__([group for one in self.members for group in one.param_groups], {})
        self._share()

    def _share(self) -> None:
        """The groups of each are the same dicts as here, so that a rate that is set counts."""
        self.param_groups = [group for one in self.members for group in one.param_groups]

    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """A step of each."""
        for one in self.members:
            one.step()

    def state_dict(self) -> dict[str, Any]:
        """State by the number of the parameter, counted over all groups."""
        state: dict[int, Any] = {}
        groups: list[dict[str, Any]] = []
        first = 0
        for one in self.members:
            part = one.state_dict()
            state |= {first + number: values for number, values in part["state"].items()}
            for group in part["param_groups"]:
                numbers = [first + number for number in group["params"]]
                groups.append(group | {"params": numbers})
            first += sum(len(group["params"]) for group in part["param_groups"])
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""
        first, taken = 0, 0
        for one in self.members:
            count = sum(len(group["params"]) for group in one.param_groups)
            groups = state_dict["param_groups"][taken : taken + len(one.param_groups)]
            taken += len(groups)
            state = {
                number - first: values
                for number, values in state_dict["state"].items()
                if first <= number < first + count
            }
            own = [
                group | {"params": [number - first for number in group["params"]]}
                for group in groups
            ]
            one.load_state_dict({"state": state, "param_groups": own})
            first += count
        self._share()
