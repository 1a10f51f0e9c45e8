"""What `EncoderDecoder` refuses, and what it says."""

import keras
import numpy as np
import pytest

from rnnscope import GRU, LSTM, Bidirectional, EncoderDecoder, Stacked
from tests.layers.helpers import B, I, T, values
from tests.layers.test_encoder_decoder import DECODER, ENCODER, FORMS, of_numbers, of_tokens


def lstm(**options):
    return LSTM(4, **{**DECODER, **options})


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"encoder": "lstm"}, r"encoder: expected a recurrent layer such as LSTM\(32\), got 'lstm'"),
        ({"decoder": keras.layers.Dense(3)}, r"decoder: expected a recurrent layer such as LSTM\(32\), got <Dense"),
        (
            {"encoder": LSTM(4)},
            "encoder: expected return_state=True, so that the decoder can start from its states, got",
        ),
        (
            {"encoder": Stacked([LSTM(4, return_sequences=True), lstm()])},
            r"encoder\.layers\[0\]: expected return_state=True, .* got return_state=False for 'lstm",
        ),
        ({"decoder": lstm(return_sequences=False)}, "decoder: expected return_sequences=True, so that every step"),
        ({"decoder": lstm(return_state=False)}, "decoder: expected return_state=True, so that each step can start"),
        ({"decoder": lstm(stateful=True)}, "decoder: expected stateful=False, so that it starts from the encoder's"),
        (
            {"decoder": Stacked([lstm(), lstm(go_backwards=True)])},
            r"decoder\.layers\[1\]: expected go_backwards=False, so that each step can read",
        ),
        (
            {"decoder": Bidirectional(lstm())},
            "decoder: expected a layer that reads forwards alone, .* got the Bidirect",
        ),
        ({"encoder": Bidirectional(lstm(), merge_mode=None)}, "encoder: expected one output, got merge_mode=None"),
        ({"head": 10}, r"head: expected a layer such as Dense\(10\), got 10"),
        ({"embedding": "one-hot"}, r"embedding: expected a layer such as Embedding\(10, 4\), got 'one-hot'"),
        ({"steps": 0}, "steps: expected a positive integer or None, got 0"),
        ({"start": "go"}, "start: expected a number or one for each feature, got 'go'"),
        ({"start": 0.5, "embedding": keras.layers.Embedding(5, 2)}, "start: expected a token, got 0.5"),
        ({"begin": 1}, "begin: expected .* argument of EncoderDecoder, got an unknown name"),
    ],
)
def test_what_makes_no_encoder_and_decoder_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        EncoderDecoder(**{"encoder": lstm(), "decoder": lstm(), "head": keras.layers.Dense(3), **arguments})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "encoder, decoder, message",
    [
        (
            lstm(),
            LSTM(5, **DECODER),
            r"states of sizes \[4, 4\], which encoder 'lstm.*' hands over, got \[5, 5\] for 'lstm",
        ),
        (lstm(), GRU(4, **DECODER), r"states of sizes \[4, 4\], .* got \[4\] for 'gru"),
        (Bidirectional(lstm()), lstm(), r"states of sizes \[8, 8\], which encoder 'bidirectional.*got \[4, 4\]"),
        (
            Stacked([lstm(), GRU(2, **ENCODER)]),
            lstm(),
            r"states of sizes \[4, 4, 2\], which encoder 'stacked.*got \[4, 4\]",
        ),
    ],
)
def test_states_that_do_not_fit_are_refused_when_built(encoder, decoder, message):
    layer = of_tokens(encoder, decoder, steps=2)
    for use in (lambda: layer.build((B, T, I)), lambda: layer(values(B, T, I))):
        with pytest.raises(ValueError, match="decoder: expected " + message) as error:
            use()
        assert "\n" not in str(error.value)


def test_two_directions_with_unlike_states_are_refused_when_built():
    encoder = Bidirectional(lstm(), backward_layer=GRU(4, go_backwards=True, **DECODER))
    with pytest.raises(ValueError, match=r"encoder: expected as many states from both directions of .* got 2 and 1"):
        of_tokens(encoder, lstm()).build((B, T, I))


def test_a_start_of_the_wrong_length_is_refused_when_built():
    with pytest.raises(ValueError, match="start: expected 3 numbers, one for each feature, got 2"):
        of_numbers(lstm(), lstm(), start=[1, 2]).build((B, T, I))


@pytest.mark.parametrize(
    "form, arguments, message",
    [
        ("tokens", {}, "steps: expected a number of steps to write where there is no target, got None"),
        ("tokens", {"target": np.ones((B, 5, 2))}, r"target: expected \[4, T\], got shape \(4, 5, 2\) \(ndim 3\)"),
        ("tokens", {"target": np.ones((2, 5))}, r"target: expected \[4, T\], got shape \(2, 5\)"),
        ("numbers", {"target": np.ones((B, 5))}, r"target: expected \[4, T, 3\], got shape \(4, 5\) \(ndim 2\)"),
        ("numbers", {"target": np.ones((B, 5, 2))}, r"target: expected \[4, T, 3\], got shape \(4, 5, 2\)"),
        ("tokens", {"target": np.ones((B, 5)), "mask": np.ones((B, 5), bool)}, r"mask: expected \[4, 6\] .*\(4, 5\)"),
        ("tokens", {"source": values(B, T), "target": np.ones((B, 5))}, r"source: expected \[B, T, I\], .*\(ndim 2\)"),
    ],
)
def test_arguments_of_a_call_that_do_not_fit_are_named_in_one_line(form, arguments, message):
    layer = FORMS[form](lstm(), lstm())
    with pytest.raises(ValueError, match=message) as error:
        layer(**{"source": values(B, T, I), **arguments})
    assert "\n" not in str(error.value)
