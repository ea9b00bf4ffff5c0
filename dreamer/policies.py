"""Who plays which episodes of a data set, with which seeds."""

from dreamer import tasks
from dreamer.collect import Source
from dreamer.envs import vector
from jobs.errors import Refused

OWN = ("agent", "random", "scripted")


def sources(agents, names, data, tree, tested):
    """[Source] of the policies `names`, as even as whole numbers allow; agent is each of `agents`.

    `data` are the options of the stage, `tree` the world; `tested`: episodes to test on too.
    """
    _check(names, agents, data, tested)
    each = [(name, agent) for name in names
            for agent in (agents if name == "agent" else [None])]  # fmt: skip
    counts = {"episodes": data["episodes"], "test_episodes": data["test_episodes"] * tested}
    for name, total in counts.items():
        if 0 < total < len(each):
            raise Refused(
                f"option data.{name} is {total}, but {len(each)} policies are to play some each"
            )
    found, first, base = [], 0, vector.stream(data["seed"], tree["seed"])
    fixed = tasks.options(tree).get("fixed_seed")
    _check_home(agents, tree, fixed)
    for place, (name, agent) in enumerate(each):
        train, test = (_share(total, place, len(each)) for total in counts.values())
        seed = vector.stream(base, place)
        home = tree["seed"] if fixed else seed
        found.append(Source(place, name, agent, first, train, test, seed, home))
        first += train + test
    return found


def _check_home(agents, tree, fixed):
    """Refuse agents of another fixed world than the one that the data set tells of."""
    others = [agent.header["seed"] for agent in agents if agent.header["seed"] != tree["seed"]]
    if fixed and others:
        raise Refused(
            f"a checkpoint was trained in the fixed world of seed {others[0]}, but that of the "
            f"data set is of seed {tree['seed']}; give both the same seed"
        )


def _share(total, place, count):
    return total // count + (place < total % count)


def _check(names, agents, data, tested):
    unknown = [name for name in names if name not in OWN]
    if unknown or not names or len(set(names)) < len(names):
        raise Refused(f"policies are {names}, but take some of {', '.join(OWN)}, each of them once")
    if ("agent" in names) != bool(agents):
        raise Refused("the policy agent and --checkpoints go together; give both or neither")
    for name in ("episodes", "envs", *(["test_episodes"] if tested else [])):
        if data[name] < 1:
            raise Refused(f"option data.{name} is {data[name]}, but must be above zero")
