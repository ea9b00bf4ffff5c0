"""The form of one number in a table of scores: never without a place for its chance level."""


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
    sides = (("chance", "their chance level"), ("control", "the untrained network"))
    for side, words in sides:
        worse = {}
        for item in rows:
            if _no_better(item, side):
                worse.setdefault(item["score"], []).append(item["layer"] or "all")
        if worse:
            listed = "; ".join(f"{score} ({', '.join(names)})" for score, names in worse.items())
            yield f"No better than {words}: {listed}."


def _no_better(item, side):
    """Whether a row's value is no better than its chance level or control.

    False where one is unknown, and where nothing was found and nothing was to be expected.
    """
    value, other = item["value"], item[side]
    if value is None or other is None or value == other == 0:
        return False
    return value >= other if item["better"] == "low" else value <= other
