"""A model folder: what fits is loaded, what does not is said; saving is whole or not at all."""

from __future__ import annotations

import copy
import json
import os
import resource
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from contracts import Case
from safetensors import SafetensorError

import headway.checkpoints.tensors
from checkpoints.models import (
    bert,
    loaded,
    put_tensors,
    random_case,
    reference,
    tensors,
    words_tokenizer,
    write,
)
from headway.checkpoints import load_checkpoint, saved_checkpoint
from headway.errors import CheckpointError, ConfigError, OutputError
from headway.families import FAMILIES


def refusal(folder: Path) -> str:
    """What is said of a folder that cannot be loaded; the command line ends with 2."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    return str(caught.value)


def change(folder: Path, **values: Any) -> None:
    """Sets keys of config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON"),
        (b'{"model_type": "bert", "hid', "is not JSON"),
        (b"\xff\xfe{}", "is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[]", "holds a list. Allowed: a JSON object"),
        (b'"bert"', "holds a str"),
        (b"null", "holds a NoneType"),
        (b"{}", "model_type = None is not a known architecture"),
        (b'{"model_type": ["bert"]}', "is not a known architecture"),
        (b'{"model_type": "bert", "hidden_size": 1' + b"0" * 5000 + b"}", "is not JSON"),
        (b'{"model_type": "bert", "hidden_size": 1e400}', "hidden_size = inf"),
        (b'{"model_type": "bert", "hidden_size": 99999999999}', "hidden_size = 99999999999"),
        (b'{"model_type": "bert", "hidden_size": NaN}', "hidden_size = nan"),
        (b'{"model_type": "bert", "hidden_size": "768"}', "hidden_size = '768'"),
        (b'{"model_type": "bert", "num_hidden_layers": -1}', "num_hidden_layers = -1"),
        (b'{"model_type": "bert", "hiden_size": 768}', "did you mean 'hidden_size'"),
        (b'{"model_type": "bert", "num_attention_heads": 7}', "7"),
    ],
)
def test_a_config_that_cannot_be(tmp_path: Path, content: bytes, said: str) -> None:
    bert(tmp_path)
    (tmp_path / "config.json").write_bytes(content)
    assert said in refusal(tmp_path)


def test_an_unknown_architecture_lists_the_known_ones(tmp_path: Path) -> None:
    bert(tmp_path)
    change(tmp_path, model_type="robertta")
    said = refusal(tmp_path)
    assert "model_type = 'robertta'" in said
    assert f"Allowed: {', '.join(FAMILIES)}" in said
    assert "did you mean 'roberta'" in said


def test_no_config(tmp_path: Path) -> None:
    bert(tmp_path)
    (tmp_path / "config.json").unlink()
    assert f"{tmp_path / 'config.json'} cannot be read: No such file" in refusal(tmp_path)


def test_a_vocabulary_that_does_not_fit(tmp_path: Path) -> None:
    bert(tmp_path)
    words_tokenizer(size=26).save(tmp_path)
    assert loaded(tmp_path).need_tokenizer().encode("w25").ids == [2, 29, 3]
    words_tokenizer(size=27).save(tmp_path)
    said = refusal(tmp_path)
    assert "the tokenizer's ids go up to 30, the embedding has 30 rows" in said
    assert "Allowed: ids below 30" in said


def test_tensors_that_do_not_fit_are_listed_all_at_once(tmp_path: Path) -> None:
    bert(tmp_path, "fill-mask")
    found = tensors(tmp_path)
    del found["bert.encoder.layer.1.attention.self.key.bias"]
    del found["cls.predictions.transform.dense.weight"]
    found["bert.embeddings.word_embeddings.weight"] = torch.zeros(31, 8)
    found["bert.encoder.layer.7.output.dense.bias"] = torch.zeros(8)
    put_tensors(tmp_path, found)
    said = refusal(tmp_path)
    assert f"{tmp_path}: 4 tensors do not fit the config:" in said
    for line in (
        "missing     bert.encoder.layer.1.attention.self.key.bias [8]",
        "missing     cls.predictions.transform.dense.weight [8, 8]",
        "unexpected  bert.encoder.layer.7.output.dense.bias [8]",
        "misshaped   bert.embeddings.word_embeddings.weight is [31, 8], the config says [30, 8]",
    ):
        assert f"\n  {line}" in said


@pytest.mark.parametrize("kind", ["gpt2", "t5"])
def test_two_different_tensors_where_the_config_says_one(tmp_path: Path, kind: str) -> None:
    configs: dict[str, Any] = {
        "gpt2": transformers.GPT2Config(vocab_size=9, n_embd=4, n_layer=1, n_head=1),
        "t5": transformers.T5Config(vocab_size=9, d_model=4, d_kv=4, d_ff=5, num_layers=1),
    }
    task = "text-generation" if kind == "gpt2" else "text2text-generation"
    write(reference(Case(kind, configs[kind], 0), task), tmp_path)
    found = tensors(tmp_path)
    words = "transformer.wte.weight" if kind == "gpt2" else "shared.weight"
    put_tensors(tmp_path, {**found, "lm_head.weight": found[words].clone()})
    loaded(tmp_path)
    put_tensors(tmp_path, {**found, "lm_head.weight": found[words] + 1})
    said = refusal(tmp_path)
    assert f"torn        lm_head.weight differs from {words}" in said
    assert "set tie_word_embeddings to false" in said
    if kind == "gpt2":  # as it says
        change(tmp_path, tie_word_embeddings=False)
        model = loaded(tmp_path)
        assert torch.equal(model.head.output.weight, found[words] + 1)
    else:  # a copy of the word table under a third name
        put_tensors(tmp_path, {**found, "encoder.embed_tokens.weight": found[words].clone()})
        loaded(tmp_path)
        put_tensors(tmp_path, {**found, "encoder.embed_tokens.weight": found[words] + 1})
        assert "encoder.embed_tokens.weight differs from shared.weight" in refusal(tmp_path)


def test_an_untied_t5_needs_its_head_unless_transformers_5_left_it_out(tmp_path: Path) -> None:
    small = {"vocab_size": 9, "d_model": 4, "d_kv": 4, "d_ff": 5, "num_layers": 1}
    config = transformers.T5Config(**small, tie_word_embeddings=False)
    transformers.T5ForConditionalGeneration(config).save_pretrained(tmp_path)
    assert "lm_head.weight" not in tensors(tmp_path)
    said = json.loads((tmp_path / "config.json").read_text())
    assert (said["tie_word_embeddings"], said["scale_decoder_outputs"]) == (True, False)
    model = loaded(tmp_path)
    assert torch.equal(model.head.output.weight, tensors(tmp_path)["shared.weight"])
    change(tmp_path, tie_word_embeddings=False)
    assert "missing     lm_head.weight [9, 4]" in refusal(tmp_path)
    loaded(tmp_path, keep_head=False)


@pytest.mark.parametrize("stored", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("asked", [torch.float32, torch.bfloat16])
def test_any_type_is_loaded_as_the_one_asked_for(
    tmp_path: Path, stored: torch.dtype, asked: torch.dtype
) -> None:
    theirs = reference(random_case("bert", 0), "fill-mask").to(stored)
    model = loaded(write(theirs, tmp_path / "a"), dtype=asked)
    assert {parameter.dtype for parameter in model.parameters()} == {asked}
    words = theirs.bert.embeddings.word_embeddings.weight
    assert torch.equal(model.body.embeddings.words.weight, words.to(asked))
    model.save(tmp_path / "b")
    assert json.loads((tmp_path / "b/config.json").read_text())["dtype"] == str(asked)[6:]
    assert {tensor.dtype for tensor in tensors(tmp_path / "b").values()} == {asked}


def test_a_type_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"dtype torch.int8. Allowed: torch.float32"):
        loaded(bert(tmp_path), dtype=torch.int8)


def test_weights_that_are_no_numbers_are_loaded(tmp_path: Path) -> None:
    bert(tmp_path)
    found = tensors(tmp_path)
    found["embeddings.LayerNorm.bias"].fill_(float("nan"))
    put_tensors(tmp_path, found)
    assert loaded(tmp_path).forward([[1]]).last[0].isnan().all()


def test_a_quantized_checkpoint_is_refused_by_type(tmp_path: Path) -> None:
    bert(tmp_path)
    found = tensors(tmp_path)
    found["embeddings.LayerNorm.bias"] = torch.ones(8, dtype=torch.int8)
    put_tensors(tmp_path, found)
    assert "mistyped    embeddings.LayerNorm.bias holds int8" in refusal(tmp_path)


# Saving.


def test_what_the_config_says_besides_is_kept(tmp_path: Path) -> None:
    folder = bert(tmp_path / "a", "text-classification")
    change(
        folder,
        task_specific_params={"x": {"y": 1}},
        eos_token_id=7,
        auto_map={"AutoModel": "code.Bert"},
        _name_or_path="/home/me",
        torch_dtype="float16",
    )
    loaded(folder).save(tmp_path / "b")
    values = json.loads((tmp_path / "b/config.json").read_text())
    assert values["task_specific_params"] == {"x": {"y": 1}}
    assert values["eos_token_id"] == 7
    assert not {"auto_map", "_name_or_path", "torch_dtype", "transformers_version"} & set(values)
    assert values["architectures"] == ["BertForSequenceClassification"]
    assert values["id2label"] == {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}


def test_saving_over_another_model_leaves_nothing_of_it(tmp_path: Path) -> None:
    gpt2 = transformers.GPT2Config(vocab_size=40, n_embd=4, n_layer=1, n_head=1)
    folder = tmp_path / "model"
    write(reference(Case("gpt2", gpt2, 0), "text-generation"), folder, "bin")
    for name in (
        "model-00001-of-00002.safetensors",
        "model.safetensors.index.json",
        "vocab.json",
        "merges.txt",
        "spiece.model",
        "spm.model",
        "tf_model.h5",
        "modules.json",
        "1_Pooling",
        "report.html",
        "model_card.safetensors",
        "notes.txt",
    ):
        (folder / name).write_text("old")
    model = loaded(bert(tmp_path / "bert"))
    with saved_checkpoint(model.checkpoint, folder, stale=["report.*"]):
        pass
    assert {path.name for path in folder.iterdir()} == {
        "config.json",
        "model.safetensors",
        "model_card.safetensors",
        "notes.txt",
    }
    assert loaded(folder).forward([[1, 2]]).last[0].shape == (2, 8)


def test_saving_onto_itself(tmp_path: Path) -> None:
    folder = bert(tmp_path / "a")
    words_tokenizer().save(folder)
    before = tensors(folder)
    model = loaded(folder)
    for _ in range(2):
        model.save(folder)
        assert {path.name for path in folder.iterdir()} == {
            "config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
        }
        after = tensors(folder)
        assert after.keys() == before.keys()
        assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
        model = loaded(folder)
    assert model.need_tokenizer().encode("w1 w2").ids == [2, 5, 6, 3]


def test_more_files_can_be_part_of_the_whole(tmp_path: Path) -> None:
    model = loaded(bert(tmp_path / "a"))
    with saved_checkpoint(model.checkpoint, tmp_path / "b") as new:
        assert not (tmp_path / "b").exists()
        (new / "report.json").write_text("{}")
    assert (tmp_path / "b/report.json").read_text() == "{}"


def test_a_folder_that_holds_no_model_is_not_replaced(tmp_path: Path) -> None:
    model = loaded(bert(tmp_path / "a"))
    site = tmp_path / "site"
    site.mkdir()
    (site / "config.json").write_text('{"theme": "dark"}')
    with pytest.raises(OutputError, match="holds no model"):
        model.save(site)
    with pytest.raises(OutputError, match="is a file"):
        model.save(site / "config.json")
    assert [path.name for path in site.iterdir()] == ["config.json"]


def test_a_full_disk_leaves_the_old_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bert(tmp_path / "a")
    model, before = loaded(folder), (folder / "model.safetensors").read_bytes()

    def full(*_: Any) -> None:
        said = "Error while serializing: I/O error: No space left on device (os error 28)"
        raise SafetensorError(said)

    monkeypatch.setattr(headway.checkpoints.tensors, "save_file", full)
    with pytest.raises(OutputError, match=r"cannot be written: the disk is full.*untouched"):
        model.save(folder)
    assert (folder / "model.safetensors").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_limit_on_file_sizes_leaves_the_old_model(tmp_path: Path) -> None:
    """The real error of the real library, in a child process whose files may have 2 KB."""
    model = loaded(bert(tmp_path / "a"))
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
        try:
            model.save(tmp_path / "b")
        except OutputError as error:
            os._exit(2 if "cannot be written: File too large" in str(error) else 1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_tokenizer_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bert(tmp_path / "a")
    words_tokenizer().save(folder)
    model = loaded(folder)

    def refuse(*_: Any, **__: Any) -> None:
        raise OutputError("tokenizer.json cannot be written")

    monkeypatch.setattr(type(model.tokenizer), "save", refuse)
    with pytest.raises(OutputError):
        model.save(tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_copy_is_a_model_of_its_own(tmp_path: Path) -> None:
    model = loaded(bert(tmp_path / "a", "fill-mask"))
    twin = copy.deepcopy(model)
    assert twin.checkpoint.body is twin.body
    assert twin.checkpoint.head is twin.head
    assert twin.head.output.weight is twin.body.embeddings.words.weight
    with torch.no_grad():
        twin.body.embeddings.words.weight.zero_()
    assert model.body.embeddings.words.weight.any()
    twin.save(tmp_path / "b")
    assert not tensors(tmp_path / "b")["bert.embeddings.word_embeddings.weight"].any()
