"""Weight names as reversible data: ours beside the ecosystem's, and the surgery between the two.

A family lists rows `(ours, theirs)`. In a row, `#` stands for a layer's number and `*` for
`weight` or `bias`. Where a tensor of ours is not one of theirs as it lies, `theirs` is an
operation, and each can be undone:

Fused(a, b, c)    ours is theirs laid one below the other
Transposed(a)     ours is theirs with its two dimensions exchanged
Doubled(a, b)     ours lies there twice
OneRow(a)         ours is the only row of theirs
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = [
    "Doubled",
    "Fused",
    "OneRow",
    "Pair",
    "Row",
    "Transposed",
    "matches_any",
    "pair_names",
    "prefixed",
]


class Same:
    """Ours is theirs under another name."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def under(self, prefix: str) -> Same:
        """The same operation on names that begin with `prefix`."""
        return type(self)(*(prefix + name for name in self.names))

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """Theirs to ours."""
        return parts[0]

    def part(self, ours: Tensor, widths: Sequence[int]) -> list[Tensor]:
        """Ours to theirs; shares memory where it can."""
        return [ours]


class Transposed(Same):
    """Ours is theirs with its two dimensions exchanged (GPT-2's Conv1D)."""

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """Theirs to ours."""
        return parts[0].t()

    def part(self, ours: Tensor, widths: Sequence[int]) -> list[Tensor]:
        """Ours to theirs."""
        return [ours.t()]


class Fused(Same):
    """Ours is theirs laid one below the other; how many rows each has, its FusedLinear says."""

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """Theirs to ours."""
        return torch.cat(list(parts))

    def part(self, ours: Tensor, widths: Sequence[int]) -> list[Tensor]:
        """Ours to theirs."""
        return list(ours.split(list(widths)))


class Doubled(Same):
    """Ours lies there twice; where the two differ, computation reads the last."""

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """Theirs to ours."""
        return parts[-1]

    def part(self, ours: Tensor, widths: Sequence[int]) -> list[Tensor]:
        """Ours to theirs; copies, since safetensors stores no tensor under two names."""
        return [ours, *(ours.clone() for _ in self.names[1:])]


class OneRow(Same):
    """Ours is the only row of theirs (the bias behind BART's head)."""

    def join(self, parts: Sequence[Tensor]) -> Tensor:
        """Theirs to ours."""
        return parts[0][0]

    def part(self, ours: Tensor, widths: Sequence[int]) -> list[Tensor]:
        """Ours to theirs."""
        return [ours[None]]


Row = tuple[str, str | Same]
"""(our name, their name or an operation on their names)"""


@dataclass(frozen=True)
class Pair:
    """One tensor of a module, and where it lies in a checkpoint.

    Attributes:
        ours: its name in the module.
        theirs: its names in the checkpoint, in the operation's order.
        operation: how the two are made of each other.
        widths: rows of each part, for a fused tensor.
        tensor: the module's tensor.
    """

    ours: str
    theirs: tuple[str, ...]
    operation: Same
    widths: tuple[int, ...]
    tensor: Tensor

    def parts(self) -> dict[str, Tensor]:
        """The checkpoint's tensors, made from the module's."""
        parts = self.operation.part(self.tensor.detach(), self.widths)
        return dict(zip(self.theirs, parts, strict=True))


def pair_names(module: nn.Module, rows: Iterable[Row]) -> tuple[list[Pair], list[Pair]]:
    """Each tensor of `module` with its place in a checkpoint.

    Returns:
        A pair for each tensor, and one for each further place where such a tensor stands (tied
        weights): a checkpoint may hold it there again or not. Of a tensor that stands in several
        places, the first with a row counts; further ones need none.

    Raises:
        KeyError: if a tensor of the module has no row; a fault of the family's table.
    """
    compiled = [(_pattern(ours), theirs) for ours, theirs in rows]
    pairs: list[Pair] = []
    tied: list[Pair] = []
    seen: set[int] = set()
    without_row: dict[int, str] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        found = _find(name, compiled)
        if found is None:
            without_row.setdefault(id(tensor), name)
            continue
        operation, theirs = found
        owner = module.get_submodule(name.rpartition(".")[0])
        pair = Pair(name, theirs, operation, getattr(owner, "widths", ()), tensor)
        (tied if id(tensor) in seen else pairs).append(pair)
        seen.add(id(tensor))
    for place, name in without_row.items():
        if place not in seen:
            raise KeyError(f"tensor {name} has no row in its family's NAMES")
    return pairs, tied


def prefixed(rows: Iterable[Row], ours: str, theirs: str) -> list[Row]:
    """The rows of a part, as rows of the whole: both columns get a prefix.

    >>> prefixed([("norm.*", "LayerNorm.*")], "body.", "bert.")
    [('body.norm.*', 'bert.LayerNorm.*')]
    """
    return [(ours + a, theirs + b if isinstance(b, str) else b.under(theirs)) for a, b in rows]


def matches_any(name: str, patterns: Iterable[str]) -> bool:
    """Whether a checkpoint name fits one of `patterns`, where # is a number and * anything.

    >>> matches_any("encoder.layer.3.attn.bias", ["encoder.layer.#.attn.*"])
    True
    """
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\#", r"\d+").replace(r"\*", ".+"), name)
        for pattern in patterns
    )


def _pattern(ours: str) -> re.Pattern[str]:
    text = re.escape(ours).replace(r"\#", r"(\d+)").replace(r"\*", "(weight|bias)")
    return re.compile(text)


def _find(
    name: str, compiled: Sequence[tuple[re.Pattern[str], str | Same]]
) -> tuple[Same, tuple[str, ...]] | None:
    for pattern, theirs in compiled:
        if match := pattern.fullmatch(name):
            operation = Same(theirs) if isinstance(theirs, str) else theirs
            return operation, tuple(_fill(their, match.groups()) for their in operation.names)
    return None


def _fill(theirs: str, found: Sequence[str]) -> str:
    values = iter(found)
    return re.sub(r"[#*]", lambda _: next(values), theirs)
