"""One file a family of architectures: config, wiring, weight names. They never import each other.

A family module has
    Config, from_hf, to_hf     the architecture, and config.json to it and back
    build                      Config -> body, wired from the bricks in core
    PREFIX, NAMES              the body's weight names beside the ecosystem's
    OTHER_HEADS, IGNORED       checkpoint names that are not the body's
    HEADS                      task -> the head that the ecosystem's checkpoints carry for it
"""

from types import ModuleType

from headway.errors import CheckpointError, nearest
from headway.families import bert, t5

__all__ = ["FAMILIES", "family_of"]

FAMILIES: dict[str, ModuleType] = {
    "bert": bert,
    "t5": t5,
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
