"""How decoders and networks look in every figure of position decoding."""

from analysis import style

COLOURS = {"ridge": style.BLUE, "robust": style.ORANGE, "prnn": style.GREEN}
MARKERS = {"ridge": "o", "robust": "D", "prnn": "s"}
UNTRAINED = "untrained"


def colour(method):
    """The colour of a method, whatever is said in brackets after it."""
    return COLOURS[method.split()[0]]


def marker(method):
    """Its marker."""
    return MARKERS[method.split()[0]]


def label(method, network):
    """Its name in a legend; the trained network goes without saying."""
    return f"{method}, untrained network" if network == UNTRAINED else method


def networks(table):
    """[((method, network), rows)] of a step table, the trained network first."""
    parts = table.groupby(["method", "network"], sort=True)
    return sorted(parts, key=lambda item: (item[0][1] == UNTRAINED, item[0][0]))
