"""Weights of a model or a head that starts from nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn
from torch.overrides import TorchFunctionMode

from headway.core.positions import SinusoidalPositions

__all__ = ["Undrawn", "initialise", "initialise_by_depth"]

PLAIN = (nn.Linear, nn.Embedding, nn.LayerNorm, nn.RMSNorm)
"""Parts whose start is the same everywhere."""


class Undrawn(TorchFunctionMode):
    """While it is open, modules that are built draw no start for their weights.

    For the meta device, where there is nothing to fill: torch imports its compiler, a second of
    work, before it finds that out.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Leaves the tensor of each function of torch.nn.init as it is; calls all others."""
        given = kwargs or {}
        if getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else given["tensor"]
        return func(*args, **given)


def initialise(module: nn.Module, std: float, *, shared_with: nn.Module | None = None) -> None:
    """Fresh weights: normal for linear layers and tables, zero for biases, one for norms.

    Other parts start as their own `reset_parameters` says: recurrent layers, for one.

    Args:
        module: a body or a head on a real device.
        std: standard deviation of the normal weights.
        shared_with: a model whose parameters stay as they are, where `module` shares some: a fresh
            head must not wipe out the word table it is tied to.

    Source: Devlin et al. 2018, with a plain normal distribution in place of the truncated one.
    """
    kept = set() if shared_with is None else {id(p) for p in shared_with.parameters()}
    for part in module.modules():
        fresh = {n: p for n, p in part.named_parameters(recurse=False) if id(p) not in kept}
        if fresh and (isinstance(part, SinusoidalPositions) or not isinstance(part, PLAIN)):
            part.reset_parameters()  # type: ignore[operator]  # a method of all such parts
            continue
        for name, parameter in fresh.items():
            if name == "bias":
                nn.init.zeros_(parameter)
            elif isinstance(part, (nn.Linear, nn.Embedding)):
                nn.init.normal_(parameter, std=std)
            else:
                nn.init.ones_(parameter)


def initialise_by_depth(body: nn.Module, std: float, layers: int) -> None:
    """As `initialise`, but what the halves of blocks add starts smaller, the more blocks there are,
    so that the states behind all of them are as large as they are behind one.

    Args:
        body: a stack whose blocks have `attention.output` and `feedforward.down`.
        std: standard deviation of all other normal weights.
        layers: blocks.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.3.
    """
    initialise(body, std)
    for name, parameter in body.named_parameters():
        if name.endswith(("attention.output.weight", "feedforward.down.weight")):
            nn.init.normal_(parameter, std=std / (2 * layers) ** 0.5)
