"""A small CLIP in a folder, with the reference's own model, tokenizer and image processor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from contracts import stir
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from headway.tokenizer.byte_alphabet import BYTE_CHARACTERS

SPECIALS = ("<|startoftext|>", "<|endoftext|>")
SIDE = 24


def write_vocabulary(folder: Path, merges: list[str]) -> dict[str, int]:
    """vocab.json and merges.txt as CLIP has them: bytes, bytes at an end, merges, specials."""
    letters = BYTE_CHARACTERS
    tokens = [*letters, *(f"{letter}</w>" for letter in letters)]
    tokens += [merge.replace(" ", "") for merge in merges]
    vocabulary = {token: number for number, token in enumerate((*tokens, *SPECIALS))}
    folder.mkdir(exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")
    return vocabulary


def clip_folder(folder: Path) -> tuple[Any, Any, Any]:
    """Writes one; gives the reference's model, tokenizer and image processor."""
    merges = ["c a", "ca t</w>", "d o", "do g</w>", "p h", "o f</w>", "ph o", "a r", "r e"]
    vocabulary = write_vocabulary(folder, merges)
    tower = {"hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2}
    tower["intermediate_size"] = 24
    end = len(vocabulary) - 1
    text = {"vocab_size": end + 1, "max_position_embeddings": 40, "bos_token_id": end - 1}
    config = CLIPConfig(
        text_config={**tower, **text, "eos_token_id": end},
        vision_config={**tower, "image_size": SIDE, "patch_size": 8},
        projection_dim=12,
    )
    torch.manual_seed(0)
    model = CLIPModel(config)
    stir(model)
    with torch.no_grad():
        model.logit_scale.fill_(1.0)
    model.eval().save_pretrained(folder)
    size = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}}
    processor = CLIPImageProcessorPil(**size)
    processor.save_pretrained(folder)
    return model, CLIPTokenizer.from_pretrained(folder), processor
