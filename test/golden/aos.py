#!/usr/bin/env python3
"""Makes the golden vectors of ccsds/aos.

    python3 -m venv venv && venv/bin/pip install crcmod==1.7
    venv/bin/python test/golden/aos.py

No tool at hand makes AOS frames: headers are written here a second time, as a row of bit
fields after the tables of 732.0-B section 4.1. Checksums come from crcmod. The header
error control is found here by solving for the four symbols that make the codeword zero at
the roots alpha^6 to alpha^9 of the book's generator, not by dividing as the package does.
"""
import importlib.metadata as meta
import itertools
import pathlib
import random

import crcmod.predefined

ROOT = pathlib.Path(__file__).resolve().parents[2] / "ccsds"
CRC = crcmod.predefined.mkPredefinedCrcFun("crc-ccitt-false")


def bits(*fields):
    text = "".join(format(v, f"0{w}b") for v, w in fields)
    assert len(text) % 8 == 0
    return int(text, 2).to_bytes(len(text) // 8, "big")


def gmul(a, b):
    """Carry-less product modulo x^4 + x + 1."""
    r = 0
    for i in range(4):
        if b >> i & 1:
            r ^= a << i
    for i in (6, 5, 4):
        if r >> i & 1:
            r ^= 0x13 << (i - 4)
    return r


def gpow(a, n):
    r = 1
    for _ in range(n):
        r = gmul(r, a)
    return r


def evaluate(symbols, x):
    r = 0
    for s in symbols:
        r = gmul(r, x) ^ s
    return r


# Parity is linear: sum the parity of each single bit of the header.
def solve(symbols):
    for tail in itertools.product(range(16), repeat=4):
        if all(evaluate(symbols + list(tail), gpow(2, 6 + i)) == 0 for i in range(4)):
            return int("".join(f"{s:x}" for s in tail), 16)
    raise AssertionError


UNIT = {bit: solve([(1 << bit) >> 4 * (5 - i) & 15 for i in range(6)]) for bit in range(24)}


def fhec(word):
    r = 0
    for bit in range(24):
        if word >> bit & 1:
            r ^= UNIT[bit]
    return r


def main():
    rnd = random.Random(732)
    rows = []
    for scid, vc, count, replay, used, cycle, insert, hec, ocf, crc, n in [
            (42, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1115), (255, 62, 0xFFFFFF, 1, 1, 15, 0, 1, 1, 1, 64),
            (0, 63, 77, 0, 0, 0, 4, 1, 1, 1, 100), (1023, 5, 0x123456, 0, 1, 3, 8, 1, 0, 0, 128),
            (300, 1, 1, 1, 0, 0, 1, 0, 1, 0, 892)]:
        signaling = bits((replay, 1), (used, 1), (scid >> 8, 2), (cycle, 4))
        head = bits((1, 2), (scid & 255, 8), (vc, 6), (count, 24)) + signaling
        if hec:
            head += fhec(int.from_bytes(head[:2] + signaling, "big")).to_bytes(2, "big")
        zone, word = rnd.randbytes(insert), rnd.randbytes(4) if ocf else b""
        data = rnd.randbytes(n - len(head) - insert - len(word) - 2 * crc)
        frame = head + zone + data + word
        if crc:
            frame += CRC(frame).to_bytes(2, "big")
        rows.append((scid, vc, count, replay, used, cycle, insert, hec, ocf, crc, zone.hex() or "-", data.hex(),
                     (word or bytes(4)).hex(), frame.hex()))
    path = ROOT / "aos/testdata"
    path.mkdir(parents=True, exist_ok=True)
    with open(path / "frames.txt", "w") as f:
        f.write(f"# Made by test/golden/aos.py with crcmod {meta.version('crcmod')} after the tables of 732.0-B section 4.1.\n")
        f.write("# scid vc count replay used cycle insert fhec ocf fecf zone data ocf frame\n")
        for r in rows:
            f.write(" ".join(map(str, r)) + "\n")
    with open(path / "fhec.txt", "w") as f:
        f.write("# Made by test/golden/aos.py: parity that makes the codeword zero at alpha^6 to alpha^9.\n# id signaling control\n")
        for _ in range(32):
            w = rnd.randrange(1 << 24)
            f.write(f"{w >> 8:04x} {w & 255:02x} {fhec(w):04x}\n")


if __name__ == "__main__":
    main()
