"""5x5 convolutions beside a 2x resampling, in three forms that are equal up to rounding.

plain   XLA's convolution at full resolution: the definition, and the oracle of the tests.
phases  one 3x3 convolution at half resolution.
chunks  the same 3x3 convolution as matrix products over a few images at a time, for CPUs: what a
        chunk needs stays in cache, and XLA's own kernel gradients are slow there.

Why 3x3: write full-resolution row r as phase a of cell i, r = 2i + a. Output row 2i + a reads,
through kernel row u, the row 2i + a + u - 2 = 2(i + t - 1) + p with t = (a + u) // 2 in 0..2 and
p = (a + u) % 2. So it reads cells i - 1, i, i + 1 only. Before a pooling, cell i holds both phases
p as channels (space to depth), the four outputs of a cell are channels too, and pooling is their
maximum. After an upsampling both phases of a cell are the same number, so the kernel rows that fall
on one cell are summed. Columns work likewise. In the shapes, N is images, cells have h x w.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from dreamer import conv_chunks

EXACT = lax.Precision.HIGHEST  # float32 products stay float32 on accelerators too

# [t, p, a, u]: does output phase a read, through kernel row u, phase p of cell t?
READS = np.zeros((3, 2, 2, 5), np.float32)
for _a, _u in np.ndindex(2, 5):
    READS[(_a + _u) // 2, (_a + _u) % 2, _a, _u] = 1


def conv(x, kernel, bias, *, form=None):
    """5x5 SAME convolution, stride 1. x [N, H, W, C], kernel [5, 5, C, D] -> [N, H, W, D].

    `form` is plain, phases (here the same) or chunks; by default what suits the platform.
    """
    if _form(form, "plain") == "chunks":
        return conv_chunks.convolve(x, kernel.astype(x.dtype), SAME) + bias.astype(x.dtype)
    return _xla(x, kernel) + bias.astype(x.dtype)


def conv_pool(x, kernel, bias, *, form=None):
    """`conv`, then 2x2 max-pooling -> [N, H/2, W/2, D]. Equal maxima share the gradient."""
    form = _form(form, "phases" if kernel.shape[2] < 8 else "plain")
    if form == "plain":
        return _pairs(conv(x, kernel, bias, form="plain")).max((2, 4))
    kernel = _per_cell(kernel, READS).astype(x.dtype)
    if form == "chunks":
        return conv_chunks.convolve(_to_cells(x), kernel, POOL) + bias.astype(x.dtype)
    y = _xla(_to_cells(x), kernel)
    return y.reshape(*y.shape[:3], 4, -1).max(3) + bias.astype(x.dtype)


def upsample_conv(x, kernel, bias, *, form=None):
    """Nearest 2x upsampling, then `conv` -> [N, 2H, 2W, D]."""
    form = _form(form, "phases")
    if form == "plain":
        return conv(x.repeat(2, 1).repeat(2, 2), kernel, bias, form="plain")
    kernel = _per_cell(kernel, READS.sum(1, keepdims=True)).astype(x.dtype)
    y = (
        conv_chunks.convolve(x, kernel, UPSAMPLE)
        if form == "chunks"
        else _from_cells(_xla(x, kernel))
    )
    return y + bias.astype(x.dtype)


def _form(form, otherwise):
    """Measured on CPUs (bench/conv.py). Elsewhere by reasoning, untested: phases where they save
    work (upsampling) or widen the few channels of an image, which tensor cores need."""
    if form not in (None, "plain", "phases", "chunks"):
        raise ValueError(f"form is {form!r}, but must be plain, phases or chunks")
    return form or ("chunks" if jax.default_backend() == "cpu" else otherwise)


def _xla(x, kernel):
    numbers = ("NHWC", "HWIO", "NHWC")
    kernel = kernel.astype(x.dtype)
    return lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=numbers, precision=EXACT
    )


def _per_cell(kernel, reads):
    """Kernel [5, 5, C, D] as [3, 3, P*P*C, 4*D] between cells; `reads` as READS, with P phases."""
    *_, inputs, outputs = kernel.shape
    kernel = kernel.astype(jnp.float32)
    wide = jnp.einsum("tpau,sqbv,uvcd->tspqcabd", reads, reads, kernel, precision=EXACT)
    return wide.reshape(3, 3, reads.shape[1] ** 2 * inputs, 4 * outputs)


def _pairs(x):
    n, height, width, channels = x.shape
    return x.reshape(n, height // 2, 2, width // 2, 2, channels)


def _to_cells(x):
    """[N, 2h, 2w, C] -> [N, h, w, 4*C]."""
    x = _pairs(x).swapaxes(2, 3)
    return x.reshape(*x.shape[:3], -1)


def _from_cells(x):
    """The inverse of `_to_cells`."""
    n, height, width, channels = x.shape
    x = x.reshape(n, height, width, 2, 2, channels // 4).swapaxes(2, 3)
    return x.reshape(n, 2 * height, 2 * width, channels // 4)


def _best(y):
    """Maximum over the phases, and in bit p of a byte whether phase p reaches it."""
    phases = jnp.split(y, 4, -1)
    best = jnp.maximum(*map(jnp.maximum, phases[:2], phases[2:]))
    return best, sum((y == best).astype(jnp.uint8) << bit for bit, y in enumerate(phases))


def _to_best(gradient, winners):
    """Gradient of `_best`, shared by equal maxima as in the gradient of XLA's reduction."""
    count = jnp.maximum(lax.population_count(winners), 1)
    share = gradient / count.astype(gradient.dtype)
    phases = [jnp.where((winners >> bit) & 1, share, 0) for bit in range(4)]
    return jnp.concatenate(phases, -1)


SAME = conv_chunks.Ending(lambda y: (y, None), lambda g: g, lambda g, _: g)
POOL = conv_chunks.Ending(_best, lambda g: g, _to_best)
UPSAMPLE = conv_chunks.Ending(lambda y: (_from_cells(y), None), _to_cells, lambda g, _: g)
