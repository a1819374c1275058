"""Adapters in a checkpoint: config.json tells of them in its `headway` section and in the type.

The ecosystem's classes have no place for adapters. One that reads the weights beside them would
compute something else and only log it, so `model_type` gets an ending that no other reader knows:
who opens the folder by its type is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from headway.core.bottleneck import bottleneck_width, put_bottlenecks
from headway.errors import CheckpointError, ConfigError

__all__ = ["marked", "read_width", "refuse_adapters", "unmarked", "with_adapters_of"]

ENDING = "+adapters"
"""Of `model_type`."""


def read_width(values: Mapping[str, Any], hidden: int) -> int | None:
    """The width of a model's adapters; None = it has none.

    Args:
        values: config.json as read.
        hidden: size of hidden states, which adapters do not exceed.

    Raises:
        CheckpointError: a width that cannot be, or one of the two places says nothing of adapters.
    """
    section, kind = values.get("headway"), values.get("model_type")
    told = section.get("adapters") if isinstance(section, Mapping) else None
    said = isinstance(kind, str) and kind.endswith(ENDING)
    if told is None and not said:
        return None
    found = told.get("width") if isinstance(told, Mapping) else None
    if type(found) is not int or not 1 <= found <= hidden:
        raise CheckpointError(
            f"config.json: headway.adapters = {told!r:.80}",
            allowed=f'{{"width": ...}}, a whole number from 1 to {hidden}',
        )
    if not said:
        raise CheckpointError(
            f"config.json: headway.adapters beside model_type = {kind!r}",
            allowed=f"{kind}{ENDING}",
        )
    return found


def unmarked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the type of the model that has the adapters."""
    kind = values.get("model_type")
    plain = kind.removesuffix(ENDING) if isinstance(kind, str) else kind
    return {**values, "model_type": plain} if "model_type" in values else dict(values)


def marked(values: Mapping[str, Any], body: nn.Module) -> dict[str, Any]:
    """What config.json says of a body: the values as they are where it has no adapters.

    >>> marked({"model_type": "bert"}, nn.Linear(2, 2))
    {'model_type': 'bert'}
    """
    size = bottleneck_width(body)
    if size is None:
        return dict(values)
    section = {**values.get("headway", {}), "adapters": {"width": size}}
    return {**values, "model_type": values["model_type"] + ENDING, "headway": section}


def with_adapters_of(body: nn.Module, other: nn.Module) -> None:
    """Gives a body fresh adapters where another has some."""
    size = bottleneck_width(other)
    if size is not None:
        put_bottlenecks(body, size)


def refuse_adapters(body: nn.Module, what: str) -> None:
    """Raises ConfigError where a body has adapters, for which something has no place.

    Args:
        body: of any model.
        what: that has none.
    """
    if bottleneck_width(body) is not None:
        raise ConfigError(
            f"{what} has no place for the adapters of this model",
            allowed="a model without adapters",
            next_step="adapt the model that they were put into another way, such as lora",
        )
