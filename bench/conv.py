"""Time every convolution of the encoder and the decoder in each form, forward and backward.

The forms take turns, so that a busy machine slows all of them alike; the median of the rounds is
given. The first layer of the encoder needs no gradient for its input.
"""

import json
import statistics
import time
from functools import partial

import jax
import numpy as np

from dreamer import conv, options
from jobs import cli


def main(size: str = "size1m", images: int = 1024, rounds: int = 5, side: int = 64):
    """Print a table of seconds per layer and form, then one JSON line."""
    rows = []
    for name, function, shape, outputs in layers(options.resolve([size]), side):
        arguments = inputs((images, *shape), outputs)
        seconds = measure(function, arguments, rounds, name == "enc/cnn0")
        rows.append({"layer": name, "input": list(shape), "outputs": outputs, **seconds})
        show(rows[-1], len(rows) == 1)
    total = {form: sum(row[form] for row in rows) for form in conv.FORMS}
    show({"layer": "all", "input": "", "outputs": "", **total}, False)
    platform = jax.default_backend()
    print(json.dumps({"size": size, "images": images, "platform": platform, **total, "rows": rows}))


def layers(tree, side):
    """(name, function, input [H, W, C], outputs) of each convolution, in the order they run."""
    mults, found, channels = tree["enc"]["mults"], [], 3
    for index, mult in enumerate(mults):
        outputs, height = tree["enc"]["depth"] * mult, side >> index
        found.append((f"enc/cnn{index}", conv.conv_pool, (height, height, channels), outputs))
        channels = outputs
    for index in reversed(range(len(mults))):
        outputs = tree["dec"]["depth"] * mults[index - 1] if index else 3
        name, height = f"dec/conv{index - 1}" if index else "dec/imgout", side >> (index + 1)
        found.append((name, conv.upsample_conv, (height, height, channels), outputs))
        channels = outputs
    return found


def inputs(shape, outputs):
    """Random x, kernel and bias in float32."""
    rng = np.random.default_rng(0)
    shapes = shape, (5, 5, shape[-1], outputs), (outputs,)
    return [jax.numpy.asarray(rng.normal(size=shape).astype(np.float32)) for shape in shapes]


def measure(function, arguments, rounds, first):
    """{form: median seconds} of the output and its gradients, for every form."""
    runs = {form: compiled(function, form, arguments, first) for form in conv.FORMS}
    seconds = {form: [] for form in runs}
    for _ in range(rounds):
        for form, run in runs.items():
            start = time.perf_counter()
            jax.block_until_ready(run(*arguments))
            seconds[form].append(time.perf_counter() - start)
    return {form: statistics.median(values) for form, values in seconds.items()}


def compiled(function, form, arguments, first):
    """`function` and its gradients as one compiled program that has run once."""

    def both(x, kernel, bias):
        out, pull = jax.vjp(partial(function, form=form), x, kernel, bias)
        return out, pull(out)[first:]

    run = jax.jit(both)
    jax.block_until_ready(run(*arguments))
    return run


def show(row, heading):
    """One line of the table, and its heading before the first."""
    if heading:
        print(f"{'layer':12}{'input':>14}{'outputs':>9}", *(f"{form:>9}" for form in conv.FORMS))
    seconds = (f"{row[form]:9.4f}" for form in conv.FORMS)
    shape = "x".join(map(str, row["input"]))
    print(f"{row['layer']:12}{shape:>14}{row['outputs']:>9}", *seconds, flush=True)


if __name__ == "__main__":
    cli.run(main)
