"""Ways to adapt: which weights learn, and from when on. One file each.

method.py      what every way has, and what they share
"""

from __future__ import annotations

from dataclasses import replace

from headway.adaptation.methods.adapters import Adapters
from headway.adaptation.methods.biases import Biases
from headway.adaptation.methods.full import Full
from headway.adaptation.methods.gradual import Gradual
from headway.adaptation.methods.head import HeadAlone
from headway.adaptation.methods.last_layers import LastLayers
from headway.adaptation.methods.lora import Lora
from headway.adaptation.methods.method import Method
from headway.errors import ConfigError
from headway.training.options import check_word

__all__ = ["METHODS", "Method", "method_named"]

METHODS: dict[str, Method] = {
    "full": Full(),
    "gradual": Gradual(),
    "last-layers": LastLayers(),
    "lora": Lora(),
    "adapters": Adapters(),
    "biases": Biases(),
    "head": HeadAlone(),
}
"""Name -> way."""


def method_named(
    name: str, *, layers: int | None = None, rank: int | None = None, width: int | None = None
) -> Method:
    """The way of that name.

    Args:
        name: one of METHODS.
        layers: how many blocks learn, for the last ones; None = its usual number.
        rank: of products of thin matrices; None = its usual number.
        width: of adapters; None = as suits the model.

    Raises:
        ConfigError: there is none, or it does not ask for such a number.

    >>> method_named("last-layers", layers=1)
    LastLayers(layers=1)
    """
    check_word("method", name, tuple(METHODS))
    method = METHODS[name]
    if layers is not None:
        if not isinstance(method, LastLayers):
            raise ConfigError(f"layers = {layers} with method = {name!r}", allowed="last-layers")
        method = replace(method, layers=layers)
    if rank is not None:
        if not isinstance(method, Lora):
            raise ConfigError(f"rank = {rank} with method = {name!r}", allowed="lora")
        method = replace(method, rank=rank)
    if width is not None:
        if not isinstance(method, Adapters):
            raise ConfigError(f"width = {width} with method = {name!r}", allowed="adapters")
        method = replace(method, width=width)
    return method
