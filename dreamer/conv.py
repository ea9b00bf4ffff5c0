"""5x5 convolutions beside a 2x resampling, in three forms that are equal up to rounding.

plain   at full resolution: the definition, and the oracle of the tests.
phases  as one 3x3 convolution at half the resolution.
chunks  like phases, but the kernel's gradient is summed over small chunks of images, one matrix
        product each: XLA's own kernel gradients are slow on CPUs.

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

EXACT = lax.Precision.HIGHEST  # float32 products stay float32 on accelerators too
NARROW = 16  # fewer input channels than this make cells the faster form before a pooling
FORMS = ("plain", "phases", "chunks")
FORCED = None  # the form of every convolution where it is set, whatever the platform
CHUNK = 2**21  # bytes of gathered windows that a chunk may take, so that it stays in cache

# [t, p, a, u]: does output phase a read, through kernel row u, phase p of cell t?
READS = np.zeros((3, 2, 2, 5), np.float32)
for _a, _u in np.ndindex(2, 5):
    READS[(_a + _u) // 2, (_a + _u) % 2, _a, _u] = 1


def conv(x, kernel, bias, *, form=None):
    """5x5 SAME convolution, stride 1. x [N, H, W, C], kernel [5, 5, C, D] -> [N, H, W, D].

    By default plain; phases are the same here.
    """
    return _apply(x, kernel, form or FORCED or "plain") + bias.astype(x.dtype)


def conv_pool(x, kernel, bias, *, form=None):
    """`conv`, then 2x2 max-pooling -> [N, H/2, W/2, D]. Equal maxima share the gradient."""
    form = form or FORCED or (_cells() if kernel.shape[2] < NARROW else "plain")
    if form == "plain":
        return _pairs(conv(x, kernel, bias, form=form)).max((2, 4))
    y = _apply(_to_cells(x), _between_cells(kernel, READS), form)
    return y.reshape(*y.shape[:3], 4, -1).max(3) + bias.astype(x.dtype)


def upsample_conv(x, kernel, bias, *, form=None):
    """Nearest 2x upsampling, then `conv` -> [N, 2H, 2W, D]."""
    form = form or FORCED or _cells()
    if form == "plain":
        return conv(x.repeat(2, 1).repeat(2, 2), kernel, bias, form=form)
    y = _apply(x, _between_cells(kernel, READS.sum(1, keepdims=True)), form)
    return _from_cells(y) + bias.astype(x.dtype)


def _cells():
    """The form for convolutions between cells, measured on a CPU (bench/conv.py). Elsewhere it is
    chosen by reasoning and untested: phases do less work, and fill tensor cores better."""
    return "chunks" if jax.default_backend() == "cpu" else "phases"


def _apply(x, kernel, form):
    if form not in FORMS:
        raise ValueError(f"form is {form!r}, but must be plain, phases or chunks")
    return (_chunked if form == "chunks" else _xla)(x, kernel.astype(x.dtype))


def _between_cells(kernel, reads):
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


def _xla(x, kernel):
    """SAME convolution of x [N, h, w, C] with kernel [k, k, C, D]."""
    layout = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(
        x, kernel, (1, 1), "SAME", dimension_numbers=layout, precision=EXACT
    )


@jax.custom_vjp
def _chunked(x, kernel):
    """`_xla`, with gradients that are fast on a CPU; k is odd."""
    return _xla(x, kernel)


def _forward(x, kernel):
    return _xla(x, kernel), (x, kernel)


def _backward(kept, gradient):
    """An input's gradient is the convolution of the output's with the kernel turned around."""
    x, kernel = kept
    turned = kernel[::-1, ::-1].swapaxes(2, 3)
    return _xla(gradient, turned), _kernel_gradient(x, gradient, len(kernel)).astype(kernel.dtype)


_chunked.defvjp(_forward, _backward)


def _kernel_gradient(x, gradient, side):
    """Sum over all windows of x [N, h, w, C] times gradient [N, h, w, D] -> [k, k, C, D], k = side.

    The border is added for all chunks at once: within a chunk, XLA would do so for every window.
    """
    n, height, width, inputs = x.shape
    outputs, reach = gradient.shape[-1], side // 2
    x = jnp.pad(x, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    count = _chunk_count(n, 4 * height * width * side**2 * inputs)
    parts = (y.reshape(count, n // count, *y.shape[1:]) for y in (x, gradient))

    def step(total, part):
        windows, outer = _windows(part[0], side), part[1].reshape(-1, outputs)
        return total + jnp.matmul(windows.T, outer, preferred_element_type=jnp.float32), None

    total, _ = lax.scan(step, jnp.zeros((side**2 * inputs, outputs)), tuple(parts))
    return total.reshape(side, side, inputs, outputs)


def _chunk_count(n, size):
    """The smallest divisor of `n` images for which a chunk takes CHUNK bytes, at `size` each."""
    least = -(-n * size // CHUNK)
    return next((count for count in range(least, n) if n % count == 0), n)


def _windows(x, side):
    """The windows of x [n, h+side-1, w+side-1, C] as rows [n*h*w, side*side*C]."""
    n, height, width, channels = x.shape
    row = np.arange(height - side + 1)[:, None, None, None] + np.arange(side)[:, None]
    column = np.arange(width - side + 1)[:, None, None] + np.arange(side)
    found = x.at[:, row, column].get(mode="promise_in_bounds")
    return found.reshape(-1, side**2 * channels)
