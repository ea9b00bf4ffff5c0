"""How well does an agent play Crafter, by the official score?"""

import numpy as np

RANDOM_AGENT = 1.55  # percent; Crafter's authors, noop and 16 other actions drawn uniformly


def unlock_rates(counts):
    """{achievement: percentage of episodes that unlocked it} from {achievement: counts [N]}."""
    return {name: 100.0 * float(np.mean(np.asarray(item) > 0)) for name, item in counts.items()}


def crafter_score(rates):
    """exp(mean ln(1 + s)) - 1 of success rates s in percent (Hafner 2021); NaN without any."""
    percent = np.array(list(rates), float)
    return float(np.expm1(np.log1p(percent).mean())) if len(percent) else float("nan")


def over_seeds(scores):
    """(mean, population standard deviation) of the scores of several seeds, as published."""
    return float(np.mean(scores)), float(np.std(scores))


def deviations(options):
    """Sentences saying how a run's task differs from the benchmark; empty where it is the same."""
    if options["task"] != "crafter":
        return [f"the environment is {options['task']}"]
    world, found = options["env"]["crafter"], []
    if list(world["area"]) != [64, 64]:
        found.append(f"the world has {world['area'][0]} × {world['area'][1]} tiles, not 64 × 64")
    differing = {
        "fixed_seed": "every episode plays the same world",
        "random_spawn": "episodes start at a random tile",
        "egocentric_view": "the view is another one",
        "disable_mobs": "there are no zombies and skeletons",
        "player_pos": "the agent is told its position",
    }
    found += [words for name, words in differing.items() if world.get(name)]
    if world["length"] != 10000:
        found.append(f"episodes end after {world['length']} steps, not 10000")
    return found
