"""What evaluated episodes say: means with intervals, and differences of players, paired.

Rows are {player, mode, seed, return, length, died, achievements (counts) or None, ...}, one per
episode; those of two players stand in the same order of seeds and episodes.
"""

import numpy as np

from dreamer import atari_scores, players, scores
from dreamer.scores import row

ENDS = {"low": "lower end", "high": "upper end"}
NORMALISED = "human-normalised return"


def summary(rows, found, achievements, collected, task):
    """Rows of the report's table; chance is what random actions reach."""
    lines = []
    chance = _take(rows, players.Player(players.RANDOM))
    for player in found:
        mine = _take(rows, player)
        beside = (None, None) if player.agent is None else (chance, "random actions")
        lines += _lines(player.label, mine, *beside, _unlocking(achievements, task))
        lines += _normalised(player, mine, task)
    for item in paired(rows, found):
        for end, label in {"mean": "", **{end: f": {said}" for end, said in ENDS.items()}}.items():
            lines.append(
                row(_pair(item) + label, item[end], "reward", "high", 0.0, "no difference")
            )
    best = _take(rows, found[0])["return"].mean()
    for name, told in collected.items():
        words = f"return of {found[0].label}, beside who collected the data ({name})"
        lines.append(row(words, best, "reward", "high", told["return"],
                         f"{told['episodes']} episodes of the data set"))  # fmt: skip
    return lines


def _lines(label, mine, chance, chance_name, unlocking):
    """Numbers of one player; the ends of the return's interval too, of others `intervals` tells."""
    other = {name: None if chance is None else chance[name].mean() for name in ("return", "length")}
    ends = scores.interval(scores.by_seed(mine["return"], mine["seed"]))
    told = [mine["return"].mean(), *ends]
    for end, value in zip(("", *(f": {said}" for said in ENDS.values())), told, strict=True):
        yield row(f"return, {label}{end}", value, "reward", "high", other["return"], chance_name)
    yield row(f"episode length, {label}", mine["length"].mean(), "steps", "high", other["length"],
              chance_name)  # fmt: skip
    if _counted(mine, unlocking):
        beside = None if chance is None else crafter_score(chance["achievements"])
        value = crafter_score(mine["achievements"])
        yield row(f"{unlocking}, {label}", value, "%", "high", beside, chance_name)


def intervals(rows, found, achievements, task):
    """{score of the summary: (low, high) at 95%} of all players and pairs."""
    told = {}
    for player in found:
        mine, label = _take(rows, player), player.label
        for name, words in (("return", "return"), ("length", "episode length")):
            told[f"{words}, {label}"] = scores.interval(scores.by_seed(mine[name], mine["seed"]))
        if atari_scores.normalised(task, 0.0) is not None:
            told[f"{NORMALISED}, {label}"] = tuple(
                atari_scores.normalised(task, end) for end in told[f"return, {label}"]
            )
        if _counted(mine, achievements):
            got = scores.by_seed(mine["achievements"] > 0, mine["seed"])
            told[f"{_unlocking(achievements, task)}, {label}"] = scores.interval(got, _score)
    return told | {_pair(item): (item["low"], item["high"]) for item in paired(rows, found)}


def _pair(item):
    return f"return of {item['player']} minus {item['minus']}, same episodes"


def _counted(mine, achievements):
    return bool(achievements) and mine["achievements"].shape[1] > 0


def _unlocking(achievements, task):
    """What the score of achievements is called, if there are any; of one it is the share of
    episodes."""
    if len(achievements) > 1:
        return "Crafter score" if task == "crafter" else "achievements by Crafter's formula"
    return "".join(f"episodes with {name.replace('_', ' ')}" for name in achievements)


def _normalised(player, mine, task):
    value = atari_scores.normalised(task, mine["return"].mean())
    if value is not None:
        yield row(
            f"{NORMALISED}, {player.label}", value, "%", "high", 0.0, "random play, as published"
        )


def unlocked(rows, found, achievements):
    """[{player, mode, achievement, rate, low, high}]: share of episodes with each, in percent."""
    lines = []
    for player in found:
        mine = _take(rows, player)
        for place, name in enumerate(achievements if mine["achievements"].shape[1] else ()):
            got = 100.0 * (mine["achievements"][:, place] > 0)
            low, high = scores.interval(scores.by_seed(got, mine["seed"]))
            lines.append({"player": player.name, "mode": player.mode, "achievement": name,
                          "rate": float(got.mean()), "low": low, "high": high})  # fmt: skip
    return lines


def paired(rows, found):
    """[{player, minus, mean, low, high, episodes}]: the first agent minus the others and chance."""
    lines = []
    for mine in found:
        if mine.name != found[0].name:
            continue
        for other in found:
            alike = other.agent is None or other.sample == mine.sample
            if other.name != mine.name and alike:
                told = _take(rows, mine)
                gap = told["return"] - _take(rows, other)["return"]
                low, high = scores.interval(scores.by_seed(gap, told["seed"]))
                lines.append({"player": mine.label, "minus": other.label, "low": low, "high": high,
                              "mean": float(gap.mean()), "episodes": len(gap)})  # fmt: skip
    return lines


def crafter_score(counts):
    """exp(mean ln(1 + s)) - 1 of success rates s in percent, from counts [N, achievements]."""
    return float(_score((np.asarray(counts) > 0).mean(0)))


def _score(rates):
    """The same [...] from rates [..., achievements] between 0 and 1."""
    return np.expm1(np.log1p(100 * rates).mean(-1))


def _take(rows, player):
    """{return, length, seed: [N], achievements [N, A]} of a player's episodes."""
    mine = [item for item in rows if (item["player"], item["mode"]) == (player.name, player.mode)]
    found = {name: np.array([item[name] for item in mine], float) for name in ("return", "length")}
    counts = np.array([item["achievements"] or [] for item in mine], int)
    return found | {"achievements": counts, "seed": np.array([item["seed"] for item in mine])}
