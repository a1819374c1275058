from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from training.tiny import rows, tiny_model

import headway
from headway import pipeline
from headway.errors import CheckpointError, ConfigError, ResolveError
from headway.model import Model
from headway.pipelines import PIPELINES, FeatureExtraction, TextClassification, TextGeneration

from .models import LABELS, classifier, masker, tagger, writer


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with an adapted model that reads windows of 12 tokens."""
    out = tmp_path_factory.mktemp("runs") / "signs"
    options: dict[str, Any] = {"epochs": 1, "baseline": False, "precision": "fp32"}
    headway.adapt(tiny_model(), rows(n=30), out=out, window=12, stride=2, **options)
    return str(out)


def test_the_checkpoint_says_the_task(run: str) -> None:
    for name in (run, Path(run), headway.load(run)):
        assert isinstance(pipeline(name), TextClassification)
    assert isinstance(pipeline(writer()), TextGeneration)
    assert isinstance(pipeline(writer("t5")), TextGeneration)


def test_a_task_can_be_named(run: str) -> None:
    assert isinstance(pipeline("text-classification", run), TextClassification)
    assert isinstance(pipeline("text-classification", classifier()), TextClassification)
    assert isinstance(pipeline("feature-extraction", run), FeatureExtraction)
    assert isinstance(pipeline("feature-extraction", model=tiny_model()), FeatureExtraction)


def test_windows_are_those_of_the_run_unless_given(run: str) -> None:
    text = "w1 " * 20
    windows = [
        classify(text)["tokens"]["windows"]
        for classify in (
            pipeline(run),  # 12 tokens, of which two are special and two are shared
            pipeline("text-classification", run),
            pipeline(run, stride=0),
            pipeline(run, window=22),
            pipeline(headway.load(run)),  # a model in memory has no run: 24 tokens
        )
    ]
    assert windows == [3, 3, 2, 1, 1]
    assert pipeline("feature-extraction", run)([text]).shape == (1, 32)


def test_options_reach_the_task() -> None:
    assert pipeline(classifier(), batch_tokens=7).reader.batch_tokens == 7
    with pytest.raises(TypeError, match="colour"):
        pipeline(classifier(), colour="red")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("text-clasification", "x"), r"no pipeline for 'text-clasification'.*Allowed: dialogue,"),
        (("text-clasification", "x"), r"did you mean 'text-classification'"),
        (("text-classification",), r"is a task, and no model was named.*MODEL"),
        ((tiny_model(),), r"tiny-bert has no head, so it says no task.*headway adapt"),
        (("text-classification", tiny_model()), r"has no head for labels.*headway adapt"),
        (("text-classification", writer()), r"no head for labels.*it is for text-generation"),
        (("text-classification", tagger()), r"no head for labels.*is for token-classification"),
        (("text-generation", classifier()), r"writes no text.*Allowed: a model for"),
        (("text2text-generation", tiny_model("gpt2")), r"writes no text"),
    ],
)
def test_what_cannot_be_names_the_next_step(arguments: tuple[Any, ...], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        pipeline(*arguments)


def test_a_head_that_no_pipeline_reads_is_said() -> None:
    from headway.checkpoints import HeadPlan

    model = tiny_model()
    model.put_head(HeadPlan("replaced-token", model.checkpoint.family.HEADS["fill-mask"]))
    with pytest.raises(ConfigError, match=r"no pipeline for 'replaced-token'.*Allowed: dialogue"):
        pipeline(model)


def test_a_model_that_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(ResolveError, match="none"):
        pipeline(tmp_path / "none")
    (tmp_path / "config.json").write_text('{"model_type": "no-such"}')
    with pytest.raises(CheckpointError, match="'no-such'"):
        pipeline(str(tmp_path))


ASKED: list[tuple[str, Callable[[], Model], str]] = [
    ("feature-extraction", tiny_model, "w1 w2"),
    ("fill-mask", masker, "w1 blue w2"),
    ("text-classification", classifier, "w1 w2"),
    ("token-classification", tagger, "w1 w2"),
    ("text-generation", writer, "w1 w2"),
    ("text-generation", partial(writer, "llama"), "w1 w2"),
    ("translation", writer, "w1 w2"),
]


@pytest.mark.parametrize(("task", "model", "text"), ASKED)
def test_all_take_the_same_precisions(task: str, model: Callable[[], Model], text: str) -> None:
    answers = pipeline(task, model(), precision="bf16")(text)
    assert type(answers) is type(pipeline(task, model())(text))
    with pytest.raises(ConfigError, match="precision"):
        pipeline(task, model(), precision="fp64")


def test_all_say_that_they_take_one() -> None:
    assert all("precision" in str(answers.__doc__) for answers in PIPELINES.values())


def test_every_pipeline_is_in_the_table_under_its_tasks_name() -> None:
    for task, answers in PIPELINES.items():
        assert answers.__module__.startswith("headway.pipelines.")
        assert isinstance(answers.READS, tuple), task


@pytest.mark.parametrize("texts", ["w1 w2", ["w1 w2", "w3"]], ids=["one", "several"])
def test_at_most_8_calls_from_a_pipeline_to_the_kernel(
    monkeypatch: pytest.MonkeyPatch, texts: Any
) -> None:
    """Calls of ours, `Module.__call__` of torch not counted."""
    package = str(Path(headway.__file__).parent)
    fused, depths = torch.nn.functional.scaled_dot_product_attention, []

    def counted(*arguments: Any, **options: Any) -> Any:
        frame: FrameType | None = sys._getframe(1)
        calls = []
        while frame is not None:
            if frame.f_code.co_filename.startswith(package):
                calls.append(frame.f_code.co_name)
            frame = frame.f_back
        depths.append(calls)
        return fused(*arguments, **options)

    classify = pipeline(classifier())
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", counted)
    assert classify(texts)
    assert len(depths) == 2  # one for each layer
    assert all(calls[-1] == "__call__" and len(calls) <= 8 for calls in depths), depths


def test_labels_of_the_module_are_the_heads() -> None:
    assert pipeline(classifier()).labels == LABELS
