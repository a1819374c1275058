"""One file a family of architectures: config, wiring, weight names. They never import each other.

A family module has
    Config, from_hf, to_hf     the architecture, and config.json to it and back
    longest                    Config -> how many tokens a text may have, None = any number
    build                      Config -> body, wired from the bricks in core
    CLASSES                    `model_type` -> how the ecosystem's class names begin
    PREFIX, NAMES              the body's weight names beside the ecosystem's
    OTHER_HEADS, IGNORED       checkpoint names that are not the body's
    SPARES                     (name, the name whose tensor stands in where a checkpoint lacks it),
                               and a key and value of config.json that rule it out, if any do
    HEADS                      task -> the head that the ecosystem's checkpoints carry for it

and, where fresh weights are not all of one normal distribution,
    start                      Config, body -> nothing: fills it

and, where the stack can also be the decoder behind an encoder,
    build_decoder              Config -> that decoder, with cross-attention in each block
    CROSS_NAMES                the rows that it has beside NAMES
    WRITES                     the task in HEADS whose head it writes with

and, where a second tower reads images,
    build_vision               Config -> that tower, and the way of both into one space
    VISION_NAMES               its weight names beside the ecosystem's
    ended                      Config, ids -> the ids up to the token whose state is a text's vector

`encoder_decoder` joins two such stacks. It is handed the two families, so it knows none by name.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from headway.errors import CheckpointError, nearest
from headway.families import (
    albert,
    bart,
    bert,
    clip,
    deberta_v2,
    distilbert,
    electra,
    encoder_decoder,
    gpt2,
    llama,
    longformer,
    marian,
    modernbert,
    mpnet,
    openai_gpt,
    roberta,
    static,
    t5,
)
from headway.families.encoder_decoder import Joined

__all__ = ["FAMILIES", "Family", "class_name", "family_for", "family_of", "joined", "task_of"]

Family = ModuleType | Joined
"""What the parts above are looked up in: a file, or two of them joined."""

FAMILIES: dict[str, ModuleType] = {
    "albert": albert,
    "bart": bart,
    "bert": bert,
    "camembert": roberta,
    "clip": clip,
    "deberta-v2": deberta_v2,
    "distilbert": distilbert,
    "electra": electra,
    "gpt2": gpt2,
    "llama": llama,
    "longformer": longformer,
    "marian": marian,
    "mbart": bart,
    "mistral": llama,
    "model2vec": static,
    "modernbert": modernbert,
    "mpnet": mpnet,
    "openai-gpt": openai_gpt,
    "pegasus": bart,
    "qwen2": llama,
    "qwen3": llama,
    "roberta": roberta,
    "t5": t5,
    "xlm-roberta": roberta,
}
"""`model_type` in config.json -> family."""


def family_of(model_type: object) -> ModuleType:
    """The family of a `model_type`.

    Raises:
        CheckpointError: if there is none.
    """
    family = FAMILIES.get(model_type) if isinstance(model_type, str) else None
    if family is None:
        raise CheckpointError(
            f"config.json: model_type = {model_type!r} is not a known architecture",
            allowed=", ".join(FAMILIES),
            next_step=nearest(str(model_type), FAMILIES),
        )
    return family


def family_for(values: Mapping[str, Any]) -> Family:
    """The family of what a config.json holds.

    Raises:
        CheckpointError: there is none, or it is said to be of two stacks that cannot be joined.
    """
    if values.get("model_type") != encoder_decoder.MODEL_TYPE:
        return family_of(values.get("model_type"))
    types = []
    for side in ("encoder", "decoder"):
        inner = values.get(side)
        if not isinstance(inner, Mapping):
            raise CheckpointError(f"config.json: {side} = {inner!r}", allowed="an object")
        types.append(inner.get("model_type"))
    return joined(*types)


def joined(encoder_type: object, decoder_type: object) -> Joined:
    """The family of encoder-decoders of two model types.

    >>> sorted(joined("bert", "gpt2").HEADS)
    ['text2text-generation']

    Raises:
        CheckpointError: one is not known, or the second cannot look at an encoder.
    """
    encoder, decoder = family_of(encoder_type), family_of(decoder_type)
    if not hasattr(decoder, "build_decoder"):
        can = [name for name, family in FAMILIES.items() if hasattr(family, "build_decoder")]
        raise CheckpointError(
            f"{decoder_type} has no form that looks at an encoder", allowed=", ".join(can)
        )
    return encoder_decoder.join(encoder, decoder)


def class_name(model_type: str, task: str | None, family: Family | None = None) -> str:
    """What `architectures` in config.json names: a model with its head for a task, or the body.

    Args:
        model_type: of config.json.
        task: key of the family's HEADS, or None.
        family: where the type alone does not tell it.

    >>> class_name("camembert", "fill-mask"), class_name("gpt2", None)
    ('CamembertForMaskedLM', 'GPT2Model')
    """
    family = family_of(model_type) if family is None else family
    return family.CLASSES[model_type] + ("Model" if task is None else family.HEADS[task].ending)


def task_of(model_type: str, name: str, family: Family | None = None) -> str | None:
    """The task whose head the class of this name has; None for a body, or a head not in HEADS.

    Args: as `class_name`, and the name of a class.

    >>> task_of("camembert", "CamembertForMaskedLM")
    'fill-mask'
    """
    family = family_of(model_type) if family is None else family
    return next((t for t in family.HEADS if class_name(model_type, t, family) == name), None)
