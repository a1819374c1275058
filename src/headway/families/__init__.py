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
"""

from types import ModuleType

from headway.errors import CheckpointError, nearest
from headway.families import (
    albert,
    bert,
    deberta_v2,
    distilbert,
    electra,
    gpt2,
    llama,
    longformer,
    modernbert,
    mpnet,
    openai_gpt,
    roberta,
    t5,
)

__all__ = ["FAMILIES", "class_name", "family_of", "task_of"]

FAMILIES: dict[str, ModuleType] = {
    "albert": albert,
    "bert": bert,
    "camembert": roberta,
    "deberta-v2": deberta_v2,
    "distilbert": distilbert,
    "electra": electra,
    "gpt2": gpt2,
    "llama": llama,
    "longformer": longformer,
    "modernbert": modernbert,
    "mpnet": mpnet,
    "openai-gpt": openai_gpt,
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


def class_name(model_type: str, task: str | None) -> str:
    """What `architectures` in config.json names: a model with its head for a task, or the body.

    >>> class_name("camembert", "fill-mask"), class_name("gpt2", None)
    ('CamembertForMaskedLM', 'GPT2Model')
    """
    family = family_of(model_type)
    return family.CLASSES[model_type] + ("Model" if task is None else family.HEADS[task].ending)


def task_of(model_type: str, name: str) -> str | None:
    """The task whose head the class of this name has; None for a body, or a head not in HEADS.

    >>> task_of("camembert", "CamembertForMaskedLM")
    'fill-mask'
    """
    tasks = family_of(model_type).HEADS
    return next((task for task in tasks if class_name(model_type, task) == name), None)
