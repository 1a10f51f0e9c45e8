"""The scope of the gradient taps: what lies inside it, and what its signals tell."""

import pytest

from rnnscope import RNN, Bidirectional, GradientTaps, Signal
from tests.layers.helpers import B, I, T, keras_cell, our_cell, ours, values


def test_signals_tell_what_was_measured():
    with GradientTaps() as taps:
        Bidirectional(ours("lstm", units=7, name="both"))(values(B, T, I))
        RNN([our_cell("rnn", units=2), keras_cell("gru_after", units=3)], name="deep")(values(B, T, I))
    assert taps.signals == {
        "forward_both/h": Signal("forward_both", "h", "forward", "LSTMCell", 7),
        "forward_both/c": Signal("forward_both", "c", "forward", "LSTMCell", 7),
        "backward_both/h": Signal("backward_both", "h", "backward", "LSTMCell", 7),
        "backward_both/c": Signal("backward_both", "c", "backward", "LSTMCell", 7),
        "deep_1/h": Signal("deep_1", "h", "forward", "SimpleRNNCell", 2),
        "deep_2/h": Signal("deep_2", "h", "forward", "GRUCell", 3),
    }
    assert list(taps.vectors) == list(taps.signals)


def test_only_calls_inside_the_scope_are_measured():
    layer, x = ours("lstm", name="layer"), values(B, T, I)
    layer(x)
    with GradientTaps() as outer:
        with GradientTaps() as inner:
            layer(x)
        assert (len(inner.vectors), len(outer.vectors)) == (2, 0)
        layer(x)
    layer(x)
    assert list(outer.vectors) == list(inner.vectors) == ["layer/h", "layer/c"]


def test_an_error_inside_the_scope_closes_it():
    layer, x = ours("rnn", name="layer"), values(B, T, I)
    with pytest.raises(ZeroDivisionError), GradientTaps() as taps:
        raise ZeroDivisionError
    layer(x)
    assert not taps.vectors
