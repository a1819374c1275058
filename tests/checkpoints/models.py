"""Small models of the reference library in folders, for tests of loading and saving."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import torch
import transformers
from contracts import LABELS, Case, agree_on_bias, stir
from families import (
    test_albert,
    test_bart,
    test_bert,
    test_deberta_v2,
    test_distilbert,
    test_electra,
    test_gpt2,
    test_llama,
    test_longformer,
    test_marian,
    test_modernbert,
    test_mpnet,
    test_openai_gpt,
    test_roberta,
    test_t5,
)
from safetensors.torch import load_file, save_file
from torch import Tensor

from headway.checkpoints.heads import LABELLED
from headway.families import FAMILIES, class_name, clip, static
from headway.loading import load
from headway.tokenizer import Tokenizer

AUTO = {
    None: transformers.AutoModel,
    "fill-mask": transformers.AutoModelForMaskedLM,
    "multiple-choice": transformers.AutoModelForMultipleChoice,
    "question-answering": transformers.AutoModelForQuestionAnswering,
    "replaced-token": transformers.AutoModelForPreTraining,
    "text-classification": transformers.AutoModelForSequenceClassification,
    "text-generation": transformers.AutoModelForCausalLM,
    "text2text-generation": transformers.AutoModelForSeq2SeqLM,
    "token-classification": transformers.AutoModelForTokenClassification,
}

KINDS = [kind for kind, family in FAMILIES.items() if family not in (clip, static)]
"""Those that the reference library has too, and that read texts alone."""

HEADS = [(kind, task) for kind in KINDS for task in (None, *FAMILIES[kind].HEADS)]
"""Every architecture with every head that its checkpoints can carry."""


def random_config(kind: str, draw: random.Random) -> Any:
    """A small random config of the reference library."""
    if kind in test_roberta.KINDS:
        return test_roberta.config(kind, draw)
    if kind in test_bart.KINDS:
        made = test_bart.config(kind, draw)
        made.decoder_start_token_id = 2
        return made
    if kind == "marian":
        return test_marian.config(draw, shared=draw.choice([True, False]))
    if kind in test_llama.KINDS:
        return test_llama.KINDS[kind](draw, draw.choice(test_llama.ROPES))
    if kind == "t5":
        made = test_t5.config(draw, draw.choice(["relu", "gated-gelu"]))
        made.decoder_start_token_id = 0
        return made
    of = {
        "albert": test_albert,
        "bert": test_bert,
        "deberta-v2": test_deberta_v2,
        "distilbert": test_distilbert,
        "electra": test_electra,
        "gpt2": test_gpt2,
        "longformer": test_longformer,
        "modernbert": test_modernbert,
        "mpnet": test_mpnet,
        "openai-gpt": test_openai_gpt,
    }[kind]
    return of.config(draw)


def random_case(kind: str, seed: int) -> Case:
    """A case of the family contract with a random config."""
    config = random_config(kind, random.Random(seed))
    if kind == "longformer":
        return test_longformer.case_of(config, seed)
    forbidden = (config.pad_token_id,) if kind in test_roberta.KINDS else ()
    if kind == "mpnet":
        forbidden = (test_mpnet.PADDING,)
    return Case(kind, config, seed, forbidden)


def reference(case: Case, task: str | None) -> Any:
    """The reference's class for a task as it comes: a bare body has its pooler."""
    config = copy.deepcopy(case.config)
    config._attn_implementation = "eager"
    if task in LABELLED:
        config.num_labels = LABELS
    torch.manual_seed(case.seed)
    model = getattr(transformers, class_name(case.model_type, task))(config)
    stir(model)
    if task == "fill-mask" and not config.tie_word_embeddings:
        agree_on_bias(model)
    return model.eval()


def write(model: Any, folder: Path, way: str = "whole") -> Path:
    """Saves a model of the reference library: `whole`, in `shards`, or as `bin`."""
    model.save_pretrained(folder, max_shard_size="8KB" if way == "shards" else "1GB")
    if way == "shards":
        assert (folder / "model.safetensors.index.json").is_file()
    if way == "bin":
        (folder / "model.safetensors").unlink()
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    return folder


def bert(folder: Path, task: str | None = None, **more: Any) -> Path:
    """A folder with a small BERT of the reference library."""
    config = transformers.BertConfig(
        vocab_size=30,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=12,
        max_position_embeddings=16,
        **more,
    )
    return write(reference(Case("bert", config, 0), task), folder)


def words_tokenizer(*, specials: bool = True, size: int = 20) -> Tokenizer:
    """One token a word: w0, w1, ...; with [CLS] and [SEP] around, as BERT's, or with nothing."""
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{n}" for n in range(size))]
    around = {
        "type": "BertProcessing",
        "cls": ["[CLS]", 2],
        "sep": ["[SEP]", 3],
    }
    return Tokenizer.from_document(
        {
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "post_processor": around if specials else None,
            "model": {
                "type": "WordLevel",
                "unk_token": "[UNK]",
                "vocab": {name: number for number, name in enumerate(names)},
            },
        }
    )


def loaded(folder: Path, **options: Any) -> Any:
    """The model in a folder, every parameter of it real; Any, since tests look at bricks too."""
    model = load(folder, **options)
    assert not any(parameter.is_meta for parameter in model.parameters())
    return model


def tensors(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / "model.safetensors")


def put_tensors(folder: Path, changed: dict[str, Tensor]) -> None:
    save_file(changed, folder / "model.safetensors", {"format": "pt"})
