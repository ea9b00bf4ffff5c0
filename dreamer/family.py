"""An agent family is a module with seven functions; the commands know an agent by these alone.

In the shapes, B is batch, T time, H imagined steps. Every function is pure; the callers jit.

`init(options, spaces, key) -> state`                          state.params.values: {name: array}
`train(state, batch, key) -> state, metrics, write_back`       one update; in write_back, beside the
                          belief layers, "signal": {name: [B, L-1]}, what samplers choose by
`surprise(params, batch, key) -> kl`                           [B, L-1] without learning
`start(params, batch_size, belief=None) -> carry`              belief: {layer: [B, units]}
`act(params, carry, observation, key, sample, taken=None) -> carry, action, activations`
                          taken [B]: actions that the carry remembers in place of the chosen ones
`imagine(params, carry, actions, horizon, key, sample) -> actions, activations, images`
`layers(options, spaces) -> [Layer]`                           in the order of the forward pass
`value(params, activations) -> value`      optional: the return [B] expected, from those of `act`

Signals are per trained step, in nats and without gradient: "kl" between posterior and prior without
free nats, "beliefs" the sum of both losses of it with free nats, "model" the whole loss of the
world model, its parts scaled as in training. `surprise` is "kl" for a sampler that asks between
updates; families that lack it can be trained with all others. `OFFLINE = True` says that a family
learns from data sets by commands of its own; its `train` takes nothing and refuses, naming them.
"""

import importlib
from typing import NamedTuple

from jobs.errors import Refused


class Layer(NamedTuple):
    """A named vector of activations; the *belief* layers are the state that dreams start from."""

    name: str
    width: int
    belief: bool = False
    dtype: str = "float16"  # how it is recorded and kept in the replay


def module(name):
    """Module of a family: `v3` is dreamer.v3.agent, a dotted name stands as it is."""
    return name if "." in name else f"dreamer.{name}.agent"


def load(name):
    """Import a family by the value of the option `agent`."""
    try:
        return importlib.import_module(module(name))
    except ModuleNotFoundError as error:
        if error.name and module(name).startswith(error.name):
            raise Refused(f"there is no agent family '{name}' (module {module(name)})") from None
        raise
