"""Mistakes that published decoders of position made, each with the test that would show it here.

Patience counted in the wrong unit is in tests/test_prnn.py.
"""

import numpy as np
import pytest

from analysis import chance, controls, geodesic, planning, recording, sources, splits
from jobs.errors import Refused
from tests import synthetic
from tests.test_position import OPTIONS, Run

ERROR = "mean Euclidean error"


def slow(count=200, memory=0.99):
    """Layer maker: slow noise that knows nothing of place but makes neighbouring steps alike."""

    def make(item, rng):
        found = rng.normal(size=(len(item.x), count))
        for step in range(1, len(found)):
            found[step] = memory * found[step - 1] + np.sqrt(1 - memory**2) * found[step]
        return found

    return make


@pytest.fixture(scope="module")
def leak(tmp_path_factory):
    """Slow noise, decoded once by episode and once with shuffled steps."""
    folder = tmp_path_factory.mktemp("leak")
    path = folder / "trajectory.parquet"
    synthetic.recording(path, 12, 80, (9, 9), layers={"dyn/deter": slow()})
    return {cv: Run(folder, cv=cv, methods=["ridge"]) for cv in ("episode", "timestep")}


def test_shuffled_timestep_leakage(leak):
    """Slow noise 'decodes' with shuffled steps and is at chance by episode."""
    honest = leak["episode"].score("mean Euclidean error", "dyn/deter")
    leaky = leak["timestep"].score("mean Euclidean error", "dyn/deter", "ridge (leaky)")
    assert honest["value"] > 0.95 * honest["chance"]
    assert leaky["value"] < 0.8 * leaky["chance"]


def test_the_gap_to_shuffled_steps_is_told_beside_the_honest_number(leak):
    told = [note for note in leak["episode"].found["notes"] if "with shuffled steps (leaky" in note]
    assert len(told) == 1 and told[0].startswith("dyn/deter by ridge:")
    found = leak["episode"].found["details"]["dyn/deter"]["leaky"]
    honest = leak["episode"].score("mean Euclidean error", "dyn/deter")
    assert found < 0.8 * honest["value"]
    assert leak["timestep"].found["details"]["dyn/deter"]["leaky"] is None


def test_leaky_numbers_say_so_wherever_they_stand(leak):
    run = leak["timestep"]
    held_out = [row for row in run.found["summary"] if "swaps" not in str(row)]
    assert held_out and all(row["representation"] == "ridge (leaky)" for row in held_out)
    assert set(run.table["method"]) == {"ridge (leaky)"}
    assert run.found["notes"][0].startswith("Leaky:") and run.found["leaky"]
    nulls = [row for row in run.found["summary"] if row not in held_out]
    assert {row["representation"] for row in nulls} == {"ridge"}  # they hold episodes apart


def test_shuffled_steps_cannot_be_asked_for_by_accident():
    with pytest.raises(Refused, match="set split to episodes"):
        planning.refuse_leaky_elsewhere({"cv": "timestep", "split": "test"})


def test_chance_over_unreachable_tiles():
    """A chance level that guesses water or an island flatters every decoder."""
    terrain = np.full((9, 9), synthetic.WATER)
    terrain[:3] = synthetic.GRASS
    terrain[8, 8] = synthetic.GRASS  # out of reach
    mask, truth = terrain == synthetic.GRASS, np.array([(0, 0), (2, 8)] * 10)
    ground = geodesic.grounds(truth, np.zeros(20, int), {0: mask})
    drawn = chance.uniform(ground, 20, (9, 9), np.random.default_rng(0))
    assert (drawn[..., 0] < 3).all() and len(np.unique(drawn.reshape(-1, 2), axis=0)) == 27


def test_no_per_sample_errors(leak):
    """Every tested step has a row of its own, and the score is the mean of these."""
    run = leak["episode"]
    assert len(run.table) == 12 * 80
    mean = run.score("mean Euclidean error", "dyn/deter")["value"]
    assert run.table["error"].mean() == pytest.approx(mean)
    assert {"episode", "step", "true_x", "true_y", "x", "y", "p", "entropy"} <= set(run.table)


def test_first_n_steps_as_a_subsample(tmp_path):
    """The first N steps would be those near the spawn points of the first episodes."""
    path = tmp_path / "t.parquet"
    synthetic.recording(path, 20, 50, (6, 6), layers={"dyn/deter": synthetic.one_hot})
    read = recording.load(path)
    plan = planning.make(read, read, OPTIONS | {"max_samples": 120})
    kept = plan.train.rows[plan.rows]
    assert len(kept) == 120 and len(np.unique(read.episode[kept])) == 3
    assert not np.array_equal(kept, np.arange(120)) and read.episode[kept].max() > 2
    assert read.step[kept].max() > 40
    other = planning.make(read, read, OPTIONS | {"max_samples": 120, "seed": 1})
    assert not np.array_equal(other.train.rows[other.rows], kept)


def test_whole_episodes_are_drawn_until_they_hold_the_steps_asked_for():
    episode = np.repeat(np.arange(10), 30)
    whole, thin = splits.sample(episode, np.ones(300, bool), 100, 0)
    assert len(np.unique(episode[whole])) == 4 and len(whole) == 120 and len(thin) == 100
    assert not np.array_equal(thin, whole[:100]) and set(thin) < set(whole)


def test_a_layer_of_dead_units_never_beats_chance(tmp_path):
    """Ridge then guesses the mean position, which can lie nearer than any single tile."""
    path = tmp_path / "trajectory.parquet"
    layers = {"dyn/deter": lambda item, _: np.full((len(item.x), 3), 0.5)}
    for seed in range(3):
        synthetic.recording(path, 12, 60, (8, 8), seed=seed, layers=layers)
        run = Run(tmp_path, methods=["ridge"], n_null=0)
        error = run.score("mean Euclidean error", "dyn/deter")
        assert error["value"] >= error["chance"] - 1e-6
        levels = {item["name"]: item for item in run.found["chance"] if item["score"] == ERROR}
        assert any(note.startswith("No better than the best constant guess: dyn/deter (ridge)")
                   for note in run.found["notes"])  # fmt: skip
        assert error["chance"] == min(
            levels[name]["value"] for name in ("best constant tile", "mean position")
        )


def test_activity_on_a_tiny_scale_is_decoded_as_well_as_on_any_other(tmp_path):
    """An absolute limit for 'does not vary' would call a layer with small numbers dead."""
    fields = synthetic.place_fields(8)
    layers = {"a": fields, "b": lambda item, rng: 1e-12 * fields(item, rng)}
    synthetic.recording(tmp_path / "trajectory.parquet", 6, 40, (5, 5), layers=layers)
    run = Run(tmp_path, methods=["ridge"], n_null=0, combined=False)
    small, usual = (run.score(ERROR, name)["value"] for name in "ba")
    assert small == pytest.approx(usual, rel=1e-3) and usual < 1


def test_the_axes_of_images_come_from_the_training_episodes_of_each_fold(tmp_path, monkeypatch):
    path, seen = tmp_path / "trajectory.parquet", []
    synthetic.recording(path, 6, 10, (4, 4), layers={"a": synthetic.noise(2)})

    def images(_, rows):
        seen.append(rows)
        return np.random.default_rng(rows[0]).normal(size=(len(rows), 6)).astype(np.float32)

    monkeypatch.setattr(controls, "images", images)
    read = recording.load(path)
    plan = planning.make(read, read, OPTIONS)
    source = sources.Source((), "pixels")
    for rows, held in plan.folds:
        seen.clear()
        sources.of_fold(source, plan, rows, None, OPTIONS)
        assert set(seen[0]) <= set(plan.train.rows[rows]) and not set(seen[0]) & set(held)
