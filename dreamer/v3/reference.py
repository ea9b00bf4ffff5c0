"""The quantities of a file of the authors' numbers, computed again by this code.

Such a file holds one batch, all parameters, and outputs, gradients and three updates computed from
them with the most probable values instead of draws. In the shapes, B is batch, T time.
"""

import jax
import jax.numpy as jnp
import numpy as np

from dreamer import distributions, options
from dreamer.spaces import Space, Spaces
from dreamer.v3 import config as configs
from dreamer.v3 import heads, rssm, update
from jobs.errors import Refused

OPTIONS = {
    "deter": "dyn.deter", "hidden": "dyn.hidden", "stoch": "dyn.stoch", "classes": "dyn.classes",
    "blocks": "dyn.blocks", "free_nats": "dyn.free_nats", "unimix": "dyn.unimix",
    "imag_length": "imag.length", "horizon": "imag.horizon", "lam": "imag.lam",
    "entropy": "imag.entropy", "retnorm_rate": "retnorm.rate", "slow_rate": "slowval.rate",
    "agc": "opt.agc", "lr": "opt.lr", "warmup": "opt.warmup",
}  # fmt: skip
MANY = ("depth", "units", "bins")  # the same for every part that has one
MOVES = ("action", "prev_action", "carry_deter", "carry_stoch")
UPDATES = 3


def compute(meta, batch, values):
    """{name: array} of everything that a file may hold, from its `meta`, `batch` and `param`."""
    config = config_of(meta, batch, values)
    state = update.of(_checked(config, values), config)
    latent = rssm.start(config, len(batch["reward"]))
    if "carry_deter" in batch:
        latent = rssm.Latent(batch["carry_deter"], batch["carry_stoch"])
    taken = np.concatenate([batch["prev_action"][:, None], batch["action"][:, :-1]], 1)
    action = rssm.action_vector(config, taken)
    after, found = _step(state, batch, latent, action)
    totals = [found["out/total_loss"]]
    for _ in range(UPDATES - 1):
        after, again = _step(after, batch, latent, action)
        totals.append(again["out/total_loss"])
    found |= {f"train/loss_step{index}": total for index, total in enumerate(totals)}
    found |= {f"after3/{name}": value for name, value in after.params.values.items()}
    found["after3/opt/step/value"] = after.updates
    return {name: np.asarray(value) for name, value in found.items()}


def config_of(meta, batch, values):
    """Config from a file's sizes; numbers of categories come from the parameters' shapes."""
    chosen = {OPTIONS[name]: value for name, value in meta.items() if name in OPTIONS}
    known = options.flatten(options.resolve())
    for name in MANY:
        chosen |= {key: meta[name] for key in known if key.endswith(f".{name}") and name in meta}
    chosen |= {"enc.keys": ".", "dec.keys": ".", "dtype": "float32"}
    observed = {name: batch[name] for name in batch if name not in (*MOVES, *configs.FLAGS)}
    items = ((name, _space(name, observed[name], values)) for name in sorted(observed))
    return configs.freeze(options.resolve(overrides=chosen), Spaces(tuple(items), _action(values)))


@jax.jit
def _step(state, batch, latent, action):
    """State after one update, and all quantities but those of several updates."""
    after, metrics, found = update.apply(state, batch, latent, action, None)
    model, dream, latent = found["model"], found["dream"], found["latent"]
    outputs = {"total_loss": metrics["loss/total"], "deter": latent.deter, "stoch": latent.stoch}
    outputs |= {name: model[name] for name in ("tokens", "post_logit", "prior_logit", "kl")}
    outputs |= {f"loss/{name}": value for name, value in found["losses"].items()}
    outputs |= {f"metric/{name}": value for name, value in metrics.items()}
    outputs |= _dreamed(dream) | {"replay_return": dream["replay_return"]}
    outputs |= _predicted(state.params, latent, model)
    for name, value in model["decoded"].items():
        outputs |= {f"recon/{name}": value, f"{name}_recon": value}
    result = {f"out/{name}": value for name, value in outputs.items()}
    return after, result | {f"grad/{name}": value for name, value in found["gradients"].items()}


def _predicted(params, latent, model):
    values, config, feature = params.values, params.config, rssm.feature(latent)
    mean = distributions.two_hot_mean
    policy = heads.policy(values, config, feature)
    return {
        "reward_pred": mean(model["reward_logits"]),
        "cont_prob": jax.nn.sigmoid(model["continuation"]),
        "value_pred": mean(heads.bin_logits(values, config, "val", feature)),
        "slowvalue_pred": mean(heads.bin_logits(values, config, "slowval", feature)),
        **{f"policy_{name}": value for name, value in policy._asdict().items()},
    }


def _dreamed(dream):
    """Imagined quantities with time on the second axis."""
    names = {"imag_cont": "continuation"}
    names |= {f"imag_{name}": name for name in ("action", "reward", "value", "return")}
    found = {name: jnp.swapaxes(dream[key], 0, 1) for name, key in names.items()}
    return {**found, "imag_deter": jnp.swapaxes(dream["deter"][1:], 0, 1)}


def _space(name, value, values):
    if np.issubdtype(value.dtype, np.integer) and value.dtype != np.uint8:
        head = f"dec/vec/{name}/logits/bias"
        if head not in values:
            raise Refused(f"the file has the categories '{name}', but no parameter {head}")
        return Space(value.shape[2:], value.dtype.name, len(values[head]))
    return Space(value.shape[2:], value.dtype.name)


def _action(values):
    for name, kind in (("logits", "int32"), ("mean", "float32")):
        bias = values.get(f"pol/head/action/{name}/bias")
        if bias is not None:
            count = len(bias)
            return Space((), kind, count) if name == "logits" else Space((count,), kind)
    raise Refused("the file has no parameter pol/head/action/logits or pol/head/action/mean")


def _checked(config, values):
    """The values, if they are all that the config needs, in its shapes."""
    wanted = jax.eval_shape(lambda: update.fresh(config, jax.random.key(0))).params.values
    wrong = [
        f"{name} is {values[name].shape if name in values else 'missing'} but needs "
        f"{wanted[name].shape if name in wanted else 'not be there'}"
        for name in sorted(set(wanted) | set(values))
        if name not in wanted or name not in values or wanted[name].shape != values[name].shape
    ]
    if wrong:
        raise Refused(f"the parameters do not fit their meta entry: {'; '.join(wrong[:3])}")
    return {name: jnp.asarray(values[name], wanted[name].dtype) for name in wanted}
