#!/usr/bin/env python3
"""Makes the golden vectors of ccsds/uslp.

    python3 -m venv venv && venv/bin/pip install spacepackets==0.32.0 crcmod==1.7
    venv/bin/python test/golden/uslp.py

Frames come from PyPI spacepackets, which knows frames of both kinds and truncated ones with
a short error control field; where the field is long, or a truncated frame has one, it is
appended here with crcmod.
"""
import importlib.metadata as meta
import pathlib
import random

import crcmod
from spacepackets.uslp import (
    BypassSequenceControlFlag, PrimaryHeader, ProtocolCommandFlag, SourceOrDestField,
    TfdzConstructionRules, TransferFrame, TransferFrameDataField, TruncatedPrimaryHeader,
    UslpProtocolIdentifier,
)

ROOT = pathlib.Path(__file__).resolve().parents[2] / "ccsds"
CRC32 = crcmod.mkCrcFun(0x100A00805, initCrc=0, rev=False, xorOut=0)


def main():
    rnd = random.Random(7321)
    rows = []
    for i in range(40):
        scid, vc, m = rnd.randrange(1 << 16), rnd.randrange(64), rnd.randrange(16)
        dest, bypass, command, ocf = (rnd.randrange(2) for _ in range(4))
        clen = i % 8
        count = rnd.randrange(1 << 8 * clen)
        rule, upid = TfdzConstructionRules(i // 2 % 8), rnd.choice(list(UslpProtocolIdentifier))
        truncated = i % 10 == 9
        fixed = rule < 3 and not truncated
        insert = rnd.randbytes(rnd.randrange(1, 9)) if fixed and i % 3 == 0 else b""
        check = rnd.choice([0, 2, 4])
        zone = rnd.randbytes(rnd.randrange(20, 300))
        pointer = rnd.choice([0, 7, 19, 0xFFFF]) if fixed else None
        word = rnd.randbytes(4) if ocf and not truncated else None
        source = SourceOrDestField(dest)
        if truncated:
            clen = count = bypass = command = ocf = 0
            head = TruncatedPrimaryHeader(scid, source, vc, m)
        else:
            head = PrimaryHeader(scid, source, vc, m, 0, BypassSequenceControlFlag(bypass), ProtocolCommandFlag(command),
                                 bool(ocf), clen, count)
        frame = TransferFrame(head, TransferFrameDataField(rule, upid, zone, pointer), insert or None, word, has_fecf=check == 2)
        if not truncated:
            head.frame_len = frame.len() + (4 if check == 4 else 0) - 1
        raw = bytes(frame.pack(truncated=truncated))
        if check == 4:
            raw += CRC32(raw).to_bytes(4, "big")
        rows.append((scid, dest, vc, m, int(truncated), bypass, command, ocf, clen, count, int(rule), int(upid),
                     "-" if pointer is None else pointer, int(fixed), check, insert.hex() or "-", zone.hex(),
                     (word or bytes(4)).hex(), raw.hex()))
    path = ROOT / "uslp/testdata"
    path.mkdir(parents=True, exist_ok=True)
    with open(path / "frames.txt", "w") as f:
        f.write(f"# Made by test/golden/uslp.py with spacepackets {meta.version('spacepackets')} and crcmod {meta.version('crcmod')}.\n")
        f.write("# scid dest vc map truncated bypass command ocf count-length count rule upid pointer fixed fecf insert zone ocf frame\n")
        for r in rows:
            f.write(" ".join(map(str, r)) + "\n")


if __name__ == "__main__":
    main()
