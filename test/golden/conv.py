#!/usr/bin/env python3
"""Makes the golden vectors of ccsds/coding/conv from tools that are not ours.

    python3 -m venv venv && venv/bin/pip install numpy
    apt-get install libfec0
    venv/bin/python test/golden/conv.py

Symbols are numpy.convolve of the bits with the connection vectors 171 and 133 (octal), the
second inverted at rate 1/2. Debian's libfec, set to the same polynomials, must decode the
symbols of rate 1/2 back, with noise added too. Punctured rates take symbols out by table 3-2
of CCSDS 131.0-B; what is left is compared with the order that the book prints.
"""
import ctypes
import pathlib
import random
import subprocess

import numpy as np

OUT = pathlib.Path(__file__).resolve().parents[2] / "ccsds" / "coding" / "conv" / "testdata"
FEC = ctypes.CDLL("libfec.so.0")
FEC.create_viterbi27.restype = ctypes.c_void_p
G1, G2 = [1, 1, 1, 1, 0, 0, 1], [1, 0, 1, 1, 0, 1, 1]
PATTERNS = {  # transmitted symbols of C1 and C2, and their order in the book
    "1/2": ("1", "1", "1:1 2:1"),
    "2/3": ("10", "11", "1:1 2:1 2:2"),
    "3/4": ("101", "110", "1:1 2:1 2:2 1:3"),
    "5/6": ("10101", "11010", "1:1 2:1 2:2 1:3 2:4 1:5"),
    "7/8": ("1000101", "1111010", "1:1 2:1 2:2 2:3 2:4 1:5 2:6 1:7"),
}


def encode(bits, rate):
    c1 = np.convolve(bits, G1)[: len(bits)] % 2
    c2 = np.convolve(bits, G2)[: len(bits)] % 2
    if rate == "1/2":
        c2 = 1 - c2
    p1, p2, order = PATTERNS[rate]
    assert order.split() == [f"{c}:{i + 1}" for i in range(len(p1)) for c, p in ((1, p1), (2, p2)) if p[i] == "1"]
    out = []
    for i, (a, b) in enumerate(zip(c1, c2)):
        if p1[i % len(p1)] == "1":
            out.append(a)
        if p2[i % len(p2)] == "1":
            out.append(b)
    return np.array(out, dtype=np.uint8)


def libfec_decodes(symbols, data, noise):
    """libfec takes 0 for a sure 0 and 255 for a sure 1."""
    polys = (ctypes.c_int * 2)(0x4F, -0x6D)  # 171, and 133 inverted, newest bit lowest
    FEC.set_viterbi27_polynomial(polys)
    n = 8 * len(data)
    soft = np.clip(np.where(symbols == 1, 160, 96) + noise, 0, 255).astype(np.uint8).tobytes()
    v = ctypes.c_void_p(FEC.create_viterbi27(n))
    FEC.init_viterbi27(v, 0)
    FEC.update_viterbi27_blk(v, soft, n + 6)
    out = ctypes.create_string_buffer(len(data))
    FEC.chainback_viterbi27(v, out, n, 0)
    FEC.delete_viterbi27(v)
    return out.raw == data


def main():
    rnd = random.Random(7)
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libfec0"], capture_output=True, text=True).stdout
    OUT.mkdir(parents=True, exist_ok=True)
    with open(OUT / "symbols.txt", "w") as f:
        f.write(f"# Made by test/golden/conv.py with numpy {np.__version__}, checked with Debian libfec0 {version}.\n")
        f.write("# rate data symbols, six zeros behind the data, the last octet filled with zeros\n")
        for rate in PATTERNS:
            for n in (1, 35, 222):
                data = rnd.randbytes(n)
                bits = np.unpackbits(np.frombuffer(data + b"\0", dtype=np.uint8))[: 8 * n + 6].astype(int)
                symbols = encode(bits, rate)
                if rate == "1/2":
                    assert libfec_decodes(symbols, data, 0)
                    assert libfec_decodes(symbols, data, np.array([rnd.gauss(0, 25) for _ in symbols]))
                f.write(f"{rate} {data.hex()} {np.packbits(symbols).tobytes().hex()}\n")


if __name__ == "__main__":
    main()
