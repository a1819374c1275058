"""The roles of special tokens: which one begins a text, which one fills up, and so on."""

from __future__ import annotations

from typing import Any

__all__ = ["ROLES", "sane_length", "special_roles"]

# role -> strings that are known to play it, the first that is in the vocabulary is taken.
ROLES: dict[str, tuple[str, ...]] = {
    "cls": ("[CLS]",),
    "sep": ("[SEP]",),
    "pad": ("[PAD]", "<pad>", "<|pad|>", "<|padding|>", "<|finetune_right_pad_id|>"),
    "mask": ("[MASK]", "<mask>", "<|mask|>"),
    "unk": ("[UNK]", "<unk>", "<|unk|>"),
    "bos": ("[BOS]", "<s>", "<bos>", "<|startoftext|>", "<|begin_of_text|>", "<|endoftext|>"),
    "eos": ("[EOS]", "</s>", "<eos>", "<|end_of_text|>", "<|endoftext|>"),
}


def special_roles(
    config: dict[str, Any], document: dict[str, Any], vocabulary: dict[str, int]
) -> dict[str, str]:
    """Role -> token, for the roles that a token of the vocabulary plays.

    What a configuration says counts, also when it says null; the rest is guessed: from the
    post-processor and the model, then from how such tokens are usually written.

    >>> special_roles({"pad_token": "<s>"}, {}, {"<s>": 0, "[MASK]": 1})
    {'pad': '<s>', 'mask': '[MASK]', 'bos': '<s>'}
    """
    hints = _hints(document)
    roles: dict[str, str] = {}
    for role, usual in ROLES.items():
        said = config.get(f"{role}_token", ...)
        content = said.get("content") if isinstance(said, dict) else said
        if content is None:
            continue
        candidates = [content] if isinstance(content, str) else [*hints.get(role, ()), *usual]
        known = [token for token in candidates if token in vocabulary]
        if known:
            roles[role] = known[0]
    return roles


def _hints(document: dict[str, Any]) -> dict[str, list[str]]:
    """What the parts of a tokenizer.json, already checked, say about roles."""
    hints: dict[str, list[str]] = {}
    processor = document.get("post_processor") or {}
    if processor.get("type") in ("BertProcessing", "RobertaProcessing"):
        hints["cls"], hints["sep"] = [processor["cls"][0]], [processor["sep"][0]]
    model = document.get("model") or {}
    if isinstance(model.get("unk_token"), str):
        hints["unk"] = [model["unk_token"]]
    elif model.get("type") == "Unigram" and model.get("unk_id") is not None:
        hints["unk"] = [model["vocab"][model["unk_id"]][0]]
    return hints


def sane_length(config: dict[str, Any]) -> int | None:
    """The greatest number of tokens the model takes, where the configuration says a real one.

    >>> sane_length({"model_max_length": 512}), sane_length({"model_max_length": 1e30})
    (512, None)
    """
    said = config.get("model_max_length")
    if isinstance(said, int | float) and not isinstance(said, bool) and 0 < said < 1e6:
        return int(said)
    return None
