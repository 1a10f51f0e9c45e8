"""Functions with a derivative of their own, written in one way for every backend."""

import gc
import weakref

import pytest
from keras import ops

from rnnscope.backend import custom_gradient
from tests.layers.derivatives import differentiate
from tests.layers.helpers import assert_close, values

x, y = values(3), values(4, seed=1)


def test_the_way_back_gets_the_derivative_by_each_output_and_gives_one_for_each_argument():
    @custom_gradient
    def function(x, y, nothing):
        assert nothing is None

        def gradient(of_sum, of_x, of_y):
            return 2 * of_x + of_sum, 3 * of_y, None

        return (ops.sum(x), ops.tanh(x), y * y), gradient

    def loss(point):
        total, of_x, of_y = outputs = function(*point, None)
        return 5 * total + ops.sum(7 * of_x) + ops.sum(11 * of_y), list(outputs)

    outputs, derivatives = differentiate(loss, [x, y])
    assert_close(outputs, [x.sum(), ops.convert_to_numpy(ops.tanh(x)), y * y])
    assert_close(derivatives, [0 * x + 2 * 7 + 5, 0 * y + 3 * 11])


@pytest.mark.parametrize("used", [0, 1])
def test_the_derivative_by_an_output_that_is_not_used_is_zero(used):
    function = custom_gradient(lambda x: ((x + 1, x + 2), lambda first, second: (first + 10 * second,)))
    (derivative,) = differentiate(lambda point: (ops.sum(function(*point)[used]), ()), [x])[1]
    assert_close(derivative, 0 * x + [1, 10][used])


def test_an_argument_may_have_no_derivative():
    function = custom_gradient(lambda x, mask: (x * mask, lambda upstream: (2 * upstream, None)))
    derivatives = differentiate(lambda point: (ops.sum(function(*point)), ()), [x, x])[1]
    assert_close(derivatives, [0 * x + 2, 0 * x])


def test_what_the_way_back_keeps_goes_with_the_outputs():
    class Kept:
        pass

    kept = []

    @custom_gradient
    def function(x):
        y, something = x * x, Kept()
        kept.append(weakref.ref(something))
        return y, lambda upstream: (upstream * y if something else None,)

    gc.disable()
    try:
        point = ops.convert_to_tensor(x)
        differentiate(lambda point: (ops.sum(function(point)), ()), point)
        del point
        assert kept[0]() is None
    finally:
        gc.enable()
