"""What evaluated episodes say: means with intervals, and differences of players, paired.

Rows are {player, mode, return, length, died, achievements (counts) or None, ...}, one per episode;
those of two players stand in the same order of seeds and episodes.
"""

import numpy as np

from dreamer import players, scores
from dreamer.scores import row


def summary(rows, found, achievements, collected):
    """Rows of the report's table; chance is what random actions reach."""
    lines = []
    chance = _take(rows, players.Player(players.RANDOM))
    for player in found:
        mine = _take(rows, player)
        beside = (None, None) if player.agent is None else (chance, "random actions")
        lines += _lines(player.label, mine, *beside, achievements)
    for item in paired(rows, found):
        words = f"return of {item['player']} minus {item['minus']}, same episodes"
        for end in ("mean", "low", "high"):
            label = {"mean": "", "low": ": lower end", "high": ": upper end"}[end]
            lines.append(row(words + label, item[end], "reward", "high", 0.0, "no difference"))
    best = _take(rows, found[0])["return"].mean()
    for name, told in collected.items():
        words = f"return of {found[0].label}, beside who collected the data ({name})"
        lines.append(row(words, best, "reward", "high", told["return"],
                         f"{told['episodes']} episodes of the data set"))  # fmt: skip
    return lines


def _lines(label, mine, chance, chance_name, achievements):
    """Numbers of one player."""
    low, high = scores.interval(mine["return"])
    other = {name: None if chance is None else chance[name].mean() for name in ("return", "length")}
    yield row(f"return, {label}", mine["return"].mean(), "reward", "high", other["return"],
              chance_name)  # fmt: skip
    for words, end in (("lower", low), ("upper", high)):
        yield row(f"return, {label}: {words} end", end, "reward", "high", other["return"],
                  chance_name)  # fmt: skip
    yield row(f"episode length, {label}", mine["length"].mean(), "steps", "high", other["length"],
              chance_name)  # fmt: skip
    if achievements and mine["achievements"].shape[1]:
        beside = None if chance is None else crafter_score(chance["achievements"])
        yield row(f"Crafter score, {label}" if len(achievements) > 1 else
                  f"episodes with {achievements[0].replace('_', ' ')}, {label}",
                  crafter_score(mine["achievements"]), "%", "high", beside,
                  chance_name)  # fmt: skip


def paired(rows, found):
    """[{player, minus, mean, low, high, episodes}]: the first agent minus the others and chance."""
    lines = []
    for mine in found:
        if mine.name != found[0].name:
            continue
        for other in found:
            alike = other.agent is None or other.sample == mine.sample
            if other.name != mine.name and alike:
                gap = _take(rows, mine)["return"] - _take(rows, other)["return"]
                low, high = scores.interval(gap)
                lines.append({"player": mine.label, "minus": other.label, "low": low, "high": high,
                              "mean": float(gap.mean()), "episodes": len(gap)})  # fmt: skip
    return lines


def crafter_score(counts):
    """exp(mean ln(1 + s)) - 1 of success rates s in percent, from counts [N, achievements]."""
    rates = 100 * (np.asarray(counts) > 0).mean(0)
    return float(np.expm1(np.log1p(rates).mean()))


def _take(rows, player):
    """{return, length: [N], achievements [N, A]} of a player's episodes."""
    mode = players.MODES[player.sample]
    mine = [item for item in rows if (item["player"], item["mode"]) == (player.name, mode)]
    found = {name: np.array([item[name] for item in mine], float) for name in ("return", "length")}
    return found | {"achievements": np.array([item["achievements"] or [] for item in mine], int)}
