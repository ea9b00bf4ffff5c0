"""What an evaluation of a world model says: its summary, its notes, and its curves as one table.

Every number stands beside its floor, its ceiling or a criterion, which `chance_name` names.
"""

import numpy as np

from dreamer import scores
from dreamer.scores import row
from dreamer.v4 import drift, foreseen

FLOORS = ("ceiling", "repeat", "mean")
UNTRAINED = {
    "tokenizer": ("dynamics", "reward and continue heads", "policy"),
    "dynamics": ("reward and continue heads", "policy"),
}


def summary(found, config):
    """Rows of the report's table."""
    return [*_quality(found["quality"], config), *_sweep(found["quality"], config),
            *_flow(found["flow"]), *_heads(found.get("heads")), *_drift(found.get("drift")),
            *_health(found["health"])]  # fmt: skip


def _quality(quality, config):
    usual = f"k{config.dyn.rungs}"
    error = {name: numbers["error"].mean(0) for name, numbers in quality.items()}
    last = len(error[usual])
    for step in sorted({1, min(foreseen.NEAR, last), last}):
        at, place = f"at h = {step}", step - 1
        psnr = scores.decibel(error[usual][place])
        for name, words in (("repeat", "repeating the last frame"), ("mean", "the mean frame")):
            floor = scores.decibel(error[name][place])
            yield row(f"PSNR {at}, beside {words}", psnr, "dB", "high", floor, words)
        yield row(f"tokenizer's own PSNR {at}, the ceiling",
                  scores.decibel(error["ceiling"][place]), "dB", "high", psnr,
                  "the foreseen frames")  # fmt: skip
        ssim = (quality[name]["ssim"].mean(0)[place] for name in (usual, "repeat"))
        yield row(f"SSIM {at}", next(ssim), "", "high", next(ssim), "repeating the last frame")
        latent = (quality[name]["latent"].mean(0)[place] for name in (usual, "repeat"))
        yield row(f"latent error {at}", next(latent), "variance", "low", next(latent),
                  "repeating the last latents")  # fmt: skip
    for name, ratio in foreseen.ratios(quality, usual).items():
        words = f"error with {foreseen.HIDDEN[name]} over error with the true ones"
        yield row(words, ratio, "", "high", 1.0, "a model that ignores actions")


def sweep(quality):
    """{K: {psnr, near, spread, sharpness}}; the last two are shares of the truth's."""
    true = {name: values for name, values in quality["truth"].items()}
    found = {}
    for name in sorted((name for name in quality if name[1:].isdigit()), key=lambda n: int(n[1:])):
        numbers, error = quality[name], quality[name]["error"].mean(0)
        near = min(foreseen.NEAR, len(error))
        found[int(name[1:])] = {
            "psnr": float(scores.decibel(error[near - 1])),
            "first": float(scores.decibel(error[0])),
            "spread": _share(foreseen.spread(numbers["z"]), foreseen.spread(true["z"])),
            "sharpness": _share(numbers["sharpness"], true["sharpness"]),
        }
    return found


def _share(value, whole):
    return float(value.mean() / max(whole.mean(), 1e-12))


def _sweep(quality, config):
    told = sweep(quality)
    usual, finest = told[config.dyn.rungs], told[config.dyn.kmax]
    name = f"the finest, K = {config.dyn.kmax}"
    for what, unit in (("psnr", "dB"), ("spread", "of the truth"), ("sharpness", "of the truth")):
        label = {"psnr": "PSNR near the end of the first 8"}.get(what, what)
        yield row(f"{label}, K = {config.dyn.rungs}", usual[what], unit, "high", finest[what], name)


def _flow(flow):
    for tau, error in flow["flow"].items():
        if tau in (0.25, 0.5, 0.75):
            share = error / flow["floors"][tau][0]
            yield row(f"flow error at τ = {tau:g}, of the best without the past", share, "",
                      "low", 1 / 3, "a third, to pass")  # fmt: skip
    yield row("flow error at τ = 0", flow["flow"][0.0], "variance", "low", flow["copy"],
              "copying the last latents")  # fmt: skip
    ratio = flow["shuffled"][0.0] / flow["flow"][0.0]
    words = "flow error at τ = 0 with another window's action over that with the true one"
    yield row(words, ratio, "", "high", 1.0, "a model that ignores actions")
    for step, error in flow["bootstrap"].items():
        yield row(f"bootstrap error, step {step:g}", error, "variance", "low",
                  flow["plain"][step], "the finest step's prediction")  # fmt: skip


def _heads(heads):
    if not heads:
        return
    reward, end = heads["reward"], heads["continue"]
    yield row("AUROC of a reward", reward["auroc"], "", "high", 0.5, "guessing")
    yield row("correlation of expected and received reward", reward["pearson"], "", "high", 0.0,
              "guessing")  # fmt: skip
    yield row("calibration error of the reward", reward["calibration_error"], "reward", "low",
              reward["spread"], "expecting the mean (mean deviation from it)")  # fmt: skip
    yield row("AUROC of an episode's end", end["auroc"], "", "high", 0.5, "guessing")
    yield row("expected chance of an end per frame", end["expected"], "", "low", None,
              f"{end['rate']:.2g} is right")  # fmt: skip


def _drift(found):
    if not found:
        return
    for name, far in drift.far(found).items():
        yield row(f"{name} after {found['frames']} free frames, off the real mean", far, "σ", "low",
                  2.0, "two standard deviations of real pieces")  # fmt: skip
    apart = found["frechet"]
    yield row("Fréchet distance of own tokenizer's latents, free runs", apart["free"], "", "low",
              apart["still"], "films that stand still")  # fmt: skip
    yield row("Fréchet distance of own tokenizer's latents, other real films",
              apart["other real"], "", "low", apart["free"], "free runs")  # fmt: skip


def _health(health):
    for name in sorted(name for name in health if name.startswith("psnr")):
        if not name.startswith(("psnr/mean_image", "psnr/shuffled")):
            part = name.partition("/")[2]
            chance = health["psnr/mean_image" + name.removeprefix("psnr")]
            label = f"reconstruction{f' of the {part}' if part else ''}"
            yield row(label, health[name], "dB", "high", chance, "the mean image")
    yield row("reconstruction from another clip's latents", health["psnr/shuffled"], "dB", "low",
              health["psnr"], "from its own")  # fmt: skip
    yield row("effective rank of the latents", health["rank"], "", "high", 2.0, "nearly collapsed")
    yield row("cosine between latents of different frames", health["cosine"], "", "low", 1.0,
              "collapsed")  # fmt: skip
    yield row("share of saturated latents", health["saturated"], "", "low")


def table(found):
    """Long-form curves {panel, curve, x, value}."""
    rows = []
    for name, numbers in found["quality"].items():
        for what in ("error", "ssim", "latent", "sharpness"):
            values = numbers[what].mean(0)
            values = scores.decibel(values) if what == "error" else values
            panel = "psnr" if what == "error" else what
            rows += [(panel, name, step + 1, value) for step, value in enumerate(values)]
    for rungs, numbers in sweep(found["quality"]).items():
        rows += [(f"sweep {what}", "", rungs, value) for what, value in numbers.items()]
    flow = found["flow"]
    for tau, error in flow["flow"].items():
        rows += [("flow", "error", tau, error), ("flow", "covariance", tau, flow["floors"][tau][0]),
                 ("flow", "independent", tau, flow["floors"][tau][1])]  # fmt: skip
    rows += [("flow", "copy", 0.0, flow["copy"]), ("flow", "shuffled", 0.0, flow["shuffled"][0.0])]
    for what in ("bootstrap", "plain"):
        rows += [("bootstrap", what, step, error) for step, error in flow[what].items()]
    for item in found.get("heads", {}).get("reward", {}).get("calibration", ()):
        rows.append(("calibration", "reward", item["expected"], item["found"]))
    for name, values in found.get("drift", {}).get("chunks", {}).items():
        mean, std = found["drift"]["real"][name]
        rows += [("drift", name, (step + 1) * drift.CHUNK, (value - mean) / max(std, 1e-6))
                 for step, value in enumerate(values)]  # fmt: skip
    names = ("panel", "curve", "x", "value")
    columns = zip(*rows, strict=True)
    return {name: list(values) for name, values in zip(names, columns, strict=True)} | {
        "value": np.array([item[3] for item in rows], float)
    }
