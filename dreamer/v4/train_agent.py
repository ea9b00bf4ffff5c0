"""Train the agent token and its heads, DreamerV4's phase 2: clone the data's behaviour.

The loss of the dynamics stays on, and the heads' gradients reach the transformer, but not at first:
all heads begin by learning what is most frequent, and this shared gradient would make the agent
token's state h the same for all frames.
"""

import jax
import jax.numpy as jnp
import numpy as np

from dreamer.v4 import commands, heads, mesh, model
from dreamer.v4.phases import Phase, means, told
from jobs import cli

HEADS = ("policy", "reward", "continue")


def windows(lengths, config):
    """Refuse data whose episodes are all shorter than the windows."""
    lengths.check(config.head.length, "head.length")


def batch(data, config, rng, part):
    """Windows and what the heads should say.

    With head.relevant, that share of the rows holds a reward: these alone train the policy, and the
    others alone the dynamics, so that the model does not become optimistic.
    """
    o = config.head
    special = np.arange(o.batch) < round(o.relevant * o.batch)
    rewarded, any_ = (draw(rng, o.batch, o.length) for draw in (data.relevant, data.draw))
    places = np.where(special[:, None], rewarded, any_)
    image_row = rng.random(o.batch) < config.dyn.image_rows
    special, image_row = special[part, None], image_row[part]
    rows = data.frames(places[part], o.length, o.mtp - 1)
    if o.relevant:
        rows["action_known"] = rows["action_known"] & special
    return rows | {"image_row": image_row, "valid": rows["valid"] & ~special}


def sums(values, config, count, rows):
    """The losses of the dynamics, with the whole bootstrap, and of the heads."""
    told, h = model.loss(values, config, rows, 1.0, agent=True)
    h = jnp.where(count < config.head.warmup_heads, jax.lax.stop_gradient(h), h)
    found = heads.losses(values, config, h, rows)
    return {"dynamics": told} | {name: mesh.pair(*found[name]) for name in HEADS}


def terms(_, sums, __):
    """Each loss has its own normaliser."""
    losses = {"dynamics": mesh.mean(sums["dynamics"]["loss"])} | means(sums, HEADS)
    return losses, {}, told(sums["dynamics"])


PHASE = Phase(
    name="finetune",
    number=3,
    command="train_agent",
    block="head",
    after="dynamics",
    brings=("tok", "dyn"),
    trained=("dyn/", "head/policy/", "head/reward/", "head/continue/"),
    windows=windows,
    batch=batch,
    sums=sums,
    terms=terms,
    weights=lambda config: {"dynamics": config.head.dyn_weight} | dict.fromkeys(HEADS, 1.0),
    factors=lambda config: {"dyn/": config.head.dyn_lr},
)
main = commands.command(PHASE)

if __name__ == "__main__":
    cli.run(main)
