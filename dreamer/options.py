"""The option tree: defaults, presets stacked left to right, dotted overrides.

An agent family may have options of its own in dreamer/<agent>/presets.yaml; it then shares with the
others the options SHARED and the presets that set nothing else. Unknown names, wrong types and
values out of range are refused with the nearest valid name.
"""

import copy
import difflib
import math
import re
from collections import namedtuple
from functools import cache
from pathlib import Path

import yaml

from jobs.errors import Refused

FILE = Path(__file__).with_name("presets.yaml")
POSITIVE = (
    r"run\.(steps|envs|batch_size|batch_length|updates_per_call)"
    r"|.*\.(depth|units|deter|hidden|stoch|classes|blocks|layers|unroll)"
)
SHARED = ("agent", "task", "seed", "dtype", "logger", "env")
SEEDS = 2**32 - 1
CADENCE = ("run.save_every", "run.video_every", "logger")  # these change no result
CHOICES = {
    r"(.*\.)?platform": ("auto", "cpu", "gpu"),
    r"logger": ("tensorboard", "wandb", "scope", "none"),
    r"dtype": ("auto", "float32", "bfloat16"),
    r".*\.act": ("silu", "relu", "gelu", "tanh"),
    r"replay\.sampler": (
        *("uniform", "uncertainty", "uncertainty_inf", "uncertainty_clipping"),
        *("uncertainty_caching", "priority", "recency", "curious"),
    ),
    r"replay\.initial": ("inf", "mean_std"),
    r"env\.atari(100k)?\.actions": ("all", "needed"),
    r"env\.atari(100k)?\.lives": ("unused", "reset"),
    r"env\.minigrid\.view": ("pixels", "symbols"),
    r"env\.procgen\.mode": ("easy", "hard"),
}


def resolve(configs=(), overrides=None):
    """The whole option tree after presets (names) and overrides ({'run.steps': 100})."""
    agent = (overrides or {}).get("agent", _file()["defaults"]["agent"])
    return override(unflatten(copy.deepcopy(_preset(str(agent), tuple(configs)))), overrides)


@cache
def _preset(agent, configs):
    """The flat options after presets; a large study asks for the same ones thousands of times."""
    known = _known(agent)
    values, presets = {**flatten(known["defaults"]), "agent": agent}, known["presets"]
    for name in configs:
        if name not in presets and name in _file()["presets"]:
            raise Refused(f"preset '{name}' sets options that agent {agent} does not have")
        if name not in presets:
            raise Refused(f"there is no preset '{name}'{_suggest(name, presets)}")
        for pattern, value in presets[name].items():
            values = _assign(values, pattern, value, f"preset {name}")
    return values


def presets(agent):
    """Names of the presets that an agent family has."""
    return list(_known(agent)["presets"])


@cache
def _known(agent):
    """{defaults, presets, positive} of an agent family."""
    path = FILE.parent / agent / FILE.name
    if not path.is_file():
        return {**_file(), "positive": POSITIVE}
    own = yaml.safe_load(path.read_text())
    shared = {name: _file()["defaults"][name] for name in SHARED}
    flat = flatten(shared)
    common = {
        name: preset
        for name, preset in _file()["presets"].items()
        if all(any(_match(pattern, option) for option in flat) for pattern in preset)
    }
    return {**own, "defaults": shared | own["defaults"], "presets": common | own["presets"]}


def stage(name, overrides=None):
    """Options of a stage (`record`, `dreams`) after overrides ({'record.episodes': 5})."""
    return override({name: copy.deepcopy(_file()["stages"][name])}, overrides)[name]


def override(tree, overrides):
    """The tree with single options replaced: {'run.steps': 100}."""
    values = flatten(tree)
    for name, value in (overrides or {}).items():
        if name not in values:
            raise Refused(f"there is no option '{name}'{_suggest(name, values)}")
        values[name] = check(name, value, values[name], _positive(values))
    return unflatten(values)


def result(tree):
    """The tree with the options that change no result at their defaults."""
    flat, defaults = flatten(tree), flatten(_known(tree["agent"])["defaults"])
    return unflatten(flat | {name: defaults[name] for name in CADENCE if name in defaults})


def check(name, value, default, positive=POSITIVE):
    """`value` as the type of `default`, or a refusal that names option, value and what it takes."""
    if isinstance(default, float) and not isinstance(value, bool):
        try:  # YAML 1.1 reads 1e-3 as text
            value = float(value)
        except (TypeError, ValueError):
            raise Refused(f"option {name} is {value!r}, but takes a number") from None
    if isinstance(default, float) and not math.isfinite(value):
        raise Refused(f"option {name} is {value}, but takes a finite number")
    if isinstance(default, str) and value is None:
        value = ""
    if isinstance(default, list) and isinstance(value, str):
        value = [value]
    if type(value) is not type(default):
        takes = {
            "int": "a whole number",
            "float": "a number",
            "bool": "true or false",
            "list": "a list",
        }
        kind = takes.get(type(default).__name__, "a text")
        raise Refused(f"option {name} is {value!r}, but takes {kind}")
    if isinstance(value, int | float) and (value < 0 or (value == 0 and _match(positive, name))):
        least = "above zero" if _match(positive, name) else "zero or more"
        raise Refused(f"option {name} is {value}, but must be {least}")
    choices = next((CHOICES[pattern] for pattern in CHOICES if _match(pattern, name)), None)
    if isinstance(value, list) and not choices and any(type(item) is not int for item in value):
        raise Refused(f"option {name} is {value!r}, but takes a list of whole numbers")
    if name == "seed" and value > SEEDS:
        raise Refused(f"option {name} is {value}, but takes 0 to {SEEDS}")
    if choices and any(x not in choices for x in (value if isinstance(value, list) else [value])):
        kind = "a list of" if isinstance(value, list) else "one of"
        raise Refused(f"option {name} is {value!r}, but takes {kind} {', '.join(choices)}")
    return value


def flatten(tree, prefix=""):
    """{'run': {'steps': 1}} to {'run.steps': 1}."""
    flat = {}
    for key, value in tree.items():
        nested = isinstance(value, dict)
        flat |= flatten(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat


def unflatten(flat):
    """{'run.steps': 1} to {'run': {'steps': 1}}."""
    tree = {}
    for name, value in flat.items():
        *folders, last = name.split(".")
        node = tree
        for folder in folders:
            node = node.setdefault(folder, {})
        node[last] = value
    return tree


def frozen(name, block):
    """A block of options as a named tuple: hashable, so that compiled code may depend on it."""
    fixed = {
        key: tuple(value) if isinstance(value, list) else value for key, value in block.items()
    }
    return namedtuple(name, fixed)(**fixed)


def _assign(values, pattern, value, source):
    names = [name for name in values if name == pattern or _match(pattern, name)]
    if not names:
        raise Refused(f"{source} sets '{pattern}', which no option matches")
    positive = _positive(values)
    return values | {name: check(name, value, values[name], positive) for name in names}


def _positive(values):
    """Pattern of the options above zero of the family whose option tree `values` is, if any."""
    return _known(values["agent"]).get("positive", "") if "agent" in values else POSITIVE


def _match(pattern, name):
    return re.fullmatch(pattern, name) is not None


def _suggest(name, known):
    near = difflib.get_close_matches(name, list(known), 1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(list(known)[:12])}…"


@cache
def _file():
    return yaml.safe_load(FILE.read_text())
