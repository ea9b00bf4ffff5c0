"""A wrong configuration is told in sentences, all at once, before any job starts."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from analysis import plot_behavior
from dreamer import options
from jobs import derived, plan, settings
from jobs.errors import Refused

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "rules/config.schema.yaml"
RULES = yaml.safe_load(SCHEMA.read_text())
RUN = {"name": "tiny", "configs": ["crafter_small", "debug"], "options": {"run.steps": 10}}


def read(**blocks):
    return settings.read({"runs": [RUN]} | blocks, SCHEMA)


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(RULES)


STUDIES = [
    *("workflow_config.yaml", "study.yaml", "tests/smoke.yaml"),
    *("sampler_study.yaml", "sampler_demo.yaml"),
    *("v4_study.yaml", "v4_demo.yaml", "benchmarks.yaml"),
]


@pytest.mark.parametrize("name", STUDIES)
def test_the_shipped_configurations_are_valid(name):
    config = settings.read(yaml.safe_load((ROOT / name).read_text()), SCHEMA)
    assert plan.make(config).code


@pytest.mark.parametrize("block", ["record", "dreams"])
def test_defaults_are_those_of_the_commands_run_by_hand(block):
    assert read()[block] == options.stage(block)


def test_the_defaults_of_a_data_set_are_those_of_its_command():
    known = options.stage("data")
    assert {
        name: value for name, value in read()["runs"][0]["data"].items() if name in known
    } == known


def test_every_setting_has_a_description_and_a_default():
    def check(schema, path):
        for name, item in schema.get("properties", {}).items():
            assert item.get("description"), f"{path}{name}"
            if item.get("type") == "object" and "properties" in item:
                assert item["additionalProperties"] is False, f"{path}{name}"
                check(item, f"{path}{name}.")
            elif name not in ("runs", "name"):
                assert "default" in item, f"{path}{name}"

    check(RULES, "")
    check(RULES["properties"]["runs"]["items"], "runs.")


@pytest.mark.parametrize(
    "blocks, sentence",
    [
        ({"positon": {}}, "positon is not a setting; did you mean 'position'?"),
        ({"position": {"fold": 5}}, "position.fold is not a setting; did you mean 'folds'?"),
        ({"position": {"folds": "5"}}, "position.folds is '5', but takes a whole number; it is a"),
        ({"position": {"folds": 1}}, "position.folds is 1, but takes at least 2 (folds of"),
        ({"position": {"holdout": 1.0}}, "position.holdout is 1.0, but takes less than 1"),
        ({"position": {"tolerance": "1e-3"}}, "YAML reads 1e-3 as text, write 1.0e-03"),
        ({"position": {"methods": ["svm"]}}, "methods.0 is 'svm', but takes one of ridge, robust"),
        ({"position": {"methods": []}}, "position.methods is [], but takes at least 1 of them"),
        ({"position": 5}, "position is 5, but takes a block of settings"),
        ({"record": {"sample": 1}}, "record.sample is 1, but takes true or false"),
        ({"runs": [{}]}, "runs.0.name is missing: folder of the run's results"),
        ({"runs": [RUN | {"name": "a b"}]}, "runs.0.name is 'a b', but takes a text that matches"),
        ({"runs": [RUN | {"name": "specs"}]}, "runs.0.name is 'specs', but takes"),
        ({"runs": [RUN | {"seeds": [1, 1]}]}, "runs.0.seeds is [1, 1], but takes each value once"),
        ({"runs": [RUN | {"seeds": [2**32]}]}, "seeds.0 is 4294967296, but takes at most 42949"),
        ({"runs": {}}, "runs is {}, but takes a list"),
    ],
)
def test_a_wrong_setting_is_one_sentence(blocks, sentence):
    with pytest.raises(Refused) as refusal:
        read(**blocks)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_all_errors_are_told_at_once():
    with pytest.raises(Refused) as refusal:
        read(positon={}, tuning={"fold": 3}, record={"episodes": 0})
    lines = str(refusal.value).splitlines()
    assert len(lines) == 3
    assert all("in the configuration, " in line for line in lines)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"configs": ["size1"]}, "run tiny: there is no preset 'size1'; did you mean 'size1m'?"),
        ({"options": {"run.step": 1}}, "no option 'run.step'; did you mean 'run.steps'?"),
        ({"options": {"run.steps": "many"}}, "run.steps is 'many', but takes a whole number"),
        ({"options": {"seed": 3}}, "options cannot hold seed or agent"),
        ({"agent": "v9"}, "run tiny: agent is 'v9', but there is no module dreamer.v9.agent; give"),
        ({"agent": "mine.agent"}, "agent is 'mine.agent', but there is no module mine.agent"),
        ({"options": {"task": "chess"}}, "there is no environment 'chess'; there are crafter"),
    ],
)
def test_a_wrong_agent_option_is_refused_before_any_job(change, sentence):
    with pytest.raises(Refused) as refusal:
        plan.make(read(runs=[RUN | change]))
    assert sentence in str(refusal.value)


def test_two_runs_of_one_name_are_refused():
    with pytest.raises(Refused, match="two runs have the same name"):
        plan.make(read(runs=[RUN, RUN]))


def test_episodes_that_would_all_be_the_same_are_refused():
    fixed = RUN | {"options": {"env.crafter.random_spawn": False}}
    with pytest.raises(Refused, match="recorded episodes would be the same"):
        plan.make(read(runs=[fixed], record={"sample": False}))


def test_a_test_recording_that_would_repeat_the_other_is_refused():
    with pytest.raises(Refused, match="record.seed and record.test_seed are equal"):
        plan.make(read(record={"seed": 7, "test_seed": 7}))


def test_shuffled_steps_are_refused_beside_a_split_that_would_ignore_them():
    with pytest.raises(Refused, match="position.split is not episodes"):
        plan.make(read(position={"cv": "timestep"}))
    assert plan.make(read(position={"cv": "timestep", "split": "episodes"})).code


def test_reading_dreams_by_decoders_that_are_not_fitted_is_refused():
    with pytest.raises(Refused, match="dream_decoding.methods is prnn, but position.methods fits"):
        plan.make(read(dream_decoding={"methods": ["prnn"]}))
    assert plan.make(read(position={"methods": ["robust"]})).code


def test_dreams_longer_than_any_episode_are_refused():
    short = RUN | {"options": {"env.crafter.length": 15}}
    with pytest.raises(Refused, match="set dreams.horizon below env.crafter.length"):
        plan.make(read(runs=[short]))


def test_numbers_take_the_type_of_the_schema():
    found = read(position={"holdout": 0.5, "folds": 4.0}, dreams={"image_share": 1})
    assert repr(found["position"]["folds"]) == "4"
    assert repr(found["dreams"]["image_share"]) == "1.0"


@pytest.mark.parametrize(
    "platform, blocks, expected",
    [
        ("cpu", {}, {"train": 0, "record": 0, "position": 0}),
        ("gpu", {}, {"train": 1, "record": 1, "dream": 1, "position": 0}),
        ("gpu", {"record": {"platform": "cpu"}}, {"train": 1, "record": 0}),
        ("auto", {"dreams": {"platform": "gpu"}}, {"train": 0, "dream": 1}),
    ],
)
def test_gpus_and_locks_follow_the_platform(platform, blocks, expected):
    run = RUN | {"options": {"run.platform": platform}}
    made = plan.make(read(runs=[run], **blocks))
    for stage, gpus in expected.items():
        asked = made.resources(stage, "tiny")
        assert asked["gpu"] == gpus
        assert asked["gpu_model"] == ({"train": "h100"}.get(stage, "a100") if gpus else None)
        if stage != "position":
            assert made.environment(stage, "tiny") == ("agent-cuda" if gpus else "agent")


def test_a_site_that_takes_only_gres_gets_gres():
    run = RUN | {"options": {"run.platform": "gpu"}}
    made = plan.make(read(runs=[run], cluster={"gres": True}))
    assert made.resources("train", "tiny") == {
        "gpu": None, "gpu_model": None, "gres": "gpu:h100:1",
    }  # fmt: skip
    assert made.resources("position", "tiny")["gres"] is None


def test_what_only_figures_need_changes_no_number():
    made = plan.make(read(behavior={"kinds": ["paths"], "walks": 3}))
    assert made.spec("behavior", "tiny", 0)["options"] == {"walks": 3, "seed": 0}
    drawn = made.spec("plot_behavior", "tiny", 0)["options"]
    assert drawn["kinds"] == ["paths"] and "walks" not in drawn
    made = plan.make(read(dream_decoding={"step_ms": 500, "examples": 2}))
    decoded = made.spec("dreams", "tiny", 0)["options"]
    assert decoded["examples"] == 2 and "step_ms" not in decoded
    assert made.spec("plot_dreams", "tiny", 0)["options"] == {"step_ms": 500}


def test_only_the_figures_asked_for_are_made():
    def files(**block):
        return [".".join(item) for item in derived.behavior_files(read(behavior=block))]

    assert files(kinds=["heat_map", "animation"]) == ["heat_map.svg", "animation.gif"]
    assert files(kinds=["animation"], mp4=True) == ["animation.gif", "animation.mp4"]
    known = {name.split(".")[0] for name in files()}
    assert known == {*plot_behavior.FIGURES, *plot_behavior.ANIMATIONS}
    made = plan.make(read(dream_decoding={"step_ms": 500, "examples": 2}))
    decoded = made.spec("dreams", "tiny", 0)["options"]
    assert decoded["examples"] == 2 and "step_ms" not in decoded
    assert made.spec("plot_dreams", "tiny", 0)["options"] == {"step_ms": 500}


def test_recordings_without_images_are_refused_where_other_networks_are_to_see_them():
    with pytest.raises(Refused, match="set untrained.enabled and over_training.enabled to false"):
        plan.make(read(record={"images": False}))
    off = {"enabled": False}
    assert plan.make(read(record={"images": False}, untrained=off, over_training=off)).code
