"""Families are compared by equally many features of like parts."""

import numpy as np
import pandas as pd
import pytest

from analysis import matched, report
from dreamer import trajectory
from jobs import derived, files, plan, settings
from tests import synthetic
from tests.test_position import OPTIONS


def test_parts_of_both_families_have_the_same_names():
    belief = {"belief": True}
    v3 = {"enc/cnn0": {}, "enc/tokens": {}, "dyn/deter": belief, "dyn/stoch": belief}
    v3 |= {f"{net}/mlp/linear{index}": {} for net in ("pol", "val") for index in range(3)}
    v4 = {"tok/z": {}, "dyn/L0/agent": {"belief": False}, "agent/h": belief, "dyn/z": belief}
    v4 |= {f"head/{net}/linear{index}": {} for net in ("policy", "value") for index in range(2)}
    one, other = matched.parts(v3), matched.parts(v4)
    assert list(one) == list(other) == ["belief", "image code", "policy", "value"]
    assert one["belief"] == ["dyn/deter", "dyn/stoch"] and other["belief"] == ["agent/h", "dyn/z"]
    assert one["policy"] == ["pol/mlp/linear2"] and other["value"] == ["head/value/linear1"]


def test_components_are_those_that_vary_most():
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((500, 1))
    activity = np.concatenate([shared + 0.1 * rng.standard_normal((500, 6)),
                               rng.standard_normal((500, 3))], 1)  # fmt: skip
    found = matched.components(activity.astype(np.float32), 2)
    assert found.vectors.shape == (9, 2) and found.values[0] > 5 > found.values[1]
    assert len(matched.components(activity.astype(np.float32), 50).values) == 9


def table(units):
    values = np.linspace(0, 1, units)
    parts = [
        pd.DataFrame({"network": name, "layer": "tok/z", "ev_place": values * scale})
        for name, scale in (("trained", 1), ("untrained", 0.5))
    ]
    return pd.concat(parts).assign(ev_place_null=0.0)


def test_equally_many_units_are_drawn_of_both_networks():
    options = {"components": 8, "seed": 0}
    (row,) = matched.tuned(table(100), "image code", ["tok/z"], options)
    assert row["representation"] == "8 units" and row["chance"] == 0
    assert row["control"] == pytest.approx(row["value"] / 2)
    (row,) = matched.tuned(table(5), "image code", ["tok/z"], options)
    assert row["representation"] == "5 units" and row["value"] == pytest.approx(0.5)


def test_a_part_that_knows_the_place_decodes_it_and_noise_does_not(tmp_path):
    layers = {"dyn/deter": synthetic.one_hot, "enc/tokens": synthetic.noise(40)}
    paths = [synthetic.recording(tmp_path / f"{seed}.parquet", seed=seed, layers=layers,
                                 episodes=8, steps=40, area=(4, 4)) for seed in (0, 1)]  # fmt: skip
    paths = [tmp_path / f"{seed}.parquet" for seed in (0, 1)]
    columns = {"network": ["trained"], "layer": ["enc/tokens"], "ev_place": [0.1]}
    trajectory.write_log(tmp_path / "tuning", "tuning", {}, columns | {"ev_place_null": [0.0]})
    options = OPTIONS | derived.QUICK | {"components": 15, "split": "test"}
    spec = synthetic.spec(tmp_path / "spec.json", "matched", options)
    matched.main(spec, *paths, tmp_path / "tuning", tmp_path / "matched.json")
    found = files.read_json(tmp_path / "matched.json")
    rows = {row["layer"]: row for row in found["summary"] if row["score"] == matched.ERROR}
    assert rows["belief"]["value"] < 0.5 < 0.9 * rows["belief"]["chance"]
    assert rows["image code"]["value"] > 0.9 * rows["image code"]["chance"]
    assert {row["representation"] for row in rows.values()} == {"ridge, 15 components"}


RUN = {"name": "one", "configs": ["crafter_small", "debug"], "options": {"run.steps": 10}}
OTHER = {
    "name": "two",
    "agent": "v4",
    "configs": ["square", "t0"],
    "data": {"policies": ["random"]},
}


@pytest.mark.parametrize("runs, several", [([RUN], False), ([OTHER], False), ([RUN, OTHER], True)])
def test_only_a_study_of_several_families_is_matched(runs, several):
    made = plan.make(settings.read({"runs": runs}, "rules/config.schema.yaml"))
    found = [made.stages(made.run(item["name"])) for item in runs]
    assert all(("matched" in stages) == several for stages in found)
    chapters = [{"stages": dict.fromkeys(stages)} for stages in found]
    assert (report.FAMILIES in report.across(chapters)) == several
