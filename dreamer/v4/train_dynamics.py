"""Train the dynamics, DreamerV4's phase 1b: shortcut forcing on the frozen tokenizer's latents."""

import jax.numpy as jnp

from dreamer.v4 import commands, mesh, model
from dreamer.v4.phases import Phase, told
from jobs import cli


def windows(lengths, config):
    """Refuse data whose episodes are all shorter than the windows, the long ones too."""
    lengths.check(config.dyn.length, "dyn.length")
    if config.dyn.p_long:
        lengths.check(config.dyn.long, "dyn.long")


def batch(data, config, rng, part):
    """Windows {z, led, known, valid: [b, T, ...], image_row [b]}, short or long."""
    o = config.dyn
    length = o.long if rng.random() < o.p_long else o.length
    first, image_row = data.draw(rng, o.batch, length), rng.random(o.batch) < o.image_rows
    return data.frames(first[part], length) | {"image_row": image_row[part]}


def sums(values, config, count, rows):
    """The shortcut loss over valid frames, and its parts."""
    return {"dynamics": model.loss(values, config, rows, fade(config, count))[0]}


def fade(config, count):
    """Weight of the bootstrap loss, which grows from 0 to 1 over its warm-up."""
    warmup = config.dyn.bootstrap_warmup * config.dyn.updates
    return jnp.minimum(1.0, count / warmup) if warmup else 1.0


def terms(_, sums, __):
    """One normalised loss: flow and bootstrap together."""
    return {"dynamics": mesh.mean(sums["dynamics"]["loss"])}, {}, told(sums["dynamics"])


PHASE = Phase(
    name="dynamics",
    number=2,
    command="train_dynamics",
    block="dyn",
    after="tokenizer",
    brings=("tok",),
    trained=("dyn/",),
    windows=windows,
    batch=batch,
    sums=sums,
    terms=terms,
    weights=lambda _: {"dynamics": 1.0},
)
main = commands.command(PHASE)

if __name__ == "__main__":
    cli.run(main)
