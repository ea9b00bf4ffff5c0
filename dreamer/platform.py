"""Which device computes."""

import jax

from jobs.errors import Refused


def choose(wanted):
    """Fix JAX's platform: `auto`, `cpu` or `gpu`. Returns what was taken, for example 'cpu'.

    Call before anything is computed. A GPU that was asked for and is not there is refused, so that
    no job meant for a GPU runs for days on a CPU.
    """
    if wanted == "cpu":
        jax.config.update("jax_platforms", "cpu")
    taken = jax.default_backend()
    if wanted == "gpu" and taken != "gpu":
        raise Refused(
            f"platform gpu was asked for, but JAX finds only {taken} here; say --platform auto or "
            "cpu, or install the CUDA build (make ACCEL=cuda)"
        )
    return taken


def describe():
    """The device in words: 'cpu' or 'gpu (NVIDIA H200)'."""
    device = jax.devices()[0]
    kind = device.device_kind
    return device.platform if kind == device.platform else f"{device.platform} ({kind})"
