"""How much memory and time does position decoding of a study's recording take?

`python -m bench.decoding_memory` writes a synthetic recording of one layer (100 episodes x 500
steps x 3,072 units), decodes it with the default options, and prints one line of JSON.
"""

import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

from analysis import position
from dreamer import trajectory
from jobs import cli, closure, settings
from tests import synthetic

SCHEMA = closure.ROOT / "rules/config.schema.yaml"
LAYER, SIDE = "dyn/deter", 64


def write(path, episodes, steps, units):
    """A recording of place fields with noise, one episode in memory at a time."""
    rng, terrain = np.random.default_rng(0), np.full((SIDE, SIDE), synthetic.GRASS)
    fields = synthetic.place_fields(units, 4.0)
    header = synthetic.header((SIDE, SIDE), {LAYER: units})
    header["layers"][LAYER]["dtype"] = "float16"

    def episode(index):
        walk = synthetic.walk(index, steps, terrain, rng)
        return synthetic.columns(walk, {LAYER: fields(walk, rng) + rng.normal(size=units) * 0.3})

    trajectory.write(path, header, (episode(index) for index in range(episodes)))


def options(**changed):
    """The default options of position decoding, but for some."""
    config = yaml.safe_load((closure.ROOT / "workflow_config.yaml").read_text())
    found = settings.read({"runs": config["runs"], "position": changed}, SCHEMA)
    return found["position"]


def main(episodes: int = 100, steps: int = 500, units: int = 3072):
    """Write, decode, print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, spec = folder / "trajectory.parquet", folder / "spec.json"
        write(path, episodes, steps, units)
        synthetic.spec(spec, "position", options(split="holdout"))
        outputs = [folder / item for item in ("a.json", "b.parquet", "c.safetensors", "work")]
        start = time.process_time()
        position.main(spec, path, path, *outputs)
        seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"cpu_s": round(seconds, 1), "peak_gib": round(peak, 2), "units": units}))


if __name__ == "__main__":
    cli.run(main)
