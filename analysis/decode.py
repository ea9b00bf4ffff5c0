"""Decode one representation on steps that its decoder has not seen.

In the shapes, Q is test steps (all folds one after another), D units.
"""

import numpy as np

from analysis import decoders, errors, fitting, nulls, planning, probmaps, sources


def evaluate(plan, source, options):
    """What one representation tells: {method: columns [Q]}, {method: Decoder} of all rows, details.

    None where the activity is not finite.
    """
    inputs, tests = sources.read(source, plan, options)
    if not sources.finite(inputs, tests):
        return None
    parts, maps, settings, found = {method: [] for method in options["methods"]}, {}, [], None
    for rows, held in plan.folds:
        own, others = sources.of_fold(source, plan, rows, (inputs, tests), options)
        found = _fit(plan, source, own, rows, options)
        settings.append(_settings(found))
        for method, decoder in found.items():
            guess, truth = decoders.apply(decoder, others[held]), plan.test.position[held]
            parts[method].append(columns(guess, truth))
            if guess.probabilities is not None:
                maps[method] = maps.get(method, 0) + _maps(plan, guess, truth)
    final = found if found and plan.test is not plan.train else None
    final = final or _fit(plan, source, inputs, plan.rows, options)
    details = {"units": inputs.shape[1], "folds": settings, "probmaps": _sparse(plan, maps)}
    details["nulls"] = nulls.evaluate(plan, inputs, final, options)
    details["leaky"] = nulls.leaky(plan, inputs, final, options) if source.layers else None
    return {method: _join(items) for method, items in parts.items() if items}, final, details


def columns(guess, truth):
    """{x, y, p (of the true tile), entropy (bits)} [Q]; NaN where ridge has no answer."""
    found = {"x": guess.point[:, 0].astype(float), "y": guess.point[:, 1].astype(float)}
    blank = np.full(len(truth), np.nan)
    if guess.probabilities is None:
        return {**found, "p": blank, "entropy": blank}
    own = errors.columns(guess.tiles, truth)
    probability = errors.own(guess.probabilities, own)
    return {**found, "p": probability, "entropy": errors.entropy(guess.probabilities)}


def _fit(plan, source, inputs, rows, options):
    found, floor = plan.train, planning.floor_tiles(plan.train, rows).mean()
    area = tuple(found.header["area"])
    data = fitting.Data(inputs[rows], found.position[rows], found.episode[rows], area)
    return fitting.fit(options["methods"], source.layers, data, options, floor)


def _join(parts):
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _maps(plan, guess, truth):
    chosen = probmaps.choose(plan.test.position[plan.tested])
    return probmaps.total(guess, truth, chosen, plan.test.header["area"])


def _sparse(plan, maps):
    truth = plan.test.position[plan.tested]
    return {
        method: probmaps.sparse(found, truth, probmaps.choose(truth))
        for method, found in maps.items()
    }


def _settings(found):
    return {
        method: {"strength": decoder.strength, "solved": decoder.solved}
        for method, decoder in found.items()
    }
