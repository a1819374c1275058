"""Puts a checkpoint's tensors into a module, strictly: every tensor is accounted for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from headway.core.names import Row, pair_names
from headway.core.positions import StaticPositions
from headway.errors import CheckpointError

__all__ = ["Mismatch", "assign", "same_values", "tensors_of"]

Shape = tuple[int, ...]


@dataclass
class Mismatch:
    """What does not fit between a module and a checkpoint; says all of it at once.

    Attributes:
        missing: their name -> shape the module wants.
        unexpected: their name -> shape found.
        misshaped: their name -> (shape the module wants, shape found).
        mistyped: their name -> type of numbers found, where parameters have fractions.
        torn: their name -> the tensor that it should be equal to, since the module has one for
            both.
    """

    missing: dict[str, Shape] = field(default_factory=dict)
    unexpected: dict[str, Shape] = field(default_factory=dict)
    misshaped: dict[str, tuple[Shape, Shape]] = field(default_factory=dict)
    mistyped: dict[str, str] = field(default_factory=dict)
    torn: dict[str, str] = field(default_factory=dict)

    def raise_if_any(self, source: str) -> None:
        """Raises CheckpointError with every line, if there is one."""
        lines = [
            *(f"missing     {name} {list(shape)}" for name, shape in self.missing.items()),
            *(f"unexpected  {name} {list(shape)}" for name, shape in self.unexpected.items()),
            *(
                f"misshaped   {name} is {list(found)}, the config says {list(wanted)}"
                for name, (wanted, found) in self.misshaped.items()
            ),
            *(f"mistyped    {name} holds {kind}" for name, kind in self.mistyped.items()),
            *(
                f"torn        {name} differs from {other}, the config says they are one"
                for name, other in self.torn.items()
            ),
        ]
        if lines:
            untie = ", or set tie_word_embeddings to false if two tensors are meant"
            raise CheckpointError(
                "\n  ".join([f"{source}: {len(lines)} tensors do not fit the config:", *lines]),
                next_step="check that config.json and the weights belong together"
                + (untie if self.torn else ""),
            )


def assign(
    module: nn.Module, rows: Iterable[Row], tensors: Mapping[str, Tensor], mismatch: Mismatch
) -> set[str]:
    """Makes the checkpoint's tensors the module's parameters; a meta module becomes a real one.

    A tensor that stands in several places of the module may lie under the names of any of them; if
    under several, it must be the same.

    Args:
        module: as built, on any device (the meta device costs nothing).
        rows: the family's table.
        tensors: their name -> tensor.
        mismatch: collects what does not fit; nothing is raised here.

    Returns:
        The checkpoint names that the module accounts for.
    """
    pairs, tied = pair_names(module, rows)
    places, further = _places(module), defaultdict(list)
    for pair in tied:
        further[id(pair.tensor)].append(pair)
    lacking: list[tuple[StaticPositions, torch.dtype]] = []
    for pair in pairs:
        there = [p for p in (pair, *further[id(pair.tensor)]) if tensors.keys() >= {*p.theirs}]
        first, *others = there or [pair]
        owner, _ = places[id(pair.tensor)][0]
        if isinstance(owner, StaticPositions) and not there:
            lacking.append((owner, pair.tensor.dtype))
            continue
        wanted = {name: tuple(part.shape) for name, part in first.parts().items()}
        fits = [_fits(name, shape, tensors.get(name), mismatch) for name, shape in wanted.items()]
        if all(fits):
            value = first.operation.join([tensors[name] for name in wanted]).to(pair.tensor.dtype)
            new = nn.Parameter(value.contiguous(), requires_grad=pair.tensor.requires_grad)
            for owner, name in places[id(pair.tensor)]:
                setattr(owner, name, new)
        for other in others:
            for name, same in zip(other.theirs, first.theirs, strict=True):
                if not same_values(tensors[name], tensors[same]):
                    mismatch.torn[name] = same
    if mismatch == Mismatch():  # a config that does not fit could ask for a table of any size
        for positions, dtype in lacking:
            positions.weight = nn.Parameter(positions.table().to(dtype), requires_grad=False)
    return {name for pair in (*pairs, *tied) for name in pair.theirs}


def tensors_of(
    module: nn.Module, rows: Iterable[Row], *, apart: tuple[str, ...] = ()
) -> dict[str, Tensor]:
    """The checkpoint's tensors, made from a module's: the inverse of `assign`.

    Args:
        module: real.
        rows: the family's table.
        apart: how names begin in parts of the module that the format holds whole, though they share
            tensors with others.
    """
    pairs, tied = pair_names(module, rows)
    tensors = {name: part.contiguous() for pair in pairs for name, part in pair.parts().items()}
    for pair in tied:
        if pair.ours.startswith(apart):  # safetensors stores no tensor under two names
            tensors.update((name, part.clone()) for name, part in pair.parts().items())
    return tensors


def same_values(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors hold the same numbers; what is not a number equals itself."""
    if a is b:
        return True
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return bool(((a == b) | ((a != a) & (b != b))).all())


def _fits(name: str, shape: Shape, found: Tensor | None, mismatch: Mismatch) -> bool:
    if found is None:
        mismatch.missing[name] = shape
    elif tuple(found.shape) != shape:
        mismatch.misshaped[name] = (shape, tuple(found.shape))
    elif not found.is_floating_point():
        mismatch.mistyped[name] = str(found.dtype).removeprefix("torch.")
    else:
        return True
    return False


def _places(module: nn.Module) -> dict[int, list[tuple[nn.Module, str]]]:
    """Where each parameter stands; more than one place where parts of the module share it."""
    places: dict[int, list[tuple[nn.Module, str]]] = defaultdict(list)
    for owner in module.modules():
        for name, parameter in owner.named_parameters(recurse=False, remove_duplicate=False):
            places[id(parameter)].append((owner, name))
    return places
