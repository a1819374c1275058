"""What every objective promises: parts add up, special tokens stay, masks say what is learned."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from headway import train_tokenizer
from headway.checkpoints import HeadPlan, with_tokens
from headway.checkpoints.fresh import Shape, fresh_checkpoint, fresh_values
from headway.model import Model
from headway.pretraining.corpus import around
from headway.pretraining.fit import learning
from headway.training.chance import generator_for
from headway.training.collate import Batch
from headway.training.masking import MASKINGS, hide
from headway.training.noise import NOISES
from headway.training.objectives import OBJECTIVES, Objective
from headway.training.objectives.causal import Causal
from headway.training.objectives.denoise import SENTINELS, Denoise
from headway.training.objectives.masked import Masked
from headway.training.objectives.replaced import Replaced

TEXTS = ["low lower lowest", "new newer newest wider low .", "wide", "low new wide . newer lowest"]
KINDS = {"bert": "wordpiece", "electra": "wordpiece", "gpt2": "byte-bpe", "t5": "unigram",
         "bart": "unigram"}  # fmt: skip

CASES: dict[str, tuple[str, Objective]] = {
    **{f"masked-{name}": ("bert", Masked(choose)) for name, choose in MASKINGS.items()},
    "causal": ("gpt2", Causal()),
    "denoise-spans": ("t5", Denoise(NOISES["spans"])),
    "denoise-infilling": ("bart", Denoise(NOISES["infilling"])),
    **{f"replaced-{name}": ("electra", Replaced(choose)) for name, choose in MASKINGS.items()},
    "contrastive": ("bert", OBJECTIVES["contrastive"]()),
}


def made(family: str, objective: Objective) -> Model:
    torch.manual_seed(0)
    kind = KINDS[family]
    tokenizer = train_tokenizer(iter(TEXTS * 9), kind=kind, size=300 if kind == "byte-bpe" else 35)
    checkpoint = fresh_checkpoint(fresh_values(family, Shape(2, 32, 2)), tokenizer)
    if family == "t5":
        checkpoint = with_tokens(checkpoint, SENTINELS)
    model = Model(checkpoint)
    if objective.head:
        model.put_head(HeadPlan(objective.head, checkpoint.family.HEADS[objective.head]))
    objective.check(model)
    return model


def batch_of(model: Model, objective: Objective) -> Batch:
    tokenizer = model.need_tokenizer()
    put = around(tokenizer, model.body, joined=objective.joins)
    windows = [put.put(tokenizer.encode(text, special=False).ids) for text in TEXTS]
    if objective.head == "text-generation":
        end = tokenizer.special_ids["eos"]
        windows = [[*window, end, *window] for window in windows]
    numbers = [[0]] * len(windows)
    return Batch(list(range(len(windows))), windows, [[0] * len(w) for w in windows], numbers)


@pytest.mark.parametrize("case", CASES)
def test_parts_add_up_to_the_whole(case: str) -> None:
    family, objective = CASES[case]
    model = made(family, objective)
    batch = batch_of(model, objective)
    learner, backward = learning(objective, model)
    if "replaced" in case:  # what its generator draws differs with the part: asked of one alone
        parts = [[objective.collate(model, batch, generator_for(0))]] * 2
    else:
        cut = batch.cut(12)
        assert len(cut) > 1
        chance = [generator_for(0), generator_for(0)]
        parts = [
            [objective.collate(model, one, chance[0]) for one in [batch]],
            [objective.collate(model, one, chance[1]) for one in cut],
        ]
    found: list[tuple[float, dict[str, Tensor]]] = []
    for each in parts:
        learner.zero_grad()
        loss = backward(learner.eval(), each, (0, 1), "fp32")
        found.append(
            (loss, {n: p.grad.clone() for n, p in learner.named_parameters() if p.grad is not None})
        )
    (loss, whole), (other, summed) = found
    assert other == pytest.approx(loss, rel=1e-5)
    assert whole.keys() == summed.keys() and len(whole) > 10
    for name, gradient in whole.items():
        torch.testing.assert_close(gradient, summed[name], atol=1e-5, rtol=1e-3, msg=name)


@pytest.mark.parametrize("case", CASES)
def test_counts_are_known_before_the_model_reads(case: str) -> None:
    family, objective = CASES[case]
    model = made(family, objective)
    ready = objective.collate(model, batch_of(model, objective), generator_for(1))
    assert len(ready.counts) == len(objective.terms) and min(ready.counts) >= 1
    assert objective.about and objective.rate > 0


@pytest.mark.parametrize("case", [case for case in CASES if "masked" in case or "repl" in case])
def test_special_tokens_are_never_hidden(case: str) -> None:
    family, objective = CASES[case]
    model = made(family, objective)
    batch = batch_of(model, objective)
    special = torch.tensor(sorted(model.need_tokenizer().special_ids.values()))
    ids = torch.tensor([token for window in batch.windows for token in window])
    for seed in range(30):
        hidden = objective.collate(model, batch, generator_for(seed)).wanted
        assert not torch.isin(ids[hidden.chosen], special).any()
        assert torch.equal(hidden.shown[~hidden.chosen], ids[~hidden.chosen])
        assert torch.equal(hidden.right, ids[hidden.chosen])


@pytest.mark.parametrize("case", [case for case in CASES if "denoise" in case])
def test_special_tokens_stay_around_noisy_texts(case: str) -> None:
    family, objective = CASES[case]
    model = made(family, objective)
    batch = batch_of(model, objective)
    end = model.need_tokenizer().special_ids["eos"]
    for seed in range(20):
        ready = objective.collate(model, batch, generator_for(seed))
        assert all(window[-1] == end for window in ready.batch.windows)
        assert all(target[-1] == end and end not in target[:-1] for target in ready.wanted)
        assert ready.counts == (float(sum(map(len, ready.wanted))),)


def test_the_end_token_is_learned_though_it_is_that_of_padding_too() -> None:
    objective = Causal()
    model = made("gpt2", objective)
    tokenizer = model.need_tokenizer()
    end = tokenizer.special_ids["eos"]
    model.checkpoint.values["pad_token_id"] = end
    text = tokenizer.encode("low lower", special=False).ids
    windows = [[*text, end, *text, end]]
    batch = Batch([0], windows, [[0] * len(windows[0])], [[0]])
    ready = objective.collate(model, batch, None)
    assert ready.counts == (float(len(windows[0]) - 1),)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimiser.zero_grad()
        (loss,) = objective.loss(model, ready)
        loss.backward()
        optimiser.step()
    logits = model.eval().forward([[*text, end, *text]]).logits
    assert logits is not None and int(logits[0][-1].argmax()) == end


@pytest.mark.parametrize("family", ["gpt2"])
def test_a_later_token_never_changes_an_earlier_answer(family: str) -> None:
    model = made(family, Causal()).eval()
    ids = model.need_tokenizer().encode(" ".join(TEXTS), special=False).ids
    before = model.forward([ids]).logits
    for place in (3, len(ids) - 1):
        other = [*ids]
        other[place] = (other[place] + 1) % len(model.need_tokenizer())
        after = model.forward([other]).logits
        assert before is not None and after is not None
        assert torch.equal(before[0][:place], after[0][:place])
        assert not torch.equal(before[0][place:], after[0][place:])


def test_generator_and_discriminator_share_their_tables() -> None:
    objective = Replaced()
    model = made("electra", objective)
    learner, _ = learning(objective, model)
    generator = objective.generator
    assert generator is not None
    assert generator.body.embeddings.words is model.body.embeddings.words  # type: ignore[union-attr]
    assert generator.checkpoint.config.hidden == model.checkpoint.config.hidden // 4
    every = list(learner.parameters())
    assert len({id(p) for p in every}) == len(every)
    own = sum(p.numel() for p in generator.body.layers.parameters())  # type: ignore[union-attr]
    assert own * 4 < sum(p.numel() for p in model.body.layers.parameters())  # type: ignore[union-attr]


def test_what_the_generator_draws_follows_its_distribution() -> None:
    objective = Replaced()
    model = made("electra", objective)
    learning(objective, model)
    batch = batch_of(model, objective)
    ready = objective.collate(model, batch, generator_for(0))
    seen = []
    hook = model.body.register_forward_pre_hook(lambda _, given: seen.append(given[0].clone()))
    torch.manual_seed(0)
    for _ in range(40):
        objective.loss(model, ready)
    hook.remove()
    drawn = torch.stack(seen)[:, ready.wanted.chosen]
    ids = torch.tensor([token for window in batch.windows for token in window])
    assert torch.equal(seen[0][~ready.wanted.chosen], ids[~ready.wanted.chosen])
    assert len(drawn.unique()) > 10 and drawn.max() < len(model.need_tokenizer())


def test_marks_that_have_no_role_are_never_hidden() -> None:
    model = made("bert", Masked())
    model = Model(with_tokens(model.checkpoint, ["<e1>"]))
    tokenizer = model.need_tokenizer()
    ids, mark = tokenizer.encode("low <e1> new <e1> wide").ids, tokenizer.vocabulary["<e1>"]
    draw = torch.Generator().manual_seed(0)
    hidden = hide(model, [ids] * 200, [draw] * 200)
    assert hidden.right.tolist() and mark not in hidden.right.tolist()


def test_an_end_inside_a_block_is_text() -> None:
    """A block may begin with the end of the text before: what is written still opens with a span,
    or with the whole text."""
    for name, family in (("spans", "t5"), ("infilling", "bart")):
        objective = Denoise(NOISES[name])
        model = made(family, objective)
        put = around(model.need_tokenizer(), model.body, joined=True)
        end = model.need_tokenizer().special_ids["eos"]
        text = [end, *model.need_tokenizer().encode(TEXTS[1], special=False).ids]
        batch = Batch([0], [put.put(text)], [[0] * (len(text) + put.tokens)], [[0]])
        for seed in range(20):
            (written,) = objective.collate(model, batch, generator_for(seed)).wanted
            if name == "infilling":
                first = [] if put.before == (model.checkpoint.generation.start,) else [*put.before]
                assert written == [*first, *text, *put.behind]
            else:
                assert model.need_tokenizer().token(written[0]) == SENTINELS[0]
                assert written.count(end) == 1 + (end in written[:-1])
