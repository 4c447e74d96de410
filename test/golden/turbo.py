#!/usr/bin/env python3
"""Makes the golden vectors of ccsds/coding/turbo with tools that are not ours.

    python3 -m venv venv && venv/bin/pip install numpy
    venv/bin/python test/golden/turbo.py

No package was found that has this code, so this is the book's text put once more into other
terms: component codes as power series (numpy.convolve with the series of 1/G0), without a shift
register, and the permutation in the book's own numbering from 1. That the whole is the code of
others is shown by the frame error rate, which test/coding holds against AFF3CT's.
"""
import pathlib
import random

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "ccsds" / "coding" / "turbo" / "testdata"
G0, G1, G2, G3 = [1, 0, 0, 1, 1], [1, 1, 0, 1, 1], [1, 0, 1, 0, 1], [1, 1, 1, 1, 1]
PRIMES = [31, 37, 43, 47, 53, 59, 61, 67]


def series(n):
    """The first n coefficients of 1/G0."""
    s = [1]
    while len(s) < n:
        s.append(sum(s[-d] for d in range(1, 5) if G0[d] and d <= len(s)) % 2)
    return np.array(s)


def permutation(k):
    k1, k2 = 8, k // 8
    out = []
    for s in range(1, k + 1):
        m = (s - 1) % 2
        i = (s - 1) // (2 * k2)
        j = (s - 1) // 2 - i * k2
        t = (19 * i + 1) % (k1 // 2)
        q = t % 8 + 1
        c = (PRIMES[q - 1] * j + 21 * m) % k2
        out.append(2 * (t + c * k1 // 2 + 1) - m)
    assert sorted(out) == list(range(1, k + 1))
    return out


def component(bits):
    """Uncoded line and lines 1 to 3, with four bits of termination."""
    n = len(bits)
    inside = np.concatenate([np.convolve(bits, series(n))[:n] % 2, np.zeros(4, dtype=int)])
    lines = [np.convolve(inside, g)[: n + 4] % 2 for g in (G0, G1, G2, G3)]
    assert (lines[0][:n] == bits).all()
    return lines


def encode(data, rate):
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8)).astype(int)
    order = permutation(len(bits))
    a = component(bits)
    b = component(bits[np.array(order) - 1])
    out = []
    for s in range(len(bits) + 4):
        if rate == "1/2":
            out += [a[0][s], a[1][s] if s % 2 == 0 else b[1][s]]
        elif rate == "1/3":
            out += [a[0][s], a[1][s], b[1][s]]
        elif rate == "1/4":
            out += [a[0][s], a[2][s], a[3][s], b[1][s]]
        else:
            out += [a[0][s], a[1][s], a[2][s], a[3][s], b[1][s], b[3][s]]
    return np.packbits(np.array(out, dtype=np.uint8)).tobytes()


def main():
    rnd = random.Random(6)
    OUT.mkdir(parents=True, exist_ok=True)
    with open(OUT / "codewords.txt", "w") as f:
        f.write(f"# Made by test/golden/turbo.py with numpy {np.__version__}.\n# bits rate data codeword\n")
        for k, rates in ((1784, ("1/2", "1/3", "1/4", "1/6")), (3568, ("1/3",)), (7136, ("1/6",)), (8920, ("1/2",))):
            for rate in rates:
                data = rnd.randbytes(k // 8)
                f.write(f"{k} {rate} {data.hex()} {encode(data, rate).hex()}\n")


if __name__ == "__main__":
    main()
