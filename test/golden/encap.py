#!/usr/bin/env python3
"""Makes the golden vectors of ccsds/encap.

    python3 test/golden/encap.py

No tool at hand makes encapsulation packets: they are written here a second time, as rows of
bit fields after the tables of 133.1-B section 4.1.2.
"""
import pathlib
import random

ROOT = pathlib.Path(__file__).resolve().parents[2] / "ccsds"


def bits(*fields):
    text = "".join(format(v, f"0{w}b") for v, w in fields)
    assert len(text) % 8 == 0
    return int(text, 2).to_bytes(len(text) // 8, "big")


def main():
    rnd = random.Random(1331)
    rows = [(0, 1, 0, 0, 0, b"", bits((7, 3), (0, 3), (0, 2)))]
    for proto in (0, 1, 2, 3, 4, 7):
        data = rnd.randbytes(rnd.randrange(0, 254))
        rows.append((proto, 2, 0, 0, 0, data, bits((7, 3), (proto, 3), (1, 2), (2 + len(data), 8)) + data))
    for proto in (1, 4, 6, 7):
        data, user, ext = rnd.randbytes(rnd.randrange(0, 600)), rnd.randrange(16), rnd.randrange(16) if proto == 6 else 0
        rows.append((proto, 4, user, ext, 0, data,
                     bits((7, 3), (proto, 3), (2, 2), (user, 4), (ext, 4), (4 + len(data), 16)) + data))
        field = rnd.randrange(1 << 16)
        rows.append((proto, 8, user, ext, field, data,
                     bits((7, 3), (proto, 3), (3, 2), (user, 4), (ext, 4), (field, 16), (8 + len(data), 32)) + data))
    path = ROOT / "encap/testdata"
    path.mkdir(parents=True, exist_ok=True)
    with open(path / "packets.txt", "w") as f:
        f.write("# Made by test/golden/encap.py after the tables of 133.1-B section 4.1.2.\n")
        f.write("# protocol header user extension ccsds data packet\n")
        for r in rows:
            f.write(" ".join((v.hex() or "-") if isinstance(v, bytes) else str(v) for v in r) + "\n")


if __name__ == "__main__":
    main()
