"""Loss terms divided by their own running root mean square, so that each hovers around one."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

FLOOR = 1e-8


@partial(jax.tree_util.register_dataclass, data_fields=["squares", "count"], meta_fields=["decay"])
@dataclass(frozen=True)
class Rms:
    """Decayed mean squares {term: scalar} of `count` updates, still biased towards their start."""

    squares: dict
    count: jax.Array
    decay: float = 0.99


def start(names, decay=0.99):
    """The state before the first update."""
    return Rms({name: jnp.zeros(()) for name in names}, jnp.zeros((), jnp.int32), decay)


def normalise(state, losses):
    """({term: loss / RMS}, state) of scalar losses, this update's counted in.

    Losses must be means over the whole batch of all devices. No gradient enters the RMS.
    """
    still = jax.lax.stop_gradient
    squares = {
        name: state.decay * state.squares[name] + (1 - state.decay) * still(loss) ** 2
        for name, loss in losses.items()
    }
    state = Rms(state.squares | squares, state.count + 1, state.decay)
    return {name: loss / scale(state, name) for name, loss in losses.items()}, state


def scale(state, name):
    """RMS of a term, without the bias of its start."""
    square = state.squares[name] / (1 - state.decay ** jnp.maximum(state.count, 1))
    return jnp.maximum(jnp.sqrt(square), FLOOR)
