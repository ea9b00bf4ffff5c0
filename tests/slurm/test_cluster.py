"""The test cluster keeps to itself, and nothing of it is left when whoever started it has gone."""

import re
import subprocess
import sys
import time
from pathlib import Path

from tests.slurm import processes
from tests.slurm.cluster import ROOT

START = """
import time
from tests.slurm.cluster import Cluster
cluster = Cluster()
cluster("sbatch", "--output=/dev/null", "--wrap=sleep 600")
print(cluster.folder, flush=True)
time.sleep(600)
"""


def test_a_killed_test_leaves_no_process_and_no_folder_and_no_other_cluster_is_touched(cluster):
    command = [sys.executable, "-c", START]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        folder = owner.stdout.readline().strip()
        mark = f"SLURM_CONF={folder}/slurm.conf"
        daemons = sorted(processes.name(pid) for pid in processes.of(mark))
        assert {"munged", "slurmctld", "slurmd"} <= set(daemons)
        before = set(processes.of(cluster.mark))
        owner.kill()
    end = time.monotonic() + 60
    while (list(processes.of(mark)) or Path(folder).exists()) and time.monotonic() < end:
        time.sleep(0.2)
    assert not list(processes.of(mark)) and not Path(folder).exists()
    assert before <= set(processes.of(cluster.mark)) and cluster("sinfo")


def test_its_daemons_listen_on_the_loopback_device_alone(cluster):
    text = (cluster.folder / "slurm.conf").read_text()
    ports = set(map(int, re.findall(r"Slurm(?:ctl)?dPort=(\d+)", text)))
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [line[1].split(":") for line in lines if line[3] == "0A"]
    mine = {int(port, 16): address for address, port in listening if int(port, 16) in ports}
    assert mine == dict.fromkeys(ports, "0100007F")  # 127.0.0.1
