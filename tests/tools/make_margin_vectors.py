#!/usr/bin/env python3
"""Writes tests/vectors/margin_*.tsv: margins by mpmath at 50 digits, and the published examples.

Usage: make_margin_vectors.py

Written from the exchange's pages (Deribit support, "Standard Margin" and "Portfolio Margin";
docs.deribit.com, private/pme/simulate), not from the C code. Inputs are decimals with at most nine
places, so a portfolio can hold exactly those.
"""
import os
import random
from decimal import Decimal

from mpmath import erfc, exp, log, mp, mpf, nstr, sqrt

mp.dps = 50
HERE = os.path.dirname(os.path.abspath(__file__))
VECTORS = os.path.join(HERE, "..", "vectors")

NOW = 1767607200  # 2026-01-05 10:00 UTC
JAN, MAR = 1769760000, 1774598400  # 08:00 UTC of 2026-01-30 and 2026-03-27
YEAR = 365 * 86400


def write(name, source, head, rows):
    with open(os.path.join(VECTORS, name), "w") as out:
        out.write("# %s; tests/tools/make_margin_vectors.py\n%s\n" % (source, "\t".join(head)))
        for row in rows:
            out.write("\t".join(x if isinstance(x, str) else nstr(x, 17) for x in row) + "\n")


def num(lo, hi, places):
    return str(round(Decimal(random.uniform(lo, hi)), places))


def black(f, k, t, s, cp):
    d1 = log(f / k) / (s * sqrt(t)) + s * sqrt(t) / 2
    cdf = lambda z: erfc(-z / sqrt(2)) / 2
    return cp * (f * cdf(cp * d1) - k * cdf(cp * (d1 - s * sqrt(t)))), cp * cdf(cp * d1)


# --- standard ------------------------------------------------------------------------------------

FUTURES = {"0": ("0.02", "0.01", "0.00005"), "1": ("0.02", "0.01", "0.000004")}  # BTC, ETH


def standard(kind, coin, index, price, amount, strike, cp, mark):
    index, price, amount, strike, cp, mark = map(mpf, (index, price, amount, strike, cp, mark))
    inverse = kind in "02"
    if kind in "01":  # perpetuals
        im, mm, per_coin = map(mpf, FUTURES[coin])
        coins = abs(amount) / price if inverse else abs(amount)
        unit = 1 if inverse else index
        return [min(x + per_coin * coins, 1) * coins * unit for x in (im, mm)]
    if amount >= 0:
        return [mpf(0), mpf(0)]
    unit = 1 if inverse else price
    otm = max(cp * (strike - price), 0) / price
    im = max(mpf("0.15") - otm, mpf("0.10")) * unit + mark
    mm = mpf("0.075") * unit + mark
    if cp < 0:
        mm = max(mpf("0.075") * unit, mpf("0.075") * mark) + mark
        im = max(im, mm)
    return [-amount * im, -amount * mm]


def standard_rows():
    # The support page's example: 25 BTC of BTC_USDC at 100,000 ask 53,125 and 28,125 USDC.
    yield ["1", "0", "100000", "100000", "-25", "0", "0", "100000", "53125", "28125"]
    for i in range(240):
        kind = str(i % 4)
        coin = str(i // 4 % 2)
        level = 60000 if coin == "0" else 3000
        index = num(level * 0.7, level * 1.4, 2)
        price = num(float(index) * 0.98, float(index) * 1.05, 2)
        sign = random.choice([-1, 1])
        strike, cp, mark = "0", "0", price
        if kind == "0":
            amount = str(sign * random.randrange(10, 200000000, 10))
        elif kind == "1":
            amount = str(sign * Decimal(num(0.001, 3000, 3)))
        else:
            amount = str(sign * random.randrange(1, 500))
            strike = str(random.randrange(int(level * 0.4), int(level * 2.5)))
            cp = random.choice(["1", "-1"])
            mark = num(0.0005, 2.5, 4) if kind == "2" else num(1, level, 2)
        row = [kind, coin, index, price, amount, strike, cp, mark]
        yield row + standard(*row)


# --- portfolio -----------------------------------------------------------------------------------

TERMS = {
    "0": dict(range="0.16", up="0.5", down="0.25", floor="0.5", damp="100000", least="0.01",
              risk="0.075", m_inc="0.00005"),
    "1": dict(range="0.18", up="0.4", down="0.25", floor="0.5", damp="200000", least="0.005",
              risk="0.05", m_inc="0.000004"),
}
EXTENDED = ["-0.66", "-0.33", "0.5", "1", "2", "3", "4", "5"]


def portfolio(coin, spot, perp, perp_amount, future, future_amount, options):
    """options: (expiry, forward, strike, cp, vol, amount); everything settled in coin."""
    t = {k: mpf(v) for k, v in TERMS[coin].items()}
    spot, perp, perp_amount, future, future_amount = map(
        mpf, (spot, perp, perp_amount, future, future_amount))

    def gain(move, vol):
        total = mpf(0)
        for price, amount in ((perp, perp_amount), (future, future_amount)):
            total += amount / price - amount / (price * (1 + move))
        for expiry, f, k, cp, s, amount in options:
            years = mpf(expiry - NOW) / YEAR
            days = max(years * 365, 1)
            scale = (30 / days) ** (mpf("0.3") if days < 30 else mpf("0.13"))
            shocked = {-1: max(s * (1 - t["down"] * scale), 0), 0: s,
                       1: max(s * (1 + t["up"] * scale), t["floor"])}[vol]
            after = f * (1 + move)
            value = black(after, k, years, shocked, cp)[0] if shocked > 0 else max(
                cp * (after - k), 0)
            total += amount * (value / after - black(f, k, years, s, cp)[0] / f)
        return total

    worst = mpf(0)
    for step in range(-4, 5):
        for vol in (-1, 0, 1):
            worst = max(worst, -gain(t["range"] * step / 4, vol))
    for text in EXTENDED:
        move = mpf(text)
        edge = 1 + (t["range"] if move > 0 else -t["range"])
        loss = gain(move, 1) * (t["range"] / abs(move)) * (1 + move) / edge
        if loss < 0:
            loss += max(abs(move) / t["range"] - 1, 0) * t["damp"] / (edge * spot)
        worst = max(worst, -loss)

    deltas = {0: perp_amount / perp, MAR: future_amount / future}
    for expiry, f, k, cp, s, amount in options:
        years = mpf(expiry - NOW) / YEAR
        deltas[expiry] = deltas.get(expiry, 0) + amount * black(f, k, years, s, cp)[1]
    roll = mpf(0)
    for expiry, coins in deltas.items():
        years = mpf(expiry - NOW) / YEAR if expiry else mpf(0)
        roll += abs(coins) * max(exp(t["risk"] * years) - 1, t["least"])
    delta = abs(sum(deltas.values()))
    shock = delta * min(t["m_inc"] * max(delta * spot - 20000000, 0), mpf("0.1") * spot) / spot
    initial = worst + roll + shock
    return [initial, initial * mpf("0.8")]


def portfolio_rows():
    none = ["1", "60000", "1", "0.5", "0"]
    # docs.deribit.com, private/pme/simulate, example of 2024-06-17: total_margin, rounded there
    yield ["1", "0", "65666.19", "65910.57", "20731.402857", "67371.75", "-80.006244"] + none + \
        none + ["0.06284313098", "0.050274504784", "1e-9"]
    # a public capture of a production account, 2026-02-15, ETH
    yield ["2", "1", "1949.34", "1949.49", "-1948.490015", "1949.49", "0"] + none + none + \
        ["0.157461562265", "0.125969249812", "1e-9"]
    for i in range(60):
        coin = str(i % 2)
        level = 60000 if coin == "0" else 3000
        spot = num(level * 0.8, level * 1.2, 2)
        perp = num(float(spot) * 0.999, float(spot) * 1.002, 2)
        future = num(float(spot), float(spot) * 1.03, 2)
        size = 30000000 if i % 5 == 0 else 300000
        amounts = [str(random.randrange(-size, size, 10)) if random.random() < 0.8 else "0"
                   for _ in range(2)]
        row = ["0", coin, spot, perp, amounts[0], future, amounts[1]]
        options = []
        for expiry, forward in ((JAN, num(float(spot) * 0.999, float(spot) * 1.01, 2)),
                                (MAR, future)):
            strike = str(random.randrange(int(level * 0.5), int(level * 1.8)))
            cp = random.choice(["1", "-1"])
            vol = num(0.15, 1.2, 4)
            amount = str(random.randrange(-200, 200)) if random.random() < 0.8 else "0"
            row += [forward, strike, cp, vol, amount]
            options.append((expiry, mpf(forward), mpf(strike), int(cp), mpf(vol), mpf(amount)))
        yield row + portfolio(coin, spot, perp, amounts[0], future, amounts[1], options) + ["0"]


def main():
    random.seed(20260105)
    write("margin_standard.tsv",
          "standard margin of one position: mpmath 1.3.0, 50 digits; first row: Deribit support, "
          "Standard Margin, example of linear futures. kind 0 inverse perpetual, 1 linear, 2 "
          "inverse option, 3 linear; coin 0 BTC, 1 ETH",
          ["kind", "coin", "index", "price", "amount", "strike", "cp", "mark", "initial",
           "maintenance"], standard_rows())
    legs = []
    for leg in "ab":
        legs += [x + "_" + leg for x in ("forward", "strike", "cp", "vol", "amount")]
    write("margin_portfolio.tsv",
          "portfolio margin of a coin-settled book: mpmath 1.3.0, 50 digits; first rows: "
          "docs.deribit.com private/pme/simulate of 2024-06-17 (set 1), a captured account of "
          "2026-02-15 (set 2). Future and option b of 27MAR26, option a of 30JAN26, at 2026-01-05 "
          "10:00 UTC; coin 0 BTC, 1 ETH",
          ["set", "coin", "spot", "perp", "perp_usd", "future", "future_usd"] + legs +
          ["initial", "maintenance", "tolerance"], portfolio_rows())


if __name__ == "__main__":
    main()
