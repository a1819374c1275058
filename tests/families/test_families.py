"""The table of families: files and dict agree, and names lead both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import headway.families
from headway.core.names import pair_names
from headway.errors import CheckpointError
from headway.families import FAMILIES, class_name, family_of, static, task_of

CONTRACT = (
    "Config from_hf to_hf longest build CLASSES PREFIX NAMES OTHER_HEADS IGNORED SPARES HEADS"
)


def test_every_file_is_a_family_and_every_family_is_listed() -> None:
    files = {path.stem for path in Path(headway.families.__file__).parent.glob("[a-z]*.py")}
    listed = {family.__name__.rpartition(".")[2] for family in FAMILIES.values()}
    assert {*listed, "encoder_decoder"} == files
    assert {model_type for family in FAMILIES.values() for model_type in family.CLASSES} == set(
        FAMILIES
    )
    assert list(FAMILIES) == sorted(FAMILIES)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_a_family_has_all_parts_and_uniform_names(model_type: str) -> None:
    family = family_of(model_type)
    assert all(hasattr(family, part) for part in CONTRACT.split())
    config = family.Config()
    depth = () if family is static else (config.layers, config.heads)
    assert min(config.vocabulary, config.hidden, *depth) >= 1
    assert 0 < config.initial_std < 1


@pytest.mark.parametrize("model_type", FAMILIES)
def test_a_family_says_all_or_nothing_of_itself_as_a_decoder(model_type: str) -> None:
    family = family_of(model_type)
    parts = [hasattr(family, part) for part in ("build_decoder", "CROSS_NAMES", "WRITES")]
    assert len(set(parts)) == 1
    if parts[0]:
        with torch.device("meta"):
            alone = family.build(family.Config()).state_dict()
            decoder = family.build_decoder(family.Config())
        pair_names(decoder, (*family.NAMES, *family.CROSS_NAMES))
        extra = decoder.state_dict().keys() - alone.keys()
        assert alone.keys() < decoder.state_dict().keys()
        assert all("cross_attention" in name for name in extra)
        assert family.WRITES in family.HEADS


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """What config.json holds, with keys of objects in it behind a point."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return found


@pytest.mark.parametrize("model_type", [kind for kind in FAMILIES if FAMILIES[kind] is not static])
def test_defaults_are_the_references(model_type: str) -> None:
    """A key that config.json lacks must mean the same here and there."""
    theirs = flat(transformers.AutoConfig.for_model(model_type).to_dict())
    family = family_of(model_type)
    ours = flat(family.to_hf(family.from_hf({"model_type": model_type})))
    derived = {
        "num_key_value_heads",
        "head_dim",
        "num_decoder_layers",
        "decoder_vocab_size",
    }  # None here = worked out there
    different = {
        key
        for key, value in ours.items()
        if key in theirs and theirs[key] != value and not (key in derived and value is None)
    }
    assert different <= ({"vocab_size"} if model_type in ("camembert", "xlm-roberta") else set())


@pytest.mark.parametrize("model_type", FAMILIES)
def test_a_full_size_model_costs_nothing_on_the_meta_device(model_type: str) -> None:
    family = family_of(model_type)
    with torch.device("meta"):
        body = family.build(family.Config())
    pairs, _ = pair_names(body, family.NAMES)
    assert all(pair.tensor.is_meta for pair in pairs)
    used = {row for row, _ in family.NAMES}
    assert len(used) == len(family.NAMES)


@pytest.mark.parametrize("model_type", FAMILIES)
def test_a_family_says_all_or_nothing_of_a_second_tower(model_type: str) -> None:
    family = family_of(model_type)
    parts = [hasattr(family, part) for part in ("build_vision", "VISION_NAMES", "ended")]
    assert len(set(parts)) == 1
    if parts[0]:
        with torch.device("meta"):
            vision = family.build_vision(family.Config())
        pairs, tied = pair_names(vision, family.VISION_NAMES)
        assert pairs
        assert not tied


@pytest.mark.parametrize("model_type", ["bort", "", None, 7, ["bert"], {}])
def test_unknown_architectures_are_refused_by_name(model_type: object) -> None:
    with pytest.raises(CheckpointError) as caught:
        family_of(model_type)
    assert f"model_type = {model_type!r}" in str(caught.value)
    assert "Allowed: albert, bart, bert" in str(caught.value)


def test_near_misses_get_a_hint() -> None:
    with pytest.raises(CheckpointError, match="did you mean 'xlm-roberta'"):
        family_of("xlm_roberta")


def test_class_names_lead_both_ways() -> None:
    assert class_name("xlm-roberta", "text-classification") == "XLMRobertaForSequenceClassification"
    assert class_name("llama", None) == "LlamaModel"
    assert task_of("gpt2", "GPT2LMHeadModel") == "text-generation"
    assert task_of("gpt2", "GPT2DoubleHeadsModel") is None


RELEASED = {
    "albert-base-v2": {
        "architectures": ["AlbertForMaskedLM"],
        "attention_probs_dropout_prob": 0,
        "bos_token_id": 2,
        "classifier_dropout_prob": 0.1,
        "down_scale_factor": 1,
        "embedding_size": 128,
        "eos_token_id": 3,
        "gap_size": 0,
        "hidden_act": "gelu_new",
        "hidden_dropout_prob": 0,
        "hidden_size": 768,
        "initializer_range": 0.02,
        "inner_group_num": 1,
        "intermediate_size": 3072,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "model_type": "albert",
        "net_structure_type": 0,
        "num_attention_heads": 12,
        "num_hidden_groups": 1,
        "num_hidden_layers": 12,
        "num_memory_blocks": 0,
        "pad_token_id": 0,
        "type_vocab_size": 2,
        "vocab_size": 30000,
    },
    "bart-large-cnn": {
        "_num_labels": 3,
        "activation_function": "gelu",
        "architectures": ["BartForConditionalGeneration"],
        "bos_token_id": 0,
        "d_model": 1024,
        "decoder_attention_heads": 16,
        "decoder_ffn_dim": 4096,
        "decoder_layers": 12,
        "decoder_start_token_id": 2,
        "encoder_attention_heads": 16,
        "encoder_ffn_dim": 4096,
        "encoder_layers": 12,
        "eos_token_id": 2,
        "extra_pos_embeddings": 0,
        "force_bos_token_to_be_generated": True,
        "forced_bos_token_id": 0,
        "forced_eos_token_id": 2,
        "is_encoder_decoder": True,
        "max_position_embeddings": 1024,
        "model_type": "bart",
        "normalize_before": False,
        "pad_token_id": 1,
        "scale_embedding": False,
        "task_specific_params": {"summarization": {"max_length": 142, "num_beams": 4}},
        "vocab_size": 50264,
    },
    "pegasus-large": {
        "activation_dropout": 0.1,
        "activation_function": "relu",
        "add_bias_logits": False,
        "add_final_layer_norm": True,
        "architectures": ["PegasusForConditionalGeneration"],
        "attention_dropout": 0.1,
        "bos_token_id": 0,
        "classif_dropout": 0.0,
        "classifier_dropout": 0.0,
        "d_model": 1024,
        "decoder_attention_heads": 16,
        "decoder_ffn_dim": 4096,
        "decoder_layerdrop": 0.0,
        "decoder_layers": 16,
        "decoder_start_token_id": 0,
        "dropout": 0.1,
        "encoder_attention_heads": 16,
        "encoder_ffn_dim": 4096,
        "encoder_layerdrop": 0.0,
        "encoder_layers": 16,
        "eos_token_id": 1,
        "extra_pos_embeddings": 1,
        "force_bos_token_to_be_generated": False,
        "forced_eos_token_id": 1,
        "gradient_checkpointing": False,
        "init_std": 0.02,
        "is_encoder_decoder": True,
        "length_penalty": 0.8,
        "max_length": 256,
        "max_position_embeddings": 1024,
        "model_type": "pegasus",
        "normalize_before": True,
        "normalize_embedding": False,
        "num_beams": 8,
        "num_hidden_layers": 16,
        "pad_token_id": 0,
        "scale_embedding": True,
        "static_position_embeddings": True,
        "vocab_size": 96103,
    },
    "bert-base-multilingual-cased": {
        "architectures": ["BertForMaskedLM"],
        "attention_probs_dropout_prob": 0.1,
        "directionality": "bidi",
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 768,
        "initializer_range": 0.02,
        "intermediate_size": 3072,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "model_type": "bert",
        "num_attention_heads": 12,
        "num_hidden_layers": 12,
        "pad_token_id": 0,
        "pooler_fc_size": 768,
        "pooler_num_attention_heads": 12,
        "pooler_num_fc_layers": 3,
        "pooler_size_per_head": 128,
        "pooler_type": "first_token_transform",
        "position_embedding_type": "absolute",
        "transformers_version": "4.6.0.dev0",
        "type_vocab_size": 2,
        "use_cache": True,
        "vocab_size": 119547,
    },
    "clip-vit-base-patch32": {
        "architectures": ["CLIPModel"],
        "initializer_factor": 1.0,
        "logit_scale_init_value": 2.6592,
        "model_type": "clip",
        "projection_dim": 512,
        "text_config": {
            "_name_or_path": "",
            "add_cross_attention": False,
            "architectures": None,
            "attention_dropout": 0.0,
            "bos_token_id": 0,
            "chunk_size_feed_forward": 0,
            "cross_attention_hidden_size": None,
            "dropout": 0.0,
            "eos_token_id": 2,
            "hidden_act": "quick_gelu",
            "hidden_size": 512,
            "initializer_factor": 1.0,
            "initializer_range": 0.02,
            "intermediate_size": 2048,
            "layer_norm_eps": 1e-05,
            "max_position_embeddings": 77,
            "model_type": "clip_text_model",
            "num_attention_heads": 8,
            "num_hidden_layers": 12,
            "pad_token_id": 1,
            "projection_dim": 512,
            "pruned_heads": {},
            "tie_encoder_decoder": False,
            "tie_word_embeddings": True,
            "torch_dtype": None,
            "vocab_size": 49408,
        },
        "text_config_dict": None,
        "vision_config": {
            "attention_dropout": 0.0,
            "dropout": 0.0,
            "hidden_act": "quick_gelu",
            "hidden_size": 768,
            "image_size": 224,
            "initializer_range": 0.02,
            "intermediate_size": 3072,
            "layer_norm_eps": 1e-05,
            "model_type": "clip_vision_model",
            "num_attention_heads": 12,
            "num_hidden_layers": 12,
            "patch_size": 32,
            "projection_dim": 512,
            "return_dict": True,
        },
        "vision_config_dict": None,
    },
    "deberta-v3-base": {
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 768,
        "initializer_range": 0.02,
        "intermediate_size": 3072,
        "layer_norm_eps": 1e-07,
        "max_position_embeddings": 512,
        "max_relative_positions": -1,
        "model_type": "deberta-v2",
        "norm_rel_ebd": "layer_norm",
        "num_attention_heads": 12,
        "num_hidden_layers": 12,
        "pos_att_type": "p2c|c2p",
        "position_biased_input": False,
        "position_buckets": 256,
        "relative_attention": True,
        "share_att_key": True,
        "type_vocab_size": 0,
        "vocab_size": 128100,
    },
    "distilbert-base-uncased": {
        "activation": "gelu",
        "architectures": ["DistilBertForMaskedLM"],
        "attention_dropout": 0.1,
        "dim": 768,
        "dropout": 0.1,
        "hidden_dim": 3072,
        "initializer_range": 0.02,
        "max_position_embeddings": 512,
        "model_type": "distilbert",
        "n_heads": 12,
        "n_layers": 6,
        "pad_token_id": 0,
        "qa_dropout": 0.1,
        "seq_classif_dropout": 0.2,
        "sinusoidal_pos_embds": False,
        "tie_weights_": True,
        "transformers_version": "4.10.0.dev0",
        "vocab_size": 30522,
    },
    "electra-small-discriminator": {
        "architectures": ["ElectraForPreTraining"],
        "attention_probs_dropout_prob": 0.1,
        "embedding_size": 128,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 256,
        "initializer_range": 0.02,
        "intermediate_size": 1024,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": 512,
        "model_type": "electra",
        "num_attention_heads": 4,
        "num_hidden_layers": 12,
        "pad_token_id": 0,
        "position_embedding_type": "absolute",
        "summary_activation": "gelu",
        "summary_last_dropout": 0.1,
        "summary_type": "first",
        "summary_use_proj": True,
        "transformers_version": "4.9.0.dev0",
        "type_vocab_size": 2,
        "use_cache": True,
        "vocab_size": 30522,
    },
    "gpt2": {
        "activation_function": "gelu_new",
        "architectures": ["GPT2LMHeadModel"],
        "attn_pdrop": 0.1,
        "bos_token_id": 50256,
        "embd_pdrop": 0.1,
        "eos_token_id": 50256,
        "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05,
        "model_type": "gpt2",
        "n_ctx": 1024,
        "n_embd": 768,
        "n_head": 12,
        "n_layer": 12,
        "n_positions": 1024,
        "resid_pdrop": 0.1,
        "summary_activation": None,
        "summary_first_dropout": 0.1,
        "summary_proj_to_labels": True,
        "summary_type": "cls_index",
        "summary_use_proj": True,
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
        "vocab_size": 50257,
    },
    "longformer-base-4096": {
        "architectures": ["LongformerForMaskedLM"],
        "attention_mode": "longformer",
        "attention_probs_dropout_prob": 0.1,
        "attention_window": [512] * 12,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "gradient_checkpointing": False,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 768,
        "ignore_attention_mask": False,
        "initializer_range": 0.02,
        "intermediate_size": 3072,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 4098,
        "model_type": "longformer",
        "num_attention_heads": 12,
        "num_hidden_layers": 12,
        "pad_token_id": 1,
        "sep_token_id": 2,
        "type_vocab_size": 1,
        "vocab_size": 50265,
    },
    "modernbert-base": {
        "architectures": ["ModernBertForMaskedLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 50281,
        "classifier_activation": "gelu",
        "classifier_bias": False,
        "classifier_dropout": 0.0,
        "classifier_pooling": "mean",
        "cls_token_id": 50281,
        "decoder_bias": True,
        "deterministic_flash_attn": False,
        "embedding_dropout": 0.0,
        "eos_token_id": 50282,
        "global_attn_every_n_layers": 3,
        "global_rope_theta": 160000.0,
        "gradient_checkpointing": False,
        "hidden_activation": "gelu",
        "hidden_size": 768,
        "initializer_cutoff_factor": 2.0,
        "initializer_range": 0.02,
        "intermediate_size": 1152,
        "layer_norm_eps": 1e-05,
        "local_attention": 128,
        "local_rope_theta": 10000.0,
        "max_position_embeddings": 8192,
        "mlp_bias": False,
        "mlp_dropout": 0.0,
        "model_type": "modernbert",
        "norm_bias": False,
        "norm_eps": 1e-05,
        "num_attention_heads": 12,
        "num_hidden_layers": 22,
        "pad_token_id": 50283,
        "position_embedding_type": "absolute",
        "reference_compile": True,
        "sep_token_id": 50282,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
        "transformers_version": "4.47.0.dev0",
        "vocab_size": 50368,
    },
    "mpnet-base": {
        "architectures": ["MPNetForMaskedLM"],
        "attention_probs_dropout_prob": 0.1,
        "bos_token_id": 0,
        "eos_token_id": 2,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 768,
        "initializer_range": 0.02,
        "intermediate_size": 3072,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 514,
        "model_type": "mpnet",
        "num_attention_heads": 12,
        "num_hidden_layers": 12,
        "pad_token_id": 1,
        "relative_attention_num_buckets": 32,
        "vocab_size": 30527,
    },
    "openai-gpt": {
        "afn": "gelu",
        "architectures": ["OpenAIGPTLMHeadModel"],
        "attn_pdrop": 0.1,
        "embd_pdrop": 0.1,
        "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05,
        "model_type": "openai-gpt",
        "n_ctx": 512,
        "n_embd": 768,
        "n_head": 12,
        "n_layer": 12,
        "n_positions": 512,
        "n_special": 0,
        "predict_special_tokens": True,
        "resid_pdrop": 0.1,
        "summary_activation": None,
        "summary_first_dropout": 0.1,
        "summary_proj_to_labels": True,
        "summary_type": "cls_index",
        "summary_use_proj": True,
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
        "vocab_size": 40478,
    },
    "t5-small": {
        "architectures": ["T5ForConditionalGeneration"],
        "d_ff": 2048,
        "d_kv": 64,
        "d_model": 512,
        "decoder_start_token_id": 0,
        "dropout_rate": 0.1,
        "eos_token_id": 1,
        "initializer_factor": 1.0,
        "is_encoder_decoder": True,
        "layer_norm_epsilon": 1e-06,
        "model_type": "t5",
        "n_positions": 512,
        "num_heads": 8,
        "num_layers": 6,
        "output_past": True,
        "pad_token_id": 0,
        "relative_attention_num_buckets": 32,
        "task_specific_params": {"summarization": {"prefix": "summarize: "}},
        "vocab_size": 32128,
    },
    "llama-3.2-1b": {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 128000,
        "eos_token_id": [128001, 128008],
        "head_dim": 64,
        "hidden_act": "silu",
        "hidden_size": 2048,
        "initializer_range": 0.02,
        "intermediate_size": 8192,
        "max_position_embeddings": 131072,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": 32,
        "num_hidden_layers": 16,
        "num_key_value_heads": 8,
        "pretraining_tp": 1,
        "rms_norm_eps": 1e-05,
        "rope_scaling": {
            "factor": 32.0,
            "high_freq_factor": 4.0,
            "low_freq_factor": 1.0,
            "original_max_position_embeddings": 8192,
            "rope_type": "llama3",
        },
        "rope_theta": 500000.0,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.45.0.dev0",
        "use_cache": True,
        "vocab_size": 128256,
    },
}
"""config.json as models were released with, older keys included."""


@pytest.mark.parametrize("name", RELEASED)
def test_released_configs_are_read_whole(name: str) -> None:
    values = json.loads(json.dumps(RELEASED[name]))
    family = family_of(values["model_type"])
    config = family.from_hf(values)
    written = family.to_hf(config)
    for key in {theirs for _, theirs in family.FIELDS} & values.keys():
        assert written[key] == values[key]
    for named in values.get("architectures", []):
        assert (task_of(values["model_type"], named) is None) == (not family.HEADS)
