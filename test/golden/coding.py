#!/usr/bin/env python3
"""Makes the golden vectors of ccsds/coding from tools that are not ours.

    python3 -m venv venv && venv/bin/pip install reed-solomon-ccsds==1.0.3 crcmod==1.7 scipy
    apt-get install libfec0
    venv/bin/python test/golden/coding.py

Reed-Solomon: PyPI reed-solomon-ccsds (E=16, both bases) and Debian's libfec (E=16 once more,
E=8); the two must agree where both can. BCH parity: a CRC by crcmod with the generator
times x. Pseudo-random sequences: scipy.signal.max_len_seq.
"""
import ctypes
import importlib.metadata as meta
import pathlib
import random
import subprocess

import crcmod
import numpy as np
import reed_solomon_ccsds as rs
from scipy.signal import max_len_seq

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "ccsds" / "coding" / "testdata"
FEC = ctypes.CDLL("libfec.so.0")
FEC.init_rs_char.restype = ctypes.c_void_p
TO_DUAL = bytes((ctypes.c_ubyte * 256).in_dll(FEC, "Taltab"))
TO_CONV = bytes((ctypes.c_ubyte * 256).in_dll(FEC, "Tal1tab"))


def versions():
    fec = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libfec0"], capture_output=True, text=True).stdout
    pip = ", ".join(f"{p} {meta.version(p)}" for p in ("reed-solomon-ccsds", "crcmod", "scipy"))
    return f"{pip}, Debian libfec0 {fec}"


def write(name, columns, rows):
    OUT.mkdir(parents=True, exist_ok=True)
    with open(OUT / name, "w") as f:
        f.write(f"# Made by test/golden/coding.py with {versions()}.\n# {columns}\n")
        for row in rows:
            f.write(" ".join(v.hex() if isinstance(v, (bytes, bytearray)) else str(v) for v in row) + "\n")


def fec_parity(data, e, dual):
    """Check symbols of one codeword by libfec's general encoder and its basis tables."""
    code = FEC.init_rs_char(8, 0x187, 128 - e, 11, 2 * e, 0)
    parity = (ctypes.c_ubyte * (2 * e))()
    conv = data.translate(TO_CONV) if dual else data
    FEC.encode_rs_char(ctypes.c_void_p(code), conv, parity)
    FEC.free_rs_char(ctypes.c_void_p(code))
    return bytes(parity).translate(TO_DUAL) if dual else bytes(parity)


def fec_ccsds(data):
    """Check symbols by libfec's fixed CCSDS encoder: E=16, dual basis."""
    parity = (ctypes.c_ubyte * 32)()
    FEC.encode_rs_ccsds(data, parity, 0)
    return bytes(parity)


def fec_block(data, e, dual, depth):
    words = [fec_parity(data[i::depth], e, dual) for i in range(depth)]
    return data + bytes(w[k] for k in range(2 * e) for w in words)


def reed_solomon(rnd):
    rows = []
    for e, dual, depth in [(16, True, d) for d in (1, 2, 3, 4, 5, 8)] + [
        (16, False, 1), (16, False, 5), (8, True, 1), (8, True, 5), (8, False, 1), (8, False, 4)]:
        data = rnd.randbytes(depth * (255 - 2 * e))
        block = fec_block(data, e, dual, depth)
        if e == 16:
            assert bytes(rs.encode(data, dual, depth)) == block
            if dual:
                assert fec_ccsds(data[0::depth]) == block[len(data)::depth]
        rows.append((e, "dual" if dual else "conventional", depth, data, block))
    write("rs.txt", "e basis interleave data block", rows)

    rows = []
    for depth, errors in [(1, 1), (1, 8), (1, 16), (5, 16), (1, 17), (2, 17)]:
        data = rnd.randbytes(depth * 223)
        block = bytearray(rs.encode(data, True, depth))
        for word in range(depth):
            for place in rnd.sample(range(255), errors):
                block[place * depth + word] ^= rnd.randrange(1, 256)
        try:
            _, got = rs.decode(bytes(block), True, depth)
            assert bytes(got)[: len(data)] == data
            verdict = "ok"
        except rs.UncorrectableError:
            verdict = "uncorrectable"
        assert verdict == ("ok" if errors <= 16 else "uncorrectable")
        rows.append((depth, errors, verdict, data, block))
    write("rs_received.txt", "interleave errors-per-codeword verdict data received (E=16, dual)", rows)


def sequence(taps):
    bits, _ = max_len_seq(8, state=np.ones(8, dtype=int), length=8 * 255, taps=np.array(taps))
    return np.packbits(bits).tobytes()


def randomisers():
    # taps: the exponents of h(x) between 0 and 8
    tm = sequence([7, 5, 3])
    tc = sequence([6, 4, 3, 2, 1])
    # What the books print: 131.0-B-5 and 231.0-B-4, the first octets.
    assert tm[:5].hex() == "ff480ec09a", tm[:5].hex()
    assert tc[:5].hex() == "ff399e5a68", tc[:5].hex()
    write("randomise.txt", "which first-255-octets", [("tm", tm), ("tc", tc)])
    return tm


def cadus(rnd, tm):
    """The whole of 131.0-B: frame, check symbols by libfec, randomised, behind the marker."""
    rows = []
    for depth in (1, 5):
        frame = rnd.randbytes(depth * 223)
        block = fec_block(frame, 16, True, depth)
        mixed = bytes(b ^ tm[i % 255] for i, b in enumerate(block))
        rows.append((depth, frame, bytes.fromhex("1acffc1d") + mixed))
    write("cadu.txt", "interleave frame cadu", rows)


def cltus(rnd):
    # crcmod counts xorOut into initCrc: 0xFE there begins the register at 0.
    parity = crcmod.mkCrcFun(0x18A, initCrc=0xFE, rev=False, xorOut=0xFE)
    blocks = [bytes(7), bytes([255] * 7), b"\xc5" * 7] + [rnd.randbytes(7) for _ in range(20)]
    write("bch.txt", "information codeblock", [(b, b + bytes([parity(b)])) for b in blocks])
    rows = []
    for n in (1, 7, 8, 13, 14, 33, 256, 1024):
        frame = rnd.randbytes(n)
        filled = frame + b"\x55" * (-n % 7)
        cut = [filled[i:i + 7] for i in range(0, len(filled), 7)]
        cltu = b"\xeb\x90" + b"".join(b + bytes([parity(b)]) for b in cut) + b"\xc5" * 7 + b"\x79"
        rows.append((frame, cltu))
    write("cltu.txt", "frame cltu", rows)


if __name__ == "__main__":
    seeded = random.Random(131)
    reed_solomon(seeded)
    pseudo_random = randomisers()
    cltus(seeded)
    cadus(seeded, pseudo_random)
