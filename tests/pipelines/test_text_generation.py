from __future__ import annotations

import pytest

from headway.errors import ConfigError
from headway.pipelines import TextGeneration

from .models import classifier, writer


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_prompts_are_continued_as_the_model_does(kind: str) -> None:
    model = writer(kind)
    write = TextGeneration(model)
    prompts = ["w1 w2", "w3"]
    texts = write(prompts, max_new_tokens=3)
    assert texts == model.generate(prompts, max_new_tokens=3)
    assert [len(text.split()) for text in texts] == [3, 3]
    assert write("w1 w2", max_new_tokens=3) == texts[0]
    assert write("w1", max_new_tokens=0) == ""


def test_a_model_that_writes_no_text_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"writes no text\. Allowed: a model for text-generation"):
        TextGeneration(classifier())


def test_a_model_without_a_tokenizer_is_refused() -> None:
    model = writer()
    model.checkpoint.tokenizer = None
    with pytest.raises(ConfigError, match="no tokenizer"):
        TextGeneration(model)
