"""The official Crafter score, against the success rates published with the benchmark."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from analysis import score
from dreamer import options

OWN = Path(__file__).parent / "data" / "crafter_scores.json"
REFERENCE = Path(os.environ.get("DREAM_ATLAS_REFERENCE", OWN.parents[2].parent / "shared" / "data"))
GOLDEN = [("crafter_noreward-random", 1.55, 0.01), ("crafter_reward-human", 50.53, 6.79)]


@pytest.mark.parametrize("agent, mean, deviation", GOLDEN)
@pytest.mark.parametrize("path", [OWN, REFERENCE / "crafter_scores.json"], ids=["own", "reference"])
def test_golden_success_rates_give_the_published_scores(path, agent, mean, deviation):
    if not path.is_file():
        pytest.skip(f"{path} is not on this machine")
    found = json.loads(path.read_text())[agent]
    seeds = [
        score.crafter_score(rates.values()) for rates in found["success_rate_percent_per_seed"]
    ]
    assert [round(value, 2) for value in score.over_seeds(seeds)] == [mean, deviation]
    np.testing.assert_allclose(seeds, found["score_per_seed"], rtol=1e-4)


def test_an_unlock_counts_once_per_episode_however_often_it_happens():
    rates = score.unlock_rates({"collect_wood": [0, 3, 1, 0], "eat_cow": [0, 0, 0, 0]})
    assert rates == {"collect_wood": 50.0, "eat_cow": 0.0}


def test_the_score_is_a_geometric_mean_and_not_the_mean_rate():
    assert score.crafter_score([100.0, 0.0]) == pytest.approx(np.sqrt(101) - 1)
    assert np.isnan(score.crafter_score([]))


def test_the_benchmark_is_told_from_its_easier_relatives():
    official = options.resolve(["crafter"])
    assert score.deviations(official) == []
    small = score.deviations(options.resolve(["crafter_small"]))
    assert small[0] == "the world has 32 × 32 tiles, not 64 × 64"
    assert "every episode plays the same world" in small
    short = options.resolve(["crafter"], {"env.crafter.length": 500})
    assert score.deviations(short) == ["episodes end after 500 steps, not 10000"]
