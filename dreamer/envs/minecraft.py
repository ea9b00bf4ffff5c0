"""Minecraft's diamond (Hafner et al. 2023), written against the interface of MineRL 0.4.

UNTESTED with the real package, which builds a Java program: tests use a stand-in that speaks the
interface. As published: 25 actions, an attack or jump is held on, the head turns in steps, and each
of twelve items gives a reward of 1 the first time; the stronger blows need a changed MineRL.
"""

import gymnasium
import numpy as np

from dreamer.columns import VITALS
from dreamer.envs import extras
from dreamer.envs.adapter import Adapter
from jobs.errors import Refused

ITEMS = (
    "log", "planks", "stick", "crafting_table", "wooden_pickaxe", "cobblestone", "stone_pickaxe",
    "iron_ore", "furnace", "iron_ingot", "iron_pickaxe", "diamond",
)  # fmt: skip
ACTIONS = {
    "noop": {},
    "attack": {"attack": 1},
    "turn_up": {"camera": (-15, 0)},
    "turn_down": {"camera": (15, 0)},
    "turn_left": {"camera": (0, -15)},
    "turn_right": {"camera": (0, 15)},
    "forward": {"forward": 1},
    "back": {"back": 1},
    "left": {"left": 1},
    "right": {"right": 1},
    "jump": {"jump": 1, "forward": 1},
    "place_dirt": {"place": "dirt"},
    "place_crafting_table": {"place": "crafting_table"},
    "place_furnace": {"place": "furnace"},
    **{f"craft_{item}": {"craft": item} for item in ("planks", "stick", "crafting_table")},
    **{
        f"craft_{item}": {"nearbyCraft": item}
        for item in ("wooden_pickaxe", "stone_pickaxe", "iron_pickaxe", "furnace")
    },
    "smelt_iron_ingot": {"nearbySmelt": "iron_ingot"},
    **{f"equip_{item}": {"equip": item}
       for item in ("wooden_pickaxe", "stone_pickaxe", "iron_pickaxe")},
}  # fmt: skip
HELD = {"attack": 30, "jump": 10}  # steps
PITCH = 60  # degrees up or down
IDS = {"diamond": "MineRLObtainDiamond-v0"}


def make(options, world_seed, spawn_seed, name):
    """The task `name` (`diamond`) for the options env.minecraft, or a refusal."""
    if name not in IDS:
        raise Refused(f"there is no Minecraft task '{name}'; there are {', '.join(IDS)}")
    extras.load("minerl", "minecraft")
    game = extras.load("gym", "minecraft").make(IDS[name])
    return Adapter(Diamond(game), spawn_seed, size=options["size"], length=options["length"])


class Diamond(gymnasium.Env):
    """A game whose inventory gives the rewards."""

    world = {"actions": list(ACTIONS), "achievements": [f"collect_{item}" for item in ITEMS],
             "absent": ["facing", *VITALS, "x", "y", "terrain", "terrain_changed"]}  # fmt: skip
    action_space = gymnasium.spaces.Discrete(len(ACTIONS))

    def __init__(self, game):
        self._game, self._names = game, sorted(game.observation_space.spaces["inventory"].spaces)
        amounts = gymnasium.spaces.Box(0, np.inf, (len(self._names),), np.float32)
        self.observation_space = gymnasium.spaces.Dict(
            image=gymnasium.spaces.Box(0, 255, (64, 64, 3), np.uint8),
            inventory=amounts, inventory_max=amounts,
        )  # fmt: skip

    def reset(self, *, seed=None, options=None):
        """Begin an episode."""
        super().reset(seed=seed)
        self._game.seed(int(self.np_random.integers(2**31)))
        self._most, self._held, self._pitch = np.zeros(len(self._names), np.float32), {}, 0.0
        seen, _ = self._look(self._game.reset())
        return seen, self._info()

    def step(self, action):
        """Gymnasium's five values."""
        found, _, done, info = self._game.step(self._command(list(ACTIONS.values())[action]))
        before = self._most.copy()
        seen, amounts = self._look(found)
        new = [self._place(item) for item in ITEMS if item in self._names]
        reward = sum(float(amounts[place] > 0 and not before[place]) for place in new)
        late = done and bool(info.get("TimeLimit.truncated", False))
        return seen, reward, done and not late, late, self._info()

    def close(self):
        """Close the game."""
        self._game.close()

    def _command(self, changes):
        """MineRL's action: the one asked for, and those still held on."""
        command = self._game.action_space.noop()
        for name, steps in HELD.items():
            if changes.get(name):
                self._held[name] = steps
            left = self._held.get(name, 0)
            command[name] = int(left > 0)
            self._held[name] = max(0, left - 1)
        command.update({name: value for name, value in changes.items() if name != "camera"})
        down, right = changes.get("camera", (0, 0))
        down = 0 if abs(self._pitch + down) > PITCH else down
        self._pitch += down
        command["camera"] = np.array([down, right], np.float32)
        return command

    def _look(self, found):
        amounts = np.array([found["inventory"][name] for name in self._names], np.float32)
        self._most = np.maximum(self._most, amounts)
        return {"image": found["pov"], "inventory": amounts, "inventory_max": self._most}, amounts

    def _info(self):
        most = [self._most[self._place(item)] if item in self._names else 0 for item in ITEMS]
        return {"achievements": (np.array(most) > 0).astype(np.int32)}

    def _place(self, item):
        return self._names.index(item)
