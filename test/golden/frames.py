#!/usr/bin/env python3
"""Makes the golden vectors of ccsds, ccsds/spp, ccsds/tm, ccsds/tc and ccsds/timecode.

    python3 -m venv venv && venv/bin/pip install spacepackets==0.32.0 crcmod==1.7
    apt-get install tzdata
    venv/bin/python test/golden/frames.py

Packets come from PyPI spacepackets and checksums from crcmod (compared with the standard
library's binascii.crc_hqx). No tool at hand makes TM and TC frames: their headers are
written here a second time, as a row of bit fields after the tables of 132.0-B-3 section
4.1.2 and 232.0-B-4 section 4.1.2. Leap seconds come from Debian's leap-seconds.list.
"""
import binascii
import datetime
import importlib.metadata as meta
import pathlib
import random
import subprocess

import crcmod.predefined
from spacepackets.ccsds.spacepacket import PacketType, SequenceFlags, SpacePacketHeader

ROOT = pathlib.Path(__file__).resolve().parents[2] / "ccsds"
CRC = crcmod.predefined.mkPredefinedCrcFun("crc-ccitt-false")
NTP_1958 = int((datetime.datetime(1958, 1, 1) - datetime.datetime(1900, 1, 1)).total_seconds())


def write(where, columns, rows, sources):
    path = ROOT / where
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as f:
        f.write(f"# Made by test/golden/frames.py with {sources}.\n# {columns}\n")
        for row in rows:
            f.write(" ".join(v.hex() if isinstance(v, bytes) else str(int(v)) for v in row) + "\n")


def pip(name):
    return f"{name} {meta.version(name)}"


def bits(*fields):
    """Joins (value, width) to octets, most significant bit first."""
    text = "".join(format(v, f"0{w}b") for v, w in fields)
    assert len(text) % 8 == 0
    return int(text, 2).to_bytes(len(text) // 8, "big")


def fecf(frame):
    c = CRC(frame)
    assert c == binascii.crc_hqx(frame, 0xFFFF)
    return frame + c.to_bytes(2, "big")


def packets(rnd):
    rows = []
    for apid, count, n in [(0, 0, 1), (1, 1, 17), (100, 16383, 300), (2046, 9999, 4), (2047, 0, 2)]:
        for kind in (PacketType.TM, PacketType.TC):
            flags, sec = rnd.choice(list(SequenceFlags)), rnd.random() < 0.5
            data = rnd.randbytes(n)
            head = SpacePacketHeader(packet_type=kind, apid=apid, seq_count=count, data_len=n - 1,
                                     sec_header_flag=sec, seq_flags=flags)
            rows.append((int(kind), sec, apid, int(flags), count, data, bytes(head.pack()) + data))
    write("spp/testdata/packets.txt", "type secondary apid flags count data packet", rows, pip("spacepackets"))


def tm_frames(rnd):
    rows = []
    for scid, vc, ocf, mcfc, vcfc, fhp, n in [
            (42, 0, 1, 0, 0, 0, 1115), (42, 7, 1, 255, 17, 0x7FE, 1115), (1023, 3, 0, 1, 255, 0x7FF, 64),
            (0, 1, 1, 128, 127, 20, 64), (42, 2, 0, 9, 8, 7, 2048)]:
        data, word = rnd.randbytes(n - 8 - 4 * ocf), rnd.randbytes(4) if ocf else b""
        head = bits((0, 2), (scid, 10), (vc, 3), (ocf, 1), (mcfc, 8), (vcfc, 8), (0, 1), (0, 1), (0, 1), (3, 2), (fhp, 11))
        rows.append((scid, vc, ocf, mcfc, vcfc, fhp, data, word or b"\0\0\0\0", fecf(head + data + word)))
    write("tm/testdata/frames.txt", "scid vc ocf mcfc vcfc fhp data ocf frame", rows, pip("crcmod"))


def tc_frames(rnd):
    rows = []
    for scid, vc, bypass, control, seq, n in [
            (42, 0, 0, 0, 0, 1), (42, 1, 0, 0, 255, 249), (42, 2, 1, 0, 0, 30), (42, 0, 1, 1, 0, 1), (1023, 63, 0, 0, 7, 1017)]:
        data = rnd.randbytes(n)
        head = bits((0, 2), (bypass, 1), (control, 1), (0, 2), (scid, 10), (vc, 6), (5 + n + 2 - 1, 10), (seq, 8))
        rows.append((scid, vc, bypass, control, seq, data, fecf(head + data)))
    write("tc/testdata/frames.txt", "scid vc bypass control seq data frame", rows, pip("crcmod"))


def checksums(rnd):
    rows = [(d, CRC(d)) for d in [b"123456789", bytes(1), rnd.randbytes(1113)]]
    write("testdata/crc.txt", "data crc", rows, pip("crcmod"))


def leap_seconds():
    """UTC as Unix time and the TAI seconds since 1958-01-01 TAI of the same moment."""
    table = []
    for line in open("/usr/share/zoneinfo/leap-seconds.list"):
        if line.strip() and not line.startswith("#"):
            ntp, offset = line.split()[:2]
            table.append((int(ntp), int(offset)))
    rows = []
    for ntp, offset in table:
        unix = ntp - 2208988800
        if ntp != table[0][0]:
            rows.append((unix - 1, ntp - 1 - NTP_1958 + offset - 1))
        rows.append((unix, ntp - NTP_1958 + offset))
        rows.append((unix + 12345678, ntp + 12345678 - NTP_1958 + offset))
    tz = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "tzdata"], capture_output=True, text=True).stdout
    write("timecode/testdata/leap.txt", "unix-utc tai-since-1958", rows, f"leap-seconds.list of Debian tzdata {tz}")


if __name__ == "__main__":
    seeded = random.Random(132)
    packets(seeded)
    tm_frames(seeded)
    tc_frames(seeded)
    checksums(seeded)
    leap_seconds()
