"""What a model writes after a prompt, or in answer to it."""

from __future__ import annotations

from typing import overload

from headway.core.stacks import Encoder
from headway.errors import ConfigError
from headway.heads import LanguageModelHead
from headway.model import Model

__all__ = ["TextGeneration"]


class TextGeneration:
    """Continues prompts (decoders) or answers them (encoder-decoders), likeliest token by token.

    Args:
        model: with a language-model head and a tokenizer.

    Raises:
        ConfigError: the model writes no text.
    """

    READS = ()
    """Settings of a saved run that hold here too."""

    def __init__(self, model: Model) -> None:
        if isinstance(model.body, Encoder) or not isinstance(model.head, LanguageModelHead):
            raise ConfigError(
                f"{model.source or 'this model'} writes no text",
                allowed="a model for text-generation or text2text-generation",
            )
        model.need_tokenizer()
        self.model = model

    @overload
    def __call__(self, prompts: str, *, max_new_tokens: int = 20) -> str: ...
    @overload
    def __call__(self, prompts: list[str], *, max_new_tokens: int = 20) -> list[str]: ...
    def __call__(self, prompts: str | list[str], *, max_new_tokens: int = 20) -> str | list[str]:
        """The new text for each prompt, without the prompt itself.

        Args:
            prompts: one, or several of any lengths.
            max_new_tokens: most tokens added to each; an end token stops earlier.
        """
        if isinstance(prompts, str):
            return self.model.generate([prompts], max_new_tokens=max_new_tokens)[0]
        return self.model.generate(prompts, max_new_tokens=max_new_tokens)
