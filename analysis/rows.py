"""The form of one number in a table of scores: never without a place for its chance level."""

UNTRAINED = "untrained network"
LEVEL = 0.05
ROUNDING = 1e-6
DOUBT = "No better than "


def row(
    score, value, unit, better, chance=None, chance_name=None, layer=None, representation=None,
    control=None, p=None,
):  # fmt: skip
    """One row of an analysis' summary; `better` is "low" or "high", numbers may be None.

    `p` is that of the value against the null draws whose mean is its chance level.
    """
    return {
        "score": score,
        "layer": layer,
        "representation": representation,
        "value": value,
        "unit": unit,
        "better": better,
        "chance": chance,
        "chance_name": chance_name,
        "control": control,
        "p": p,
    }


def doubts(rows):
    """Sentences that name the scores and layers that beat neither chance nor the control."""
    sides = (("chance", "their chance level"), ("control", f"the {UNTRAINED}"))
    for side, words in sides:
        found = _named(item for item in rows if _no_better(item, side))
        if found:
            yield f"{DOUBT}{words}: {found}."
    found = _named(item for item in rows if unlikely(item) is False)
    if found:
        yield f"{DOUBT}null draws at p ≤ {LEVEL:g}: {found}."


def verdict(item):
    """What a row's value does not beat: of "chance", "control" and "p"; None where none is known.

    A result beats these if it is better than its chance level and than its control and, where its
    null was drawn, p is at most LEVEL.
    """
    known = [item[side] for side in ("chance", "control")] + [item.get("p")]
    if item["value"] is None or all(other is None for other in known):
        return None
    lost = [side for side in ("chance", "control") if _no_better(item, side)]
    return lost + (["p"] if unlikely(item) is False and "chance" not in lost else [])


def unlikely(item):
    """Whether a row's p is at most LEVEL; None where its null was not drawn."""
    p = item.get("p")
    return None if p is None else p <= LEVEL


def _named(rows):
    """The scores of rows, each with its layers."""
    found = {}
    for item in rows:
        found.setdefault(item["score"], {})[item["layer"] or "all"] = None
    return "; ".join(f"{score} ({', '.join(names)})" for score, names in found.items())


def _no_better(item, side):
    """Whether a row's value is no better than its chance level or control.

    False where one is unknown, and where nothing was found and nothing was to be expected.
    """
    value, other = item["value"], item[side]
    if value is None or other is None or value == other == 0:
        return False
    return not beats(value, other, item["better"])


def beats(value, other, better):
    """Whether a value is better than another by more than the rounding of float32 sums."""
    gap = other - value if better == "low" else value - other
    return gap > ROUNDING * max(abs(value), abs(other))
