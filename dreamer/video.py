"""Open-loop prediction: how long does the world model foresee what it will see?"""

import jax
import numpy as np

from dreamer import samplers

LENGTH = 32  # imagined steps at most
COUNT = 4  # sequences side by side
TRIES = 64


class OpenLoop:
    """Imagines replayed sequences from the belief stored with their first row."""

    def __init__(self, module, spaces):
        self.module = module
        self.images = [
            name
            for name, space in spaces.observation
            if len(space.shape) == 3 and space.dtype == "uint8"
        ]
        self._imagine = jax.jit(self._images, static_argnames="horizon")

    def frames(self, params, replay, seed):
        """uint8 [T, 3 H, B W, 3]: truth, imagined from row 0 with the real actions, difference.

        None where no sequence without a reset is found, or nothing is an image.
        """
        length = min(LENGTH + 1, replay.window)
        sampler = samplers.Uniform(replay.envs, length)
        sampler.keep(replay.oldest, replay.end)
        windows = sampler.draw(np.random.default_rng(seed), TRIES)
        calm = ~replay.read(windows, length)["is_first"][:, 1:].any(1)
        if not self.images or calm.sum() < COUNT:
            return None
        batch = replay.read(windows[calm][:COUNT], length)
        belief = {name: batch[name] for name in replay.latents.kind.names}
        key = jax.random.key(seed)
        found = self._imagine(params, belief, batch["action"][:, :-1], key, horizon=length - 1)
        name = next((name for name in self.images if name in found), None)
        if name is None:  # of the images none is decoded
            return None
        return strip(batch[name][:, 1:], np.asarray(found[name]))

    def _images(self, params, belief, actions, key, horizon):
        carry = self.module.start(params, COUNT, belief)
        return self.module.imagine(params, carry, actions, horizon, key, True)[2]


def strip(truth, imagined):
    """Truth, imagined and absolute difference, each [B, T, H, W, C], as frames [T, 3 H, B W, 3]."""
    truth, imagined = (shown(images) for images in (truth, imagined))
    difference = np.abs(truth.astype(np.int16) - imagined).astype(np.uint8)
    parts = [np.concatenate(list(part), axis=2) for part in (truth, imagined, difference)]
    return np.concatenate(parts, axis=1)


def shown(images):
    """Images [..., C] with three channels: grey thrice, or the first three."""
    return np.repeat(images[..., :1], 3, -1) if images.shape[-1] < 3 else images[..., :3]
