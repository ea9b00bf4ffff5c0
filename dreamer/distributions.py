"""Probability distributions of the agent, all in float32, and the numbers they are trained on.

Where a `key` is None the most probable value is taken instead of a draw; where it is an array of
keys, one per row of the first axis, a row's draw does not depend on its place.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

IMPOSSIBLE = -1e9  # logit of a category that does not exist


class Categorical(NamedTuple):
    """Categories on the last axis of `logits` [..., C]; values are indices."""

    logits: jax.Array

    @property
    def mean(self):
        return jax.nn.softmax(self.logits)

    def draw(self, key):
        if key is None:
            return jnp.argmax(self.logits, -1).astype(jnp.int32)
        return inverse_cdf(self.mean, key)

    def log_prob(self, value):
        chosen = jax.nn.one_hot(value, self.logits.shape[-1])
        return (jax.nn.log_softmax(self.logits) * chosen).sum(-1)

    def entropy(self):
        return -(self.mean * jax.nn.log_softmax(self.logits)).sum(-1)


class Categoricals(NamedTuple):
    """Independent categoricals: `logits` [..., *shape, C], whose shape has `rank` axes."""

    logits: jax.Array
    rank: int = 1

    def draw(self, key):
        return Categorical(self.logits).draw(key)

    def log_prob(self, value):
        return self._sum(Categorical(self.logits).log_prob(value))

    def entropy(self):
        return self._sum(Categorical(self.logits).entropy())

    def _sum(self, values):
        return values.sum(tuple(range(-self.rank, 0)))


class Normal(NamedTuple):
    """Independent normals on the last axis: `mean` and `std` [..., A]."""

    mean: jax.Array
    std: jax.Array

    def draw(self, key):
        if key is None:
            return self.mean
        uniform_draw = uniform(key, self.mean.shape, np.nextafter(np.float32(-1), np.float32(0)))
        return self.mean + self.std * np.sqrt(2) * jax.lax.erf_inv(uniform_draw)

    def log_prob(self, value):
        distance = (value - self.mean) / self.std
        return -(distance**2 / 2 + jnp.log(self.std) + np.log(2 * np.pi) / 2).sum(-1)

    def entropy(self):
        return (jnp.log(self.std) + np.log(2 * np.pi * np.e) / 2).sum(-1)


def split(key, count):
    """`count` independent keys [count, ...] for a `key` of any kind (None stays None)."""
    if key is None:
        return None
    if key.ndim:
        return jax.vmap(lambda one: jax.random.split(one, count), out_axes=1)(key)
    return jax.random.split(key, count)


def pair(key):
    """Two independent keys for a `key` of any kind."""
    return (None, None) if key is None else tuple(split(key, 2))


def uniform(key, shape, low=0.0):
    """Uniform float32 in [low, 1)."""
    if key.ndim:
        return jax.vmap(lambda one: jax.random.uniform(one, shape[1:], minval=low))(key)
    return jax.random.uniform(key, shape, minval=low)


def inverse_cdf(probs, key):
    """Index [...] drawn from probs [..., C] with one uniform number each."""
    threshold = uniform(key, probs.shape[:-1])[..., None]
    index = (jnp.cumsum(probs, -1) <= threshold).sum(-1)
    return jnp.minimum(index, probs.shape[-1] - 1).astype(jnp.int32)


def mixed(logits, unimix):
    """Log-probabilities [..., C] of softmax(logits) with a share `unimix` of the uniform."""
    logits = logits.astype(jnp.float32)
    probs = (1 - unimix) * jax.nn.softmax(logits) + unimix / logits.shape[-1]
    return jnp.log(probs)


def only(logits, possible):
    """Logits [..., C] of the categories in the mask `possible` [..., C]; None is all of them."""
    return logits if possible is None else jnp.where(possible, logits, IMPOSSIBLE)


def straight_through(log_probs, key):
    """One-hot draw [..., C] whose gradient is that of the probabilities."""
    probs = jnp.exp(log_probs)
    draw = jnp.argmax(probs, -1) if key is None else inverse_cdf(probs, key)
    one_hot = jax.nn.one_hot(draw, probs.shape[-1])
    return jax.lax.stop_gradient(one_hot) + (probs - jax.lax.stop_gradient(probs))


def kl(log_p, log_q):
    """KL(p || q) [...] of log-probabilities [..., S, C], summed over the S categoricals."""
    return (jnp.exp(log_p) * (log_p - log_q)).sum((-2, -1))


def entropy(log_p):
    """Entropy [...] of log-probabilities [..., S, C], summed over the S categoricals."""
    return -(jnp.exp(log_p) * log_p).sum((-2, -1))


def symlog(x):
    """sign(x) * log(1 + |x|)."""
    return jnp.sign(x) * jnp.log1p(jnp.abs(x))


def symexp(x):
    """The inverse of `symlog`."""
    return jnp.sign(x) * jnp.expm1(jnp.abs(x))


def bins(count):
    """symexp of `count` even steps from -20 to 20, exactly symmetric [count] float32."""
    upper = np.expm1(np.linspace(-20, 20, count)[count - count // 2 :])
    middle = np.zeros(count % 2)
    return np.concatenate([-upper[::-1], middle, upper]).astype(np.float32)


def two_hot(x, edges):
    """Weights [..., K] of x [...] on its two neighbouring bins, linear between them.

    Values beyond the outermost bins count wholly to these.
    """
    around = np.concatenate([2 * edges[:1], edges, 2 * edges[-1:]])
    gaps = np.diff(around)
    x = jnp.clip(x, edges[0], edges[-1])[..., None]
    rising, falling = (x - around[:-2]) / gaps[:-1], (around[2:] - x) / gaps[1:]
    return jnp.clip(jnp.minimum(rising, falling), 0, 1)


def two_hot_mean(logits):
    """Expected value [...] of bins weighted by softmax(logits [..., K]).

    Opposite bins are paired, so equal probabilities give exactly 0.
    """
    probs, edges = jax.nn.softmax(logits), bins(logits.shape[-1])
    half = len(edges) // 2
    difference = probs[..., -half:] - probs[..., :half][..., ::-1]
    return (difference * edges[-half:]).sum(-1)


def cross_entropy(logits, target):
    """-sum(target * log softmax(logits)) over the last axis; target may sum to more than 1."""
    return -(target * jax.nn.log_softmax(logits)).sum(-1)
