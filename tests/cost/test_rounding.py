import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mcuprune.cost.rounding import Cursor, align_up, largest


@given(st.integers(0, 2**40), st.sampled_from([1, 4, 8, 16]))
def test_ints_are_rounded_exactly(value, multiple):
    rounded = align_up(value, multiple)
    assert rounded % multiple == 0
    assert 0 <= rounded - value < multiple


def test_numpy_ints_count_as_ints():
    assert align_up(np.int64(17), 16) == 32


def test_tensors_round_forward_and_pass_the_gradient_on():
    import tensorflow as tf

    value = tf.Variable(17.0)
    with tf.GradientTape() as tape:
        rounded = align_up(value, 16)
    assert float(rounded) == 32.0
    assert float(tape.gradient(rounded, value)) == 1.0


def test_largest_of_a_mix_is_a_tensor():
    import tensorflow as tf

    value = tf.Variable(5.0)
    with tf.GradientTape() as tape:
        top = largest([3, value, 4])
    assert float(top) == 5.0
    assert float(tape.gradient(top, value)) == 1.0
    assert largest([3, 9, 4]) == 9
    assert largest([]) == 0


steps = st.lists(
    st.tuples(st.integers(0, 99), st.sampled_from([1, 2, 4, 8, 16]), st.booleans()), max_size=12
)


@given(steps)
def test_cursor_counts_alike_with_ints_and_with_tensors(moves):
    import tensorflow as tf

    by_hand, with_ints, mixed = 0, Cursor(), Cursor()
    for size, alignment, is_soft in moves:
        by_hand = -(-(by_hand + size) // alignment) * alignment
        with_ints = with_ints.advance(size, alignment)
        mixed = mixed.advance(tf.constant(float(size)) if is_soft else size, alignment)
    assert with_ints.total == by_hand
    assert float(mixed.total) == by_hand
