"""How a report speaks of each kind of answers: its measures, and the words around them."""

from __future__ import annotations

from headway.reports.sheet import Measure, Sheet

__all__ = ["LOWER_IS_BETTER", "SHEETS", "Measure", "Sheet"]

SHEETS: dict[str, Sheet] = {
    "single-label": Sheet(
        (
            Measure("accuracy", "Accuracy", "accuracy"),
            Measure("macro_f1", "Macro F1", "f1"),
            Measure("in_scope_accuracy", "Accuracy in scope", "accuracy"),
            Measure("oos_recall", "Out of scope: recall", "recall"),
            Measure("oos_precision", "Out of scope: precision", "precision"),
            Measure("oos_auroc", "Out of scope: area under ROC", "roc_auc"),
        ),
        headline="{value} of {n} test texts right",
        about="Accuracy is the share of texts whose label is right; macro F1 is the mean of the "
        "labels' F1, every label counting the same.",
        interval="Wilson",
        answer="one of {labels} labels",
    ),
    "multi-label": Sheet(
        (
            Measure("accuracy", "All labels right", "accuracy"),
            Measure("micro_f1", "Micro F1", "f1"),
            Measure("macro_f1", "Macro F1", "f1"),
        ),
        headline="{value} of {n} test texts have all their labels right",
        about="“All labels right” is the share of texts without a missing or extra label; micro F1 "
        "counts every label decision the same, macro F1 every label.",
        interval="Wilson",
        truth="labels",
        answer="any of {labels} labels",
    ),
    "regression": Sheet(
        (
            Measure("pearson", "Pearson", "pearsonr", share=False),
            Measure("spearman", "Spearman", "spearmanr", share=False),
            Measure("mae", "Mean absolute error", "mae", share=False, larger_is_better=False),
            Measure("mse", "Mean squared error", "mse", share=False, larger_is_better=False),
            Measure("r2", "R²", "r_squared", share=False),
        ),
        headline="Pearson correlation {value} on {n} test texts",
        about="Pearson and Spearman correlate predicted with true values and their ranks; the "
        "errors are in the unit of the values.",
        interval="bootstrap",
        truth="number",
        answer="a number",
        details="Errors",
        judged=False,
    ),
    "entities": Sheet(
        (
            Measure("f1", "Entity F1", "f1"),
            Measure("precision", "Precision", "precision"),
            Measure("recall", "Recall", "recall"),
        ),
        headline="entity F1 {value} on {n} test texts",
        about="An entity counts as right where its first character, its last one and its label "
        "are; precision is the share of right ones among those found, recall among those there, "
        "F1 their harmonic mean.",
        interval="bootstrap over texts",
        truth="entities",
        answer="the entities of a text, and where they stand",
        details="Entities",
        support="entities",
    ),
    "nested-entities": Sheet(
        (
            Measure("f1", "Entity F1", "f1"),
            Measure("precision", "Precision", "precision"),
            Measure("recall", "Recall", "recall"),
        ),
        headline="entity F1 {value} on {n} test texts",
        about="An entity counts as right where its first character, its last one and its label "
        "are; one may lie in another.",
        interval="bootstrap over texts",
        truth="entities",
        answer="the entities of a text, of which some lie in others, and where they stand",
        details="Entities",
        support="entities",
    ),
    "tags": Sheet(
        (
            Measure("accuracy", "Accuracy", "accuracy"),
            Measure("macro_f1", "Macro F1", "f1"),
        ),
        headline="{value} of the words of {n} test texts right",
        about="Accuracy is the share of words whose tag is right; macro F1 is the mean of the "
        "tags' F1, every tag counting the same.",
        interval="bootstrap over texts",
        truth="tags",
        answer="one of {labels} tags for every word",
        details="Tags",
        support="words",
    ),
    "choice": Sheet(
        (Measure("accuracy", "Accuracy", "accuracy"),),
        headline="{value} of {n} test rows right",
        about="Accuracy is the share of rows whose right choice got the largest score of all of "
        "the row's choices.",
        interval="Wilson",
        truth="choice",
        answer="the best of any number of choices",
        row="row",
        call='"a context", ["a choice", "another"]',
        shell="--file DATA",
    ),
    "answer-spans": Sheet(
        (
            Measure("f1", "F1", "f1"),
            Measure("exact_match", "Exact match", "exact_match"),
        ),
        headline="F1 {value} of the answers to {n} test questions",
        about="Exact match is the share of questions whose answer is one of the right ones word "
        "for word, apart from case, punctuation and articles; F1 gives credit for the words that "
        "the two share, as SQuAD counts them.",
        interval="bootstrap over questions",
        truth="answer",
        answer="the place of the answer in a context",
        row="question",
        call='question="your question", context="a text of any length"',
        shell='"your question" --pair "a text of any length"',
    ),
    "answer-spans-or-none": Sheet(
        (
            Measure("f1", "F1", "f1"),
            Measure("exact_match", "Exact match", "exact_match"),
            Measure("answerable_f1", "F1, questions with an answer", "f1"),
            Measure("left_unanswered", "Questions without an answer left unanswered", "accuracy"),
        ),
        headline="F1 {value} of the answers to {n} test questions",
        about="Exact match is the share of questions whose answer is one of the right ones word "
        "for word, apart from case, punctuation and articles; F1 gives credit for the words that "
        "the two share, as SQuAD 2.0 counts them: a question without an answer counts 1 where "
        "none is given.",
        interval="bootstrap over questions",
        truth="answer",
        answer="the place of the answer in a context, or that there is none",
        row="question",
        call='question="your question", context="a text of any length"',
        shell='"your question" --pair "a text of any length"',
    ),
    "language": Sheet(
        (
            Measure("bits_per_byte", "Bits per byte", "bits_per_byte", False, False),
            Measure("perplexity", "Perplexity", "perplexity", share=False, larger_is_better=False),
        ),
        headline="{value} bits a byte on {n} test texts",
        about="Bits per byte is how surprising the texts are to the model, whatever its tokens; "
        "perplexity is the same for a token: as unsure as between so many equal ones.",
        interval="bootstrap over texts",
        answer="text that goes on from a prompt",
        said="",
        judged=False,
    ),
    "masked-words": Sheet(
        (
            Measure("accuracy", "Accuracy", "accuracy"),
            Measure("perplexity", "Perplexity", "perplexity", share=False, larger_is_better=False),
        ),
        headline="{value} of the hidden tokens of {n} test texts told",
        about="Accuracy is the share of hidden tokens that the model tells; perplexity says how "
        "unsure it is of them: as between so many equal ones.",
        interval="bootstrap over texts",
        answer="the words that a text hides",
        truth="tokens",
        said="",
        true="of",
        judged=False,
        call='["a text with a MASK in it"]',
        shell='"a text with a MASK in it"',
    ),
    "ranked-replies": Sheet(
        (
            Measure("hits_at_1", "Hits@1", "hits_at_1"),
            Measure("f1", "F1 of words", "f1"),
            Measure("perplexity", "Perplexity", "perplexity", share=False, larger_is_better=False),
            Measure("bits_per_byte", "Bits per byte", "bits_per_byte", False, False),
        ),
        headline="{value} of {n} test replies found among their candidates",
        about="Hits@1 is the share of rows whose right reply is the likeliest of its candidates; "
        "F1 is the share of words that the reply it writes has in common with that; perplexity is "
        "how unsure it is of a token of the right reply, bits per byte the same whatever its "
        "tokens.",
        interval="Wilson",
        truth="reply",
        answer="a reply",
        row="reply",
        said="chosen",
        call='history=["What do you like?"], persona=["I like ships."]',
    ),
    "replies": Sheet(
        (
            Measure("f1", "F1 of words", "f1"),
            Measure("perplexity", "Perplexity", "perplexity", share=False, larger_is_better=False),
            Measure("bits_per_byte", "Bits per byte", "bits_per_byte", False, False),
        ),
        headline="F1 of words {value} on {n} test replies",
        about="F1 is the share of words that the reply it writes has in common with the right one; "
        "perplexity is how unsure it is of a token of that, bits per byte the same whatever its "
        "tokens.",
        interval="bootstrap",
        truth="reply",
        answer="a reply",
        row="reply",
        said="written",
        true="by people",
        judged=False,
        call='history=["What do you like?"], persona=["I like ships."]',
    ),
    "summaries": Sheet(
        (
            Measure("rougeL", "ROUGE-L", "rouge"),
            Measure("rouge1", "ROUGE-1", "rouge"),
            Measure("rouge2", "ROUGE-2", "rouge"),
        ),
        headline="ROUGE-L {value} on {n} test texts",
        about="ROUGE is the share of words that a summary has in common with the one people wrote "
        "(as F1): single words, pairs of them, and the longest run in their order.",
        interval="bootstrap",
        truth="summary",
        answer="a summary",
        said="written",
        true="by people",
        judged=False,
    ),
    "translations": Sheet(
        (
            Measure("chrf", "chrF", "chrf", percent=False),
            Measure("bleu", "BLEU", "bleu", percent=False),
        ),
        headline="chrF {value} on {n} test texts",
        about="chrF is the share of runs of characters that a translation has in common with the "
        "one people wrote, BLEU that of runs of words; as sacrebleu counts them, of 100.",
        interval="bootstrap",
        truth="translation",
        answer="a translation",
        said="written",
        true="by people",
        judged=False,
    ),
    "texts": Sheet(
        (
            Measure("rougeL", "ROUGE-L", "rouge"),
            Measure("rouge1", "ROUGE-1", "rouge"),
            Measure("squad_f1", "F1 of words", "f1"),
            Measure("squad_exact_match", "Exactly right", "exact_match"),
        ),
        headline="ROUGE-L {value} on {n} test texts",
        about="ROUGE is the share of words that a text has in common with the one people wrote (as "
        "F1); F1 of words and “exactly right” leave case, articles and punctuation aside.",
        interval="bootstrap",
        truth="text",
        answer="a text",
        said="written",
        true="by people",
        judged=False,
    ),
    "similarity": Sheet(
        (
            Measure("spearman", "Spearman", "spearmanr", share=False),
            Measure("pearson", "Pearson", "pearsonr", share=False),
        ),
        headline="Spearman correlation {value} on {n} test pairs",
        about="Spearman correlates the order of the pairs by the cosine of their vectors with the "
        "true order, Pearson the cosines themselves with the true values.",
        interval="bootstrap",
        truth="score",
        answer="the cosine of two texts' vectors, from -1 to 1",
        details="Scores",
        row="pair",
        said="cosine",
        true="true score",
        judged=False,
        call='("a text", "another text")',
        shell='"a text" --pair "another text"',
    ),
    "pairs": Sheet(
        (
            Measure("accuracy", "Found first", "accuracy"),
            Measure("mrr", "Mean reciprocal rank", "mrr", share=False),
            Measure("recall_at_10", "Found among ten", "recall_at_10"),
        ),
        headline="{value} of {n} test texts find their partner first",
        about="Each first text is compared with all second texts of the test rows: how often its "
        "own is the nearest one, the mean of 1 / place where it stands, and how often it is among "
        "the ten nearest.",
        interval="Wilson",
        truth="partner",
        answer="the cosine of two texts' vectors, from -1 to 1",
        details="Partners",
        row="pair",
        said="nearest",
        true="partner",
        call='("a text", "another text")',
        shell='"a text" --pair "another text"',
    ),
}
"""Kind -> how it is shown."""

LOWER_IS_BETTER = frozenset(
    measure.key
    for sheet in SHEETS.values()
    for measure in sheet.measures
    if not measure.larger_is_better
)
"""Keys of measures that are errors."""
