"""A real SLURM on this machine alone: own folder, key, ports and daemons, and no other's.

`Cluster()` starts munged, slurmctld and slurmd. A process of its own waits for the one that
asked to end, however it ends, and then stops what was started: every process of this folder.
"""

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.slurm import processes

ROOT = Path(__file__).parent.parent.parent
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scancel", "squeue", "scontrol")
GPUS = {"a100": 4, "h100": 4}
PATHS = f"{os.environ['PATH']}:/usr/sbin:/sbin"
CONFIG = Path(__file__).parent / "slurm.conf.in"


class Cluster:
    """A running SLURM; `environment` makes every SLURM command talk to it and to no other."""

    def __init__(self):
        folder = self.folder = Path(tempfile.mkdtemp(prefix="dream-atlas-slurm-"))
        self.mark = f"SLURM_CONF={folder}/slurm.conf"
        self.environment = {
            **os.environ,
            "PATH": f"{folder}/bin:{PATHS}",
            "SLURM_CONF": f"{folder}/slurm.conf",
        }
        for name in ("state", "spool", "gpu", "bin"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)  # every user must be able to reach munge's socket
        self._configure()
        command = [sys.executable, "-m", "tests.slurm.cluster", str(folder)]
        self._guard = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True
        )
        try:
            self.start_daemon("munged", *self._munge())
            self.start_daemon("slurmctld")
            self.start_daemon("slurmd")
            self.wait(lambda: "State=IDLE" in self("scontrol", "show", "node"), "the node is idle")
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Stop every process of this cluster, those of jobs included, and remove its folder."""
        self._guard.stdin.close()
        self._guard.wait()

    def __call__(self, *command):
        """Standard output of a SLURM command."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0 or command[0] == "scontrol", (command, done.stderr)
        return done.stdout

    def jobs(self):
        """SLURM's record of every job, oldest first: {key: value} as `scontrol show job` says."""
        lines = self("scontrol", "show", "job", "--oneliner").splitlines()
        found = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines if "JobId=" in line]
        return sorted(found, key=lambda job: int(job["JobId"]))

    def start_daemon(self, program, *words):
        """Start one of SLURM's daemons, which puts itself into the background."""
        subprocess.run(
            [program, *words], env=self.environment, cwd=self.folder, check=True, timeout=60
        )

    def kill_node(self):
        """What a power cut does to a node: slurmd and everything it runs are gone at once."""
        inside = processes.of(self.mark, "SLURM_JOB_ID=")
        own = ("slurmd", "slurmstepd")
        daemons = [pid for pid in processes.of(self.mark) if processes.name(pid) in own]
        processes.send([*daemons, *inside], signal.SIGKILL)

    def wait(self, true, what, patience=400, pause=0.2):
        """Wait until `true()`; returns what it gave."""
        end = time.monotonic() + patience
        while not (found := true()):
            if time.monotonic() > end:
                logs = [self.folder / f"{name}.log" for name in ("slurmctld", "slurmd")]
                tails = [path.read_text()[-1500:] for path in logs if path.exists()]
                raise AssertionError(
                    f"waited {patience} s in vain until {what}\n" + "\n".join(tails)
                )
            time.sleep(pause)
        return found

    def _configure(self):
        host = socket.gethostname().split(".")[0]
        gres = ",".join(f"gpu:{model}:{count}" for model, count in GPUS.items())
        text = CONFIG.read_text().format(
            folder=self.folder, ports=free_ports(2), user=getpass.getuser(), host=host, gres=gres
        )
        (self.folder / "slurm.conf").write_text(text)
        lines = []
        for model, count in GPUS.items():
            for number in range(count):
                (self.folder / f"gpu/{model}-{number}").touch()
            files = f"{self.folder}/gpu/{model}-[0-{count - 1}]"
            lines.append(f"Name=gpu Type={model} File={files}\n")
        (self.folder / "gres.conf").write_text("".join(lines))
        (self.folder / "cgroup.conf").write_text("CgroupAutomount=no\n")
        # Snakemake starts srun without SLURM_CONF; elsewhere there is a file in /etc.
        srun = self.folder / "bin/srun"
        real = shutil.which("srun", path=PATHS)
        srun.write_text(f'#!/bin/sh\n{self.mark} exec {real} "$@"\n')
        srun.chmod(0o755)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)

    def _munge(self):
        places = {"key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        words = [f"--{flag}={self.folder}/munge.{name}" for flag, name in places.items()]
        return [f"--socket={self.folder}/munge.socket", *words]


def missing():
    """Programs of SLURM and munge that this machine lacks."""
    return [name for name in PROGRAMS if not shutil.which(name, path=PATHS)]


def free_ports(count):
    """Ports on the loopback device that nobody listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [item.getsockname()[1] for item in sockets]
    for item in sockets:
        item.close()
    return ports


if __name__ == "__main__":  # the guard: its standard input ends with the process that asked
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdin.read()
    processes.stop(f"SLURM_CONF={sys.argv[1]}/slurm.conf")
    shutil.rmtree(sys.argv[1])
