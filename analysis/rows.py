"""The form of one number in a table of scores: never without a place for its chance level."""


def row(score, value, unit, better, chance=None, chance_name=None, layer=None, representation=None):
    """One row of an analysis' summary; `better` is "low" or "high", numbers may be None."""
    return {
        "score": score,
        "layer": layer,
        "representation": representation,
        "value": value,
        "unit": unit,
        "better": better,
        "chance": chance,
        "chance_name": chance_name,
        "control": None,
    }
