"""Which stacks and heads of a model a task can work with."""

from __future__ import annotations

from headway.checkpoints import HeadPlan
from headway.core.stacks import EncoderDecoder
from headway.errors import ConfigError
from headway.heads import LanguageModelHead
from headway.model import Model

__all__ = ["need_one_stack", "with_language_head"]


def need_one_stack(model: Model, why: str = "") -> None:
    """Refuses an encoder-decoder.

    Args:
        model: any.
        why: what it cannot do, behind its name in the message.

    Raises:
        ConfigError: it is one.
    """
    if isinstance(model.body, EncoderDecoder):
        raise ConfigError(
            f"{model.source or 'this model'} is an encoder-decoder{why and f', {why}'}",
            allowed="an encoder (BERT and the like) or a decoder (GPT-2, Llama)",
        )


def with_language_head(model: Model, name: str) -> Model:
    """The model, with a fresh head over its words where it has none.

    Args:
        model: whose family has such a head; it is tied to the word table where the two are one.
        name: of the head among the family's.
    """
    if not isinstance(model.head, LanguageModelHead):
        model.put_head(HeadPlan(name, model.checkpoint.family.HEADS[name]))
    return model
