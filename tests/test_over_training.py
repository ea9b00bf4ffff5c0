"""Position decoded from checkpoints: each beside chance and the untrained network, and drawn."""

import numpy as np
import pytest

from analysis import over_training, plot_over_training
from jobs import derived, files, plan, settings
from tests import synthetic
from tests.test_position import OPTIONS
from tests.test_schema import RUN, SCHEMA

SETTINGS = OPTIONS | derived.QUICK
NETWORKS = [{"step": step, "seed": 1, "untrained": not step} for step in (0, 50, 2000)]
LEARNED = {
    "dyn/deter@0": synthetic.noise(6),
    "dyn/deter@50": synthetic.place_fields(4),
    "dyn/deter@2000": synthetic.one_hot,
    "enc/tokens@0": synthetic.noise(3),
    "enc/tokens@50": synthetic.noise(3),
    "enc/tokens@2000": synthetic.noise(3),
}


def decode(folder, layers=LEARNED, **recorded):
    path, scores = folder / "trajectory.parquet", folder / "over_training.json"
    shape = {"episodes": 12, "steps": 60, "area": (5, 5)} | recorded
    synthetic.recording(path, layers=layers, networks=NETWORKS, **shape)
    spec = synthetic.spec(folder / "spec.json", "over_training", SETTINGS)
    over_training.main(spec, path, path, scores, folder / "work")
    return files.read_json(scores)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return decode(tmp_path_factory.mktemp("learned"))


def test_what_is_learned_grows_from_chance_to_certainty(found):
    values = {(item["layer"], item["step"]): item["value"] for item in found["curves"]}
    chance = found["chance"]["value"]
    assert values["dyn/deter", 0] > 0.9 * chance > values["dyn/deter", 50]
    assert values["dyn/deter", 50] > values["dyn/deter", 2000] and values["dyn/deter", 2000] < 0.2
    assert all(values["enc/tokens", step] > 0.9 * chance for step in (0, 50, 2000))


def test_each_checkpoint_stands_beside_chance_and_the_untrained_network(found):
    untrained = {item["layer"]: item["value"] for item in found["curves"] if item["untrained"]}
    assert len(found["summary"]) == 4
    for row in found["summary"]:
        assert row["chance"] == found["chance"]["value"]
        assert row["control"] == untrained[row["layer"]]
        assert row["representation"] in ("after 50 steps", "after 2,000 steps")
    assert any("enc/tokens" in note for note in found["notes"])


def test_nothing_is_left_in_the_work_folder(tmp_path):
    decode(tmp_path)
    assert not (tmp_path / "work").exists()


def broken(item, _):
    return np.full((len(item.x), 2), np.nan)


CASES = {
    "learned": ({}, 6),
    "one episode": ({"episodes": 1}, 0),
    "NaN": ({"layers": {"a@0": broken}}, 0),
    "no untrained network": ({"layers": {"a@50": synthetic.one_hot}}, 1),
}


@pytest.mark.parametrize("recorded, points", CASES.values(), ids=CASES.keys())
def test_the_figure_is_drawn_or_says_why_not(tmp_path, recorded, points):
    scores = decode(tmp_path, **recorded)
    assert len(scores["curves"]) == points
    assert ("Not finite, so not decoded: a@0." in scores["notes"]) == ("a@0" in str(recorded))
    plot_over_training.draw(scores, tmp_path / "figure.svg")
    assert (tmp_path / "figure.svg").read_text().rstrip().endswith("</svg>")


def planned(snapshots=(), **blocks):
    options = RUN["options"] | {"run.snapshots": list(snapshots)}
    runs = [RUN | {"options": options}]
    return plan.make(settings.read({"runs": runs} | blocks, SCHEMA))


@pytest.mark.parametrize(
    "blocks, expected",
    [
        ({}, {"untrained"}),
        ({"snapshots": [5]}, {"untrained", "snapshots", "over_training"}),
        ({"snapshots": [10]}, {"untrained"}),  # the last step: that is the checkpoint itself
        ({"snapshots": [5], "over_training": {"enabled": False}}, {"untrained"}),
        ({"untrained": {"enabled": False}}, set()),
    ],
)
def test_a_run_has_the_stages_that_it_asks_for(blocks, expected):
    made = planned(**blocks)
    names = {"untrained", "snapshots", "over_training"}
    assert names & set(made.stages(made.run("tiny"))) == expected


def test_without_an_untrained_network_the_series_begins_with_the_first_checkpoint():
    made = planned([5], untrained={"enabled": False})
    assert made.spec("snapshots", "tiny", 0)["options"]["untrained"] is False
    assert planned([5]).spec("snapshots", "tiny", 0)["options"]["untrained"] is True
