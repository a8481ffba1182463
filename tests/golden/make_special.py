"""Values of the special functions to 17 digits, by mpmath, which the tests then do not need.

Made with mpmath 1.3.0 on CPython 3.11 in an environment of its own: python -m tests.golden.make_special
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from mpmath import erfc, erfinv, exp, log, loggamma, mp, mpf, sqrt  # type: ignore[import-not-found]

mp.dps = 400


def gamma_tails(a: float, x: float) -> tuple[mpf, mpf]:
    """P and Q by the power series of P, whose terms are all positive."""
    term = total = mpf(1)
    denominator = mpf(a)
    while term > total * mpf(10) ** -395:
        denominator += 1
        term *= x / denominator
        total += term
    lower = exp(mpf(a) * log(mpf(x)) - mpf(x) - loggamma(mpf(a) + 1)) * total
    return lower, 1 - lower


def beta_left(a: mpf, b: mpf, x: mpf) -> mpf:
    """I_x(a, b) by the power series of (1-x)^b, whose terms are all positive."""
    term = total = mpf(1)
    n = 0
    while n < b * x or term > total * mpf(10) ** -350:
        term *= (a + b + n) / (a + 1 + n) * x
        total += term
        n += 1
    factor = a * log(x) + b * log(1 - x) - log(a) + loggamma(a + b) - loggamma(a) - loggamma(b)
    return exp(factor) * total


def beta(a: float, b: float, x: float) -> mpf:
    first, second, point = mpf(a), mpf(b), mpf(x)
    if point < first / (first + second):
        return beta_left(first, second, point)
    return 1 - beta_left(second, first, 1 - point)


def chi_square_arguments(draw: random.Random) -> Iterator[tuple[float, float]]:
    for degrees in [1, 2, 3, 4, 7, 9, 15, 31, 39, 40, 41, 69, 200, 1000, 10_000, 100_000]:
        for _ in range(8):
            spread = (2 / (9 * degrees)) ** 0.5
            point = degrees * max(1e-3, 1 - 2 / (9 * degrees) + draw.uniform(-6, 36) * spread) ** 3
            yield (10 ** draw.uniform(-6, 3.1) if degrees < 5 else point), degrees


def gamma_arguments(draw: random.Random) -> Iterator[tuple[float, float]]:
    for a in [1e-300, 1e-16, 1e-8, 1e-3, 0.09, 0.11, 0.3, 0.5, 0.9, 1, 1.2, 2.5, 9, 15, 19.9, 20, 25, 31]:
        for _ in range(4):
            yield a, 10 ** draw.uniform(-12, 2.8)
            yield a, a * draw.uniform(0.3, 2) + draw.uniform(0, 2)


def beta_arguments(draw: random.Random) -> Iterator[tuple[float, float, float]]:
    for high, number in [(2, 70), (3.5, 30)]:
        for index in range(number):
            a, b = 10 ** draw.uniform(-2, high), 10 ** draw.uniform(-2, high)
            mean = a / (a + b)
            deviation = (mean * (1 - mean) / (a + b + 1)) ** 0.5
            point = mean + draw.uniform(-15, 15) * deviation
            yield a, b, (point if index % 3 and 0 < point < 1 else draw.random())


def cases() -> Iterator[tuple[str, list[float], mpf]]:
    draw = random.Random(20_240)
    for x, degrees in chi_square_arguments(draw):
        yield "chi_square_upper", [x, degrees], gamma_tails(degrees / 2, x / 2)[1]
    for a, x in gamma_arguments(draw):
        lower, upper = gamma_tails(a, x)
        yield "gamma_lower", [a, x], lower
        yield "gamma_upper", [a, x], upper
    for arguments in beta_arguments(draw):
        yield "beta_regularised", list(arguments), beta(*arguments)
    for _ in range(60):
        z = draw.uniform(-9, 37)
        yield "normal_upper", [z], erfc(mpf(z) / sqrt(mpf(2))) / 2
        x = draw.choice([10 ** draw.uniform(-10, 15), draw.uniform(0.5, 3)])
        yield "ln_gamma", [x], loggamma(mpf(x))
        p = draw.choice([10 ** draw.uniform(-30, 0), draw.random()])
        yield "normal_quantile", [p], sqrt(mpf(2)) * erfinv(2 * mpf(p) - 1)


if __name__ == "__main__":
    found = [[name, arguments, float(value)] for name, arguments, value in cases() if value == 0 or abs(value) > 1e-300]
    lines = ",\n".join(json.dumps(case) for case in found)
    Path(__file__).with_name("special.json").write_text(f"[\n{lines}\n]\n", "utf-8")
