"""The benchmark's count of operations is that of the textbook."""

import jax
import jax.numpy as jnp
from jax import lax

from bench import flops


def test_a_matrix_product_counts_two_operations_per_multiply_add():
    a, b = jnp.zeros((3, 5)), jnp.zeros((5, 7))
    assert flops.count(jnp.matmul, a, b) == 2 * 3 * 5 * 7
    gradient = jax.grad(lambda a, b: jnp.matmul(a, b).sum(), (0, 1))
    assert flops.count(gradient, a, b) >= 2 * 2 * 3 * 5 * 7


def test_a_loop_counts_as_often_as_it_turns():
    def loop(x):
        return lax.scan(lambda x, _: (jax.jit(jnp.matmul)(x, x), None), x, length=9)[0]

    assert flops.count(loop, jnp.zeros((4, 4))) == 9 * 2 * 4**3


def test_a_convolution_counts_its_window():
    def convolve(x, kernel):
        layout = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=layout)

    found = flops.count(convolve, jnp.zeros((2, 8, 8, 3)), jnp.zeros((5, 5, 3, 4)))
    assert found == 2 * (2 * 8 * 8 * 4) * (5 * 5 * 3)
