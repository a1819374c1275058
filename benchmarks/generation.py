"""Greedy text for eight prompts of different lengths beside transformers' generate."""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from common import keep, median, seconds_of

import headway

LENGTHS = (5, 12, 20, 33, 40, 55, 64, 80)
"""Tokens of the prompts."""

BLOCK = 2**26
"""Numbers that are summed to see how fast memory is: 256 MB, more than any cache."""

TIE = 1e-3
"""Two tokens whose logits are nearer are as likely: rounding may take either."""

Write = Callable[[int], list[list[int]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--new", type=int, default=64, help="tokens written for each prompt")
    parser.add_argument("--layers", type=int, default=30, help="SmolLM2-135M's, as all that follow")
    parser.add_argument("--heads", type=int, default=9)
    parser.add_argument("--words", type=int, default=49152)
    options = parser.parse_args()
    draw = random.Random(0)
    prompts = [draw.choices(range(1, options.words), k=length) for length in LENGTHS]
    with tempfile.TemporaryDirectory() as folder:
        model(options.layers, options.heads, options.words).save_pretrained(folder)
        found = {
            name: compare(Path(folder), dtype, prompts, options.new, options.rounds)
            for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16))
        }
    keep(
        "generation",
        {
            "work": f"{len(LENGTHS)} prompts of {min(LENGTHS)} to {max(LENGTHS)} tokens, "
            f"{options.new} new ones each, random weights of SmolLM2-135M's shape",
            "threads": torch.get_num_threads(),
            **found,
        },
    )


def model(layers: int, heads: int, words: int) -> Any:
    """A random Llama."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=words,
        hidden_size=64 * heads,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads // 3,
        intermediate_size=64 * heads * 8 // 3,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=None,
    )
    return transformers.LlamaForCausalLM(config)


def compare(
    folder: Path, dtype: torch.dtype, prompts: list[list[int]], new: int, rounds: int
) -> dict[str, Any]:
    """Both in turn, so that the machine's drift meets both."""
    ours = headway.load(folder, dtype=dtype)
    theirs = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=dtype).eval()
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
