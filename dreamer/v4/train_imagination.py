"""Train the policy inside the dynamics, DreamerV4's phase 3; only policy and value change."""

import jax.numpy as jnp

from dreamer.v4 import commands, draws, imagination, latents, pmpo, shortcut
from dreamer.v4.phases import Phase, means
from jobs import cli


def windows(lengths, config):
    """Nothing is too short: near an episode's beginning there are fewer frames to start from."""


def batch(data, config, rng, part):
    """Frames {z, led, known, valid: [b, C, ...]} that imagination goes on from."""
    found = data.contexts(rng, config.imag.batch, config.imag.context)
    return {name: rows[part] for name, rows in found.items()}


def prepare(values, config, rows):
    """Trajectories {h [B, H + 1, d], action [B, H, ...]} of the present policy."""
    noise, dream = draws.split(rows["key"], 2)
    z = shortcut.noise_context(config, latents.pack(values, config, rows["z"]), noise)
    frames = imagination.Frame(z, rows["led"], rows["known"], rows["valid"])
    start = imagination.recall(values, config, frames)
    found, _ = imagination.rollout(values, config, *start, dream, config.imag.length)
    return {name: found[name] for name in ("h", "action")}


def sums(values, config, count, rows):
    """The losses of policy and value; in the first updates the value learns alone."""
    return imagination.sums(values, config, rows, count >= config.imag.warmup_values)


def terms(config, sums, _):
    """Both losses are in nats and are not normalised."""
    policy = pmpo.loss(sums["pmpo"], config.imag.alpha, config.imag.beta)
    losses = {"policy": policy} | means(sums, ["value"])
    return {}, losses, imagination.metrics(sums["told"])


def begin(values):
    """The prior is a copy of the cloned policy."""
    name = "head/policy"
    copies = {
        key.replace(name, "prior"): jnp.copy(x) for key, x in values.items() if key.startswith(name)
    }
    return values | copies


PHASE = Phase(
    name="imagination",
    number=4,
    command="train_imagination",
    block="imag",
    after="finetune",
    brings=("tok", "dyn", "head"),
    trained=("head/policy/", "head/value/"),
    windows=windows,
    batch=batch,
    sums=sums,
    terms=terms,
    weights=lambda _: {},
    holds=lambda config: {"head/policy/": config.imag.warmup_values},
    prepare=prepare,
    begin=begin,
)
main = commands.command(PHASE)

if __name__ == "__main__":
    cli.run(main)
