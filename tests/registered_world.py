"""A module that registers a world under an id, when it is imported."""

import gymnasium

gymnasium.register("Late-v0", "tests.many_spaces:Everything")
