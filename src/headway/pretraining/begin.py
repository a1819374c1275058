"""What is trained: a checkpoint that goes on, or a model that starts from nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headway.checkpoints import HeadPlan, with_tokens
from headway.checkpoints.documents import read_object
from headway.checkpoints.fresh import STARTABLE, Shape, fresh_checkpoint, fresh_values
from headway.checkpoints.sources import source_of
from headway.core.dropout import at_rate, drops
from headway.core.stacks import Decoder, EncoderDecoder
from headway.errors import ConfigError
from headway.families import FAMILIES
from headway.hub import resolve_model
from headway.loading import load
from headway.logs import log
from headway.model import Model
from headway.pretraining.corpus import Corpus
from headway.pretraining.settings import Settings
from headway.pretraining.tokenizer import TokenizerPlan, tokenizer_for
from headway.training.masking import MASKINGS
from headway.training.noise import NOISES
from headway.training.objectives import OBJECTIVES, Objective
from headway.training.objectives.denoise import SENTINELS, Denoise
from headway.training.objectives.masked import Masked
from headway.training.objectives.replaced import Replaced

__all__ = ["begun_model", "objective_for", "values_of"]


def begun_model(
    model: Model | str | Path,
    corpus: Corpus,
    tokenizer: str | Path | TokenizerPlan | None,
    shape: Mapping[str, int],
    settings: Settings,
) -> tuple[Model, Objective]:
    """The model with the objective's head, and the objective.

    Args:
        model: one that goes on, or a name; of a family or a config.json, it starts from nothing.
        corpus: from which a tokenizer is learnt, if there is none.
        tokenizer: of a model that starts from nothing.
        shape: its size, where a family is named.
        settings: what is asked of it.

    Raises:
        ConfigError: the objective does not fit the model, or sizes are asked of one that is there.
    """
    values = _values(model, shape, settings.window)
    if values is not None:
        kind = str(values["model_type"])
        words = tokenizer_for(kind, corpus, tokenizer)
        checkpoint = fresh_checkpoint(values, words)
        found = Model(checkpoint, source=f"a new {kind}")
    else:
        found = model if isinstance(model, Model) else load(str(model))
        found.need_tokenizer()
        if tokenizer is not None or shape:
            named = ", ".join([*shape, *(["tokenizer"] if tokenizer is not None else [])])
            raise ConfigError(
                f"{named} with a model that is there",
                allowed=f"with a family ({', '.join(STARTABLE)}) or a config.json",
            )
    objective = objective_for(found, settings)
    if isinstance(objective, Denoise) and objective.noise is NOISES["spans"]:
        found = _with_sentinels(found)
    if settings.dropout and not drops(found.body):
        raise ConfigError(
            f"dropout = {settings.dropout} with {found.source or 'a model'} that has none",
            next_step="its config.json says where numbers are dropped",
        )
    with at_rate(found.body, settings.dropout):
        objective.check(found)
    head = objective.head
    plan = found.checkpoint.plan
    if not head:  # its vectors are what is learned, and the checkpoint says how they are made
        found.put_head(None)
        made = dataclasses.replace(found.checkpoint.embedding, declared=True)
        found.checkpoint.embedding = made
    elif plan is None or plan.task != head or plan.stored is not None:
        found.put_head(HeadPlan(head, found.checkpoint.family.HEADS[head]))
    return found, objective


def objective_for(model: Model, settings: Settings) -> Objective:
    """The objective that is asked for, or the usual one of such a model."""
    name = settings.objective
    if name is None:
        if "replaced-token" in model.checkpoint.family.HEADS:
            name = "replaced"
        elif isinstance(model.body, EncoderDecoder):
            name = "denoise"
        else:
            name = "causal" if isinstance(model.body, Decoder) else "masked"
    for option, with_it in (("masking", ("masked", "replaced")), ("noise", ("denoise",))):
        value = getattr(settings, option)
        if value is not None and name not in with_it:
            raise ConfigError(
                f"{option} = {value!r} with objective = {name!r}", allowed=", ".join(with_it)
            )
    if name == "masked":
        return Masked(MASKINGS[settings.masking or "tokens"])
    if name == "replaced":
        return Replaced(MASKINGS[settings.masking or "tokens"])
    if name == "denoise":
        return Denoise(NOISES[settings.noise or _usual_noise(model)])
    return OBJECTIVES[name]()


def _usual_noise(model: Model) -> str:
    tokenizer = model.need_tokenizer()
    masks = "mask" in tokenizer.special_ids and tokenizer.id(SENTINELS[0]) is None
    return "infilling" if masks else "spans"


def _with_sentinels(model: Model) -> Model:
    """The model with tokens that stand in for spans, where its tokenizer has none."""
    if model.need_tokenizer().id(SENTINELS[0]) is not None:
        return model
    made = with_tokens(model.checkpoint, SENTINELS)
    log.info("%d tokens that stand in for spans are new", len(SENTINELS))
    return Model(made, source=model.source)


def values_of(model: str | Path, shape: Mapping[str, int], window: int) -> dict[str, Any]:
    """What config.json holds of a model that is named, new or not.

    Args:
        model: a family, a config.json, or a name that `load` takes.
        shape: sizes of a family's model.
        window: the longest text that it has to take, of a family's model.

    Raises:
        ConfigError: sizes are asked of a model that has them.
        InputError: the name leads nowhere, or the file is no config.json.
    """
    values = _values(model, shape, window)
    if values is not None:
        return values
    place = resolve_model(str(model))
    if shape:
        raise ConfigError(f"{', '.join(shape)} with a model that is there", allowed="with a family")
    return dict(source_of(place).values)


def _values(
    model: Model | str | Path, shape: Mapping[str, int], window: int
) -> dict[str, Any] | None:
    """What config.json holds of a model that starts from nothing; None for one that is there."""
    if isinstance(model, Model):
        return None
    name = str(model)
    if name in FAMILIES:
        return fresh_values(name, Shape(**shape, positions=max(512, window)))
    place = Path(name)
    if place.suffix == ".json" and place.is_file():
        if shape:
            raise ConfigError(f"{', '.join(shape)} with {place}", allowed="what the file says")
        return read_object(place)
    return None
