"""Any Gymnasium environment as the rest of the project wants one: seeded by its episodes.

Episode k depends on its seed and its actions alone, so it can be played without those before it.
What an environment tells of itself beyond Gymnasium is optional: an attribute `world` (a dict, see
`Adapter.world`), and in `info` position [x, y], facing (an index into trajectory.FACINGS),
achievements, terrain at the reset and terrain_changed after it, and numbers to log (`log_...`).
"""

import numpy as np

from dreamer.columns import VITALS
from dreamer.envs import facts as telling
from dreamer.envs.actions import Actions
from dreamer.envs.numbered import Numbered
from dreamer.envs.observations import Observations
from dreamer.spaces import HIDDEN
from jobs.errors import Refused

FACTS = ("position", "facing", "vitals", "achievements", "terrain", "terrain_changed")
WIDEST = 2**15  # tiles of a side that a recording's x and y can count, int16
COLUMNS = {  # of a recording, that are absent where `info` does not have the fact
    "position": ("x", "y"),
    "facing": ("facing",),
    "vitals": VITALS,
    "terrain": ("terrain", "terrain_changed"),
}


class Adapter(Numbered):
    """`env`, whose episode number `n_resets` is that of (spawn_seed, n_resets).

    `repeat`: how often an action is taken, `length`: steps after which an episode is cut (0: the
    environment's own), `keys` and `size`: see Observations, `tile`: the unit of positions, which
    are rounded down to whole tiles.
    """

    def __init__(self, env, spawn_seed, keys=".*", size=(), repeat=1, length=0, tile=1.0):
        super().__init__(spawn_seed)
        self._env = env
        self._see, self._act = (
            Observations(env.observation_space, keys, size),
            Actions(env.action_space),
        )
        self.observation_space, self.action_space = self._see.space, self._act.space
        self.render_mode, self.metadata = env.render_mode, env.metadata
        self._repeat, self._length, self._tile = max(1, repeat), length, tile
        self._told, self._steps = self._says(getattr(env.unwrapped, "world", {})), 0
        self._world, self._begun = None, ()

    @property
    def world(self):
        """What actions and the ids in `info` mean, and which columns a recording cannot have.

        An environment that does not say what is `absent` is reset once to see.
        """
        if self._world is None:
            told = dict(self._told)
            if "absent" not in told:
                told["absent"] = self._absent()
            if self._tile != 1:
                told["absent"] = sorted({*told["absent"], *COLUMNS["terrain"]})
            self._world = told
        return self._world

    def reset(self, *, seed=None, options=None):
        """Begin the next episode, or the one after options["n_resets"] resets.

        A `seed` replaces that of the environment and counts the resets from zero.
        """
        number, self._steps = self.begin(seed, options), 0
        observation, info = self._env.reset(seed=episode_seed(*self._seeds, number))
        facts = self._facts(info)
        self._begun = tuple(facts)
        telling.check(facts, self._told, self._begun, over=False)
        return self._see(observation), facts

    def step(self, action):
        """Gymnasium's five values; rewards of a repeated action are summed."""
        action, total = self._act(action), 0.0
        for _ in range(self._repeat):
            observation, reward, dead, late, info = self._env.step(action)
            total += float(reward)
            if dead or late:
                break
        self._steps += 1
        late = late or (bool(self._length) and self._steps >= self._length)
        late = bool(late) and not dead
        facts = self._facts(info)
        if not dead and not late:
            facts.pop("terrain_changed", None)
        telling.check(facts, self._told, self._begun, dead or late)
        return self._see(observation), total, bool(dead), late, facts

    def render(self):
        """The environment's own picture."""
        return self._env.render()

    def close(self):
        """Close the environment."""
        self._env.close()

    def _facts(self, info):
        found = {name: np.asarray(info[name]) for name in FACTS if name in info}
        found |= {name: value for name, value in info.items() if name.startswith(HIDDEN)}
        if self._tile != 1:  # the terrain is in the environment's own tiles
            found = {name: found[name] for name in found if not name.startswith("terrain")}
        if "position" in found:
            found["position"] = telling.tile(found["position"], self._tile)
        return found

    def _says(self, world):
        """What the environment says of itself, with its area in tiles.

        Box2D's environments keep their physics in an attribute of this name.
        """
        world = world if isinstance(world, dict) else {}
        told = {"actions": self._act.names(), "achievements": [], "area": [0, 0], **world}
        if len(told["area"]) != 2:
            raise Refused(f"the area in the environment's world is {told['area']}, not two sides")
        area = [int(np.ceil(side / self._tile)) for side in told["area"]]
        if max(area) > WIDEST:
            raise Refused(
                f"the environment's area is {area[0]} x {area[1]} tiles, but recordings hold "
                f"positions below {WIDEST:,}; take a larger env.gym.tile"
            )
        return told | {"area": area}

    def _absent(self):
        before = self.n_resets
        found = self.reset()[1]
        self.n_resets = before
        names = [name for fact, own in COLUMNS.items() if fact not in found for name in own]
        return sorted([*names, *image_absent(self.observation_space)])


def image_absent(space):
    """["image"] where there is no observation of this name that a recording could keep."""
    image = space.spaces.get("image")
    drawn = image is not None and len(image.shape) == 3 and image.shape[-1] in (1, 3)
    return [] if drawn else ["image"]


def episode_seed(seed, number):
    """Seed below 2^31 of the episode after `number` resets."""
    return int(np.random.SeedSequence([int(seed), int(number)]).generate_state(1)[0] >> 1)
