"""Named points of the computation that can be read or edited from outside.

A model holds a `Tap` wherever something is worth seeing: attention maps, hidden states. Its name
is its path in the model, as in `layers.3.attention.map`. An unwatched tap costs one call.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from torch import Tensor, nn

from headway.errors import ConfigError, nearest

__all__ = ["Tap", "record", "replace", "taps"]

V = TypeVar("V", Tensor, list[Tensor])


class Tap(nn.Module):
    """Gives back what it gets, unless somebody listens or edits (see `record` and `replace`).

    Hidden states pass as one tensor [tokens, hidden]; attention maps as a list with one tensor
    [heads, queries, keys] a sequence.
    """

    def __init__(self) -> None:
        super().__init__()
        self.listeners: list[Callable[..., object]] = []

    @property
    def watched(self) -> bool:
        """Whether anybody listens or edits here, so that the value must really be made."""
        return bool(self.listeners)

    def forward(self, value: V) -> V:
        """Passes `value` through the listeners; what one returns (not None) takes its place."""
        for listener in self.listeners:
            changed = listener(value)
            value = value if changed is None else changed  # type: ignore[assignment]  # V in, V out
        return value


def taps(model: nn.Module) -> dict[str, Tap]:
    """Every named point of a model.

    >>> list(taps(nn.Sequential(nn.Linear(2, 2), Tap())))
    ['1']
    """
    return {name: module for name, module in model.named_modules() if isinstance(module, Tap)}


def matching(model: nn.Module, pattern: str) -> list[str]:
    """The names that `pattern` (with * and ?) stands for.

    Raises:
        ConfigError: if it stands for none.
    """
    names = list(taps(model))
    found = fnmatch.filter(names, pattern)
    if not found:
        hint = nearest(pattern, names) or "print list(taps(model)) to see every name"
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        raise ConfigError(f"no tap is named {pattern!r}", allowed=shown, next_step=hint)
    return found


@contextmanager
def record(model: nn.Module, patterns: Iterable[str]) -> Iterator[dict[str, Tensor | list[Tensor]]]:
    """Records what passes the taps that `patterns` name, while the context is open.

    Yields:
        A dict that fills during the forward pass: tap name -> last value seen.

    Raises:
        ConfigError: if a pattern stands for no tap.

    >>> import torch
    >>> model = nn.Sequential(nn.Flatten(0), Tap())
    >>> with record(model, ["1"]) as seen:
    ...     _ = model(torch.ones(2, 2))
    >>> seen["1"]
    tensor([1., 1., 1., 1.])
    """
    seen: dict[str, Tensor | list[Tensor]] = {}
    names = dict.fromkeys(name for pattern in patterns for name in matching(model, pattern))
    with _listening(model, {name: _keeper(seen, name) for name in names}):
        yield seen


@contextmanager
def replace(model: nn.Module, edits: Mapping[str, Callable[..., object]]) -> Iterator[None]:
    """While the context is open, what each function returns takes the place of what passes.

    Args:
        model: any model with taps.
        edits: tap name or pattern -> function of the value; None back leaves the value as it is.

    Raises:
        ConfigError: if a name stands for no tap.

    >>> import torch
    >>> model = nn.Sequential(nn.Flatten(0), Tap())
    >>> with replace(model, {"1": lambda value: value * 3}):
    ...     model(torch.ones(2, 2))
    tensor([3., 3., 3., 3.])
    """
    named = {name: edit for key, edit in edits.items() for name in matching(model, key)}
    with _listening(model, named):
        yield


def _keeper(seen: dict[str, Tensor | list[Tensor]], name: str) -> Callable[..., object]:
    def keep(value: Tensor | list[Tensor]) -> None:
        seen[name] = value

    return keep


@contextmanager
def _listening(model: nn.Module, listeners: Mapping[str, Callable[..., object]]) -> Iterator[None]:
    points = taps(model)
    for name, listener in listeners.items():
        points[name].listeners.append(listener)
    try:
        yield
    finally:
        for name, listener in listeners.items():
            points[name].listeners.remove(listener)
