"""Every error that Headway raises on purpose.

HeadwayError
└── InputError              what the user gave is wrong: the command line says it and exits with 2
    ├── ResolveError        a model or data-set name that leads nowhere
    ├── DataError           a file of rows that cannot be read
    ├── TokenizerError      a tokenizer file, or a text it cannot take
    ├── CheckpointError     a model folder, its config or its weights
    ├── ConfigError         an option outside its range, or two that contradict each other
    └── OutputError         a folder that cannot be written

Anything else that escapes is a fault of ours and exits with 1.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "HeadwayError",
    "InputError",
    "OutputError",
    "ResolveError",
    "TokenizerError",
    "nearest",
    "said_by_system",
]


class HeadwayError(Exception):
    """The root: catch it to catch everything that Headway raises on purpose."""


class InputError(HeadwayError):
    """What the user gave is wrong; the message says what, which value, what is allowed, what next.

    Args:
        problem: the thing and its value, as one sentence without a full stop.
        allowed: what would have been right.
        next_step: what to do now.

    >>> print(InputError("no column 'txt'", allowed="text, label", next_step="--text text"))
    no column 'txt'. Allowed: text, label. Next: --text text.
    """

    def __init__(self, problem: str, *, allowed: str = "", next_step: str = "") -> None:
        self.problem, self.allowed, self.next_step = problem, allowed, next_step
        said = [("", problem), ("Allowed: ", allowed), ("Next: ", next_step)]
        super().__init__(" ".join(name + text.rstrip(".") + "." for name, text in said if text))


class ResolveError(InputError):
    """A model or data-set name that leads to no folder on this machine."""


class DataError(InputError):
    """A file of rows that cannot be read; the problem names file, line and column."""


class TokenizerError(InputError):
    """A tokenizer file that cannot be used, or a text that cannot be encoded."""


class CheckpointError(InputError):
    """A model folder whose config, weights or vocabulary do not fit together."""


class ConfigError(InputError):
    """An option outside its range, or two options that contradict each other."""


class OutputError(InputError):
    """A place that cannot be written."""


def said_by_system(error: OSError) -> str:
    """Why the system refused something, without what a library wraps around it.

    >>> said_by_system(OSError(28, "Error writing bytes to file. Detail: [errno 28] No space"))
    'No space left on device'
    """
    return os.strerror(error.errno) if error.errno else str(error)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like `name`, as a hint `did you mean 'x'?`, or an empty string.

    >>> nearest("macro_f", ["accuracy", "macro_f1"])
    "did you mean 'macro_f1'?"
    """
    matches = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {matches[0]!r}?" if matches else ""
