"""Keras' weights give the model that torch's give, and no file does harm."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from checkpoints.models import random_case, reference, write
from headway.checkpoints.weights.keras_h5 import read_keras
from headway.errors import CheckpointError

from .foreign import keras_variables, write_keras, write_keras_shard
from .same import assert_same_model, assert_survives

CASES = [
    ("bert", None, "tf_bert_model"),
    ("bert", "fill-mask", "tf_bert_for_masked_lm"),
    ("distilbert", "text-classification", "tf_distil_bert_for_sequence_classification"),
    ("gpt2", "text-generation", "tfgp_t2lm_head_model"),
    ("roberta", "fill-mask", "tf_roberta_for_masked_lm"),
    ("t5", "text2text-generation", "tf_t5for_conditional_generation"),
]


def folders(tmp_path: Path, kind: str, task: str | None) -> tuple[Any, Path, Path]:
    """A model of the reference library, its folder, and one that lacks weights."""
    theirs = reference(random_case(kind, 3), task)
    torch_folder, folder = write(theirs, tmp_path / "torch"), write(theirs, tmp_path / "keras")
    (folder / "model.safetensors").unlink()
    return theirs, torch_folder, folder


@pytest.mark.parametrize(("kind", "task", "name"), CASES)
def test_a_model_is_the_one_that_torchs_weights_give(
    tmp_path: Path, kind: str, task: str | None, name: str
) -> None:
    theirs, torch_folder, folder = folders(tmp_path, kind, task)
    if task is None:  # Keras' body has its name, too
        theirs = torch.nn.ModuleDict({"bert": theirs})
    write_keras(keras_variables(theirs, name), folder / "tf_model.h5")
    model = assert_same_model(folder, torch_folder)
    assert "read weights of another framework, tf_model.h5" in model.notes


def test_shards_and_cut_lists(tmp_path: Path) -> None:
    theirs, torch_folder, folder = folders(tmp_path, "bert", "fill-mask")
    variables = keras_variables(theirs, "tf_bert_for_masked_lm")
    write_keras(variables, folder / "tf_model.h5", most=3)
    assert_same_model(folder, torch_folder)
    (folder / "tf_model.h5").unlink()
    names, places = list(variables), {}
    for number in (1, 2):
        file = f"tf_model-0000{number}-of-00002.h5"
        part = names[number - 1 :: 2]
        write_keras_shard({name: variables[name] for name in part}, folder / file)
        places.update(dict.fromkeys(part, file))
    (folder / "tf_model.h5.index.json").write_text(json.dumps({"weight_map": places}))
    assert_same_model(folder, torch_folder)


def changed(path: Path, change: Callable[[Any], None]) -> str:
    """What is said of a file after a change."""
    write_keras({"m/a/kernel:0": np.ones((2, 3), np.float32)}, path)
    assert read_keras(path)["a.weight"].shape == (3, 2)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(CheckpointError) as caught:
        read_keras(path)
    return str(caught.value)


def replaced(data: Any, **options: Any) -> Callable[[Any], None]:
    """Puts something else in the place of the one weight."""

    def change(file: Any) -> None:
        del file["a/m/a/kernel:0"]
        if isinstance(data, (h5py.SoftLink, h5py.ExternalLink, h5py.VirtualLayout)):
            if isinstance(data, h5py.VirtualLayout):
                file.create_virtual_dataset("a/m/a/kernel:0", data)
            else:
                file["a/m/a/kernel:0"] = data
        else:
            file.create_dataset("a/m/a/kernel:0", **{"data": data, **options})

    return change


def test_nothing_outside_of_the_file_is_read(tmp_path: Path) -> None:
    other, path = tmp_path / "other.h5", tmp_path / "tf_model.h5"
    with h5py.File(other, "w") as file:
        file["x"] = np.ones((2, 3), np.float32)
    layout = h5py.VirtualLayout((2, 3), "f4")
    layout[:] = h5py.VirtualSource(str(other), "x", (2, 3))
    raw = {"shape": (2, 3), "dtype": "f4", "external": [(str(other), 0, 24)]}
    assert "lies elsewhere" in changed(path, replaced(h5py.ExternalLink(str(other), "x")))
    assert "lies elsewhere" in changed(path, replaced(h5py.SoftLink("/a")))
    assert "does not lie in the file" in changed(path, replaced(layout))
    assert "does not lie in the file" in changed(path, replaced(None, **raw))

    def link_above(file: Any) -> None:
        del file["a"]
        file["a"] = h5py.ExternalLink(str(other), "/")

    assert "lies elsewhere" in changed(path, link_above)


def test_other_things_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tf_model.h5"
    zeros = np.zeros((4, 4), np.float32)
    assert "does not lie in the file" in changed(path, replaced(zeros, compression="gzip"))
    unwritten = {"shape": (2**20, 2**20), "dtype": "f4", "chunks": (1, 1)}
    assert "more numbers than bytes" in changed(path, replaced(None, **unwritten))
    assert "numbers of the type" in changed(path, replaced("text"))
    assert "numbers of the type" in changed(path, replaced(np.zeros(2, "c8")))
    assert "no layer_names" in changed(path, lambda file: file.attrs.pop("layer_names"))
    assert "no weight_names" in changed(path, lambda file: file["a"].attrs.pop("weight_names"))

    def lacking(file: Any) -> None:
        file.attrs["layer_names"] = [b"a", b"b"]

    assert "'b' is not there" in changed(path, lacking)

    def group(file: Any) -> None:
        file["a"].attrs["weight_names"] = [b"m/a"]

    assert "'m/a' holds no numbers" in changed(path, group)


def test_other_types_of_numbers(tmp_path: Path) -> None:
    path = tmp_path / "tf_model.h5"
    values = {f"m/a/{kind}:0": np.arange(4).astype(kind) for kind in (">f4", "f8", "f2", "i8")}
    write_keras(values, path)
    for tensor in read_keras(path).values():
        assert tensor.tolist() == [0, 1, 2, 3]


def test_cuts_and_flips_end_in_tensors_or_one_message(tmp_path: Path) -> None:
    path = tmp_path / "tf_model.h5"
    write_keras({f"m/a_{n}/kernel:0": np.ones((2, 3), np.float32) for n in range(3)}, path)
    assert_survives(path, read_keras, random.Random(0))
