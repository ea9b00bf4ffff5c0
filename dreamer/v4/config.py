"""What decides shapes and formulas of DreamerV4: option blocks and spaces, frozen and hashable."""

import re
from typing import Any, NamedTuple

from dreamer.options import frozen
from jobs.errors import Refused

BLOCKS = ("tok", "dyn", "head", "imag")
POSITIVE = {
    "tok": ("patch", "latents", "channels", "window", "batch", "length", "updates"),
    "dyn": ("action_slots", "window", "length", "long", "batch", "updates"),
    "head": ("layers", "bins", "mtp", "tasks", "length", "batch", "updates"),
    "imag": ("context", "length", "batch", "updates"),
}
SHARES = {
    "tok": ("mask", "rms"),
    "dyn": ("p_flow", "bootstrap_warmup", "image_rows", "p_long", "rms"),
    "head": ("ctx_rows", "relevant"),
    "imag": ("discount", "lam", "alpha"),
}


class Slots(NamedTuple):
    """Tokens of one frame in the dynamics, in their order; the agent's come last."""

    action: int
    shortcut: int
    spatial: int
    register: int
    agent: int


class Config(NamedTuple):
    """Option blocks, the image [H, W, 3] after the crop and as observed, and the action."""

    tok: tuple
    dyn: tuple
    head: tuple
    imag: tuple
    dtype: str
    image: tuple
    observed: tuple
    action: Any  # dreamer.spaces.Space

    @property
    def grid(self):
        """Rows and columns of patches."""
        return self.image[0] // self.tok.patch, self.image[1] // self.tok.patch

    @property
    def patches(self):
        return self.grid[0] * self.grid[1]

    @property
    def slots(self):
        o = self.dyn
        return Slots(o.action_slots, 1, self.tok.latents // o.pack, o.registers, 1)

    @property
    def packed(self):
        """Channels of a spatial token."""
        return self.dyn.pack * self.tok.channels

    @property
    def finest(self):
        """Index of the finest step, log2 of kmax; step index j stands for the step 2**-j."""
        return self.dyn.kmax.bit_length() - 1

    @property
    def context(self):
        """Index of the signal level of past frames; level index i stands for i / kmax."""
        return round(self.dyn.context_level * self.dyn.kmax)


def freeze(options, spaces):
    """Config from the whole option tree and Spaces; an impossible geometry is refused."""
    blocks = {name: frozen(name, options[name]) for name in BLOCKS}
    observed = _image(options, spaces)
    image = tuple(side - blocks["tok"].crop for side in observed[:2]) + observed[2:]
    config = Config(**blocks, dtype=options["dtype"], image=image, observed=observed,
                    action=spaces.action)  # fmt: skip
    _check_ranges(blocks)
    _check(config)
    return config


def dtype(config):
    """Type of the computation: bfloat16 on accelerators, float32 on a CPU, unless chosen."""
    from dreamer import nets  # not above: who plans a study checks geometries, and needs no JAX

    return nets.compute_dtype(config.dtype)


def _image(options, spaces):
    """Shape of the one image that both enc.keys and dec.keys match."""
    for part in ("enc", "dec"):
        keys = options[part]["keys"]
        found = [
            space.shape
            for name, space in spaces.observation
            if re.search(keys, name) and space.dtype == "uint8" and len(space.shape) == 3
        ]
        if len(found) != 1:
            names = ", ".join(name for name, _ in spaces.observation)
            raise Refused(
                f"option {part}.keys is '{keys}', but must match one image (uint8, three axes)"
                f" of: {names}"
            )
    return found[0]


def _check_ranges(blocks):
    """Refuse counts below 1 and shares outside of 0 to 1."""
    for block, options in blocks.items():
        for name in (*POSITIVE[block], *SHARES[block]):
            value, share = getattr(options, name), name in SHARES[block]
            if value > 1 if share else value < 1:
                takes = "is a share, 0 to 1" if share else "must be at least 1"
                raise Refused(f"option {block}.{name} is {value}, but {takes}")


def _check(config):
    """Refuse what no network can be built from."""
    tok, dyn = config.tok, config.dyn
    if min(config.image[:2]) < 1 or any(side % tok.patch for side in config.image[:2]):
        height, width = config.image[:2]
        raise Refused(
            f"an image of {height} x {width} pixels after tok.crop cannot be cut into patches of"
            f" tok.patch = {tok.patch} pixels"
        )
    for name, value in (("tok.encoder", tok.encoder), ("tok.decoder", tok.decoder),
                        ("dyn.layers", dyn.layers)):  # fmt: skip
        if not re.fullmatch("[ST]+", value):
            raise Refused(f"option {name} is '{value}', but takes a word of the letters S and T")
    _multiple("tok.width", tok.width, "2 * tok.heads", 2 * tok.heads)
    _multiple("dyn.width", dyn.width, "2 * dyn.heads", 2 * dyn.heads)
    _multiple("dyn.heads", dyn.heads, "dyn.kv_heads", dyn.kv_heads)
    _multiple("tok.latents", tok.latents, "dyn.pack", dyn.pack)
    if dyn.kmax < 2 or dyn.kmax & (dyn.kmax - 1):
        raise Refused(f"option dyn.kmax is {dyn.kmax}, but must be a power of two from 2 on")
    if not dyn.rungs or dyn.kmax % dyn.rungs:
        raise Refused(f"option dyn.rungs is {dyn.rungs}, but must divide dyn.kmax = {dyn.kmax}")
    if config.context != dyn.context_level * dyn.kmax or not config.context < dyn.kmax:
        raise Refused(
            f"option dyn.context_level is {dyn.context_level}, but must be below 1 and a multiple"
            f" of 1 / dyn.kmax = 1/{dyn.kmax}"
        )
    if config.imag.context > dyn.window:
        raise Refused(
            f"option imag.context is {config.imag.context}, but may not exceed dyn.window ="
            f" {dyn.window}"
        )


def _multiple(name, value, of, number):
    if number < 1 or value < 1 or value % number:
        raise Refused(f"option {name} is {value}, but must be a multiple of {of} = {number}")
