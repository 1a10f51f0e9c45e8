"""Scores of every kind of output: against their definitions, and against what Keras says while training."""

import keras
import numpy as np
import pytest
from scipy.special import expit, log_softmax

from rnnscope.experiments.data import Signature, Split
from rnnscope.experiments.data.outputs import Classes, Labels, Sequences, Symbols, Values, output_from_json, score
from rnnscope.experiments.training.batches import examples
from rnnscope.experiments.training.losses import compile_arguments
from rnnscope.experiments.training.measured_model import MeasuredModel

N, T = 23, 6
RANDOM = np.random.default_rng(8)
MASK = np.arange(T) < RANDOM.integers(1, T + 1, size=N)[:, None]
INPUTS = RANDOM.normal(size=(N, T, 2)).astype("float32")


def classes(*shape, size=5):
    return RANDOM.integers(0, size, size=shape).astype("int32")


def normal(*shape):
    return RANDOM.normal(size=shape).astype("float32")


CASES = {
    "class": (Classes(5), normal(N, 5), Split(INPUTS, classes(N))),
    "class per step": (Classes(5, per_step=True), normal(N, T, 5), Split(INPUTS, classes(N, T))),
    "class per step, padded": (
        Classes(5, per_step=True), normal(N, T, 5), Split(INPUTS, classes(N, T), target_mask=MASK)
    ),
    "silent class": (
        Classes(5, per_step=True, silent=2), normal(N, T, 5), Split(INPUTS, classes(N, T), target_mask=MASK)
    ),
    "symbols": (Symbols(5), normal(N, T, 5), Split(INPUTS, classes(N, T), target_mask=MASK)),
    "sequences": (Sequences(3), 3 * normal(N, T, 3), Split(INPUTS, classes(N, T, size=3), target_mask=MASK)),
    "value": (Values(1, tolerance=0.5), normal(N, 1), Split(INPUTS, normal(N, 1))),
    "values with a scale": (
        Values(3, offset=(1.0, 2.0, 3.0), scale=(2.0, 0.5, 1.5)), normal(N, 3), Split(INPUTS, normal(N, 3))
    ),
    "values per step, padded": (
        Values(2, per_step=True), normal(N, T, 2), Split(INPUTS, normal(N, T, 2), target_mask=MASK)
    ),
    "labels, padded": (
        Labels(7), normal(N, T, 7), Split(INPUTS, (normal(N, T, 7) > 0.4).astype("float32"), target_mask=MASK)
    ),
}  # fmt: skip


def scored(case, chunk=N):
    output, predictions, part = CASES[case]
    remaining = iter(np.split(predictions, range(chunk, N, chunk)))
    return score(output, lambda _: next(remaining), part.chunks(chunk))


@pytest.mark.parametrize("case", CASES)
def test_scores_do_not_depend_on_how_the_part_is_cut(case):
    assert scored(case, chunk=4) == pytest.approx(scored(case))


@pytest.mark.parametrize("case", CASES)
def test_keras_computes_the_same_while_training(case):
    output, predictions, part = CASES[case]
    answer = keras.Input(predictions.shape[1:])
    model = MeasuredModel(answer, keras.layers.Activation("linear")(answer))
    model.compile("sgd", **compile_arguments(output))
    _, targets, *weights = examples(part, output)
    watched = model.evaluate(predictions, targets, sample_weight=(weights or [None])[0], batch_size=5, return_dict=True)
    scores = scored(case)
    assert watched == pytest.approx({name: scores[name] for name in watched}, rel=1e-5)
    assert {"loss", output.monitor, output.headline} <= set(watched)


@pytest.mark.parametrize("case", CASES)
def test_an_output_is_found_again_in_a_file(case):
    output, *_ = CASES[case]
    signature = Signature(6, 2, output, ("a", "b"), True, (0.5, 1.0), (2.0, 3.0))
    assert Signature.from_json(signature.as_json()) == signature
    assert output_from_json({"kind": type(output).__name__, **vars(output)}) == output


def test_cross_entropy_and_accuracy_are_means_over_the_steps_that_are_asked_for():
    _, logits, part = CASES["class per step, padded"]
    losses = [-log_softmax(logits[n, t])[part.targets[n, t]] for n, t in np.argwhere(MASK)]
    right = [logits[n, t].argmax() == part.targets[n, t] for n, t in np.argwhere(MASK)]
    assert scored("class per step, padded") == pytest.approx(
        {"loss": np.mean(losses), "accuracy": np.mean(right)}, rel=1e-6
    )


def test_a_silent_class_counts_for_the_loss_alone():
    _, logits, part = CASES["silent class"]
    scores = scored("silent class")
    spoken = MASK & (part.targets != 2)
    assert scores["accuracy"] == pytest.approx(np.mean((logits.argmax(-1) == part.targets)[spoken]))
    losses = -np.take_along_axis(log_softmax(logits, axis=-1), part.targets[..., None], -1)[..., 0]
    assert scores["loss"] == pytest.approx(losses[MASK].mean(), rel=1e-6)


def test_bits_and_perplexity_are_the_loss_in_other_words():
    scores = scored("symbols")
    assert 2 ** scores["bits_per_character"] == pytest.approx(scores["perplexity"])
    assert np.log(scores["perplexity"]) == pytest.approx(scores["loss"])


def test_a_sequence_matches_if_every_symbol_that_is_asked_for_does():
    _, logits, part = CASES["sequences"]
    written = logits.argmax(-1)
    exact = [np.array_equal(w[m], t[m]) for w, t, m in zip(written, part.targets, MASK, strict=True)]
    assert 0 < sum(exact) < N
    assert scored("sequences")["exact_match"] == pytest.approx(np.mean(exact))


@pytest.mark.slow  # rapidfuzz comes with the extra `data`
def test_edits_are_counted_up_to_the_first_stop():
    from rapidfuzz.distance import Levenshtein

    random = np.random.default_rng(3)
    text = lambda length: [*random.integers(1, 4, length), 4]
    rows, mine, real = [], [], []
    for _ in range(40):
        target, answer = text(random.integers(1, 6)), text(random.integers(1, 6))
        rows.append((target, answer))
        real.append(np.pad(target, (0, 7 - len(target))))
        mine.append(np.pad(answer, (0, 7 - len(answer)), constant_values=random.integers(1, 5)))
    targets = np.array(real, "int32")
    part = Split(np.zeros((40, 1)), targets, target_mask=targets > 0)
    logits = np.eye(5)[np.array(mine)]
    distances = [Levenshtein.distance(target[:-1], answer[:-1]) for target, answer in rows]
    scores = Sequences(5, stop=4).measure(logits, part)
    assert scores["edit_distance"] == (sum(distances), 40)
    assert scores["exact_match"] == (sum(distance == 0 for distance in distances), 40)


def test_values_are_scored_in_their_own_units_and_trained_in_standard_deviations():
    output, values, part = CASES["values with a scale"]
    errors = values.astype("float64") - part.targets
    assert scored("values with a scale") == pytest.approx(
        {
            "loss": np.mean((errors / output.scale) ** 2),
            "mse": np.mean(errors**2),
            "mae": np.mean(abs(errors)),
            "mae_first": np.mean(abs(errors[:, 0])),
            "mae_last": np.mean(abs(errors[:, 2])),
        }
    )


def test_an_answer_is_correct_if_it_is_off_by_less_than_the_tolerance():
    _, values, part = CASES["value"]
    assert 0 < scored("value")["correct"] == np.mean(abs(values - part.targets) < 0.5) < 1


def test_the_likelihood_of_labels_is_summed_over_labels_and_averaged_over_steps():
    _, logits, part = CASES["labels, padded"]
    likelihood = np.where(part.targets == 1, expit(logits), 1 - expit(logits))
    given, due = logits[MASK] > 0, part.targets[MASK] == 1
    scores = scored("labels, padded")
    assert scores["nll"] == scores["loss"] == pytest.approx(-np.log(likelihood).sum(-1)[MASK].mean(), rel=1e-5)
    assert scores["accuracy"] == pytest.approx((given & due).sum() / (given | due).sum())
