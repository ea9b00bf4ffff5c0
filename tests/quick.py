"""Programs of tests, which run once or twice: compiled in a tenth of the time, hardly optimised."""

from functools import partial

import jax

OPTIONS = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,
}
FLAGS = " ".join(f"--{name}={value}".lower() for name, value in OPTIONS.items())  # XLA_FLAGS
jit = partial(jax.jit, compiler_options=OPTIONS)
