#!/usr/bin/env python3
"""Writes tests/vectors/greeks_*.tsv: exact values of runtime/greeks by mpmath at 50 digits.

Usage: make_greeks_vectors.py [--coefficients]

Every row holds inputs that are doubles (so the exact value belongs to exactly those inputs), and
for each output its value and its condition number: the sum over the inputs of |d ln(out)/d ln(in)|.
The formulas here are the textbook ones on purpose: nothing is shared with the C code.

--coefficients prints the minimax fits of runtime/greeks: math_int.h, vol_int.h, timevalue_int.h.
"""
import os
import random
import sys

from mpmath import atanh, cos, diff, erfc, erf, exp, log, lu_solve, matrix, mp, mpf, nstr, pi, sqrt

mp.dps = 50
HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "vectors")
GREEKS = ("price delta gamma vega theta rho vanna volga charm speed color zomma ultima").split()
INVERSE = "price delta delta_net gamma vega theta".split()
MINUTE = 1 / (365 * 1440)


def cdf(z):
    return erfc(-z / sqrt(mpf(2))) / 2


def pdf(z):
    return exp(-z * z / 2) / sqrt(2 * pi)


def black76(f, k, t, sigma, cp, r):
    """All outputs of hg_black76_all by the textbook formulas (Hull; Haug 2007, chapter 2)."""
    s = sigma * sqrt(t)
    x = log(f / k)
    d1 = x / s + s / 2
    d2 = x / s - s / 2
    disc = exp(-r * t)
    n1 = pdf(d1)
    price = disc * cp * (f * cdf(cp * d1) - k * cdf(cp * d2))
    delta = disc * cp * cdf(cp * d1)
    gamma = disc * n1 / (f * s)
    vega = disc * f * n1 * sqrt(t)
    return {
        "price": price,
        "delta": delta,
        "gamma": gamma,
        "vega": vega,
        "theta": r * price - disc * f * n1 * sigma / (2 * sqrt(t)),
        "rho": -t * price,
        "vanna": -disc * n1 * d2 / sigma,
        "volga": vega * d1 * d2 / sigma,
        "charm": r * delta + disc * n1 * d2 / (2 * t),
        "speed": -gamma / f * (1 + d1 / s),
        "color": gamma * (r + (1 - d1 * d2) / (2 * t)),
        "zomma": gamma * (d1 * d2 - 1) / sigma,
        "ultima": -vega / sigma**2 * (d1 * d2 * (1 - d1 * d2) + d1**2 + d2**2),
    }


def inverse(f, k, t, sigma, cp, _r):
    """All outputs of hg_inverse_all: c(F) = V(F)/F and its derivatives."""
    g = black76(f, k, t, sigma, cp, mpf(0))
    c = g["price"] / f
    net = g["delta"] - c
    return {
        "price": c,
        "delta": g["delta"],
        "delta_net": net,
        "gamma": g["gamma"] / f - 2 * net / f**2,
        "vega": g["vega"] / f,
        "theta": g["theta"] / f,
    }


def bachelier(f, k, t, sigma, cp, r):
    """All outputs of hg_bachelier_all (Bachelier 1900)."""
    s = sigma * sqrt(t)
    d = (f - k) / s
    disc = exp(-r * t)
    n = pdf(d)
    price = disc * (cp * (f - k) * cdf(cp * d) + s * n)
    delta = disc * cp * cdf(cp * d)
    gamma = disc * n / s
    vega = disc * n * sqrt(t)
    return {
        "price": price,
        "delta": delta,
        "gamma": gamma,
        "vega": vega,
        "theta": r * price - disc * n * sigma / (2 * sqrt(t)),
        "rho": -t * price,
        "vanna": -disc * n * d / sigma,
        "volga": vega * d * d / sigma,
        "charm": r * delta + disc * n * d / (2 * t),
        "speed": -gamma * d / s,
        "color": gamma * (r + (1 - d * d) / (2 * t)),
        "zomma": gamma * (d * d - 1) / sigma,
        "ultima": vega / sigma**2 * (d**4 - 3 * d * d),
    }


def with_condition(model, names, row):
    """Values of `model` at `row` and the condition number of each in its inputs."""
    args = [mpf(v) for v in row]
    digits = mp.dps
    mp.dps = 110  # probabilities of 1e-200 and in-the-money differences of them
    base = model(*args)
    cond = dict.fromkeys(names, mpf(0))
    h = mpf(10) ** -25
    for i in (0, 1, 2, 3, 5):
        if args[i] == 0:
            continue
        up = list(args)
        down = list(args)
        up[i] = args[i] * (1 + h)
        down[i] = args[i] * (1 - h)
        a = model(*up)
        b = model(*down)
        for n in names:
            if base[n] != 0:
                cond[n] += abs((a[n] - b[n]) / (2 * h) / base[n])
    mp.dps = digits
    return base, cond


def number(x):
    """A double that reads back exactly; what underflows is 0."""
    return repr(float(x))


def write(name, title, columns, rows):
    path = os.path.join(VECTORS, name)
    with open(path, "w", encoding="ascii") as out:
        out.write("# %s mpmath %s, 50 digits, tests/tools/make_greeks_vectors.py\n" % (title, mp_version()))
        out.write("\t".join(columns) + "\n")
        for row in rows:
            out.write("\t".join(row) + "\n")
    print("%s: %d rows, %d bytes" % (name, len(rows), os.path.getsize(path)))


def mp_version():
    import mpmath

    return mpmath.__version__


def strike(f, t, sigma, std):
    """The strike `std` standard deviations from F, as a double in a sane range, or None."""
    x = std * sigma * t**0.5
    if abs(x) > 600:
        return None
    return float(mpf(f) * exp(mpf(x)))


def grid(rng):
    """Hard corners: sigma 0.01..10, a minute to five years, 30 standard deviations either way."""
    rows = []
    for sigma in (0.01, 0.05, 0.2, 0.6, 1.5, 4.0, 10.0):
        for t in (MINUTE, 0.5 / 365, 7 / 365, 30 / 365, 1.0, 5.0):
            for std in (-30, -12, -5, -1.5, -0.2, 0.0, 0.2, 1.5, 5, 12, 30):
                f = rng.choice((0.9, 100.0, 3210.5, 63017.25))
                k = strike(f, t, sigma, std)
                if k is None:
                    continue
                cp = rng.choice((1, -1))
                r = rng.choice((0.0, 0.0, 0.05, -0.01))
                rows.append((f, k, t, sigma, cp, r))
    return rows


def book(rng, n):
    """A crypto book: strikes on a grid, a day to a year, vols 0.3 to 1.2."""
    rows = []
    while len(rows) < n:
        f = round(rng.uniform(20000, 120000), 2)
        t = rng.uniform(1 / 365, 1)
        sigma = round(rng.uniform(0.3, 1.2), 4)
        k = strike(f, t, sigma, rng.uniform(-2.5, 2.5))
        rows.append((f, max(500.0, round(k / 500) * 500.0), t, sigma, rng.choice((1, -1)), 0.0))
    return rows


def spreads(rng, n):
    """Forwards and strikes of either sign, to 25 deviations apart."""
    rows = []
    while len(rows) < n:
        f = round(rng.uniform(-10, 10), 2)
        t = rng.choice((MINUTE, 1 / 365, 0.25, 5.0))
        sigma = 10 ** rng.uniform(-2, 2)
        k = f + rng.choice((0, 0.1, 1, 3, 8, 25)) * rng.choice((-1, 1)) * sigma * t**0.5
        rows.append((f, k, t, sigma, rng.choice((1, -1)), rng.choice((0.0, 0.03))))
    return rows


def near_money(rng, n):
    """F - K of a few ulps to a per cent, vols down to 1e-6 in total."""
    rows = []
    while len(rows) < n:
        f = rng.choice((100.0, 63017.25))
        s = 10 ** rng.uniform(-6, -1)
        k = f * (1 + rng.uniform(-4, 4) * s * rng.choice((0, 1e-3, 1)))
        t = 10 ** rng.uniform(-5.7, 0)
        rows.append((f, k, t, s / t**0.5, rng.choice((1, -1)), 0.0))
    return rows


def greek_rows(inputs, model, names):
    rows = []
    for row in inputs:
        base, cond = with_condition(model, names, row)
        out = [number(v) for v in row]
        for n in names:
            out += [number(base[n]), "%.3g" % float(cond[n])]
        rows.append(out)
    return rows


def time_value(f, k, t, sigma):
    """The out-of-the-money value, exact."""
    cp = 1 if k >= f else -1
    s = sigma * sqrt(t)
    x = log(f / k)
    return cp * (f * cdf(cp * (x / s + s / 2)) - k * cdf(cp * (x / s - s / 2)))


def exact_vol(price, row):
    """The vol of the rounded price, by Newton on ln(value) from the vol it was made with."""
    f, k, t, guess, cp, _ = [mpf(v) for v in row]
    target = price - max(cp * (f - k), mpf(0))
    if target <= 0:
        return None, None
    sigma = guess
    for _ in range(60):
        v = time_value(f, k, t, sigma)
        s = sigma * sqrt(t)
        vega = f * pdf(log(f / k) / s + s / 2) * sqrt(t)
        step = log(v / target) * v / vega
        sigma -= step
        if sigma <= 0:
            return None, None
        if abs(step) < sigma * mpf(10) ** -40:
            break
    # In the price alone; F and K are taken as exact.
    return sigma, price / (vega * sigma)


def vol_rows(inputs):
    rows = []
    for row in inputs:
        digits = mp.dps
        mp.dps = 110
        f, k, t, sigma, cp, _ = row
        exact = max(cp * (mpf(f) - mpf(k)), mpf(0)) + time_value(*[mpf(v) for v in row[:4]])
        price = float(exact)
        top = f if cp > 0 else k
        if 1e-300 < price < top:
            vol, cond = exact_vol(mpf(price), row)
            # Where the double of the price holds no digit of the vol there is nothing to test.
            if vol is not None and cond < 1e13:
                rows.append([number(v) for v in (price, f, k, t, cp)] + [number(vol), "%.3g" % float(cond)])
        mp.dps = digits
    return rows


def normal_value(m, s):
    """Bachelier's out-of-the-money value, m = |F - K|, s = sigma sqrt(T)."""
    d = m / s
    return s * pdf(d) - m * cdf(-d)


def normal_vol_rows(inputs):
    """As vol_rows, in Bachelier's model."""
    rows = []
    digits = mp.dps
    mp.dps = 110
    for f, k, t, sigma, cp in inputs:
        m = abs(mpf(f) - mpf(k))
        intrinsic = max(cp * (mpf(f) - mpf(k)), mpf(0))
        s = mpf(sigma) * sqrt(mpf(t))
        price = float(intrinsic + normal_value(m, s))
        target = mpf(price) - intrinsic
        if not (1e-300 < price and target > 0):
            continue
        for _ in range(200):
            v = normal_value(m, s)
            step = log(v / target) * v / pdf(m / s)
            s = s / 2 if step >= s else s - step
            if abs(step) < s * mpf(10) ** -60:
                break
        cond = price / (pdf(m / s) * s)
        if cond < 1e13:
            rows.append([number(v) for v in (price, f, k, t, cp)] +
                        [number(s / sqrt(mpf(t))), "%.3g" % float(cond)])
    mp.dps = digits
    return rows


def normal_vol_inputs(rng):
    """Forwards of either sign, from an ulp to 36 deviations from the strike."""
    rows = []
    for sigma in (1e-6, 0.01, 1.0, 30.0, 1e4):
        for t in (MINUTE, 1 / 365, 1.0, 5.0):
            for std in (0.0, 1e-13, 1e-9, 1e-6, 0.01, 0.3, 1.0, 1.6, 2.5, 5.0, 12.0, 25.0, 36.0):
                f = round(rng.uniform(-10, 10), 2)
                k = f + rng.choice((-1, 1)) * std * sigma * t**0.5
                out = 1 if k >= f else -1
                rows += [(f, k, t, sigma, out), (f, k, t, sigma, -out)]
    return rows


def vol_inputs(rng):
    rows = []
    for sigma in (0.01, 0.1, 0.5, 1.0, 3.0, 10.0, 50.0):
        for t in (MINUTE, 1 / 365, 30 / 365, 1.0, 5.0):
            for std in (-36, -25, -10, -4, -1, -0.1, 0.0, 0.1, 1, 4, 10, 25, 36):
                k = strike(100.0, t, sigma, std)
                if k is not None:
                    rows.append((100.0, k, t, sigma, 1 if std >= 0 else -1, 0.0))
                    rows.append((100.0, k, t, sigma, -1 if std >= 0 else 1, 0.0))
    return rows


def remez(f, a, b, n, rounds=8):
    """Coefficients of the polynomial of degree n with the least relative error, and that error."""
    xs = [(a + b) / 2 + (b - a) / 2 * cos(pi * (n + 1 - i) / (n + 1)) for i in range(n + 2)]
    count = 40 * (n + 2)
    points = [(a + b) / 2 + (b - a) / 2 * cos(pi * (count - i) / count) for i in range(count + 1)]
    values = [f(x) for x in points]
    for _ in range(rounds):
        lhs = matrix(n + 2, n + 2)
        rhs = matrix(n + 2, 1)
        for i, x in enumerate(xs):
            for j in range(n + 1):
                lhs[i, j] = x**j
            rhs[i] = f(x)
            lhs[i, n + 1] = (-1) ** i * rhs[i]
        solved = lu_solve(lhs, rhs)
        c = [solved[j] for j in range(n + 1)]
        error = [mp.polyval(c[::-1], x) / v - 1 for x, v in zip(points, values)]
        peaks = [0]
        for i in range(1, len(error)):
            if error[i] * error[peaks[-1]] <= 0:
                peaks.append(i)
            elif abs(error[i]) > abs(error[peaks[-1]]):
                peaks[-1] = i
        worst = max(abs(e) for e in error)
        while len(peaks) > n + 2:
            peaks.pop(0 if abs(error[peaks[0]]) < abs(error[peaks[-1]]) else -1)
        if len(peaks) < n + 2 or worst < abs(solved[n + 1]) * mpf("1.01"):
            break
        xs = [points[i] for i in peaks]
    return c, worst


def times(a, b):
    out = [mpf(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            out[i + j] += x * y
    return out


def remez_mills(mills, p, rounds=12):
    """Y(z) = P(z)/Q(z), degrees p and p + 1, Q monic: coefficients and the relative error.

    Fitted in w = (z - 3)/(z + 3), where [0, inf) is [-1, 1) and Y(z) (z + 3) is tame.
    """
    n = 2 * p + 3
    count = 24 * n
    z_of = lambda w: 3 * (1 + w) / (1 - w)
    value = lambda w: mills(z_of(w)) * (z_of(w) + 3) if w < 1 - mpf(10)**-30 else mpf(1)
    points = [-cos(pi * mpf(i) / count) for i in range(count + 1)]
    values = [value(w) for w in points]
    xs = [-cos(pi * mpf(i) / (n - 1)) for i in range(n)]
    level = mpf(0)
    bottom = [mpf(1)]
    for _ in range(rounds):
        for _ in range(12):  # the level and the denominator it multiplies, in turns
            lhs = matrix(n, n)
            rhs = matrix(n, 1)
            for i, x in enumerate(xs):
                sign = (-1) ** i
                v = value(x)
                rhs[i] = v * (1 + sign * level)
                for j in range(p + 1):
                    lhs[i, j] = x**j
                for j in range(1, p + 2):
                    lhs[i, p + j] = -rhs[i] * x**j
                lhs[i, n - 1] = -sign * v * mp.polyval(bottom[::-1], x)
            solved = lu_solve(lhs, rhs)
            top = [solved[j] for j in range(p + 1)]
            bottom = [mpf(1)] + [solved[p + j] for j in range(1, p + 2)]
            level += solved[n - 1]
            if abs(solved[n - 1]) < abs(level) * mpf(10)**-8:
                break
        error = [mp.polyval(top[::-1], x) / mp.polyval(bottom[::-1], x) / v - 1
                 for x, v in zip(points, values)]
        peaks = [0]
        for i in range(1, len(error)):
            if error[i] * error[peaks[-1]] <= 0:
                peaks.append(i)
            elif abs(error[i]) > abs(error[peaks[-1]]):
                peaks[-1] = i
        worst = max(abs(e) for e in error)
        while len(peaks) > n:
            peaks.pop(0 if abs(error[peaks[0]]) < abs(error[peaks[-1]]) else -1)
        if len(peaks) < n or worst < abs(level) * mpf("1.02"):
            break
        xs = [points[i] for i in peaks]

    def in_z(c):
        out = [mpf(0)] * len(c)
        for j, v in enumerate(c):
            term = [v]
            for k in range(len(c) - 1):
                term = times(term, [mpf(-3), mpf(1)] if k < j else [mpf(3), mpf(1)])
            out = [a + b for a, b in zip(out, term)]
        return out

    top, bottom = in_z(top), in_z(bottom)
    return [c / bottom[-1] for c in top], [c / bottom[-1] for c in bottom], worst


def coefficients():
    mp.dps = 60
    tiny = mpf(10) ** -12

    def mills(z):
        if z < 200:
            return sqrt(pi / 2) * exp(z * z / 2) * erfc(z / sqrt(mpf(2)))
        term = total = mpf(1)
        for j in range(1, 60):
            term *= -(2 * j - 1) / z**2
            total += term
        return total / z

    half = log(mpf(2)) / 2 * mpf("1.001")
    exp_rest = lambda r: (exp(r) - 1 - r) / r**2 if abs(r) > tiny else 0.5 + r / 6
    ln_rest = lambda q: 2 * (atanh(sqrt(q)) / sqrt(q) - 1) / q if q > tiny else mpf(2) / 3
    fits = (
        ("exp_c", exp_rest, -half, half, 9),
        ("rough_exp_c", exp_rest, -half, half, 3),
        ("ln_c", ln_rest, mpf(0), mpf("0.0405"), 6),
        ("rough_ln_c", ln_rest, mpf(0), mpf("0.0405"), 2),
        ("half_cdf_c", lambda w: erf(sqrt(w / 2)) / (2 * sqrt(w)) if w > 0 else 1 / sqrt(2 * pi),
         mpf(0), mpf("2.26"), 11),
    )
    for name, f, a, b, n in fits:
        c, worst = remez(f, a, b, n)
        print("%s: relative error %s" % (name, nstr(worst, 3)))
        for v in c:
            print("    %s," % nstr(v, 20))
    for name, degree in (("mills", 10), ("rough", 3)):
        top, bottom, worst = remez_mills(mills, degree)
        print("%s_p, %s_q: relative error %s" % (name, name, nstr(worst, 3)))
        for v in top + bottom:
            print("    %s," % nstr(v, 20))


def main():
    if "--coefficients" in sys.argv:
        coefficients()
        return
    rng = random.Random(76)
    columns = "F K T sigma cp r".split()

    def paired(names):
        return columns + [c for n in names for c in (n, "cond_" + n)]

    inputs = grid(rng) + book(rng, 150) + near_money(rng, 100)
    write("greeks_black76.tsv", "Black-76 outputs and their condition numbers:", paired(GREEKS),
          greek_rows(inputs, black76, GREEKS))
    coins = [row[:5] + (0.0,) for row in rng.sample(inputs, 250)]
    write("greeks_inverse.tsv", "coin-settled options, V/F:", paired(INVERSE),
          greek_rows(coins, inverse, INVERSE))
    vols = vol_inputs(rng) + book(rng, 150) + near_money(rng, 150)
    write("greeks_implied_vol.tsv", "vol of a price; cond is in the price alone:",
          "price F K T cp sigma cond".split(), vol_rows(vols))
    write("greeks_bachelier.tsv", "Bachelier outputs and their condition numbers:", paired(GREEKS),
          greek_rows(spreads(rng, 250), bachelier, GREEKS))
    write("greeks_bachelier_vol.tsv", "Bachelier vol of a price; cond is in the price alone:",
          "price F K T cp sigma cond".split(), normal_vol_rows(normal_vol_inputs(rng)))


if __name__ == "__main__":
    main()
