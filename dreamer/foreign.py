"""The settings of a foreign run (config.yaml of the authors' implementation, or a fork) as ours.

Three kinds of settings decide what a trained agent computes: those with a counterpart here, those
that are always the same here, and those that mattered while it was trained. Other settings, of the
machine or the logger, are ignored.
"""

import re
from pathlib import Path

import yaml

from dreamer import checks, options
from dreamer.foreign_names import ADDED, CHOICES, FIXED, QUIET, SAME, TRAINING
from dreamer.plain import brief
from jobs.errors import Refused

NEEDED = ("agent.dyn.rssm.deter", "agent.enc.simple.depth", "task")
NODES = 100_000  # of a config.yaml, each as often as an alias repeats it
FAULTS = (
    *(yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError),
    *(OverflowError, RecursionError),
)
OFF = (None, False, 0, "", "none")


def read(path):
    """{dotted name: value} of a config.yaml; a file that is none is refused."""
    try:
        text = Path(path).read_text()
        _check_size(yaml.compose(text, yaml.SafeLoader))
        found = yaml.safe_load(text)
    except FAULTS as error:
        raise Refused(f"{path} is not YAML ({' '.join(str(error).split())[:120]})") from None
    found = options.flatten(found) if isinstance(found, dict) else {}
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise Refused(f"{path} is no config of a DreamerV3 run: it lacks {', '.join(missing)}")
    return found


def _check_size(root):
    """Refuse YAML whose aliases stand for more than any configuration holds."""
    left, nodes = NODES, [root]
    while nodes:
        node = nodes.pop()
        inside = [] if isinstance(node, yaml.ScalarNode | None) else node.value
        if isinstance(node, yaml.MappingNode):
            inside = [part for pair in inside for part in pair]
        left -= len(inside)
        if left < 0:
            raise ValueError(f"it has more than {NODES} values")
        nodes += inside


def tree(path, **more):
    """The option tree of the run that `path` (config.yaml) describes, and `more` set on top."""
    settings = read(path)
    _check(settings, path)
    chosen = {"env.crafter.fixed_seed": False}
    chosen["seed"] = _value("seed", settings.get("seed", 0), path)
    if settings.get("jax.compute_dtype") == "float32":
        chosen["dtype"] = "float32"
    for name, ours in SAME.items():
        if name in settings:
            chosen[ours] = _value(name, settings[name], path)
    try:
        found = options.resolve([], {**chosen, **more})
        checks.check(found)
        return found
    except Refused as error:
        raise Refused(f"{path} sets what is not possible here: {error}") from None


def trained_with(path):
    """Sorted ["name: value"] of settings with which it was trained and that are not here."""
    settings = read(path)
    found = [name for name in TRAINING if name in settings and not _same(name, settings)]
    found += [name for name, value in settings.items() if _added(name) and not _off(value)]
    return [f"{name}: {settings[name]}" for name in sorted(found)]


def _check(settings, path):
    """Refuse by name, all at once, settings by which the network would compute something else."""
    wrong = [
        f"{name} is {brief(settings[name])}, but only {value!r} is possible here"
        for name, value in FIXED.items()
        if name in settings and not _equal(settings[name], value)
    ]
    wrong += [
        f"{name} is {brief(settings[name])}, but takes one of {', '.join(map(str, values))}"
        for name, values in CHOICES.items()
        if name in settings and not any(_equal(settings[name], value) for value in values)
    ]
    wrong += [
        f"{name} is {brief(value)}, and what it does is not known here"
        for name, value in settings.items()
        if re.match(r"(agent|env\.crafter)\.", name) and not _known(name) and not _off(value)
    ]
    if wrong:
        raise Refused(f"{path} describes an agent that cannot be imported: {'; '.join(wrong)}")


def _known(name):
    known = (SAME, FIXED, TRAINING, CHOICES)
    return any(name in part for part in known) or re.fullmatch(f"{ADDED}|{QUIET}", name)


def _same(name, settings):
    return _equal(settings[name], TRAINING[name])


def _added(name):
    return name not in SAME and re.fullmatch(ADDED, name)


def _value(name, value, path):
    """Whole numbers that YAML holds as 5e6 or 5000000.0 as such."""
    whole = ("seed", "steps", "envs", "size", "length", "context", "horizon", "warmup")
    if name.endswith(whole) and type(value) not in (bool, list, int):
        number = _number(value)
        if number is None or not number.is_integer():
            raise Refused(f"{path} sets {name} to {brief(value)}, but it is a whole number")
        return int(number)
    return value


def _off(value):
    return any(value is item or value == item for item in OFF)


def _equal(value, wanted):
    if isinstance(wanted, float):
        return _number(value) == wanted
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _number(value):
    try:  # YAML 1.1 reads 1e-3 as text
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
