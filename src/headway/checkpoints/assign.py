"""Puts a checkpoint's tensors into a module, strictly: every tensor is accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from torch import Tensor, nn

from headway.core.names import Row, pair_names
from headway.errors import CheckpointError

__all__ = ["Mismatch", "assign", "tensors_of"]

SHOWN = 20


@dataclass
class Mismatch:
    """What does not fit between a module and a checkpoint; says all of it at once.

    Attributes:
        missing: their name -> shape the module wants.
        unexpected: their name -> shape found.
        misshaped: their name -> (shape the module wants, shape found).
    """

    missing: dict[str, tuple[int, ...]] = field(default_factory=dict)
    unexpected: dict[str, tuple[int, ...]] = field(default_factory=dict)
    misshaped: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)

    def raise_if_any(self, source: str) -> None:
        """Raises CheckpointError with every line, if there is one."""
        lines = [
            *(f"  missing     {name} {list(shape)}" for name, shape in self.missing.items()),
            *(f"  unexpected  {name} {list(shape)}" for name, shape in self.unexpected.items()),
            *(
                f"  misshaped   {name} is {list(found)}, the config says {list(wanted)}"
                for name, (wanted, found) in self.misshaped.items()
            ),
        ]
        if lines:
            raise CheckpointError(
                f"{source}: {len(lines)} tensors do not fit the config:\n"
                + "\n".join(lines)
                + "\n",
                next_step="check that config.json and the weights belong together",
            )


def assign(
    module: nn.Module, rows: Iterable[Row], tensors: Mapping[str, Tensor], mismatch: Mismatch
) -> set[str]:
    """Makes the checkpoint's tensors the module's parameters; a meta module becomes a real one.

    Args:
        module: as built, on any device (the meta device costs nothing).
        rows: the family's table.
        tensors: their name -> tensor.
        mismatch: collects what does not fit; nothing is raised here.

    Returns:
        The checkpoint names that the module accounts for.
    """
    pairs, tied = pair_names(module, rows)
    used = set(tied)
    for pair in pairs:
        used.update(pair.theirs)
        wanted = {name: tuple(part.shape) for name, part in pair.parts().items()}
        parts = []
        for name, shape in wanted.items():
            if name not in tensors:
                mismatch.missing[name] = shape
            elif tuple(tensors[name].shape) != shape:
                mismatch.misshaped[name] = (shape, tuple(tensors[name].shape))
            else:
                parts.append(tensors[name])
        if len(parts) == len(wanted):
            _set(module, pair.tensor, pair.operation.join(parts))
    return used


def tensors_of(module: nn.Module, rows: Iterable[Row]) -> dict[str, Tensor]:
    """The checkpoint's tensors, made from a module's: the inverse of `assign`."""
    pairs, _ = pair_names(module, rows)
    return {name: part.contiguous() for pair in pairs for name, part in pair.parts().items()}


def _set(module: nn.Module, old: Tensor, value: Tensor) -> None:
    """Replaces a parameter wherever it stands, so that tied ones stay tied."""
    new = nn.Parameter(value.to(old.dtype).contiguous(), requires_grad=old.requires_grad)
    for owner in module.modules():
        for name, parameter in owner.named_parameters(recurse=False):
            if parameter is old:
                setattr(owner, name, new)
