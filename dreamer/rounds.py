"""The episodes of an evaluation: every player, seed by seed, some of them filmed."""

from itertools import product

from dreamer import films, players, stages, tasks

FILMED = 1


def play(found, first, options, video=None, film=None):
    """[{player, mode, seed, episode, return, length, died, achievements}] of all players.

    `options` are those of the stage. The first FILMED episodes of each agent and seed are written
    into the folder `video`, if there is one; the very first also as a GIF into the file `film`.
    """
    rows, tree = [], first.options
    total = len(found) * len(options["seeds"]) * options["episodes"]
    fixed = tasks.options(tree).get("fixed_seed")
    with stages.Progress("evaluating", total, "episodes", "steps") as progress:
        for player, seed in product(found, options["seeds"]):
            gif = None if rows else film
            world = first.header["seed"] if fixed else seed
            kept = _kept(player, options, video or gif)
            game = players.play(player, tree, world, seed, kept, options["envs"])
            lines = _finish(game, progress, len(rows))
            rows += [{"player": player.name, "mode": player.mode, "seed": seed,
                      "episode": number} | line
                     for number, line in enumerate(lines)]  # fmt: skip
            if gif:
                films.gif(gif, kept.films.get(0), first.header["world"]["actions"])
            if video:
                _show(video, player, seed, kept)
    return rows


def columns(rows, achievements):
    """{column: values}, one row per episode."""
    names = ("player", "mode", "seed", "episode", "return", "length", "died")
    found = {name: [row[name] for row in rows] for name in names}
    for place, name in enumerate(achievements):
        found[f"achievement_{name}"] = [
            row["achievements"][place] if row["achievements"] else None for row in rows
        ]
    return found


def _kept(player, options, filmed):
    image = players.pictures(player.agent) if filmed and player.agent else None
    return players.Kept(options["episodes"], image, FILMED)


def _show(folder, player, seed, kept):
    """Write what was filmed."""
    for episode, film in sorted(kept.films.items()):
        about = {"player": player.name, "mode": player.mode, "seed": seed, "episode": episode}
        about |= {name: kept.lines[episode][name] for name in ("return", "length")}
        name = f"{player.name}_{player.mode}_seed{seed}_episode{episode}".replace(" ", "_")
        films.write(folder, name, film, player.agent.header["world"]["actions"], about)


def _finish(game, progress, done):
    """What a generator returns, telling the progress."""
    while True:
        try:
            finished, steps = next(game)
        except StopIteration as end:
            return end.value
        done += finished
        progress.update(done, steps)
