"""Several environments stepped side by side, each in a process of its own when there are several.

A task (dreamer.tasks) names a module with `make(options, world_seed, spawn_seed)`, which also gets
the rest of the name where there is one; its environments have `world` (what their ids mean) and the
counter `n_resets`.
"""

import atexit
import contextlib
import functools
import importlib
import multiprocessing
import os
import signal
import sys
import types
import weakref
from multiprocessing import resource_tracker

from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.vector.async_vector_env import AsyncState, _async_worker

from dreamer import tasks
from jobs.errors import Refused

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DEAD = (EOFError, ConnectionError)  # what the pipe of a worker that is gone says
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def make(task, options, count, seed, spawn_seed=None, first=None):
    """Vector environment of `count` environments; options is the block `env` of the option tree.

    After an episode's last step the next step resets that environment (its action is ignored).
    `spawn_seed` is `seed` if not given; `first` [count] says how many resets each has behind it.
    """
    spawn_seed = seed if spawn_seed is None else spawn_seed
    block = options.get(tasks.find(task).block, {})
    makers = [
        functools.partial(build, task, block, seed, spawn_seed, index) for index in range(count)
    ]
    if count == 1:
        envs = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.NEXT_STEP)
    else:
        envs = Workers(makers)
        atexit.register(_close, weakref.ref(envs))
    if first is not None:
        envs.set_attr("n_resets", [int(number) for number in first])
    return envs


def build(task, options, seed, spawn_seed, index):
    """Environment number `index` of a vector; where the world is fixed, all visit that of 0."""
    home = 0 if options.get("fixed_seed") else index
    name = tasks.find(task).name
    rest = (name,) if name else ()
    return module(task).make(options, stream(seed, home), stream(spawn_seed, index), *rest)


def module(task):
    """Module of an environment by the name of the task."""
    return importlib.import_module(tasks.find(task).module)


def stream(seed, index):
    """Seed of environment `index`: hash((seed, index)) mod 2^32 - 1, the same in every process."""
    return hash((int(seed), int(index))) % (2**32 - 1)


def world(envs):
    """What actions and ids in `info` mean, the same for all environments of a vector."""
    return envs.get_attr("world")[0]


class Workers(AsyncVectorEnv):
    """Environments in worker processes, which can be started anew when one of them dies."""

    def __init__(self, makers):
        before = set(multiprocessing.active_children())
        try:
            with light_children():
                super().__init__(
                    makers, context="spawn", worker=_work, autoreset_mode=AutoresetMode.NEXT_STEP
                )
        except DEAD:
            _kill(set(multiprocessing.active_children()) - before)
            raise Refused(
                f"of {len(makers)} environments' processes one died while they started; is there "
                "memory enough? else lower the number of environments"
            ) from None
        except BaseException:  # an interruption must not leave workers behind
            _kill(set(multiprocessing.active_children()) - before)
            raise

    def restart(self):
        """New processes and new environments, with no reset behind them, in place of all."""
        _kill(self.processes)
        for pipe in self.parent_pipes:
            pipe.close()
        self.__init__(self.env_fns)

    def close_extras(self, **settings):
        """End the processes, also when some are dead and the others wait for a step."""
        idle = self._state is AsyncState.DEFAULT
        if idle and all(process.is_alive() for process in self.processes):
            with contextlib.suppress(*DEAD):
                super().close_extras(**settings)
        _kill(self.processes)


def _kill(processes):
    for process in processes:
        process.kill()
        process.join()


def _work(*arguments):
    """A worker leaves stopping to its parent, and goes quietly when the parent is gone."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    with contextlib.suppress(BrokenPipeError, EOFError):
        _async_worker(*arguments)


def _close(reference):
    """Before Python leaves: workers that ignore its signals would keep it waiting."""
    envs = reference()
    if envs is not None:
        envs.close()


@contextlib.contextmanager
def light_children():
    """Processes started within have one thread each and do not import the running command.

    A spawned process imports its parent's main module: here that would be JAX, in every worker.
    Signals wait meanwhile, in the children until they know what to do about them: Ctrl-C reaches
    all processes of a terminal.
    """
    resource_tracker.ensure_running()  # else it would start below, and unblock signals
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    main, before = sys.modules["__main__"], {name: os.environ.get(name) for name in THREADS}
    sys.modules["__main__"] = types.ModuleType("__main__")
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        sys.modules["__main__"] = main
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
