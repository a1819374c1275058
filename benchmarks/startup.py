"""How long the first answer of a cold process takes: imports and --help, beyond bare Python."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from statistics import median

from common import keep, seconds_of

WAYS = {
    "bare python": [sys.executable, "-c", "pass"],
    "import headway": [sys.executable, "-c", "import headway"],
    "headway --help": [str(Path(sys.executable).parent / "headway"), "--help"],
    "import transformers": [sys.executable, "-c", "import transformers"],
    "from transformers import pipeline": [
        sys.executable,
        "-c",
        "from transformers import pipeline",
    ],
    "import headway and name pipeline": [sys.executable, "-c", "from headway import pipeline"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    times: dict[str, list[float]] = {name: [] for name in WAYS}
    for number in range(options.rounds + 1):
        for name, command in WAYS.items():
            seconds = seconds_of(
                lambda c=command: subprocess.run(c, check=True, capture_output=True)
            )
            if number:  # the first round fills the file cache
                times[name].append(seconds)
    middle = {name: 1000 * median(values) for name, values in times.items()}
    keep(
        "startup",
        {
            "milliseconds": middle,
            "import_headway_beyond_bare_python_ms": middle["import headway"]
            - middle["bare python"],
            "torch_is_loaded": _loads_torch(),
        },
    )


def _loads_torch() -> bool:
    code = "import headway, sys; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return found.stdout.strip() == "True"


if __name__ == "__main__":
    main()
