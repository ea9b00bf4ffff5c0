"""Runs that learn from data: what cannot be had is refused, phases depend on their options."""

from pathlib import Path

import pytest

from dreamer import checks, options
from jobs import offline, plan, settings, stages
from jobs.errors import Refused

SCHEMA = Path(__file__).parent.parent / "rules/config.schema.yaml"
V3 = {"name": "v3", "seeds": [0, 1], "configs": ["crafter_small", "debug"]}
V4 = {"name": "v4", "seeds": [0, 1], "agent": "v4", "configs": ["crafter_small", "t0"]}


def make(*runs):
    return plan.make(settings.read({"runs": list(runs)}, SCHEMA))


def played(**data):
    return V4 | {"data": data}


def test_stages_of_both_kinds_of_agents_share_what_follows_the_training():
    found = make(V3, played(run="v3"))
    one, two = (set(found.stages(run)) for run in found.config["runs"])
    assert two - one == stages.OFFLINE["v4"]
    assert one - two == {"train", "training", "plot_training"}


def test_all_agents_are_evaluated_where_that_is_asked_for():
    runs = {"runs": [V3, played(run="v3")], "evaluation": {"of": "all"}}
    found = plan.make(settings.read(runs, SCHEMA))
    for run in found.config["runs"]:
        assert set(found.stages(run)) >= stages.EVALUATED
    assert "of" not in found.spec("evaluation", "v3", 0)["options"]


def test_the_data_are_played_by_the_checkpoints_of_the_same_seed():
    kept = V3 | {"options": {"run.snapshots": [100, 50], "run.steps": 300}}
    found = make(kept, played(run="v3", checkpoints="all"))
    assert found.played("v4", "1") == [
        f"results/v3/seed1/{name}.safetensors"
        for name in ("snapshots/50", "snapshots/100", "checkpoint")
    ]
    assert make(kept, played(run="v3")).played("v4", 0) == [
        "results/v3/seed0/checkpoint.safetensors"
    ]
    assert make(played(policies=["random"])).played("v4", 0) == []


def test_a_run_that_is_to_play_names_its_family_as_code_of_the_data_and_of_nothing_else():
    found = make(V3, played(run="v3"))
    named = {stage: found.spec(stage, "v4", 0)["modules"] for stage in ("dataset", "dynamics")}
    assert named["dataset"] == ["dreamer.dataset", "dreamer.envs.crafter", "dreamer.v3.agent"]
    assert named["dynamics"] == ["dreamer.v4.train_dynamics"]


def test_how_much_data_matters_only_where_it_is_asked_for(tmp_path):
    (tmp_path / "a.npz").write_text("")
    files = [str(tmp_path / "a.npz")]
    specs = [make(played(files=files, episodes=count)).spec("dataset", "v4", 0) for count in (3, 4)]
    assert specs[0] == specs[1]
    shares = [
        make(played(policies=["random"], test_share=s)).spec("dataset", "v4", 0) for s in (0.1, 0.2)
    ]
    assert shares[0] == shares[1]


@pytest.mark.parametrize("preset", options.presets("v4"))
def test_every_phase_of_every_preset_can_be_built_beside_defaults_of_the_later_ones(preset):
    task = [] if preset in ("c_small", "c_base", "published", "crafter_v4_small") else ["square"]
    tree = options.resolve([*task, preset], {"agent": "v4"})
    defaults = options.resolve((), {"agent": "v4"})
    for phase in stages.PHASES:
        checks.check_offline(offline.options(phase, tree, defaults))
    assert offline.options("imagination", tree, defaults) == tree


SHORT = played(policies=["random"]) | {"configs": ["square", "t0"]}
SHORT |= {"options": {"env.square.length": 9}}
BAD = [
    ((V4,), "agent v4 learns from data, so say from which"),
    ((V3 | {"data": {"policies": ["random"]}},), "data.policies is set, but agent v3 learns while"),
    ((played(run="v9"),), "data.run is v9, but takes another run of these: none"),
    ((played(run="v4"),), "data.run is v4, but takes another run"),
    ((V3 | {"seeds": [0]}, played(run="v3")), "data.run is v3, which has no seed 1"),
    ((V3, played(policies=["agent"])), "the policy agent and data.run go together"),
    ((V3, played(run="v3", policies=["random"])), "the policy agent and data.run go together"),
    ((V3, played(run="v3", files=["a.npz"])), "data.files goes with neither"),
    ((played(files=["no.npz"]),), "data.files: no.npz does not exist"),
    ((V3, played(run="v3") | {"configs": ["t0"]}), "acts in another world.* env.crafter.area"),
    ((V3, played(run="v3") | {"configs": ["square", "t0"]}), "another world.* the same task"),
    ((played(policies=["random"]) | {"options": {"tok.patch": 7}}, V3), "patches of tok.patch = 7"),
    ((played(policies=["random"]) | {"options": {"run.snapshots": [5]}}, V3), "run.snapshots"),
    (
        (played(run="b") | {"name": "a"}, played(run="a") | {"name": "b"}),
        "data.run is b, which leads back to",
    ),
    (
        (SHORT,),
        "episodes end after 9 steps, so no dream",
    ),
]  # fmt: skip


@pytest.mark.parametrize("runs, words", BAD)
def test_what_cannot_be_had_is_refused_before_any_job(runs, words):
    with pytest.raises(Refused, match=f"in the configuration, run .*{words}"):
        make(*runs)
