#!/usr/bin/env python3
"""Writes tests/vectors/surface_*.tsv: exact values of SVI and SABR smiles by mpmath at 100 digits.

Usage: make_surface_vectors.py

Derivatives are taken numerically of the textbook formulas, at 100 digits: nothing is shared with
the C code. Inputs are doubles, so the exact value belongs to exactly those inputs.
"""
import os
import random

import mpmath
from mpmath import diff, erfc, log, mp, mpf, nstr, sqrt

mp.dps = 100
HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "vectors")


def svi(a, b, rho, m, sigma, k):
    return a + b * (rho * (k - m) + sqrt((k - m) ** 2 + sigma**2))


def svi_row(a, b, rho, m, sigma, k):
    w, w1, w2 = (diff(lambda x: svi(a, b, rho, m, sigma, x), k, n) for n in (0, 1, 2))
    g = (1 - k * w1 / (2 * w)) ** 2 - w1**2 / 4 * (1 / w + mpf(1) / 4) + w2 / 2
    return [w, w1, w2, g]


def sabr(alpha, beta, rho, nu, f, k, t):
    """Hagan et al. 2002, (2.17a)."""
    c = 1 - beta
    x = log(f / k)
    mid = (f * k) ** (c / 2)
    z = nu / alpha * mid * x
    ratio = mpf(1)
    if z != 0:
        ratio = z / log((sqrt(1 - 2 * rho * z + z * z) + z - rho) / (1 - rho))
    d = 1 + c**2 / 24 * x**2 + c**4 / 1920 * x**4
    corr = 1 + t * (c**2 / 24 * alpha**2 / mid**2 + rho * beta * nu * alpha / (4 * mid)
                    + (2 - 3 * rho**2) / 24 * nu**2)
    return alpha / (mid * d) * ratio * corr


def call(f, k, t, sigma):
    s = sigma * sqrt(t)
    d1 = log(f / k) / s + s / 2
    return f * erfc(-d1 / sqrt(mpf(2))) / 2 - k * erfc(-(d1 - s) / sqrt(mpf(2))) / 2


def sabr_row(alpha, beta, rho, nu, f, k, t):
    # Away from z = 0/0 by less than a double can tell.
    if f == k:
        k = k * (1 + mpf(10) ** -24)
    vol = sabr(alpha, beta, rho, nu, f, k, t)
    h = mpf(10) ** -30

    def slope(fn, x):
        return (fn(x * (1 + h)) - fn(x * (1 - h))) / (2 * h * x)

    d_f = slope(lambda y: sabr(alpha, beta, rho, nu, y, k, t), f)
    d_alpha = slope(lambda y: sabr(y, beta, rho, nu, f, k, t), alpha)
    d_strike = slope(lambda y: sabr(alpha, beta, rho, nu, f, y, t), k)
    black = slope(lambda y: call(y, k, t, vol), f)
    vega = slope(lambda y: call(f, k, t, y), vol)
    bartlett = black + vega * (d_f + d_alpha * rho * nu / f**beta)
    return [vol, d_f, d_alpha, d_strike, black + vega * d_f, bartlett]


def write(name, what, inputs, outputs, rows):
    with open(os.path.join(VECTORS, name), "w") as out:
        out.write("# %s: mpmath %s, 100 digits, tests/tools/make_surface_vectors.py\n"
                  % (what, mpmath.__version__))
        out.write("\t".join(inputs.split() + outputs.split()) + "\n")
        for given, found in rows:
            out.write("\t".join([repr(x) for x in given] + [nstr(y, 17) for y in found]) + "\n")


def svi_rows(rng):
    given = [(-0.0410, 0.1331, 0.3060, 0.3586, 0.4153, k) for k in (-1.5, 0.0, 0.4, 0.8793, 1.2)]
    for _ in range(400):
        b, rho = 10 ** rng.uniform(-3, 0), rng.uniform(-0.99, 0.99)
        m, sigma = rng.uniform(-0.5, 0.5), 10 ** rng.uniform(-3, 0)
        a = 10 ** rng.uniform(-5, -0.3) - b * sigma * (1 - rho * rho) ** 0.5
        given.append((a, b, rho, m, sigma, rng.uniform(-2, 2)))
    return [(row, svi_row(*map(mpf, row))) for row in given]


def sabr_rows(rng):
    given = []
    for i in range(600):
        beta = rng.choice([0.0, 0.3, 0.5, 1.0])
        f = rng.choice([0.03, 1.0, 100.0, 60000.0])
        sigma = 10 ** rng.uniform(-1.3, 0.1)
        t = 10 ** rng.uniform(-4, 0.5)
        nu = rng.choice([1e-3, 0.1, 0.5, 1.0]) / max(t, 0.04) ** 0.5
        s = sigma * t**0.5
        wide = 10 ** rng.uniform(-6, 0) if i % 3 == 0 else 1.0
        k = f if i % 20 == 0 else f * float(mpmath.exp(rng.uniform(-2.5, 2.5) * s * wide))
        given.append((sigma * f ** (1 - beta), beta, rng.uniform(-0.95, 0.95), nu, f, k, t))
    return [(row, sabr_row(*map(mpf, row))) for row in given]


def main():
    rng = random.Random(2014)
    write("surface_svi.tsv", "raw SVI (Gatheral and Jacquier 2014)", "a b rho m sigma k", "w w1 w2 g",
          svi_rows(rng))
    write("surface_sabr.tsv", "SABR (Hagan et al. 2002; deltas of a call)",
          "alpha beta rho nu f k t", "vol d_f d_alpha d_strike classic bartlett", sabr_rows(rng))


if __name__ == "__main__":
    main()
