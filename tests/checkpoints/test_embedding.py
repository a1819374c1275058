"""How a checkpoint makes one vector of a text, as sentence-transformers writes it down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from checkpoints.models import bert, loaded, words_tokenizer
from headway.checkpoints.embedding import Embedding, read_embedding, write_embedding
from headway.errors import CheckpointError

OLD_NAMES = "sentence_transformers.models."
NEW_NAMES = "sentence_transformers.base.modules.somewhere."


def describe(folder: Path, kinds: list[str], pooling: Any, *, before: str = OLD_NAMES) -> Path:
    """A folder as sentence-transformers describes it."""
    entries = [
        {"idx": n, "name": str(n), "path": f"{n}_{kind}" if n else None, "type": before + kind}
        for n, kind in enumerate(kinds)
    ]
    folder.mkdir(exist_ok=True)
    (folder / "modules.json").write_text(json.dumps(entries))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling/config.json").write_text(json.dumps(pooling))
    return folder


def switches(*on: str) -> dict[str, Any]:
    names = "cls_token mean_tokens max_tokens mean_sqrt_len_tokens weightedmean_tokens lasttoken"
    values = {f"pooling_mode_{name}": name in on for name in names.split()}
    return {"word_embedding_dimension": 8, **values, "include_prompt": True}


PLAIN = ["Transformer", "Pooling"]
UNIT = [*PLAIN, "Normalize"]


@pytest.mark.parametrize("before", [OLD_NAMES, NEW_NAMES])
@pytest.mark.parametrize("kinds", [PLAIN, UNIT])
@pytest.mark.parametrize(
    ("values", "pooling"),
    [
        (switches("mean_tokens"), "mean"),
        (switches("cls_token"), "first"),
        (switches("max_tokens"), "max"),
        (switches("lasttoken"), "last"),
        ({"pooling_mode": "mean", "embedding_dimension": 8}, "mean"),
        ({"pooling_mode": "cls"}, "first"),
        ({"pooling_mode": "max"}, "max"),
        ({"pooling_mode": "lasttoken"}, "last"),
    ],
)
def test_known_descriptions(
    tmp_path: Path, before: str, kinds: list[str], values: Any, pooling: str
) -> None:
    found = read_embedding(describe(tmp_path, kinds, values, before=before))
    assert found == Embedding(pooling, "Normalize" in kinds, declared=True)


@pytest.mark.parametrize(
    "values",
    [
        switches(),
        switches("cls_token", "mean_tokens"),
        switches("weightedmean_tokens"),
        {"pooling_mode": "mean_sqrt_len_tokens"},
        {"pooling_mode": ["cls", "mean"]},
        {"pooling_mode": None},
        {},
    ],
)
def test_other_poolings_are_refused(tmp_path: Path, values: Any) -> None:
    with pytest.raises(CheckpointError, match=r"1_Pooling/config.json asks for .*Allowed: one of"):
        read_embedding(describe(tmp_path, PLAIN, values))


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (["Transformer", "Pooling", "Dense"], "module 'Dense' is not known"),
        (["Transformer", "Pooling", "Dense", "Normalize"], "module 'Dense' is not known"),
        (["CLIPModel"], "module 'CLIPModel' is not known"),
        (["Transformer"], "modules"),
        ([], "modules"),
        (["Pooling", "Transformer"], "modules"),
        (["Transformer", "Pooling", "Pooling"], "modules"),
    ],
)
def test_other_modules_are_refused_by_name(tmp_path: Path, kinds: list[str], said: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        read_embedding(describe(tmp_path, kinds, switches("mean_tokens")))
    assert said in str(caught.value)
    assert "Allowed: Transformer, Pooling or Transformer, Pooling, Normalize" in str(caught.value)


@pytest.mark.parametrize("modules", [{}, {"a": 1}, 3, ["x"], [{}], [[]], [{"type": "x"}], None])
def test_a_file_that_lists_no_modules(tmp_path: Path, modules: Any) -> None:
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(CheckpointError, match=r"modules.json"):
        read_embedding(tmp_path)


@pytest.mark.parametrize("place", ["../x", "/x", "..", "a/b"])
def test_a_module_stays_in_the_folder(tmp_path: Path, place: str) -> None:
    entries = [{"type": "Transformer", "path": ""}, {"type": "Pooling", "path": place}]
    (tmp_path / "modules.json").write_text(json.dumps(entries))
    with pytest.raises(CheckpointError, match=r"Allowed: a folder beside it"):
        read_embedding(tmp_path)


def test_a_pooling_without_its_file(tmp_path: Path) -> None:
    describe(tmp_path, PLAIN, switches("mean_tokens"))
    (tmp_path / "1_Pooling/config.json").unlink()
    with pytest.raises(CheckpointError, match=r"1_Pooling/config.json cannot be read"):
        read_embedding(tmp_path)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    for number, wanted in enumerate(
        Embedding(pooling, normalise, prompt, declared=True)
        for pooling in ("first", "last", "max", "mean")
        for normalise in (True, False)
        for prompt in ("", "query: ")
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_embedding(wanted, 8, folder)
        assert read_embedding(folder) == wanted


def test_nothing_said_is_mean_and_length_one(tmp_path: Path) -> None:
    assert read_embedding(tmp_path) == Embedding("mean", normalise=True)
    loaded(bert(tmp_path / "a")).save(tmp_path / "b")
    assert not (tmp_path / "b/modules.json").exists()


@pytest.mark.parametrize(
    ("values", "prompt"),
    [
        ({}, ""),
        ({"prompts": {"query": "q: "}, "default_prompt_name": None}, ""),
        ({"prompts": {"query": "q: "}, "default_prompt_name": "query"}, "q: "),
    ],
)
def test_prompts(tmp_path: Path, values: Any, prompt: str) -> None:
    describe(tmp_path, PLAIN, switches("mean_tokens"))
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(values))
    assert read_embedding(tmp_path).prompt == prompt
    describe(tmp_path, PLAIN, {**switches("mean_tokens"), "include_prompt": False})
    if prompt:
        with pytest.raises(CheckpointError, match="include_prompt = false"):
            read_embedding(tmp_path)


@pytest.mark.parametrize(
    "values",
    [
        {"default_prompt_name": "query"},
        {"default_prompt_name": "query", "prompts": {"other": "x"}},
        {"default_prompt_name": ["query"], "prompts": {}},
        {"default_prompt_name": "query", "prompts": {"query": 3}},
    ],
)
def test_prompts_that_cannot_be(tmp_path: Path, values: Any) -> None:
    describe(tmp_path, PLAIN, switches("mean_tokens"))
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(values))
    with pytest.raises(CheckpointError, match="default_prompt_name = "):
        read_embedding(tmp_path)


def test_a_limit_on_length_is_not_read_and_does_not_outlive_a_save(tmp_path: Path) -> None:
    folder = bert(tmp_path / "model")
    words_tokenizer().save(folder)
    before = loaded(folder).embed(["w0 " * 12 + "w1"])
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 4}')
    describe(folder, UNIT, switches("mean_tokens"))
    model = loaded(folder)
    assert (model.embed(["w0 " * 12 + "w1"]) == before).all()
    model.save(folder)
    assert not (folder / "sentence_bert_config.json").exists()
    assert (loaded(folder).embed(["w0 " * 12 + "w1"]) == before).all()
