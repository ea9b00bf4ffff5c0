"""The agent computes the authors' numbers, and the command notices when it does not."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from dreamer import conv, parity
from dreamer.v3 import reference
from jobs import cli
from jobs.errors import Refused

DATA = Path(__file__).parent / "data"
SHARED = Path(
    os.environ.get("DREAM_ATLAS_REFERENCE", Path(__file__).parent.parent / "../shared/data")
)
FILES = {"tiny": DATA / "tiny.npz", "edge": DATA / "edge.npz"}
FILES["vector"] = SHARED / "parity/vector.npz"


def lines(arrays):
    meta = json.loads(bytes(arrays["meta"]))
    ours = reference.compute(meta, parity.part(arrays, "batch"), parity.part(arrays, "param"))
    return parity.compare(ours, arrays, meta)


@pytest.fixture(scope="module")
def tiny():
    return parity.read(FILES["tiny"])


@pytest.fixture(scope="module")
def computed(tiny):
    """What this code computes from the tiny file."""
    meta = json.loads(bytes(tiny["meta"]))
    return reference.compute(meta, parity.part(tiny, "batch"), parity.part(tiny, "param"))


@pytest.mark.parametrize("name", FILES)
def test_every_quantity_of_the_authors_is_within_tolerance(name, capsys):
    if not FILES[name].exists():
        pytest.skip(f"{FILES[name]} is not on this machine")
    with pytest.raises(SystemExit) as left:
        cli.run(parity.main, ["--file", str(FILES[name])])
    printed = capsys.readouterr().out.splitlines()
    assert left.value.code == 0, [line for line in printed if line.startswith("FAIL")]
    quantities = [key for key in np.load(FILES[name]).files if key.split("/")[0] in parity.RTOL]
    assert len(printed) > 0.98 * len(quantities) > 200


@pytest.mark.parametrize("form", ["plain", "chunks"])
def test_each_form_of_the_convolutions_computes_the_numbers_of_the_authors(
    form, monkeypatch, capsys
):
    monkeypatch.setattr(conv, "FORCED", None)
    reference._step.clear_cache()
    with pytest.raises(SystemExit) as left:
        cli.run(parity.main, ["--file", str(FILES["edge"]), "--form", form])
    reference._step.clear_cache()
    assert left.value.code == 0 and "0 out of tolerance" in capsys.readouterr().out
    with pytest.raises(Refused, match="--form is fast, but takes plain, phases, chunks"):
        parity.main(FILES["edge"], form="fast")


def unnoticed(arrays, names):
    """Which of these parameters can be changed in one entry, by 0.01, without any line failing."""
    rng, found = np.random.default_rng(0), []
    for name in names:
        value = arrays[f"param/{name}"].copy()
        place = tuple(rng.integers(0, size) for size in value.shape)
        value[place] += 1 if value.dtype.kind == "i" else 0.01
        if all(line.passes for line in lines({**arrays, f"param/{name}": value})):
            found.append(name)
    return found


def test_one_weight_that_is_changed_a_little_is_noticed_in_every_parameter(tiny):
    names = list(parity.part(tiny, "param"))
    norms = [name for name in names if name.startswith("retnorm/")]
    assert unnoticed(tiny, [name for name in names if name not in norms]) == []
    # The returns of the tiny file are around 1e7, beside which 0.01 is nothing.
    assert unnoticed(parity.read(FILES["edge"]), norms) == []


@pytest.mark.parametrize(
    "name, change",
    [
        ("out/tokens", 1.001),
        ("out/metric/loss/policy", 1.00001),
        ("grad/enc/cnn0/kernel", 1.01),
        ("after3/dyn/dyngru/kernel", 1.001),
        ("train/loss_step2", 1.001),
        ("out/imag_action", -1),
    ],
)
def test_a_quantity_out_of_tolerance_is_named(tiny, computed, name, change):
    wrong = {**tiny, name: tiny[name] * change}
    failed = [
        line.name for line in parity.compare(computed, wrong, {"lr": 4e-5}) if not line.passes
    ]
    assert name in failed


def test_gradients_that_are_zero_must_be_zero(tiny, computed):
    name = "grad/dyn/prior0/kernel"
    assert not tiny[name].any()
    ours = {**computed, name: np.full_like(tiny[name], 1e-12)}
    failed = [line.name for line in parity.compare(ours, tiny, {"lr": 4e-5}) if not line.passes]
    assert failed == [name]


def test_a_slow_value_that_follows_too_early_is_noticed(tiny, computed):
    """Updated before the optimiser's step, it would lag one step behind."""
    lagging = dict(computed)
    for name in parity.part(computed, "after3"):
        if name.startswith("slowval/"):
            step = tiny[f"after3/{name[4:]}"] - tiny[f"param/{name[4:]}"]
            lagging[f"after3/{name}"] = computed[f"after3/{name}"] - 0.02 * step
    failed = [line.name for line in parity.compare(lagging, tiny, {"lr": 4e-5}) if not line.passes]
    assert failed and all(name.startswith("update/slowval/") for name in failed)


def test_distance_is_relative_infinite_where_nothing_fits_and_zero_for_equal_zeros():
    one = np.ones((2, 2), np.float32)
    assert parity.distance(one * 1.5, one) == pytest.approx(0.5)
    assert parity.distance(one, one[0]) == parity.distance(one * np.nan, one) == np.inf
    assert parity.distance(one * 0, one * 0) == 0 and parity.distance(one, one * 0) == np.inf


def refusal(arrays, path, match):
    np.savez(path, **arrays)
    with pytest.raises(Refused, match=match):
        parity.main(path)


def test_files_that_are_no_parity_files_are_refused_in_a_sentence(tiny, tmp_path):
    path = tmp_path / "file.npz"
    with pytest.raises(Refused, match="does not exist"):
        parity.main(path)
    path.write_bytes(FILES["tiny"].read_bytes()[:5000])
    with pytest.raises(Refused, match="not a readable"):
        parity.main(path)
    np.savez(path, meta=np.array([{"a": 1}], object))
    with pytest.raises(Refused, match="without pickles"):
        parity.main(path)
    refusal({"x": np.ones(3)}, path, "is not a parity file: it has no meta")
    refusal({**tiny, "meta": np.frombuffer(b"{", np.uint8)}, path, "not JSON")
    refusal({**tiny, "out/unheard_of": np.ones(3)}, path, "out/unheard_of, which this version")


def test_parameters_that_do_not_fit_their_sizes_are_named(tiny, tmp_path):
    less = {key: value for key, value in tiny.items() if key != "param/enc/cnn0/bias"}
    refusal(less, tmp_path / "less.npz", "enc/cnn0/bias is missing but needs")
    wrong = {**tiny, "param/enc/cnn0/bias": np.ones(7, np.float32)}
    refusal(wrong, tmp_path / "wrong.npz", r"enc/cnn0/bias is \(7,\) but needs \(4,\)")
    more = {**tiny, "param/enc/mlp0/bias": np.ones(7, np.float32)}
    refusal(more, tmp_path / "more.npz", "enc/mlp0/bias is .* but needs not be there")
