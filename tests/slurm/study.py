"""A copy of the project whose workflow runs on a test cluster, and what its jobs tell."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import yaml

from dreamer import logs
from jobs import files
from tests import sandbox

PROFILE = "profiles/slurm/profile.v9+.yaml"
SEED = Path("results/smoke/seed0")
# What a site without accounting sets, and a first look at the jobs after 3 s instead of 40.
SITE = {"slurm-status-command": "squeue", "slurm-init-seconds-before-status-checks": 3}
SLOW = "import time; time.sleep(0.08); "  # a step takes as long on every machine
LONG = {"run.steps": 900, "run.envs": 1, "run.log_every": 1, "run.save_every": 0.02}


class Study:
    """The small study in `folder`, whose trainings ask for a GPU.

    The cluster's GPUs exist in name only, so the copy (and it alone) takes JAX's CPU for one.
    """

    def __init__(
        self, folder, cluster, pretend=True, slow=False, seeds=(0,), agent="v3", **options
    ):
        self.folder, self.cluster = sandbox.copy(folder), cluster
        self.process, self.output = None, folder.with_suffix(".out")
        self.profile(**SITE)
        run = yaml.safe_load((folder / sandbox.CONFIG).read_text())["runs"][0]
        run["options"] |= {"run.platform": "gpu"} | (LONG if slow else {}) | options
        sandbox.change(folder, runs=[run | {"seeds": list(seeds), "agent": agent}])
        if pretend:
            sandbox.edit(folder / "dreamer/platform.py", "jax.default_backend()", '"gpu"')
        if slow:
            step = "row = self.driver.step()"
            sandbox.edit(folder / "dreamer/training.py", step, SLOW + step)

    def profile(self, **keys):
        """Replace keys of profiles/slurm, as a user does."""
        path = self.folder / PROFILE
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | keys))
        return self

    def start(self, *words):
        """Start `snakemake --profile slurm` in the copy."""
        cache = os.environ.get("JAX_COMPILATION_CACHE_DIR", str(sandbox.ROOT / ".cache/jax"))
        here = str(Path(sys.executable).parent)
        path = f"{here}:{self.cluster.environment['PATH']}"
        command = ["snakemake", "--profile", "slurm", *words, "--configfile", sandbox.CONFIG]
        with open(self.output, "a") as output:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={
                    **self.cluster.environment,
                    "PATH": path,
                    "JAX_COMPILATION_CACHE_DIR": cache,
                    "OMP_NUM_THREADS": "1",
                },
            )
        return self

    def finish(self):
        """Wait for the end of Snakemake, which must be a good one."""
        code = self.process.wait(timeout=900)
        assert code == 0, self.output.read_text()[-6000:] + self.logs()
        return self

    def run(self, *words):
        """Start, and wait for a good end."""
        return self.start(*words).finish()

    def kill(self):
        """SIGKILL for Snakemake's main process, jobs stay."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def logs(self):
        """The end of every log of a job."""
        found = [*self.folder.rglob("logs/*.log"), *self.folder.glob("results/slurm/**/*.log")]
        return "".join(f"\n== {path}\n{path.read_text()[-1500:]}" for path in found)

    def jobs(self, rule=None):
        """SLURM's records of this study's jobs, of one rule if named."""
        found = [job for job in self.cluster.jobs() if job["WorkDir"] == str(self.folder)]
        return [job for job in found if rule is None or self.rule(job) == rule]

    @staticmethod
    def rule(job):
        """The rule that a job ran, which the plugin writes into the job's comment."""
        return job["Comment"].removeprefix("rule_").split("_wildcards_")[0].removesuffix("_seed")

    def ended(self, state, number=None):
        """SLURM's records of the jobs that ended so, or of the one with this number."""
        found = [job for job in self.jobs() if job["JobState"] == state]
        return [job for job in found if number in (None, job["JobId"])]

    def saved(self):
        """The step of the training's newest save, 0 without one."""
        saves = (self.folder / SEED / "train.state").glob("*/" + "[0-9]" * 12)
        return max((int(path.name) for path in saves), default=0)

    def logged(self):
        """The last step that the log of a running training tells of."""
        paths = (self.folder / SEED / "train.state").glob("*/metrics.jsonl")
        return max((logs.Lines(path).last().get("step", 0) for path in paths), default=0)

    def saves(self, beyond=100):
        """Wait until the training has a save beyond a step; its step and the training's job."""
        what = f"{self.folder} saved beyond step {beyond}"
        self.cluster.wait(lambda: self.saved() > beyond or self._failed(), what)
        assert not self._failed(), self.output.read_text()[-6000:] + self.logs()
        return self.saved(), self.jobs("train")[-1]

    def _failed(self):
        return self.process.poll() is not None or self.ended("FAILED")

    def starts(self):
        """The training's own record of its starts."""
        path = self.folder / SEED / "checkpoint.safetensors.prov.json"
        return json.loads(path.read_text())["starts"]

    def results(self):
        """SHA-256 of everything that the training published."""
        names = ("checkpoint.safetensors", "metrics.parquet", "episodes.parquet")
        paths = [SEED / name for name in (*names, "snapshots/100.safetensors")]
        return {str(path): files.sha256(self.folder / path) for path in paths}
