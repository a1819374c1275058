"""Conversations become the text that the reference makes of them; templates reach nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

import headway
from headway.errors import CheckpointError, ConfigError
from headway.generate.chat import render

from .letters import letters_model

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content']"
    " | trim + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

LLAMA = """{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0]['content'] %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system = "" %}
{%- endif %}
{% for message in messages %}
    {% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{ raise_exception('roles must alternate') }}
    {% endif %}
    {% if loop.index0 == 9 %}{% break %}{% endif %}
    {%- if loop.first and system %}[INST] <<{{ system }}>> {{ message['content'] | tojson }} [/INST]
    {%- else %}{{ ' ' + message['content'] + ' ' + eos_token }}{% endif %}
{% endfor %}"""

TALK = [
    {"role": "system", "content": "Be brief: <b>é</b>"},
    {"role": "user", "content": "Hello "},
    {"role": "assistant", "content": 'Say "hi"'},
    {"role": "user", "content": "🙂"},
]


@pytest.mark.parametrize("template", [CHATML, LLAMA])
@pytest.mark.parametrize("talk", [TALK, TALK[1:], TALK[1:2]])
def test_the_same_text_as_there(template: str, talk: list[dict[str, Any]]) -> None:
    tokens = {"bos_token": "<s>", "eos_token": "</s>"}
    wanted, _ = render_jinja_template(
        conversations=[talk], chat_template=template, add_generation_prompt=True, **tokens
    )
    assert render(template, talk, **tokens) == wanted[0]


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ raise_exception('no system here') }}", "no system here"),
        ("{% for %}", "cannot put this conversation into text"),
        ("{{ messages.__class__.__mro__ }}", "cannot put|unsafe"),
        ("{{ ''.__class__.__base__.__subclasses__() }}", "cannot put"),
        ("{{ messages.append(1) }}", "cannot put"),
        ("{{ 1 / 0 }}", "cannot put"),
        ("{% include '/etc/passwd' %}", "cannot put"),
    ],
)
def test_templates_that_do_not_render(template: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        render(template, TALK)


@pytest.mark.parametrize("messages", ["hello", [{"role": "user"}], [3], 3, [("user", "a")]])
def test_what_is_no_conversation(messages: Any) -> None:
    with pytest.raises(ConfigError, match="a conversation with"):
        render(CHATML, messages)


def test_dates_can_be_told() -> None:
    assert render("{{ strftime_now('%Y') }}", TALK).isdigit()


def said(folder: Path, template: Any) -> None:
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": template}))


def test_models_answer_in_their_own_form(tmp_path: Path) -> None:
    letters_model().save(tmp_path)
    with pytest.raises(ConfigError, match="has no chat template"):
        headway.load(tmp_path).chat(TALK)
    said(tmp_path, CHATML)
    model = headway.load(tmp_path)
    wanted = model.generate([render(CHATML, TALK[1:])], 8)
    assert model.chat(TALK[1:], 8) == wanted[0]
    assert model.chat(TALK[1:], 8, draft=model, draft_tokens=2) == wanted[0]
    said(tmp_path, [{"name": "tools", "template": "x"}, {"name": "default", "template": CHATML}])
    assert headway.load(tmp_path).chat(TALK[1:], 8) == wanted[0]
    headway.load(tmp_path).save(tmp_path / "again")
    assert headway.load(tmp_path / "again").chat(TALK[1:], 8) == wanted[0]


def test_a_template_in_a_file_of_its_own(tmp_path: Path) -> None:
    letters_model().save(tmp_path)
    said(tmp_path, "{{ raise_exception('the file goes before') }}")
    (tmp_path / "chat_template.jinja").write_text(CHATML)
    model = headway.load(tmp_path)
    assert model.chat(TALK[1:], 8) == model.generate([render(CHATML, TALK[1:])], 8)[0]
    model.save(tmp_path / "again")
    assert (tmp_path / "again" / "chat_template.jinja").read_text() == CHATML
    (tmp_path / "chat_template.jinja").write_bytes(b"\xff")
    with pytest.raises(CheckpointError, match=r"chat_template.jinja cannot be read"):
        headway.load(tmp_path)
