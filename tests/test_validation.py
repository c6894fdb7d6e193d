import re

import numpy as np
import pytest

from spintherm import validation


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2), np.array(2.0)])
def test_real_numbers_of_every_make_become_floats(value):
    result = validation.finite_scalar("x", value)
    assert type(result) is float
    assert result == 2.0


@pytest.mark.parametrize("value", [True, np.bool_(True), "1", 1j, None, [1.0], np.array([1.0])])
def test_what_is_no_real_number_is_a_type_error(value):
    with pytest.raises(TypeError, match=r"^damping=.*: expected a finite number$"):
        validation.finite_scalar("damping", value)


@pytest.mark.parametrize(
    ("value", "demand", "expected"),
    [
        (np.nan, {}, "a finite number"),
        (-np.inf, {}, "a finite number"),
        (10**400, {}, "a finite number"),
        (0.0, {"positive": True}, "a finite number > 0"),
        (-1.0, {"nonnegative": True}, "a finite number >= 0"),
        (np.float64(-1.0), {"nonnegative": True}, "a finite number >= 0"),
        (0.0, {"nonzero": True}, "a finite number other than 0"),
    ],
)
def test_a_refusal_names_argument_value_and_expectation(value, demand, expected):
    shown = "inf" if isinstance(value, int) else str(value)
    message = f"temperature={shown}: expected {expected}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        validation.finite_scalar("temperature", value, **demand)


@pytest.mark.parametrize("value", [3, np.uint8(3), np.array(3)])
def test_integers_of_every_make_are_taken(value):
    assert type(validation.positive_integer("steps", value)) is int
    assert type(validation.seed("seed", value)) is int


@pytest.mark.parametrize("value", [True, 3.0, "3", None, [3]])
@pytest.mark.parametrize("check", [validation.positive_integer, validation.seed])
def test_what_is_no_integer_is_a_type_error(check, value):
    with pytest.raises(TypeError, match=r"^steps=.*: expected an integer"):
        check("steps", value)


def test_integers_have_bounds():
    assert validation.seed("seed", 0) == 0
    assert validation.seed("seed", 2**64 - 1) == 2**64 - 1
    assert validation.positive_integer("steps", 1) == 1
    with pytest.raises(ValueError, match=r"^steps=0: expected an integer >= 1$"):
        validation.positive_integer("steps", 0)
    for value in (-1, 2**64):
        with pytest.raises(ValueError, match=rf"^seed={value}: expected"):
            validation.seed("seed", value)


@pytest.mark.parametrize("value", [(1, 2, 3), [1.0, 2.0, 3.0], np.arange(1, 4, dtype=np.int8)])
def test_a_vector_is_a_fresh_array_of_floats(value):
    result = validation.vector("field", value)
    assert result.dtype == np.float64
    assert result.tolist() == [1.0, 2.0, 3.0]
    assert result is not value


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ((1, 2), ValueError),
        (1.0, ValueError),
        (np.zeros((1, 3)), ValueError),
        ((1, 2, np.nan), ValueError),
        ([[1, 2], [3]], ValueError),
        ("abc", TypeError),
        ((1, 2, 3j), TypeError),
        ((True, False, True), TypeError),
        (None, TypeError),
        ({"x": 1}, TypeError),
    ],
)
def test_a_bad_vector_is_refused(value, error):
    with pytest.raises(error, match=r"^field=.*: expected three finite components, shape \(3,\)"):
        validation.vector("field", value)


def test_vectors_have_three_components_and_maybe_a_count():
    assert validation.vectors("m", np.zeros((2, 5, 3))).shape == (2, 5, 3)
    assert validation.vectors("m", np.zeros((4, 3)), count=4).shape == (4, 3)
    with pytest.raises(ValueError, match=r"shape \(4, 3\), but the shape is \(2, 3\)"):
        validation.vectors("m", np.zeros((2, 3)), count=4)
    for bad in (np.zeros((3, 2)), 0.0, [np.inf, 0, 0]):
        with pytest.raises(ValueError, match=r"^m=.*finite vectors, shape \(\.\.\., 3\)"):
            validation.vectors("m", bad)


@pytest.mark.parametrize("value", [[], [[0.0, 1.0]], [0.0, 0.0], [1.0, 0.0], [0.0, np.nan], 1.0])
def test_times_must_increase(value):
    with pytest.raises((ValueError, TypeError), match=r"^times=.*strictly increasing"):
        validation.increasing_times("times", value)


def test_text_with_units_is_told_where_to_go():
    for bad in ("5 ns", ["0 mT", "0 mT", "50 mT"], [0.0, "-.5 T"]):
        with pytest.raises(TypeError, match=r"; text with units is turned into .* by `Scales`$"):
            validation.real_array("x", bad)
    with pytest.raises(TypeError, match=r"^x='north': expected finite real numbers$"):
        validation.real_array("x", "north")


def test_keys_are_checked_and_the_allowed_ones_listed():
    assert validation.mapping("magnet", {"a": 1}, ["a"], ["b"]) == {"a": 1}
    with pytest.raises(ValueError, match=r"no key other than 'a', 'b'; unknown: \['c'\]"):
        validation.mapping("magnet", {"a": 1, "c": 2}, ["a"], ["b"])
    with pytest.raises(ValueError, match=r"the keys 'a', 'b'; missing: \['b'\]"):
        validation.mapping("magnet", {"a": 1}, ["a", "b"])
    with pytest.raises(TypeError, match=r"^magnet=3: expected a mapping"):
        validation.mapping("magnet", 3, ["a"])


def test_long_values_are_shortened():
    with pytest.raises(ValueError, match="expected") as caught:
        validation.vector("field", np.zeros(100_000))
    assert len(str(caught.value)) < 300
