"""A model: body, head and tokenizer, called on texts or ids."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from headway.checkpoints import Checkpoint, HeadPlan, saved_checkpoint
from headway.checkpoints.vision import embed_images, pooled, vector_size
from headway.core.layout import Layout
from headway.core.outputs import Output
from headway.core.packed import packed_while
from headway.core.ragged import check_range, laid_out, usual_tokens, window_means
from headway.core.recording import marks_of, segments_of, taps_of
from headway.core.stacks import EncoderDecoder
from headway.core.taps import record as record_taps
from headway.data.batches.budget import sorted_batches
from headway.errors import ConfigError
from headway.generate import Decoding, Parts, Written, chat, stream_texts, write_ids, write_texts
from headway.logs import log, progress
from headway.tokenizer import Tokenizer
from headway.windows import Windowed, window_texts

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Model"]

Ids = Sequence[Sequence[int]]
R = TypeVar("R")


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
        self.vision = checkpoint.vision

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
    def notes(self) -> list[str]:
        """What was left out of the checkpoint, and what is new and has to be trained."""
        return self.checkpoint.notes

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
        """Takes the head off and puts a fresh one on, or none; `notes` says so.

        Args:
            plan: as `headway.checkpoints.new_head` makes it; None = the body alone.
        """
        said = self.checkpoint.put_head(plan)
        self.head = self.checkpoint.head
        if self.head is not None:
            self.head.train(self.training)
        if said:
            log.info("%s: %s", self.source or "model", said)

    def forward(
        self,
        ids: Ids,
        *,
        segments: Ids | None = None,
        target: Ids | None = None,
        record: Collection[str] = (),
    ) -> Output:
        """Runs body and head on a ragged batch.

        Args:
            ids: token ids of each text, any lengths of at least 1.
            segments: 0 or 1 for each token (first text, second text); None = all 0. Of GPT and
                GPT-2 the id of a word, such as a speaker's mark; None = none.
            target: for encoder-decoders, the ids that the decoder is fed, unshifted.
            record: any of "hidden" and "attention".

        Raises:
            ConfigError: no text or an empty one, an id outside the vocabulary, a text that is too
                long, segments or a target that the model has no place for, a target that is
                lacking, an unknown thing to record.

        Example:
            out = model.forward([[101, 2054, 102], [101, 102]], record=["hidden"])
            out.hidden[0][1].shape  # [2, hidden]
        """
        taps = taps_of(self.body, record)
        flat, layout = self._ragged(ids)
        with record_taps(self.body, {name for names in taps.values() for name in names}) as seen:
            if isinstance(self.body, EncoderDecoder):
                if target is None:
                    raise ConfigError(
                        "an encoder-decoder without a target",
                        next_step="give what its decoder is fed: target=[[...], ...]",
                    )
                fed, out_layout = self._ragged(target, "target")
                if len(target) != len(ids):
                    raise ConfigError(f"{len(ids)} texts and {len(target)} targets")
                marks = self._marks(segments, layout)
                rows = self.body(flat, layout, marks, target=fed, target_layout=out_layout)
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

    def read_each(
        self,
        texts: Sequence[Windowed],
        read: Callable[[Tensor, Layout], Iterable[R]],
        *,
        batch_tokens: int | None = None,
        what: str = "Reading",
    ) -> list[list[R]]:
        """Runs texts of any length through the body, and tells what is read of each window.

        Dropout is off meanwhile, and no gradients are kept.

        Args:
            texts: as `window_texts` makes them.
            read: hidden states [tokens, hidden] and their layout -> something for each window. One
                whose attribute `firsts` is true gets first tokens' states alone, and an encoder's
                last block computes no others.
            batch_tokens: most tokens in one forward pass; None = as suits the device.
            what: shown beside the progress bar.

        Returns:
            For each text, what was read of its windows.

        Raises:
            ConfigError: the model has two stacks, or a text does not fit it.
        """
        if isinstance(self.body, EncoderDecoder):
            raise ConfigError("an encoder-decoder reads no text without a target")
        ids = [window for text in texts for window in text.ids]
        marks = [window for text in texts for window in text.segments]
        marked = segments_of(self.body) > 1
        found: dict[int, R] = {}
        batch_tokens = usual_tokens(self.device) if batch_tokens is None else batch_tokens
        firsts = getattr(read, "firsts", False)
        asked = {"firsts": True} if firsts else {}
        parts = [part for part in (self.body, self.head) if part is not None]
        packed = packed_while(*parts, total=sum(map(len, ids)), rows=batch_tokens)
        with self._predicting(), packed:
            for batch in progress(sorted_batches(list(map(len, ids)), batch_tokens), what):
                flat, layout = self._ragged([ids[number] for number in batch])
                segments = [marks[number] for number in batch] if marked else None
                states = self.body(flat, layout, self._marks(segments, layout), **asked)
                rows = read(states, layout.ones if firsts else layout)
                found.update(zip(batch, rows, strict=True))
        numbers = iter(range(len(ids)))
        return [[found[next(numbers)] for _ in text.ids] for text in texts]

    def embed(self, texts: Sequence[str], *, batch_tokens: int | None = None) -> np.ndarray:
        """One vector a text, pooled as the checkpoint says (mean, length 1, unless it says else).

        A text longer than the model is read in overlapping windows, and their vectors are averaged.

        Args:
            texts: any number.
            batch_tokens: as in `read_each`.

        Returns:
            float32 [texts, hidden]; of a model with an image tower, the size that both share.

        Raises:
            ConfigError: the model has no tokenizer, or two stacks.
        """
        texts = self.checkpoint.embedding.prompted(texts)
        windowed = window_texts(self.need_tokenizer(), texts, size=self.longest)
        return self.embed_windows(windowed, batch_tokens=batch_tokens).numpy()

    def embed_windows(
        self, texts: Sequence[Windowed], *, batch_tokens: int | None = None, what: str = "Embedding"
    ) -> Tensor:
        """As `embed`, of texts as `window_texts` makes them, prompts included."""
        texts, pool = pooled(self.checkpoint, texts)
        found = self.read_each(
            texts,
            lambda hidden, layout: pool(hidden, layout).float().cpu(),
            batch_tokens=batch_tokens,
            what=what,
        )
        if not found:
            return torch.empty(0, vector_size(self.checkpoint))
        vectors = window_means(found)
        normalise = self.checkpoint.embedding.normalise
        return nn.functional.normalize(vectors, dim=-1) if normalise else vectors

    def embed_images(self, images: Any, *, batch_images: int = 32) -> np.ndarray:
        """As `embed`, of images: paths, Pillow's or arrays; float32 [images, size]."""
        with self._predicting():
            return embed_images(self.checkpoint, images, batch_images)

    def generate(
        self,
        prompts: Sequence[str],
        max_new_tokens: int | None = None,
        *,
        draft: Model | None = None,
        **options: Any,
    ) -> list[str]:
        """Continues each prompt, or answers it (encoder-decoders): greedily, unless options or the
        checkpoint's generation_config.json say otherwise (`self.decoding`).

        Args:
            prompts: texts, any lengths.
            max_new_tokens: most tokens added to each; an end token stops earlier. None: as the
                checkpoint says, else 20, and a text that fills the model's context ends there.
            draft: a small model with the same tokens that drafts `draft_tokens` (4) at a time.
            options: of `headway.generate.Decoding`, such as beams=4, temperature=0.7, stop="\\n",
                seed=1; or `decoding`, all of them in one.

        Returns:
            The new text of each prompt; with `sequences`, so many of each, one after the other.

        Raises:
            ConfigError: no language-model head, no tokenizer, a prompt that leaves no room, an
                option that cannot be.

        Example:
            model.generate(["Once upon a time"], max_new_tokens=40, temperature=0.8, top_p=0.95)
        """
        found = write_texts(self.parts, prompts, max_new_tokens, draft, options, record=False)
        return [written.text for written in found]

    def generate_details(
        self,
        prompts: Sequence[str],
        max_new_tokens: int | None = None,
        *,
        draft: Model | None = None,
        record: bool = True,
        **options: Any,
    ) -> list[Written]:
        """As `generate`, with ids, what each text was stopped by and, if `record`, how likely."""
        return write_texts(self.parts, prompts, max_new_tokens, draft, options, record=record)

    def generate_ids(
        self,
        prompts: Ids,
        max_new_tokens: int | None = None,
        *,
        draft: Model | None = None,
        **options: Any,
    ) -> list[list[int]]:
        """As `generate`, on ids; returns the new ids of each prompt without the end token."""
        return write_ids(self.parts, prompts, max_new_tokens, draft, options)

    def stream(
        self,
        prompts: str | Sequence[str],
        max_new_tokens: int | None = None,
        *,
        draft: Model | None = None,
        **options: Any,
    ) -> Iterator[Any]:
        """As `generate`, piece by piece as it is written; never half of a character.

        Returns:
            Pieces of text for one prompt; for several, pairs (number of the prompt, piece).
        """
        return stream_texts(self.parts, prompts, max_new_tokens, draft, options)

    def chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        max_new_tokens: int | None = None,
        *,
        draft: Model | None = None,
        **options: Any,
    ) -> str:
        """Answers a conversation, such as [{"role": "user", "content": "Hello"}], put into text by
        the model's own chat template; else as `generate`."""
        return chat(self.parts, messages, max_new_tokens, draft, options)

    @property
    def decoding(self) -> Decoding:
        """How the checkpoint's files ask text to be written; greedy where they say nothing."""
        return self.parts.decoding

    @property
    def parts(self) -> Parts:
        """The model as writing text sees it."""
        return Parts(
            self.body,
            self.head,
            self.tokenizer,
            self.longest,
            self.checkpoint.generation,
            ragged=self._ragged,
            predicting=self._predicting,
            task=self.task,
            name=self.source or "this model",
        )

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

    @contextmanager
    def _predicting(self) -> Iterator[None]:
        """Dropout off and no gradients, as long as the context is open."""
        training = [part for part in self.modules() if part.training]
        self.eval()
        try:
            with torch.inference_mode():
                yield
        finally:
            for part in training:
                part.training = True

    def _ragged(self, ids: Ids, what: str = "text") -> tuple[Tensor, Layout]:
        """The texts laid end to end, checked: int64 [tokens], and where each lies."""
        flat, layout = laid_out(ids, what, self.device)
        if self.longest is not None and layout.longest > self.longest:
            raise ConfigError(
                f"a {what} of {layout.longest} tokens",
                allowed=f"at most {self.longest}",
                next_step="read it in windows: window_texts, or a pipeline, does",
            )
        check_range(flat, self.checkpoint.rows(what), "token id")
        return flat, layout

    def _marks(self, segments: Ids | None, layout: Layout) -> Tensor | None:
        """Segment numbers laid end to end like the ids they belong to, checked: int64 [tokens]."""
        if segments is None:
            return None
        flat, own = laid_out(segments, "row of segments", self.device)
        if own.lengths != layout.lengths:
            raise ConfigError(f"segments for {own.lengths} tokens, texts of {layout.lengths}")
        check_range(flat, marks_of(self.body), "segment")
        return flat
