"""The folder of BERT's first release is a model, with the head that its variables tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from contracts import LABELS, Case

from checkpoints.models import bert, reference, write
from headway.checkpoints.tensors import read_tensors
from headway.errors import CheckpointError
from headway.loading import load

from .foreign import bert_variables, write_bundle
from .same import assert_same_model

CONFIG = {
    "vocab_size": 30,
    "hidden_size": 8,
    "num_hidden_layers": 12,
    "num_attention_heads": 2,
    "intermediate_size": 12,
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "initializer_range": 0.02,
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
}
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxy"]


def folders(tmp_path: Path, kind: type[Any]) -> tuple[Path, Path]:
    """A model as it was first released, and as the ecosystem has it."""
    model = kind(transformers.BertConfig(**CONFIG, num_labels=LABELS)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    write(model, tmp_path / "torch")
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / "bert_config.json").write_text(json.dumps(CONFIG))
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    write_bundle(bert_variables(model), folder / "bert_model.ckpt")
    return folder, tmp_path / "torch"


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        (transformers.BertForMaskedLM, "fill-mask"),
        (transformers.BertForSequenceClassification, "text-classification"),
    ],
)
def test_a_release_is_the_model(tmp_path: Path, kind: type[Any], task: str) -> None:
    folder, torch_folder = folders(tmp_path, kind)
    model = assert_same_model(folder, torch_folder)
    assert model.task == task
    assert model.tokenizer is not None
    assert model.tokenizer.encode("a b").tokens == ["[CLS]", "a", "b", "[SEP]"]
    assert "read weights of another framework, bert_model.ckpt.index" in model.notes
    model.save(tmp_path / "saved")
    assert_same_model(tmp_path / "saved", torch_folder)


def test_pre_training_keeps_the_head_for_masked_words(tmp_path: Path) -> None:
    folder, _ = folders(tmp_path, transformers.BertForPreTraining)
    model = load(folder)
    assert model.task == "fill-mask"
    assert any("cls.seq_relationship.weight" in note for note in model.notes)
    assert load(folder, keep_head=False).task is None


def test_other_weights_come_first(tmp_path: Path) -> None:
    folder = bert(tmp_path / "both")
    write_bundle({"x": np.ones(2)}, folder / "model.ckpt-7")
    write_bundle({"x": np.ones(2)}, folder / "model.ckpt-8")
    (folder / "tf_model.h5").write_bytes(b"")
    (folder / "flax_model.msgpack").write_bytes(b"")
    torch.save(read_tensors(folder), folder / "pytorch_model.bin")
    beside = "pytorch_model.bin, flax_model.msgpack, tf_model.h5, model.ckpt-7.index"
    (note,) = [note for note in load(folder).notes if note.startswith("read ")]
    assert note.startswith(f"read model.safetensors, and not {beside}, model.ckpt-8.index")
    (folder / "model.safetensors").unlink()
    assert any(note.startswith("read pytorch_model.bin, and not") for note in load(folder).notes)
    (folder / "pytorch_model.bin").unlink()
    for file in ("flax_model.msgpack", "tf_model.h5"):
        with pytest.raises(CheckpointError, match=file):
            load(folder)
        (folder / file).unlink()
    with pytest.raises(CheckpointError, match="holds 2 TensorFlow checkpoints"):
        load(folder)


def test_labels_that_cannot_be(tmp_path: Path) -> None:
    folder, _ = folders(tmp_path, transformers.BertForMaskedLM)
    for shape in ((), (0, 8)):
        write_bundle({"output_weights": np.zeros(shape)}, folder / "bert_model.ckpt")
        with pytest.raises(CheckpointError, match="output_weights of 0 labels"):
            load(folder)


def test_weights_saved_as_safetensors_by_other_frameworks(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    from .foreign import flax_tree, keras_variables

    model = reference(Case("bert", transformers.BertConfig(**CONFIG), 0), "fill-mask")
    torch_folder, folder = write(model, tmp_path / "torch"), write(model, tmp_path / "other")
    flat: dict[str, Any] = {}

    def walk(tree: Any, path: tuple[str, ...]) -> None:
        for key, value in tree.items():
            if isinstance(value, dict):
                walk(value, (*path, key))
            else:
                flat[".".join((*path, key))] = np.ascontiguousarray(value.numpy())

    walk(flax_tree(model), ())
    save_file(flat, folder / "model.safetensors", {"format": "flax"})
    assert_same_model(folder, torch_folder)
    variables = keras_variables(model, "tf_bert_for_masked_lm")
    stripped = {
        name.partition("/")[2]: np.ascontiguousarray(value) for name, value in variables.items()
    }
    save_file(stripped, folder / "model.safetensors", {"format": "tf"})
    assert_same_model(folder, torch_folder)
