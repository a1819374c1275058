"""What a checkpoint's generation_config.json says of writing text, in our words.

Format: transformers' GenerationConfig; older checkpoints hold the same keys in config.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headway.errors import ConfigError
from headway.generate.decoding import Decoding, changed
from headway.logs import log

__all__ = ["stored_decoding"]

KEYS: Mapping[str, str] = {
    "max_new_tokens": "max_new_tokens",
    "min_new_tokens": "min_new_tokens",
    "max_length": "max_length",
    "min_length": "min_length",
    "num_beams": "beams",
    "length_penalty": "length_penalty",
    "early_stopping": "early_stopping",
    "num_return_sequences": "sequences",
    "repetition_penalty": "repetition_penalty",
    "no_repeat_ngram_size": "no_repeat_ngram",
    "bad_words_ids": "bad_words",
    "suppress_tokens": "suppressed",
    "begin_suppress_tokens": "suppressed_first",
    "forced_bos_token_id": "forced_first",
    "forced_eos_token_id": "forced_last",
}
"""Their key -> our option."""

WHEN_DRAWN: Mapping[str, str] = {
    "temperature": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
    "min_p": "min_p",
    "typical_p": "typical_p",
    "epsilon_cutoff": "epsilon",
    "eta_cutoff": "eta",
}
"""The same for keys that are heeded only beside do_sample = true, as the ecosystem does."""

USUAL_TOP_K = 50
"""What the ecosystem draws among where a checkpoint samples and does not say."""

NOTHING: Mapping[str, tuple[Any, ...]] = {
    "top_k": (0,),
    "top_p": (1.0,),
    "typical_p": (1.0,),
    "epsilon_cutoff": (0.0,),
    "eta_cutoff": (0.0,),
    "max_length": (0,),
}
"""Values that stand for none."""

NOT_HERE: Mapping[str, tuple[Any, ...]] = {
    "diversity_penalty": (0.0,),
    "encoder_no_repeat_ngram_size": (0,),
    "encoder_repetition_penalty": (1.0,),
    "exponential_decay_length_penalty": (),
    "guidance_scale": (1.0,),
    "num_beam_groups": (1,),
    "sequence_bias": (),
}
"""Keys that change the text there and that nothing here heeds -> the values that change nothing."""


def stored_decoding(values: Mapping[str, Any]) -> Decoding:
    """The settings that a checkpoint's files ask for.

    Greedy where they say nothing. A checkpoint that says do_sample = true samples, and its other
    sampling keys count only then.

    Raises:
        ConfigError: a value that cannot be.

    >>> stored_decoding({"num_beams": 4, "temperature": 0.6}) == Decoding(beams=4)
    True
    >>> stored_decoding({"do_sample": True, "temperature": 0.6}).top_k
    50
    """
    said = {key: value for key, value in values.items() if value is not None}
    for key in [key for key, none in NOTHING.items() if said.get(key) in none]:
        del said[key]
    options = {ours: _plain(said[theirs]) for theirs, ours in KEYS.items() if theirs in said}
    if "forced_last" in options:
        last = options["forced_last"]
        options["forced_last"] = last if isinstance(last, tuple) else (last,)
    if said.get("do_sample") is True:
        options |= {ours: said[theirs] for theirs, ours in WHEN_DRAWN.items() if theirs in said}
        options.setdefault("temperature", 1.0)
        if values.get("top_k") is None:
            options["top_k"] = USUAL_TOP_K
    left = [key for key, same in NOT_HERE.items() if key in said and said[key] not in same]
    if left:
        log.info("this checkpoint's %s is not heeded when text is written", ", ".join(left))
    try:
        return changed(Decoding(), options)
    except ConfigError as error:
        raise ConfigError(
            f"the checkpoint's generation_config.json: {error.problem}",
            allowed=error.allowed,
            next_step=error.next_step or "mend the file, or give a Decoding of your own",
        ) from None


def _plain(value: Any) -> Any:
    """JSON's lists as tuples."""
    return tuple(map(_plain, value)) if isinstance(value, list) else value
