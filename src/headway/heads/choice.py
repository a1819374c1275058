"""A choice among texts, beside the head that writes them: together, a double head.

A linear layer gives the state of a text's last token a score: 768 -> 1 is 769 parameters.

Source: Wolf et al. 2019, arXiv 1901.08149, section 3.2. Names: transformers' GPT2DoubleHeadsModel.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from headway.core.names import Row
from headway.heads.classification import Classifier
from headway.heads.language import LanguageModelHead
from headway.heads.spec import HeadSpec

__all__ = ["CHOICE", "choosing"]

CHOICE: Row = ("choice.output.*", "multiple_choice_head.summary.*")
"""Its tensors beside the ecosystem's."""


def choosing(spec: HeadSpec) -> HeadSpec:
    """A family's language head with a choice head beside it.

    >>> from types import SimpleNamespace
    >>> plain = HeadSpec("LMHeadModel", lambda *_: LanguageModelHead(nn.Linear(768, 9)), ())
    >>> head = choosing(plain).build(SimpleNamespace(hidden=768), None, 0)
    >>> sum(parameter.numel() for parameter in head.choice.parameters())
    769
    """

    def build(config: Any, body: Any, labels: int) -> nn.Module:
        head = spec.build(config, body, labels)
        assert isinstance(head, LanguageModelHead)
        rate = getattr(config, "dropout", 0.0)
        head.choice = Classifier("last", nn.Linear(config.hidden, 1), dropout=rate)
        return head

    return HeadSpec(spec.ending, build, (*spec.names, CHOICE))
