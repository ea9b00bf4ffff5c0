"""Train the tokenizer, DreamerV4's phase 1a: images to a few latents and back."""

import numpy as np

from dreamer.v4 import commands, encoding, health, latents, tokenizer
from dreamer.v4.phases import Phase, means, pair
from jobs import cli

STATISTICS = 50_000  # frames that the scale of the latents is taken from, evenly spread


def windows(lengths, config):
    """Refuse data whose episodes are all shorter than a clip."""
    lengths.check(config.tok.length, "tok.length")


def batch(data, config, rng, part):
    """Clips {images [b, T, H, W, 3]}."""
    first = data.draw(rng, config.tok.batch, config.tok.length)
    return {"images": data.images(first[part], config.tok.length)}


def sums(values, config, _, rows):
    """Every term of the reconstruction."""
    found = tokenizer.loss(values, config, rows["images"], rows["key"])
    return {name: pair(loss, len(rows["images"])) for name, loss in found.items()}


def terms(config, sums, _):
    """All of them are normalised."""
    return means(sums, tokenizer.weights(config)), {}, {}


def finish(values, config, episodes, folder):
    """The parameters with the scale of the latents of the training data."""
    with encoding.encoded(values, config, episodes, folder) as found:
        some = np.linspace(0, len(found) - 1, min(STATISTICS, len(found))).astype(int)
        return values | latents.statistics(np.asarray(found[some], np.float32))


def watch(values, config, rows):
    """Health of the tokenizer on held-out clips."""
    return health.report(values, config, np.asarray(rows["images"]))


PHASE = Phase(
    name="tokenizer",
    number=1,
    command="train_tokenizer",
    block="tok",
    after=None,
    brings=(),
    trained=("tok/",),
    windows=windows,
    batch=batch,
    sums=sums,
    terms=terms,
    weights=tokenizer.weights,
    finish=finish,
    watch=watch,
)
main = commands.command(PHASE)

if __name__ == "__main__":
    cli.run(main)
