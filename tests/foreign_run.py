"""Small run directories and recordings as forks of the authors' implementation write them."""

import pickle
from functools import partial
from pathlib import Path

import gymnasium
import jax
import numpy as np
import yaml

from dreamer import family, options, spaces

STAMP = "20260128T191812F151378"
SETTINGS = {
    "task": "crafter_reward",
    "seed": 3,
    "batch_size": 16,
    "jax": {"compute_dtype": "bfloat16", "platform": "cuda"},
    "run": {"steps": 1.1e6, "envs": 1, "train_ratio": 512.0},
    "replay": {"size": 5e6, "fracs": {"uniform": 1.0}},
    "env": {"crafter": {"size": [64, 64], "logs": False}, "atari": {"noops": 30}},
    "agent": {
        "enc": {"typ": "simple", "simple": {"depth": 2, "layers": 3, "units": 8, "symlog": True}},
        "dec": {"typ": "simple", "simple": {"depth": 2, "layers": 3, "units": 8, "bspace": 8}},
        "dyn": {"typ": "rssm", "rssm": {"deter": 8, "hidden": 3, "stoch": 2, "classes": 4,
                                        "blocks": 4, "imglayers": 2, "winit": "trunc_normal"}},
        "rewhead": {"layers": 1, "units": 8, "bins": 5, "output": "symexp_twohot"},
        "conhead": {"layers": 1, "units": 8, "output": "binary"},
        "policy": {"layers": 3, "units": 8, "unimix": 0.01},
        "value": {"layers": 3, "units": 8, "bins": 5},
        "opt": {"lr": "4e-05", "wd": 0.0},
        "repl_loss": {"slowtar": False},
    },
}  # fmt: skip


def merged(base, change):
    """`base` with the nested `change` on top."""
    both = {**base, **change}
    nested = [key for key in change if isinstance(change[key], dict) and key in base]
    return both | {key: merged(base[key], change[key]) for key in nested}


def parameters(told, actions=17):
    """{name: array} of a small agent with the shapes of SETTINGS, `told` its position or not."""
    seen = {"image": gymnasium.spaces.Box(0, 255, (64, 64, 3), np.uint8)}
    overrides = {"run.steps": 1, "dec.layers": 3, "enc.layers": 3, "pol.layers": 3, "val.layers": 3}
    if told:
        seen["player_pos"] = gymnasium.spaces.Box(0, 63, (2,), np.float32)
        overrides |= {"enc.keys": "^(image|player_pos)$", "dec.keys": "^(image|player_pos)$"}
    found = spaces.of(gymnasium.spaces.Dict(seen), gymnasium.spaces.Discrete(actions))
    init = partial(family.load("v3").init, options.resolve(["debug"], overrides), found)
    return jax.device_get(init(jax.random.key(0)).params.values)


def save(folder, values, settings=None, stamp=STAMP):
    """Write a run directory with these parameters, `settings` on top of SETTINGS."""
    place = Path(folder) / "ckpt" / stamp
    place.mkdir(parents=True)
    (place.parent / "latest").write_text(f"{stamp}\n")
    optimizer = {"opt/state/1/0": np.int32(7), "opt/state/1/1/enc/cnn0/bias": np.zeros(4)}
    agent = {"params": {**values, **optimizer}, "counters": {"updates": 5, "batches": 0}}
    (place / "agent.pkl").write_bytes(pickle.dumps(agent))
    (place / "step.pkl").write_bytes(pickle.dumps(14649))
    text = yaml.safe_dump(merged(SETTINGS, settings or {}))
    (Path(folder) / "config.yaml").write_text(text)
    return Path(folder)


def episode(number, steps=12, **more):
    """A recorded episode in the oldest form of the fork, `more` keys on top."""
    rng = np.random.default_rng(number)
    return {
        "player_pos": (20 + rng.integers(0, 5, (steps, 2))).astype(np.float32),
        "reward": np.linspace(0, 1, steps),
        "action": rng.integers(0, 17, steps).astype(np.int32),
        "image": rng.integers(0, 255, (steps, 64, 64, 3)).astype(np.uint8),
        "deter": rng.normal(size=(steps, 6)).astype(np.float32),
        "stoch": np.eye(4, dtype=np.float32)[rng.integers(0, 4, (steps, 3))],
        "episode": number,
        "length": steps,
        "total_reward": 1.0,
        **more,
    }


def newer(number, steps=12):
    """An episode as the fork writes it now: facing, vitals, achievements and all layers."""
    rng = np.random.default_rng(number)
    return episode(
        number,
        steps,
        player_facing=np.array([(0, 1), (-1, 0)] * (steps // 2)),
        **{f"vital_{name}": np.full(steps, 9) for name in ("health", "food", "drink", "energy")},
        achievements=[{"collect_wood": step // 4, "wake_up": 0} for step in range(steps)],
        layer_names=["enc/cnn0", "pol/mlp/linear0"],
        final_achievements={"collect_wood": 2},
        **{"act/pol/mlp/linear0": rng.normal(size=(steps, 5)).astype(np.float32)},
        **{"act/enc/cnn0": rng.normal(size=(steps, 2, 2, 3)).astype(np.float32)},
    )


def save_episodes(folder, episodes):
    """One pickle per episode, named by its place."""
    Path(folder).mkdir(exist_ok=True)
    for index, found in enumerate(episodes):
        (Path(folder) / f"episode_{index:03d}.pkl").write_bytes(pickle.dumps(found))
    return Path(folder)
