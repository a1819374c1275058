"""Greedy text of a quantized model, one prompt at a time, beside transformers and llama.cpp.

llama.cpp's Python binding has no wheel: `pip install llama-cpp-python==0.3.36` builds it, which
takes a C++ compiler and some twenty minutes; CMAKE_ARGS="-DGGML_NATIVE=ON" builds it for this
processor. It may live in a virtual environment of its own, whose interpreter `--llama-cpp` names.
Without it, the file of results says so.

All have the weights of one GGUF. Headway and transformers unpacked to fp32 (Headway also to bf16);
llama.cpp computes on 4-bit weights and rounds what it multiplies them with to 8 bits, so its text
may leave the path: how far it goes along is counted.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
import transformers
from common import WRITER, keep, seconds_of, text_prompts

import headway
from headway.hub import resolve_model

LENGTHS = (16, 64, 128, 256)
"""Tokens of the prompts."""

THEIR_SIDE = """
import itertools, json, sys, time
import llama_cpp

work = json.load(sys.stdin)
room = max(map(len, work["prompts"])) + work["new"]
model = llama_cpp.Llama(
    work["path"], n_ctx=room, n_batch=room, n_threads=work["threads"],
    n_threads_batch=work["threads"], verbose=False,
)

def write(prompt, count):
    model.reset()
    start = time.perf_counter()
    ids = list(itertools.islice(model.generate(prompt, temp=0.0), count))
    return ids, time.perf_counter() - start

write(work["prompts"][0], 2)  # pages of the file, threads
first = [write(prompt, 1)[1] for prompt in work["prompts"]]
texts, whole = zip(*[write(prompt, work["new"]) for prompt in work["prompts"]])
found = {"version": llama_cpp.__version__, "texts": texts, "first": first, "whole": whole}
print(json.dumps(found))
"""
"""What the interpreter with llama.cpp runs: work as JSON in, texts and seconds as JSON out."""

Ids = list[int]
Write = Callable[[Ids, int], Ids]
Found = dict[str, Any]
"""One round: "texts", and of each prompt the seconds to the "first" token and for the "whole"."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--new", type=int, default=64, help="tokens written for each prompt")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--llama-cpp", default=sys.executable, help="a Python that can import llama_cpp"
    )
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    path = resolve_model(WRITER)
    fp32, bf16 = (headway.load(path, dtype=dtype) for dtype in (torch.float32, torch.bfloat16))
    prompts = text_prompts(fp32.tokenizer, LENGTHS)
    ways = {
        "headway fp32": lambda: timed(ours(fp32), prompts, options.new),
        "headway bf16": lambda: timed(ours(bf16), prompts, options.new),
        "transformers fp32": timed_reference(fp32, prompts, options.new),
    }
    if has_llama_cpp(options.llama_cpp):
        work = {"path": str(path), "prompts": prompts, "new": options.new}
        work["threads"] = options.threads
        ways["llama.cpp"] = lambda: llama_cpp(options.llama_cpp, work)
    rounds: dict[str, list[Found]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, way in ways.items():
            rounds[name].append(way())
    texts = {name: found[0]["texts"] for name, found in rounds.items()}
    their = rounds["llama.cpp"][0]["version"] if "llama.cpp" in rounds else "not installed"
    keep(
        "quantized_generation",
        {
            "work": f"{path.name}: {len(LENGTHS)} prompts of {min(LENGTHS)} to {max(LENGTHS)} "
            f"tokens of README.md one after the other, {options.new} new ones each",
            "threads": options.threads,
            "llama_cpp_python": their,
            "common_beginning": common_beginnings(texts),
            "tokens_per_second": {
                name: speeds(found, prompts, options.new) for name, found in rounds.items()
            },
        },
    )


def ours(model: Any) -> Write:
    """Headway's way, without an end before the last token."""
    return lambda prompt, count: model.generate_ids([prompt], count, stop_tokens=())[0]


def timed_reference(ours: Any, prompts: list[Ids], new: int) -> Callable[[], Found]:
    """transformers' way with the weights unpacked; of a GGUF it may keep packed ones."""
    with tempfile.TemporaryDirectory() as folder:
        ours.save(folder)
        model = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    model.generation_config.eos_token_id = None

    def write(prompt: Ids, count: int) -> Ids:
        ids = torch.tensor([prompt])
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=count,
            do_sample=False,
            pad_token_id=0,
        )
        made: Ids = out[0, len(prompt) :].tolist()
        return made

    return lambda: timed(write, prompts, new)


def timed(write: Write, prompts: list[Ids], new: int) -> Found:
    """One round of a way in this process."""
    texts: list[Ids] = []
    write(prompts[0], 2)
    first = [seconds_of(lambda prompt=prompt: write(prompt, 1)) for prompt in prompts]
    whole = [
        seconds_of(lambda prompt=prompt: texts.append(write(prompt, new))) for prompt in prompts
    ]
    return {"texts": texts, "first": first, "whole": whole}


def has_llama_cpp(python: str) -> bool:
    """Whether an interpreter can import the binding."""
    return not subprocess.run([python, "-c", "import llama_cpp"], capture_output=True).returncode


def llama_cpp(python: str, work: dict[str, Any]) -> Found:
    """One round of llama.cpp, in a process of its own."""
    ran = subprocess.run(
        [python, "-c", THEIR_SIDE], input=json.dumps(work), capture_output=True, text=True
    )
    if ran.returncode:
        sys.exit(f"llama.cpp failed:\n{ran.stderr[-2000:]}")
    found: Found = json.loads(ran.stdout.splitlines()[-1])
    return found


def common_beginnings(texts: dict[str, list[Ids]]) -> dict[str, list[int]]:
    """How many tokens of each text are transformers' up to the first that differs; an end where
    those of Headway in fp32 are not all."""
    wanted = texts["transformers fp32"]
    found = {
        name: [shared(a, b) for a, b in zip(made, wanted, strict=True)]
        for name, made in texts.items()
        if name != "transformers fp32"
    }
    if found["headway fp32"] != [len(text) for text in wanted]:
        raise SystemExit(f"the texts differ behind {found['headway fp32']} tokens")
    return found


def shared(a: Ids, b: Ids) -> int:
    """The length of the common beginning."""
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=True)) if x != y), len(a))


def speeds(rounds: list[Found], prompts: list[Ids], new: int) -> dict[str, float]:
    """Tokens a second, all prompts together: of reading (to the first new token), and of writing
    the others."""
    first = median([sum(found["first"]) for found in rounds])
    whole = median([sum(found["whole"]) for found in rounds])
    return {
        "reading": sum(map(len, prompts)) / first,
        "writing": len(prompts) * (new - 1) / (whole - first),
    }


if __name__ == "__main__":
    main()
