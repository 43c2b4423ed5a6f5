"""The statistical battery of the counter hash.

Every test gives a p-value under the hypothesis "independent uniform words". The hash is
fixed, so nothing here is flaky: a test passes for good or fails for good. The same
battery must reject a hash that is known to be bad.
"""

import numpy as np
import pytest
from scipy import special, stats

from hornbeam.core import random_hash

SIZE = 1 << 19
WIDTH = 64
SMALLEST_P = 1e-4

# What one-round multiplicative hashing gives: good-looking numbers, no independence.
GOOD, BAD = "counter hash", "one multiplication"


def counter_hash(seed, counter, position):
    with np.errstate(over="ignore"):
        a, b = random_hash.schedule(seed, counter)
        return random_hash.scramble(position, a, b)


def one_multiplication(seed, counter, position):
    with np.errstate(over="ignore"):
        x = (position + seed * 0x9E3779B9 + counter * 0x85EBCA6B) * 0xED5AD4BB
        return x ^ (x >> 16)


HASHES = {GOOD: counter_hash, BAD: one_multiplication}


def _column(n):
    return np.arange(n, dtype=np.uint32)[:, None]


def _row(n):
    return np.arange(n, dtype=np.uint32)[None, :]


ZERO = np.zeros((1, 1), np.uint32)

# The orders in which words are read: one long stream, and short draws from many
# streams whose seeds or counters are neighbours, down to one word from each.
VIEWS = {
    "positions": lambda h: h(ZERO, ZERO, _row(SIZE)),
    "counters": lambda h: h(ZERO, _column(SIZE // WIDTH), _row(WIDTH)),
    "seeds": lambda h: h(_column(SIZE // WIDTH), ZERO, _row(WIDTH)),
    "across counters": lambda h: h(ZERO, _row(SIZE // WIDTH), _column(WIDTH)),
    "across seeds": lambda h: h(_row(SIZE // WIDTH), ZERO, _column(WIDTH)),
    "seeds and counters": lambda h: h(_column(SIZE // 1024), _row(1024), ZERO),
}


def _chi_square(counts, expected=None):
    return stats.chisquare(counts, expected).pvalue


def _sum_of_squares(z):
    """p-value of independent standard normal numbers, too big or too small."""
    upper = special.gammaincc(z.size / 2, np.sum(z * z) / 2)
    return 2 * min(upper, 1 - upper)


def _bits(words):
    return np.unpackbits(words.view(np.uint8).reshape(-1, 4), axis=1)


def _balance(bits):
    return (bits.sum(0) - len(bits) / 2) / np.sqrt(len(bits) / 4)


def bit_balance(words):
    return _sum_of_squares(_balance(_bits(words)))


def bytes_even(words):
    """Each of the four bytes of a word apart."""
    columns = words.view(np.uint8).reshape(-1, 4)
    return 4 * min(_chi_square(np.bincount(c, minlength=256)) for c in columns.T)


def cells_of_16_bits(words):
    halves = words.view(np.uint16).reshape(-1, 2)
    return 2 * min(_chi_square(np.bincount(c, minlength=65536)) for c in halves.T)


def pairs_of_neighbours(words):
    """Top bytes of neighbours in 256 x 256 cells: lattices show here."""
    top = words >> 24
    return _chi_square(np.bincount(top[:-1:2] * 256 + top[1::2], minlength=65536))


def triples_of_neighbours(words):
    top = (words[: SIZE // 3 * 3] >> 27).reshape(-1, 3) @ np.array([1024, 32, 1])
    return _chi_square(np.bincount(top.astype(int), minlength=32768))


LAGS = [*range(1, 33), *(1 << k for k in range(6, 17))]


def serial_correlation(words):
    u = words / 2.0**32 - 0.5
    z = [12 * np.mean(u[:-k] * u[k:]) * np.sqrt(SIZE - k) for k in LAGS]
    return _sum_of_squares(np.array(z))


def bit_serial_correlation(words):
    """Whether a bit equals the same bit `lag` words later."""
    z = [_balance(_bits(words[:-k] ^ words[k:])) for k in (1, 2, 3, 5, 64, 1024)]
    return _sum_of_squares(np.concatenate(z))


def birthday_spacings(words):
    """Equal spacings among 512 of 2^24 days (Marsaglia).

    Nearly Poisson; the mean is 2, less 1 % for the ends of the year.
    """
    worst = 1.0
    for shift in (0, 8):
        days = np.sort(((words >> shift) & 0xFFFFFF).reshape(-1, 512).astype(int), 1)
        spacings = np.sort(np.diff(days, axis=1), 1)
        equal = np.minimum((np.diff(spacings, axis=1) == 0).sum(1), 7)
        expected = stats.poisson.pmf(np.arange(7), 1.98)
        expected = np.append(expected, 1 - expected.sum()) * len(days)
        worst = min(worst, _chi_square(np.bincount(equal, minlength=8), expected))
    return 2 * worst


def runs_up_and_down(words):
    turns = np.count_nonzero(np.diff(np.diff(words.astype(np.int64)) > 0)) + 1
    z = (turns - (2 * SIZE - 1) / 3) / np.sqrt((16 * SIZE - 29) / 90)
    return 2 * stats.norm.sf(abs(z))


def _distinct(words):
    """How many different words there are; `np.unique` takes twenty times longer."""
    ordered = np.sort(words, axis=None)
    return 1 + np.count_nonzero(ordered[1:] != ordered[:-1])


def repeated_words(words):
    """A permutation repeats nothing, a random function as often as chance wants."""
    repeats = SIZE - _distinct(words)
    mean = SIZE * SIZE / 2.0**33
    return 2 * min(
        stats.poisson.cdf(repeats, mean), stats.poisson.sf(repeats - 1, mean)
    )


def matrix_rank(words):
    """Ranks over GF(2) of 32 x 32 matrices."""
    rows = words[: SIZE // 32 * 32].reshape(-1, 32).copy()
    rank = np.zeros(len(rows), int)
    for bit in range(32):
        has = ((rows >> bit) & 1).astype(bool)
        pivot = has.argmax(1)
        found = has.any(1)
        value = np.where(found, rows[np.arange(len(rows)), pivot], 0).astype(np.uint32)
        rows ^= np.where(has, value[:, None], 0).astype(np.uint32)
        rank += found
    share = np.array([0.0052387863, 0.1283502644, 0.5775761902, 0.2888347591])
    counts = np.bincount(np.maximum(rank, 29) - 29, minlength=4)
    return _chi_square(counts, share / share.sum() * len(rows))


def uniform_distribution(words):
    return stats.kstest((words >> 8) * 2.0**-24, "uniform").pvalue


BATTERY = [
    bit_balance,
    bytes_even,
    cells_of_16_bits,
    pairs_of_neighbours,
    triples_of_neighbours,
    serial_correlation,
    bit_serial_correlation,
    birthday_spacings,
    runs_up_and_down,
    repeated_words,
    matrix_rank,
    uniform_distribution,
]


def avalanche(bits, argument):
    """Flip each bit of an argument: each bit of the word flips half of the time."""
    base = np.arange(1 << 12, dtype=np.uint32)
    z = []
    for bit in range(32):
        before = [base % 16, base // 16 % 16, base // 256]
        # Each pair once: from the words in which the bit is 0.
        before = [a[before[argument] >> bit & 1 == 0] for a in before]
        after = list(before)
        after[argument] = before[argument] ^ np.uint32(1 << bit)
        z.append(_balance(_bits(bits(*before) ^ bits(*after))))
    z = np.concatenate(z)
    largest = 2 * stats.norm.sf(np.abs(z).max()) * z.size
    return largest, np.mean(z * z)


@pytest.fixture(scope="module")
def words_of():
    cache = {}

    def get(name, view):
        key = name, view
        if key not in cache:
            cache[key] = np.ascontiguousarray(VIEWS[view](HASHES[name]).reshape(-1))
        return cache[key]

    return get


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("test", BATTERY, ids=lambda t: t.__name__)
def test_words_are_independent_and_uniform(words_of, test, view):
    assert SMALLEST_P < test(words_of(GOOD, view)) * len(VIEWS)


@pytest.mark.parametrize("argument", range(3), ids=["seed", "counter", "position"])
def test_avalanche(argument):
    p_largest, mean_square = avalanche(counter_hash, argument)
    assert p_largest > SMALLEST_P
    assert 0.8 < mean_square < 1.2


@pytest.mark.parametrize("view", VIEWS)
def test_battery_rejects_one_multiplication(words_of, view):
    rejected = [
        t.__name__
        for t in BATTERY
        if not t(words_of(BAD, view)) * len(VIEWS) > SMALLEST_P
    ]
    assert len(rejected) >= 5, rejected


@pytest.mark.parametrize("argument", range(3), ids=["seed", "counter", "position"])
def test_avalanche_rejects_one_multiplication(argument):
    p_largest, mean_square = avalanche(one_multiplication, argument)
    assert p_largest < SMALLEST_P and mean_square > 1.2


def test_streams_are_uncorrelated():
    """All pairs of 512 neighbouring streams, as vectors of uniforms."""
    index = np.arange(512, dtype=np.uint32)[:, None]
    for seeds, counters in [(index, ZERO), (ZERO, index), (index // 32, index % 32)]:
        u = counter_hash(seeds, counters, _row(1024)) / 2.0**32 - 0.5
        z = (12 * u @ u.T / np.sqrt(1024))[np.triu_indices(512, 1)]
        assert abs(np.mean(z * z) - 1) < 0.02
        assert np.abs(z).max() < stats.norm.isf(1e-4 / z.size)


def test_host_and_expression_agree():
    key = (123456789, 987654321)
    a, b = random_hash.schedule(*key)
    expected = [random_hash.scramble(i, a, b) for i in range(60)]
    np.testing.assert_array_equal(
        random_hash.numpy_bits(key, (3, 4, 5)), np.reshape(expected, (3, 4, 5))
    )


def test_known_words():
    """The bits are a promise: files and papers depend on them."""
    words = random_hash.numpy_bits((1, 2), (3,)).tolist()
    assert words == [756717809, 3043710583, 3820276059]


def test_schedule_is_a_bijection():
    seeds, counters = np.meshgrid(*[np.arange(1024, dtype=np.uint32)] * 2)
    a, b = random_hash.schedule(seeds, counters)
    keys = a.astype(np.uint64) << np.uint64(32) | b
    assert _distinct(keys) == keys.size
    assert _distinct(a) > 0.999 * keys.size * (1 - keys.size / 2**33)
