"""Plans of heads: what config.json may say of one, and what a caller may ask for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from checkpoints.models import bert, loaded, random_case, reference, write
from headway.checkpoints import new_head
from headway.checkpoints.heads import KINDS, HeadPlan, plan_head
from headway.core.global_attention import BeforeSeparator, first_token
from headway.errors import CheckpointError, ConfigError
from headway.families import bert as family
from headway.heads import OWN_HEADS, TEXT_POOLINGS

CLASSIFIER = {"model_type": "bert", "architectures": ["BertForSequenceClassification"]}
OWN = {"task": "text-classification", "head": {"type": "linear", "pooling": "mean"}}


@pytest.fixture(scope="module")
def body_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bert(tmp_path_factory.mktemp("body"))


def plan(**values: Any) -> HeadPlan:
    found = plan_head(family, {**CLASSIFIER, **values})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (None, ("LABEL_0", "LABEL_1")),
        ({"0": "no", "1": "yes"}, ("no", "yes")),
        ({"1": "yes", "0": "no"}, ("no", "yes")),
        ({"0": 10, "1": 20}, ("10", "20")),
        ({str(n): f"l{n}" for n in range(12)}, tuple(f"l{n}" for n in range(12))),
    ],
)
def test_labels_in_order(names: Any, labels: tuple[str, ...]) -> None:
    assert plan(id2label=names).labels == labels


@pytest.mark.parametrize(
    "names",
    [
        {},
        [],
        ["no", "yes"],
        "no",
        3,
        {"0": "no", "2": "yes"},
        {"1": "no", "2": "yes"},
        {"00": "no"},
        {"a": "no"},
        {"0": None},
        {"0": {"x": 1}},
        {"0": True},
    ],
)
def test_labels_that_cannot_be(names: Any) -> None:
    with pytest.raises(CheckpointError, match=r"id2label = .*Allowed: a name for 0, 1, 2"):
        plan(id2label=names)


def test_two_outputs_of_one_name_are_refused() -> None:
    with pytest.raises(CheckpointError, match="id2label names 'x' twice"):
        plan(id2label={"0": "x", "1": "y", "2": "x"})


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_goes_there_and_back(kind: str, tmp_path: Path) -> None:
    labels = ["only"] if kind == "regression" else ["a", "b"]
    model = loaded(bert(tmp_path))
    model.put_head(
        new_head(family, "text-classification", labels=labels, kind=kind, head="family", pooling="")
    )
    model.save(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["problem_type"] == KINDS[kind]
    again = loaded(tmp_path).checkpoint.plan
    assert again is not None
    assert (again.kind, again.labels, again.stored) == (kind, tuple(labels), None)


OWN_KINDS = [("token", ("O", "B-X"), "tags"), ("span", (), "answer-span"), ("span", (), "")]


@pytest.mark.parametrize(("of", "labels", "kind"), OWN_KINDS)
def test_a_head_of_tokens_and_its_kind_go_there_and_back(
    of: str, labels: tuple[str, ...], kind: str, tmp_path: Path
) -> None:
    model = loaded(bert(tmp_path))
    ids = [[1, 2, 3], [4]]
    model.put_head(new_head(family, "a-task", labels=labels, kind=kind, head="linear", of=of))
    before = model.forward(ids).logits
    model.save(tmp_path)
    values = json.loads((tmp_path / "config.json").read_text())
    assert values["headway"]["head"] == {"type": "linear", "of": of}
    assert values["headway"].get("kind", "") == kind
    assert "problem_type" not in values
    assert ("id2label" in values) is bool(labels)
    again = loaded(tmp_path)
    found = again.checkpoint.plan
    assert (found.task, found.kind, found.labels) == ("a-task", kind, labels)
    for ours, wanted in zip(again.forward(ids).logits, before, strict=True):
        assert ours.shape[1] == 2
        torch.testing.assert_close(ours, wanted)


@pytest.mark.parametrize(
    ("of", "name", "pooling"),
    [(of, name, None) for of in OWN_HEADS for name in OWN_HEADS[of] if of != "text"]
    + [("text", name, pooling) for name in OWN_HEADS["text"] for pooling in TEXT_POOLINGS],
)
def test_every_head_of_ours_is_loaded_as_it_was_saved(
    of: str, name: str, pooling: str | None, body_folder: Path, tmp_path: Path
) -> None:
    model = loaded(body_folder)
    labels = [] if of == "span" else ["x", "y", "z"]
    torch.manual_seed(0)
    model.put_head(
        new_head(family, "a-task", labels=labels, kind="a-kind", head=name, pooling=pooling, of=of)
    )
    model.save(tmp_path)
    again = loaded(tmp_path)
    assert again.checkpoint.plan.stored == model.checkpoint.plan.stored
    assert again.head.state_dict().keys() == model.head.state_dict().keys()
    for key, tensor in model.head.state_dict().items():
        assert torch.equal(again.head.state_dict()[key], tensor), key
    ids = [[1, 2, 3, 4], [5]]
    before, after = model.forward(ids).logits, again.forward(ids).logits
    for rows, wanted in zip(after, before, strict=True):
        torch.testing.assert_close(rows, wanted)


def test_another_kind_under_a_family_head(tmp_path: Path) -> None:
    model = loaded(bert(tmp_path))
    model.put_head(
        new_head(family, "text-classification", labels=["1", "2"], kind="ordered", head="family")
    )
    model.save(tmp_path)
    values = json.loads((tmp_path / "config.json").read_text())
    assert values["headway"] == {"kind": "ordered"}
    assert "problem_type" not in values
    again = loaded(tmp_path).checkpoint.plan
    assert (again.kind, again.labels, again.stored) == ("ordered", ("1", "2"), None)


def test_what_older_models_say_of_their_head() -> None:
    old = plan(headway=OWN, id2label={"0": "a", "1": "b"}, problem_type=KINDS["multi-label"])
    assert (old.kind, old.labels, old.stored) == ("multi-label", ("a", "b"), OWN["head"])
    said = plan(headway={**OWN, "head": {**OWN["head"], "of": "text"}})
    assert said.spec.names == old.spec.names


def test_the_kind_where_nothing_is_said() -> None:
    assert plan().kind == "single-label"
    assert plan(id2label={"0": "score"}).kind == "regression"
    assert plan(problem_type="multi_label_classification").kind == "multi-label"
    with pytest.raises(CheckpointError, match=r"problem_type = 'x'. Allowed: single_label"):
        plan(problem_type="x")


def test_labels_and_kind_of_heads_over_tokens() -> None:
    named = {"0": "O", "1": "B-PER", "2": "I-PER"}
    tags = plan(architectures=["BertForTokenClassification"], id2label=named)
    assert (tags.task, tags.labels) == ("token-classification", ("O", "B-PER", "I-PER"))
    assert tags.kind == "entities"
    alone = plan(architectures=["BertForTokenClassification"], id2label={"0": "NOUN"})
    assert alone.kind == "tags"
    for ending in ("QuestionAnswering", "MultipleChoice"):
        found = plan(architectures=[f"BertFor{ending}"], id2label=named)
        assert (found.labels, found.kind) == ((), "")


def test_a_body_and_unknown_classes_have_no_head() -> None:
    for named in (None, [], ["BertModel"], ["BertForNextSentencePrediction"], ["X", "Y"]):
        assert plan_head(family, {"model_type": "bert", "architectures": named}) is None
    assert plan_head(family, {"model_type": "bert"}) is None
    wrong: Any
    for wrong in ("BertModel", [3], {"0": "x"}, [["BertModel"]]):
        with pytest.raises(CheckpointError, match="architectures = "):
            plan_head(family, {"model_type": "bert", "architectures": wrong})


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ([], "headway = []"),
        ("x", "headway = 'x'"),
        ({**OWN, "head": None}, "headway.head = None"),
        ({**OWN, "head": "linear"}, "headway.head = 'linear'"),
        ({**OWN, "head": {"type": "linear"}}, "headway.head = "),
        ({**OWN, "head": {"type": "lineer", "pooling": "mean"}}, "did you mean 'linear'"),
        ({**OWN, "head": {"type": "linear", "pooling": 3}}, "pooling 3 is not known"),
        ({**OWN, "task": None}, "headway.task = None"),
        ({"head": OWN["head"]}, "headway.task = None"),
        ({**OWN, "head": {"type": "linear", "of": "word"}}, "heads of 'word' is not known"),
        ({**OWN, "head": {"type": "linear", "of": ["text"]}}, "headway.head = "),
        ({**OWN, "head": {"type": "linear", "of": "token", "pooling": "mean"}}, "pooling 'mean'"),
        ({**OWN, "kind": 3}, "headway.kind = 3"),
        ({"kind": "Two words"}, "headway.kind = 'Two words'"),
    ],
)
def test_a_section_of_ours_that_cannot_be(section: Any, said: str) -> None:
    if section == []:
        assert plan(headway=section).stored is None  # as good as absent
        return
    with pytest.raises(CheckpointError) as caught:
        plan(headway=section)
    assert said in str(caught.value)


def test_global_tokens_are_those_of_the_head_that_is_on(tmp_path: Path) -> None:
    case = random_case("longformer", 0)
    folder = write(reference(case, "question-answering"), tmp_path / "a")
    model = loaded(folder)
    assert model.body.global_tokens == BeforeSeparator(2)
    model.put_head(None)
    assert model.body.global_tokens is first_token
    assert loaded(folder, keep_head=False).body.global_tokens is first_token


def test_what_a_caller_may_not_ask_for() -> None:
    def ask(**changed: Any) -> None:
        options = {"labels": ["a", "b"], "kind": "single-label", "head": "family", "pooling": ""}
        task = changed.pop("task", "text-classification")
        new_head(family, task, **{**options, **changed})

    with pytest.raises(
        ConfigError, match=r"kind 'multi_label' is not known.*did you mean 'multi-l"
    ):
        ask(kind="multi_label")
    with pytest.raises(ConfigError, match="label 'a' is there twice"):
        ask(labels=["a", "b", "a"])
    with pytest.raises(ConfigError, match="no head of its own for summarization"):
        ask(task="summarization")
    with pytest.raises(ConfigError, match=r"head 'linera' is not known.*did you mean 'linear'"):
        ask(head="linera", pooling="mean")
    with pytest.raises(ConfigError, match="pooling 'avg' is not known"):
        ask(head="linear", pooling="avg")
    with pytest.raises(ConfigError, match="kind '' is not known"):
        ask(kind="")
    for of, few in (("text", "mean"), ("token", None)):
        with pytest.raises(ConfigError, match="no labels for a 'linear' head"):
            ask(head="linear", pooling=few, of=of, labels=[])
    with pytest.raises(ConfigError, match=r"3 labels of a start and an end. Allowed: none, or two"):
        ask(head="linear", pooling=None, of="span", labels=["a", "b", "c"])
