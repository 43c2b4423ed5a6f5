"""The optimizers' rules in NumPy and float64, each written from its formula.

A rule is a generator: `(w, gradients, a, **arguments)` gives w after each gradient;
`a` is the learning rate.
"""

import numpy as np


def rms(x):
    return np.sqrt(np.mean(x * x))


def sgd(w, gradients, a, momentum=0.0, nesterov=False):
    m = np.zeros_like(w)
    for g in gradients:
        m = momentum * m - a * g
        w = w + (momentum * m - a * g if nesterov else m)
        yield w


def adam(w, gradients, a, b1=0.9, b2=0.999, epsilon=1e-7, amsgrad=False, decay=0.0):
    m, v, top = np.zeros((3, *w.shape))
    for t, g in enumerate(gradients, 1):
        w = w * (1 - a * decay)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        top = np.maximum(top, v)
        root = np.sqrt(top if amsgrad else v)
        w = w - a * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (root + epsilon)
        yield w


def adamax(w, gradients, a, b1=0.9, b2=0.999, epsilon=1e-7):
    m, u = np.zeros((2, *w.shape))
    for t, g in enumerate(gradients, 1):
        m = b1 * m + (1 - b1) * g
        u = np.maximum(b2 * u, np.abs(g))
        w = w - a / (1 - b1**t) * m / (u + epsilon)
        yield w


def nadam(w, gradients, a, b1=0.9, b2=0.999, epsilon=1e-7):
    m, v = np.zeros((2, *w.shape))
    product = 1.0
    for t, g in enumerate(gradients, 1):
        u, following = (b1 * (1 - 0.96**s / 2) for s in (t, t + 1))
        product = product * u
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        ahead = following * m / (1 - product * following)
        ahead = ahead + (1 - u) * g / (1 - product)
        w = w - a * ahead / (np.sqrt(v / (1 - b2**t)) + epsilon)
        yield w


def rmsprop(w, gradients, a, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    v, c, m = np.zeros((3, *w.shape))
    for g in gradients:
        v = rho * v + (1 - rho) * g * g
        c = rho * c + (1 - rho) * g
        m = momentum * m + a * g / np.sqrt(v - (c * c if centered else 0) + epsilon)
        w = w - m
        yield w


def adagrad(w, gradients, a, initial_accumulator_value=0.1, epsilon=1e-7):
    s = np.full(w.shape, initial_accumulator_value)
    for g in gradients:
        s = s + g * g
        w = w - a * g / np.sqrt(s + epsilon)
        yield w


def adadelta(w, gradients, a, rho=0.95, epsilon=1e-7):
    s, d = np.zeros((2, *w.shape))
    for g in gradients:
        s = rho * s + (1 - rho) * g * g
        x = -np.sqrt(d + epsilon) / np.sqrt(s + epsilon) * g
        d = rho * d + (1 - rho) * x * x
        w = w + a * x
        yield w


def adafactor(
    w,
    gradients,
    a,
    beta_2_decay=-0.8,
    epsilon_1=1e-30,
    epsilon_2=1e-3,
    clip_threshold=1.0,
    relative_step=True,
):
    v = np.zeros_like(w)
    r, c = (v.mean(-1), v.mean(-2)) if w.ndim > 1 else (None, None)
    for t, g in enumerate(gradients, 1):
        rate = min(a, 1 / np.sqrt(t)) if relative_step else a
        rate = rate * max(epsilon_2, rms(w))
        b = 1 - t**beta_2_decay
        q = g * g + epsilon_1
        if w.ndim > 1:
            r = b * r + (1 - b) * q.mean(-1)
            c = b * c + (1 - b) * q.mean(-2)
            v = r[..., None] * c[..., None, :] / r.mean(-1)[..., None, None]
        else:
            v = b * v + (1 - b) * q
        u = g / np.sqrt(v)
        w = w - rate * u / max(1.0, rms(u) / clip_threshold)
        yield w


def ftrl(w, gradients, a, power=-0.5, initial=0.1, l1=0.0, l2=0.0, s=0.0, beta=0.0):
    n, z = np.full(w.shape, initial), np.zeros_like(w)
    for g in gradients:
        following = n + g * g
        step = (following**-power - n**-power) / a
        z = z + g + 2 * s * w - step * w
        n = following
        w = (np.clip(z, -l1, l1) - z) / (n**-power / a + 2 * l2 + beta / a)
        yield w


def lamb(w, gradients, a, b1=0.9, b2=0.999, epsilon=1e-7):
    m, v = np.zeros((2, *w.shape))
    for t, g in enumerate(gradients, 1):
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        r = m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + epsilon)
        sizes = np.linalg.norm(w), np.linalg.norm(r)
        w = w - a * (sizes[0] / sizes[1] if all(sizes) else 1.0) * r
        yield w


def lion(w, gradients, a, b1=0.9, b2=0.99):
    m = np.zeros_like(w)
    for g in gradients:
        w = w - a * np.sign(b1 * m + (1 - b1) * g)
        m = b2 * m + (1 - b2) * g
        yield w


def muon(
    w,
    gradients,
    a,
    momentum=0.95,
    nesterov=True,
    rms_rate=0.2,
    ns_steps=5,
    decay=0.004,
    adam_decay=0.004,
    ratio=1.0,
):
    if w.ndim != 2:
        yield from adam_of_muon(w, gradients, a, ratio, adam_decay)
        return
    m = np.zeros_like(w)
    scale = 1.0 if rms_rate is None else rms_rate * np.sqrt(max(w.shape))
    for g in gradients:
        w = w * (1 - a * decay)
        m = momentum * m + g
        w = w - a * scale * orthogonal(
            g + momentum * m if nesterov else m, steps=ns_steps
        )
        yield w


def adam_of_muon(w, gradients, a, ratio, decay):
    m, v = np.zeros((2, *w.shape))
    for t, g in enumerate(gradients, 1):
        w = w * (1 - a * decay)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        rate = ratio * a * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = w - rate * m / (np.sqrt(v) + 1e-7)
        yield w


def orthogonal(x, steps, a=3.4445, b=-4.775, c=2.0315):
    """The polynomial of the iteration, applied to the singular values of x."""
    left, s, right = np.linalg.svd(x, full_matrices=False)
    s = s / (np.linalg.norm(s) + 1e-7)
    for _ in range(steps):
        s = a * s + b * s**3 + c * s**5
    return left @ np.diag(s) @ right


def schedule_free_adamw(
    w, gradients, a, b1=0.9, b2=0.999, epsilon=1e-8, warmup_steps=0, decay=0.0
):
    z, x, v = w, w, np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        x = x - w * a * decay / b1
        rate = a * min(1.0, t / warmup_steps) if warmup_steps else a
        v = b2 * v + (1 - b2) * g * g
        z = z - rate * g / (np.sqrt(v / (1 - b2**t)) + epsilon)
        x = (1 - 1 / t) * x + z / t
        w = (1 - b1) * z + b1 * x
        yield w
