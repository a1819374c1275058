"""What transformers' scripts for SQuAD answer: its model and tokenizer, and their rules, written
out: every start with every end that is not before it nor too far off, the largest sum of logits,
and the null score of the window that has the least (`postprocess_qa_predictions`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch


def reference_answers(
    model: Any,
    folder: Path,
    pairs: Sequence[tuple[str, str]],
    *,
    size: int,
    stride: int,
    longest: int,
) -> list[dict[str, Any]]:
    """For each pair `span`, `score` and `null_score`, and the same of each window."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="[PAD]"
    )
    found = []
    for question, context in pairs:
        read = tokenizer(
            question,
            context,
            truncation="only_second",
            max_length=size,
            stride=stride,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            return_token_type_ids=True,
        )
        windows = [
            _window(model, read, number, longest) for number in range(len(read["input_ids"]))
        ]
        best = max(windows, key=lambda window: float(window["score"]))
        null = min(float(window["null_score"]) for window in windows)
        found.append({**best, "null_score": null, "windows": windows, "ids": read["input_ids"]})
    return found


def _window(model: Any, read: Any, number: int, longest: int) -> dict[str, Any]:
    ids, kinds = read["input_ids"][number], read["token_type_ids"][number]
    with torch.no_grad():
        out = model(torch.tensor([ids]), token_type_ids=torch.tensor([kinds]))
    starts, ends = out.start_logits[0].double(), out.end_logits[0].double()
    whose = read.sequence_ids(number)
    inside = [place for place, one in enumerate(whose) if one == 1]
    allowed = [0, *inside]
    free = starts[allowed].logsumexp(0) + ends[allowed].logsumexp(0)
    score, start, end = max(
        ((starts[a] + ends[b]).item(), a, b) for a in inside for b in inside if a <= b < a + longest
    )
    offsets = read["offset_mapping"][number]
    null = (starts[0] + ends[0]).item()
    return {
        "span": (offsets[start][0], offsets[end][1]),
        "score": score,
        "null_score": null,
        "log_probability": score - free.item(),
        "null_log_probability": null - free.item(),
    }
