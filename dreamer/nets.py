"""Layers as pure functions over one flat dict {name: array}, under the authors' names.

Each layer has a function for its parameters' shapes, so that initialising, loading and counting
share one description, and a function that applies it. Matrices carry the compute type: `cast`
turns kernels and biases into it once, scales and everything else stay float32.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

EXACT = jax.lax.Precision.HIGHEST  # float32 products stay float32 on accelerators too
TRUNCATION = 1.1368  # undoes the loss of standard deviation by cutting a normal at two


class Leaf(NamedTuple):
    """Shape of a parameter and how it starts: `fill` plus a truncated normal times `scale`."""

    shape: tuple
    scale: float = 0.0
    fill: float = 0.0


def compute_dtype(name):
    """Type of the computation: `auto` is bfloat16 on accelerators and float32 on a CPU."""
    if name == "auto":
        return jnp.dtype("float32" if jax.default_backend() == "cpu" else "bfloat16")
    return jnp.dtype(name)


def linear_shapes(name, inputs, outputs, outscale=1.0):
    """Kernel [inputs, outputs] and bias."""
    return _weights(name, (inputs, outputs), inputs, outputs, outscale)


def block_shapes(name, groups, inputs, outputs):
    """Kernel [g, inputs/g, outputs/g] and a flat bias [outputs]."""
    shape = (groups, inputs // groups, outputs // groups)
    return _weights(name, shape, inputs, outputs)


def conv_shapes(name, inputs, outputs):
    """Kernel [5, 5, inputs, outputs] and bias."""
    return _weights(name, (5, 5, inputs, outputs), 25 * inputs, outputs)


def norm_shapes(name, width):
    """The scale of a normalisation, starting at one."""
    return {f"{name}/scale": Leaf((width,), fill=1.0)}


def mlp_shapes(name, inputs, layers, units):
    """`layers` times Linear and norm: linear0, norm0, linear1, ..."""
    found = {}
    for index in range(layers):
        found |= linear_shapes(f"{name}/linear{index}", inputs if index == 0 else units, units)
        found |= norm_shapes(f"{name}/norm{index}", units)
    return found


def init(leaves, key):
    """{name: float32 array} from {name: Leaf}, all weights cut from one draw in sorted order."""
    found = {name: jnp.full(leaf.shape, leaf.fill, jnp.float32) for name, leaf in leaves.items()}
    drawn = sorted(name for name, leaf in leaves.items() if leaf.scale)
    sizes = [math.prod(leaves[name].shape) for name in drawn]
    weights = jax.random.truncated_normal(key, -2, 2, (sum(sizes),))
    for name, piece in zip(drawn, jnp.split(weights, np.cumsum(sizes)[:-1]), strict=True):
        found[name] = leaves[name].scale * piece.reshape(leaves[name].shape)
    return found


def cast(values, dtype):
    """`values` with kernels and biases in the compute type."""
    return {
        name: value.astype(dtype) if name.endswith(("/kernel", "/bias")) else value
        for name, value in values.items()
    }


def dot(x, kernel):
    """x [..., in] times kernel [in, out], in the kernel's type.

    Flat, because XLA's gradient of a kernel is faster with one axis to sum over than with two.
    """
    rows = x.astype(kernel.dtype).reshape(-1, x.shape[-1])
    return jnp.matmul(rows, kernel, precision=EXACT).reshape(*x.shape[:-1], -1)


def linear(values, name, x):
    """x [..., in] -> [..., out]."""
    return dot(x, values[f"{name}/kernel"]) + values[f"{name}/bias"]


def group(x, groups):
    """x [N, width] -> [g, N, width/g], contiguous parts of the last axis."""
    return jnp.swapaxes(x.reshape(len(x), groups, -1), 0, 1)


def ungroup(x):
    """The inverse of `group`."""
    return jnp.swapaxes(x, 0, 1).reshape(x.shape[1], -1)


def block_dot(x, kernel):
    """Each group of x [g, N, in] times its kernel of [g, in, out] -> [g, N, out]."""
    return jnp.matmul(x.astype(kernel.dtype), kernel, precision=EXACT)


def block_linear(values, name, x):
    """x [..., in] -> [..., out] through contiguous groups that do not mix."""
    kernel = values[f"{name}/kernel"]
    out = block_dot(group(x.reshape(-1, x.shape[-1]), len(kernel)), kernel)
    return ungroup(out).reshape(*x.shape[:-1], -1) + values[f"{name}/bias"]


def rms_norm(values, name, x):
    """x / sqrt(mean(x^2) + 1e-4) * scale over the last axis, computed in float32."""
    return (_unit(x.astype(jnp.float32)) * values[f"{name}/scale"]).astype(x.dtype)


def norm_act(values, name, x, act):
    """`rms_norm`, then the activation by its name in jax.nn."""
    return getattr(jax.nn, act)(rms_norm(values, name, x))


def dense(values, name, x, act):
    """Linear `name`, norm `<name>norm`, activation."""
    return norm_act(values, f"{name}norm", linear(values, name, x), act)


def mlp(values, name, x, layers, act):
    """Outputs [..., units] of every layer, the last one last."""
    outputs = []
    for index in range(layers):
        x = linear(values, f"{name}/linear{index}", x)
        x = norm_act(values, f"{name}/norm{index}", x, act)
        outputs.append(x)
    return outputs


def _weights(name, shape, fan_in, outputs, outscale=1.0):
    kernel = Leaf(shape, outscale * TRUNCATION * fan_in**-0.5)
    return {f"{name}/kernel": kernel, f"{name}/bias": Leaf((outputs,))}


@jax.custom_vjp
def _unit(x):
    return _unit_forward(x)[0]


def _unit_forward(x):
    inverse = jax.lax.rsqrt(_mean(jnp.square(x)) + 1e-4)
    return x * inverse, (x * inverse, inverse)


def _unit_backward(kept, gradient):
    unit, inverse = kept
    return (inverse * (gradient - unit * _mean(gradient * unit)),)


# Written out because the gradient that JAX derives is two to four times slower on images.
_unit.defvjp(_unit_forward, _unit_backward)


def _mean(x):
    """Mean over the last axis, kept. A sum over few channels is no vector operation on a CPU, so
    the channels are added as whole arrays."""
    if x.shape[-1] > 16:
        return x.mean(-1, keepdims=True)
    return sum(x[..., index : index + 1] for index in range(x.shape[-1])) / x.shape[-1]
