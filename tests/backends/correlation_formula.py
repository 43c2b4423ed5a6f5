"""Correlation in NumPy, term by term."""

import numpy as np


class Formula:
    """Correlation of `(n, *space, g, c)` with `(*window, g, c, f)`, both transposes.

    `geometry`: strides, padding, gaps between the inputs, dilation of the window.
    """

    def __init__(self, x_shape, kernel_shape, geometry):
        self.shapes = x_shape, kernel_shape
        window = kernel_shape[:-3]
        rows = zip(x_shape[1:-2], window, *geometry, strict=True)
        axes = [self.axis(*row) for row in rows]
        space = [outputs for outputs, _ in axes]
        self.shape = (x_shape[0], *space, x_shape[-2], kernel_shape[-1])
        self.terms = []
        for picks in np.ndindex(*[len(terms) for _, terms in axes]):
            of_axes = [terms[i] for i, (_, terms) in zip(picks, axes, strict=True)]
            self.terms.append(tuple(zip(*of_axes, strict=True)))

    @staticmethod
    def axis(n, k, s, p, u, d):
        length = (n - 1) * u + 1 + sum(p)
        outputs = max(0, (length - (k - 1) * d - 1) // s + 1)
        places = [
            (o, w, o * s + w * d - p[0]) for o in range(outputs) for w in range(k)
        ]
        terms = [(o, w, i // u) for o, w, i in places if i % u == 0 and 0 <= i // u < n]
        return outputs, terms

    def outputs(self, x, kernel):
        y = np.zeros(self.shape)
        for o, w, i in self.terms:
            y[:, *o] += np.einsum("ngc,gcf->ngf", x[:, *i], kernel[w])
        return y

    def of_inputs(self, cotangent, kernel):
        x = np.zeros(self.shapes[0])
        for o, w, i in self.terms:
            x[:, *i] += np.einsum("ngf,gcf->ngc", cotangent[:, *o], kernel[w])
        return x

    def of_kernel(self, cotangent, x):
        kernel = np.zeros(self.shapes[1])
        for o, w, i in self.terms:
            kernel[w] += np.einsum("ngf,ngc->gcf", cotangent[:, *o], x[:, *i])
        return kernel


def numbers(rng, *shape):
    """Small integers: all sums of their products are exact."""
    return rng.integers(-3, 4, shape).astype("float32")
