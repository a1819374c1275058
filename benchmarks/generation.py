"""Greedy text for eight prompts of different lengths beside transformers' generate."""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
import transformers
from common import WRITER, keep, need_data, seconds_of, text_prompts

import headway
from headway.hub import resolve_model

LENGTHS = (6, 14, 25, 38, 52, 67, 83, 100)
"""Tokens of the prompts."""

BLOCK = 2**26
"""Numbers that are summed to see how fast memory is: 256 MB, more than any cache."""

TIE = 1e-3
"""Two tokens whose logits are nearer are as likely: rounding may take either."""

STORY = "beeb5cb46785efee81a8545300b31e396b595e5ce6f3b77db201545501981d14"
"""SHA-256 of the text that llama2.c's own test expects of 200 steps at temperature 0."""

Write = Callable[[int], list[list[int]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--new", type=int, default=64, help="tokens written for each prompt")
    options = parser.parse_args()
    found = {
        name: compare(resolve_model(WRITER), dtype, options.new, options.rounds)
        for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16))
    }
    keep(
        "generation",
        {
            "work": f"SmolLM2-135M: {len(LENGTHS)} prompts of {min(LENGTHS)} to {max(LENGTHS)} "
            f"tokens of README.md, {options.new} new ones each",
            "threads": torch.get_num_threads(),
            "published_story_equal": published_story(),
            **found,
        },
    )


def published_story() -> bool:
    """Whether llama2.c's smallest model tells what its published program tells."""
    model = headway.load(need_data("model-stories260K") / "stories260K.bin")
    (text,) = model.generate([""], max_new_tokens=200, temperature=0.0)
    return hashlib.sha256(text.encode()).hexdigest() == STORY


def compare(path: Path, dtype: torch.dtype, new: int, rounds: int) -> dict[str, Any]:
    """Both in turn, so that the machine's drift meets both; no text ends before its last token."""
    ours = headway.load(path, dtype=dtype)
    with tempfile.TemporaryDirectory() as folder:  # unpacked: of a GGUF it may keep packed weights
        ours.save(folder)
        theirs = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=dtype).eval()
    theirs.generation_config.eos_token_id = None
    prompts = text_prompts(ours.tokenizer, LENGTHS)
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])

    def peer(count: int) -> list[list[int]]:
        out = theirs.generate(
            ids, attention_mask=mask, max_new_tokens=count, do_sample=False, pad_token_id=0
        )
        rows: list[list[int]] = out[:, longest:].tolist()
        return rows

    ways: dict[str, Write] = {
        "headway": lambda count: ours.generate_ids(prompts, count, stop_tokens=()),
        "transformers": peer,
    }
    written = {name: way(new) for name, way in ways.items()}
    equal = same_but_for_ties(ours, prompts, *written.values(), exact=dtype == torch.float32)
    times: dict[str, list[float]] = {name: [] for name in ways}
    firsts: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(seconds_of(lambda way=way: way(new)))
            firsts[name].append(seconds_of(lambda way=way: way(1)))
    whole = {name: median(values) for name, values in times.items()}
    steps = {
        name: 1000 * (whole[name] - median(values)) / (new - 1) for name, values in firsts.items()
    }
    return {
        "texts_equal": equal,
        "tokens_per_second": {name: len(prompts) * new / value for name, value in whole.items()},
        "milliseconds_a_step": steps,
        "floor_milliseconds_a_step": floor(ours),
        "seconds_to_first_tokens": {name: median(values) for name, values in firsts.items()},
        "over_transformers": whole["transformers"] / whole["headway"],
    }


def same_but_for_ties(
    ours: Any,
    prompts: list[list[int]],
    got: list[list[int]],
    wanted: list[list[int]],
    *,
    exact: bool,
) -> int:
    """How many texts are the same; an end, where another one does not begin with a tie."""
    for prompt, a, b in zip(prompts, got, wanted, strict=True):
        place = next((n for n in range(len(a)) if a[n] != b[n]), None)
        if place is None or not exact:
            continue
        with torch.no_grad():
            logits = ours.forward([[*prompt, *a[:place]]]).logits[0][-1]
        if abs(float(logits[a[place]] - logits[b[place]])) > TIE:
            raise SystemExit(f"behind a prompt of {len(prompt)} tokens the texts differ")
    return sum(a == b for a, b in zip(got, wanted, strict=True))


def floor(ours: Any) -> float:
    """Milliseconds to read all weights once, at the rate at which a sum reads memory."""
    size = sum(p.numel() * p.element_size() for p in ours.parameters())
    block = torch.ones(BLOCK)
    rate = block.numel() * 4 / min(seconds_of(block.sum) for _ in range(5))
    return 1000 * size / rate


if __name__ == "__main__":
    main()
