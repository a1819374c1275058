"""Conversations as a model was taught to read them: its chat template, rendered in a sandbox.

Format: `chat_template` in tokenizer_config.json, or chat_template.jinja beside it; a Jinja template
over `messages`, `add_generation_prompt` and the special tokens, as transformers renders it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from headway.errors import ConfigError

__all__ = ["render"]


def render(template: str, messages: Sequence[Mapping[str, Any]], **tokens: str) -> str:
    """A conversation as one text that ends where the model's answer begins.

    The template can reach nothing but what it is given: it runs in Jinja's sandbox.

    Args:
        template: of the model.
        messages: each with a `role` (system, user, assistant) and its `content`.
        tokens: special tokens, such as bos_token.

    Raises:
        ConfigError: a message without role or content, a template that cannot be rendered or
            refuses the conversation.

    >>> render("{% for m in messages %}<{{ m.role }}> {{ m.content }}\\n{% endfor %}",
    ...        [{"role": "user", "content": "Hello"}])
    '<user> Hello\\n'
    """
    from jinja2 import TemplateError
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    _check(messages)
    sandbox = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    sandbox.filters["tojson"] = _to_json
    sandbox.globals |= {"raise_exception": _refuse, "strftime_now": _now}
    try:
        made = sandbox.from_string(template)
        told = [dict(message) for message in messages]
        return made.render(messages=told, add_generation_prompt=True, **tokens)
    except (TemplateError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        raise ConfigError(
            f"the model's chat template cannot put this conversation into text: {error}",
            next_step="change the messages, or write the prompt yourself and use generate",
        ) from None


def _check(messages: Sequence[Mapping[str, Any]]) -> None:
    several = isinstance(messages, Sequence) and not isinstance(messages, str)
    for message in messages if several else [None]:
        if not isinstance(message, Mapping) or not {"role", "content"} <= message.keys():
            raise ConfigError(
                f"a conversation with {message if several else messages!r:.60}",
                allowed='a list such as [{"role": "user", "content": "Hello"}]',
            )


def _refuse(message: str) -> None:
    from jinja2 import TemplateError

    raise TemplateError(message)


def _now(form: str) -> str:
    return datetime.now().strftime(form)


def _to_json(value: Any, ensure_ascii: bool = False, **how: Any) -> str:
    """JSON as it is; Jinja's own filter escapes what HTML would not take."""
    return json.dumps(value, ensure_ascii=ensure_ascii, **how)
