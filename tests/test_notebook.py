"""pynapple's objects go in and come out, and the page that shows it runs."""

import re
from pathlib import Path

import numpy as np
import pynapple as nap
import pytest

from analysis import notebook
from jobs.errors import Refused
from tests import synthetic
from tests.test_tuning import run

PAGE = Path(__file__).parent.parent / "docs" / "pynapple.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        run(found, patch, {"n_null": 0}, episodes=12)
    return found


def test_the_page_about_pynapple_runs_from_top_to_bottom(folder, capsys):
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL))
    names = {"recording": folder / "t.parquet", "rate_maps_file": folder / "maps.npz"}
    exec(compile(code, str(PAGE), "exec"), names)
    assert "(1440, 119) 12 episodes" in capsys.readouterr().out
    assert set(names["kinds"][10:18]) == {"head direction"}
    enough = names["curves"].attrs["occupancy"] >= 5
    expected = np.where(enough, names["curves"].values, np.nan)
    np.testing.assert_allclose(names["stored"].values, expected, rtol=1e-5, atol=1e-6)


def test_information_of_activity_that_is_not_negative_equals_pynapples(folder):
    activity, position, _, episodes = notebook.load(folder / "t.parquet", "dyn/deter")
    positive = activity.values.astype(float) - activity.values.min(axis=0)
    activity = nap.TsdFrame(activity.t, positive, columns=activity.columns)
    curves = notebook.rate_maps(activity, position, episodes)
    rates = activity.values.mean(axis=0)
    theirs = nap.compute_mutual_information(curves, rates=rates)["bits/spike"]
    ours = notebook.information(activity, position, episodes)["bits/spike"]
    np.testing.assert_allclose(ours[:118], theirs[:118], rtol=1e-6)
    assert list(ours.index) == list(activity.columns)


def test_epochs_restrict_what_is_counted(folder):
    activity, position, _, episodes = notebook.load(folder / "t.parquet", "dyn/deter")
    some = notebook.rate_maps(activity, position, episodes[2:5], area=(8, 8))
    assert some.attrs["occupancy"].sum() == 360 and some.shape == (119, 8, 8)
    edges = some.attrs["bin_edges"]
    theirs = nap.compute_tuning_curves(activity, position, bins=edges, epochs=episodes[2:5])
    np.testing.assert_array_equal(some.attrs["occupancy"], theirs.attrs["occupancy"])


def test_arrays_give_arrays_with_the_same_numbers(folder):
    activity, position, facing, episodes = notebook.load(folder / "t.parquet", "dyn/deter")
    maps, occupancy = notebook.rate_maps(activity.values, position.values)
    framed = notebook.rate_maps(activity, position, episodes)
    np.testing.assert_array_equal(maps, framed.values)
    np.testing.assert_array_equal(occupancy, framed.attrs["occupancy"])
    options = {"n_null": 0, "min_active": 1}
    episode = np.repeat(np.arange(12), 120)
    first = notebook.tuning(activity, position, episodes, facing, **options)
    second = notebook.tuning(activity.values, position.values, episode, facing.values, **options)
    np.testing.assert_array_equal(first["ev_both"], second["ev_both"])
    assert notebook.information(activity.values, position.values, transform="relu").shape == (119,)


def test_steps_that_do_not_match_are_refused():
    with pytest.raises(Refused, match="activity has 5 steps and position 4"):
        notebook.rate_maps(np.ones((5, 2)), np.ones((4, 2)))


def test_a_recording_without_facing_loads(tmp_path):
    path = tmp_path / "t.parquet"
    synthetic.recording(path, 2, 5, layers={"a": synthetic.noise(2)}, absent=["facing"])
    assert notebook.load(path, "a")[2] is None
