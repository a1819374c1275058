"""Ways to adapt: what learns in each, what stays as it came, and that all of them learn."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from pipelines.models import writer
from training.tiny import put_head, rows, tiny_model, words_tokenizer

from headway import Dataset, load
from headway.adaptation.methods import METHODS, method_named
from headway.adaptation.steps import _rates
from headway.checkpoints import Checkpoint, encoder_decoder_of, with_tokens
from headway.checkpoints.fresh import fresh_checkpoint
from headway.core.blocks import PostNormBlock
from headway.core.dropout import Dropout
from headway.core.low_rank import LowRank
from headway.errors import ConfigError
from headway.families import albert
from headway.model import Model
from headway.training import Options
from headway.training.depth import block_levels, depths

from .quick import LEARNS, quick


def moved(model: Model, before: dict[str, torch.Tensor]) -> set[str]:
    """The names of parameters that are others than before."""
    now = dict(model.named_parameters())
    return {name for name, old in before.items() if not torch.equal(now[name], old)}


def started(**settings: Any) -> tuple[set[str], set[str]]:
    """Which of the body's parameters moved in one epoch, and all of them."""
    model = tiny_model()
    before = {f"body.{name}": p.detach().clone() for name, p in model.body.named_parameters()}
    quick(model, probe=False, lr=1e-2, weight_decay=0, **settings)
    assert all(p.requires_grad for p in model.parameters()) and not model.training
    return moved(model, before), set(before)


def test_the_body_stays_where_the_head_alone_learns() -> None:
    found, _ = started(method="head")
    assert found == set()


@pytest.mark.parametrize(("layers", "blocks"), [(1, {"1"}), (2, {"0", "1"}), (9, {"0", "1"})])
def test_the_last_layers_learn_and_embeddings_never(layers: int, blocks: set[str]) -> None:
    found, _ = started(method="last-layers", layers=layers)
    assert {name.split(".")[2] for name in found} == blocks
    assert all(name.startswith("body.layers.") for name in found)


def test_biases_learn_and_nothing_else_of_the_body() -> None:
    found, every = started(method="biases")
    keys = {name for name in every if "self_attention" in name and name.endswith("qkv.bias")}
    wanted = {name for name in every if name.endswith(".bias")}
    assert found <= wanted and len(found) >= len(wanted) - len(keys)


def test_all_weights_learn() -> None:
    found, every = started(method="full")
    assert {name for name in every if name.endswith("weight")} <= found


def learning_levels(model: Model) -> list[bool]:
    return [
        any(p.requires_grad for module in level for p in module.parameters())
        for level in depths(model)
    ]


@pytest.mark.parametrize(
    ("epochs", "wanted"),
    [(1, [4]), (2, [2, 4]), (4, [1, 2, 3, 4]), (8, [1, 1, 2, 2, 2, 3, 4, 4])],
)
def test_gradual_begins_at_the_head_and_ends_with_all(epochs: int, wanted: list[int]) -> None:
    """A model of embeddings, two blocks and a head."""
    model = put_head(tiny_model(), ("a", "b"))
    found = []
    for number in range(1, epochs + 1):
        model.train()
        METHODS["gradual"].begin_epoch(model, number, epochs)
        levels = learning_levels(model)
        assert levels == sorted(levels)
        found.append(sum(levels))
    assert found == wanted


def test_what_is_held_drops_nothing() -> None:
    model = put_head(tiny_model(), ("a", "b")).train()
    METHODS["last-layers"].begin(model)
    method_named("last-layers", layers=1).begin_epoch(model, 1, 1)
    blocks = [module for module in model.modules() if isinstance(module, PostNormBlock)]
    assert [block.training for block in blocks] == [False, True]
    drops = [module for module in model.body.embeddings.modules() if isinstance(module, Dropout)]
    assert drops and not any(module.training for module in drops)


def test_rates_decay_from_the_head_down(monkeypatch: pytest.MonkeyPatch) -> None:
    fitting = import_module("headway.adaptation.steps")
    rates: dict[str, float] = {}
    real = fitting.parameter_groups

    def noted(parts: Any, **more: Any) -> Any:
        parts = [(rate, list(parameters)) for rate, parameters in parts]
        names = {id(p): name for name, p in model.named_parameters()}
        rates.update({names[id(p)]: rate for rate, group in parts for p in group})
        return real(parts, **more)

    monkeypatch.setattr(fitting, "parameter_groups", noted)
    model = tiny_model()
    quick(model, layer_decay=0.5, lr=1e-2, probe=False)
    by_level = [
        {rate for name, rate in rates.items() if name.startswith(start)}
        for start in ("body.embeddings.", "body.layers.0.", "body.layers.1.", "head.")
    ]
    assert by_level == [{0.00125}, {0.0025}, {0.005}, {0.01}]
    assert len(rates) == len(list(model.parameters()))


def test_a_table_that_is_also_the_heads_has_the_rate_of_the_lowest_level() -> None:
    model = writer("gpt2")
    options = Options(epochs=1, learning_rate=0.1)
    rates = {id(p): rate for rate, part in reversed(_rates(model, options, 0.5)) for p in part}
    words = rates[id(model.body.embeddings.words.weight)]  # type: ignore[union-attr]
    assert words == rates[id(model.body.embeddings.positions.weight)] == 0.1 / 2**3  # type: ignore[union-attr]


def test_blocks_that_are_one_weight_are_one_level() -> None:
    """ALBERT: the last blocks are all of them, and learn."""
    config = albert.Config(vocabulary=9, hidden=8, layers=4, heads=2, inner=8, positions=8,
                           embedding=4)  # fmt: skip
    body = albert.build(config)
    model = put_head(Model(Checkpoint(albert, config, body)), ("a", "b"))
    assert len(depths(model)) == 3 and block_levels(model) == [1]
    found = [id(p) for level in depths(model) for module in level for p in module.parameters()]
    assert set(found) == {id(p) for p in model.parameters()}
    block = {id(p) for p in model.body.layers[0].parameters()}  # type: ignore[union-attr]
    method_named("last-layers", layers=1).begin(model.train())
    assert {id(p) for p in model.body.parameters() if p.requires_grad} == block
    METHODS["gradual"].begin_epoch(model, 2, 3)
    assert {id(p) for p in model.body.parameters() if p.requires_grad} == block


@pytest.mark.parametrize(("layers", "blocks"), [(2, [4, 5]), (3, [2, 4, 5]), (9, [1, 2, 4, 5])])
def test_the_last_layers_of_two_stacks_hold_the_embeddings_of_both(
    layers: int, blocks: list[int]
) -> None:
    model = Model(encoder_decoder_of(tiny_model().checkpoint))
    model.checkpoint.fresh = frozenset()
    method_named("last-layers", layers=layers).begin(model)
    learning = [number for number, learns in enumerate(learning_levels(model)) if learns]
    assert learning == [*blocks, 6] or learning == blocks  # its head is its word table


@pytest.mark.parametrize("name", METHODS)
def test_what_knows_nothing_yet_learns_in_any_case(name: str) -> None:
    """New cross-attention, whatever of the rest is held."""
    model = Model(encoder_decoder_of(tiny_model().checkpoint))
    new = {name for name, _ in model.body.named_parameters() if "cross_attention" in name}
    assert new and model.checkpoint.fresh == new
    METHODS[name].begin(model.train())
    METHODS[name].begin_epoch(model, 1, 4)
    learning = {name for name, p in model.body.named_parameters() if p.requires_grad}
    assert new <= learning
    assert (learning == {name for name, _ in model.body.named_parameters()}) == (name == "full")


def test_new_marks_learn_in_any_case() -> None:
    """All alike, they would say nothing."""
    model = Model(with_tokens(tiny_model().checkpoint, ["<one>", "<other>"]))
    METHODS["biases"].begin(model)
    assert model.body.embeddings.words.weight.requires_grad  # type: ignore[union-attr]
    assert not model.body.embeddings.positions.weight.requires_grad  # type: ignore[union-attr]


def test_products_beside_fresh_layers_are_not_saved_by_themselves(tmp_path: Path) -> None:
    texts = Dataset.from_rows([{"text": f"w{n} w{n + 1}", "label": f"w{n}"} for n in range(14)])
    out = tmp_path / "run"
    made = quick(tiny_model(), texts, task="text2text-generation", method="lora", out=out).model
    assert not (out / "adapter").exists()
    assert not made.checkpoint.fresh  # by now it has learned


@pytest.mark.parametrize("own", [True, False])
def test_products_beside_are_what_is_merged_in_every_architecture(own: bool) -> None:
    """DeBERTa reads its layers for distances too."""
    values = {"model_type": "deberta-v2", "hidden_size": 16, "num_hidden_layers": 2,
              "num_attention_heads": 2, "intermediate_size": 32, "vocab_size": 30,
              "max_position_embeddings": 16, "relative_attention": True, "type_vocab_size": 0,
              "pos_att_type": ["c2p", "p2c"], "share_att_key": not own}  # fmt: skip
    torch.manual_seed(0)
    model = Model(fresh_checkpoint(values, words_tokenizer())).eval()
    METHODS["lora"].begin(model)
    for module in model.modules():
        if isinstance(module, LowRank):
            torch.nn.init.normal_(module.up)
    ids = [[5, 6, 7, 8, 9], [3, 4]]
    beside = torch.cat(model.forward(ids).last)
    beside[:, :3].sum().backward()
    products = [part for part in model.modules() if isinstance(part, LowRank)]
    assert all(part.up.grad is not None and part.up.grad.any() for part in products)
    METHODS["lora"].end(model)
    torch.testing.assert_close(torch.cat(model.forward(ids).last), beside, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", METHODS)
def test_every_way_learns(name: str, tmp_path: Path) -> None:
    """The head alone learns less, from a body that knows nothing."""
    usual = LEARNS | {
        "lr": {"lora": 0.02, "adapters": 0.02, "biases": 0.05, "head": 0.15}.get(name, 5e-3)
    }
    usual["epochs"] = 20
    out = tmp_path / "run"
    result = quick(data=rows(n=120), test=rows(n=40, seed=1), method=name, out=out, **usual)
    assert result.report["test"]["accuracy"] > (0.65 if name == "head" else 0.9)
    assert result.report["settings"]["method"] == name
    found = load(out).state_dict()
    assert all(torch.equal(found[key], value) for key, value in result.model.state_dict().items())


def test_ways_have_rates_of_their_own() -> None:
    rates = {
        name: quick(method=name, probe=False).report["settings"]["learning_rate"]
        for name in METHODS
    }
    assert rates["full"] == rates["gradual"] == rates["last-layers"]
    assert rates["full"] < rates["lora"] == rates["biases"] < rates["head"] == rates["adapters"]


@pytest.mark.parametrize("kind", ["bert", "gpt2", "llama", "distilbert", "t5"])
def test_depths_have_every_parameter_once(kind: str) -> None:
    models = [writer(kind)] if kind in ("gpt2", "llama", "t5") else [tiny_model(kind)]
    if kind == "bert":
        models.append(Model(encoder_decoder_of(tiny_model().checkpoint)))
    for model in models:
        found = [id(p) for level in depths(model) for module in level for p in module.parameters()]
        assert set(found) == {id(p) for p in model.parameters()}
        shared = len(found) - len(set(found))
        assert shared <= 2  # a table that is also the head's, or both stacks'


def test_a_decoder_lies_above_its_encoder() -> None:
    model = Model(encoder_decoder_of(tiny_model().checkpoint))
    levels = depths(model)
    assert len(levels) == 2 * (1 + 2) + 1
    assert levels[0][0] is model.body.encoder.embeddings  # type: ignore[union-attr]
    assert levels[3][0] is model.body.decoder.embeddings  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"method": "lora-"}, "method = 'lora-'.*did you mean 'lora'"),
        ({"rank": 2}, "rank = 2 with method = 'full'.*Allowed: lora"),
        ({"layers": 2}, "layers = 2 with method = 'full'.*Allowed: last-layers"),
        ({"layers": 0, "method": "last-layers"}, "layers = 0"),
        ({"layer_decay": 1.5}, "layer_decay = 1.5"),
        ({"method": "lora", "rank": 33}, "rank = 33 with hidden states of 32. Allowed: 1 to 32"),
    ],
)
def test_what_cannot_be_is_said(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        quick(**settings)


def test_a_model_without_biases_says_so() -> None:
    with pytest.raises(ConfigError, match="'biases' with tiny-llama, which has none"):
        quick(tiny_model("llama"), method="biases")


def test_a_task_without_a_head_has_none_to_learn() -> None:
    pairs = Dataset.from_rows([{"sentence1": f"w{n}", "sentence2": f"w{n + 1}"} for n in range(12)])
    with pytest.raises(ConfigError, match="method = 'head' with a task that has none"):
        quick(tiny_model(), pairs, task="sentence-similarity", method="head")


def test_lora_learns_beside_the_weights_and_is_saved_by_itself(tmp_path: Path) -> None:
    """What is saved by itself, put into the model it was made of, gives the run's body."""
    tiny_model().save(tmp_path / "base")
    data = rows(n=80)
    result = quick(
        str(tmp_path / "base"), data, method="lora", rank=3, out=tmp_path / "run", probe=False,
        lr=1e-2, epochs=3, validation=0.2,
    )  # fmt: skip
    again = load(tmp_path / "run" / "adapter", keep_head=False)
    learned, base = (
        load(tmp_path / "run").body.state_dict(),
        load(tmp_path / "base").body.state_dict(),
    )
    moved = set()
    for name, value in again.body.state_dict().items():
        torch.testing.assert_close(value, learned[name], rtol=1e-5, atol=1e-6)
        if not torch.equal(learned[name], base[name]):
            moved.add(name.partition(".")[2].partition(".")[2])
    assert moved == {"attention.qkv.weight", "attention.output.weight", "feedforward.up.weight",
                     "feedforward.down.weight"}  # fmt: skip
    assert result.report["settings"]["rank"] == 3
    names = {name for name, _ in result.model.named_parameters()}
    assert not any("low_rank" in name for name in names)


def test_validation_sees_what_lora_has_learned() -> None:
    """And the best epoch's state is the one that is kept: base weights are added to once."""
    usual = {"data": rows(n=120), "test": rows(n=40, seed=1), "probe": False, "validation": 0.25}
    report = quick(method="lora", lr=2e-2, epochs=8, patience=8, **usual).report  # type: ignore[arg-type]
    scores = [row["accuracy"] for row in report["curve"]["validation"]]
    assert max(scores) > 0.85
    assert report["test"]["accuracy"] > 0.8


def test_trying_rates_leaves_lora_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training begins with the body as it came."""
    adapting = import_module("headway.adaptation.adapt")
    real, before = adapting.fit, tiny_model().body.state_dict()
    seen: list[bool] = []

    def fit(model: Model, *others: Any) -> Any:
        body = model.body.state_dict()
        seen.append(body.keys() == before.keys())
        seen.extend(torch.equal(body[name], value) for name, value in before.items())
        return real(model, *others)

    monkeypatch.setattr(adapting, "fit", fit)
    quick(data=rows(n=60), method="lora", find_lr=True, probe=False)
    assert len(seen) > 10 and all(seen)


@pytest.mark.parametrize("name", ["lora", "adapters"])
def test_an_error_before_the_first_step_leaves_a_plain_model(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any) -> None:
        raise ConfigError("another run")

    monkeypatch.setattr("headway.training.keeper.Keeper.begin", refuse)
    model = tiny_model()
    names = list(model.body.state_dict())
    with pytest.raises(ConfigError, match="another run"):
        quick(model, method=name, out=tmp_path / "run", probe=False)
    assert list(model.body.state_dict()) == names
    assert all(p.requires_grad for p in model.parameters()) and not model.training


@pytest.mark.parametrize("kind", ["gpt2", "llama", "distilbert"])
def test_lora_fits_every_kind_of_stack(kind: str, tmp_path: Path) -> None:
    result = quick(tiny_model(kind), method="lora", out=tmp_path / "run", probe=False)
    assert result.report["test"]["n"] > 0
    assert (tmp_path / "run" / "adapter" / "adapter_model.safetensors").exists()
