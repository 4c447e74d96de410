#!/usr/bin/env python3
"""Makes the golden vectors of ccsds/timecode, the segmented and the ASCII codes.

    python3 -m venv venv && venv/bin/pip install spacepackets==0.32.0
    apt-get install tzdata
    venv/bin/python test/golden/timecode.py

Day segmented codes of 16-bit days in milliseconds come from PyPI spacepackets; their longer
forms, the calendar codes and the texts are made here from Python's calendar after the
tables of 301.0-B-4 sections 3.3 to 3.5. TAI comes from Debian's leap-seconds.list. Leap
seconds themselves, which no tool at hand can write, are among the rows.
"""
import datetime
import importlib.metadata as meta
import pathlib
import random

from spacepackets.ccsds.time import CdsShortTimestamp

ROOT = pathlib.Path(__file__).resolve().parents[2] / "ccsds"
UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1958, 1, 1, tzinfo=UTC)
NTP_1958 = int((datetime.datetime(1958, 1, 1) - datetime.datetime(1900, 1, 1)).total_seconds())


def leaps():
    table = []
    for line in open("/usr/share/zoneinfo/leap-seconds.list"):
        if line.strip() and not line.startswith("#"):
            ntp, offset = map(int, line.split()[:2])
            table.append((ntp - NTP_1958, offset))
    return table


TABLE = leaps()


def offset(utc):
    """TAI-UTC at this many seconds of UTC since 1958."""
    return max((o for at, o in TABLE if at <= utc), default=TABLE[0][1])


def bcd(text):
    return bytes.fromhex(text)


def row(day, sod, ns, tai):
    """One moment: days since 1958, second of the day (86400 in a leap second), nanoseconds."""
    date = EPOCH + datetime.timedelta(days=day)
    h, m, s = (23, 59, 60) if sod == 86400 else (sod // 3600, sod // 60 % 60, sod % 60)
    ms = sod * 1000 + ns // 10**6
    short = day.to_bytes(2, "big") + ms.to_bytes(4, "big")
    assert bytes(CdsShortTimestamp(day, ms, init_dt_unix_stamp=False).pack())[1:] == short
    if sod < 86400:
        # Whole seconds only: its way from a datetime goes through floating point.
        whole = CdsShortTimestamp.from_datetime(date + datetime.timedelta(seconds=sod))
        assert (whole.ccsds_days, whole.ms_of_day) == (day, sod * 1000)
    clock = f"{h:02d}{m:02d}{s:02d}"
    frac = f"{ns * 1000:012d}"
    return [
        f"{tai * 10**9 + ns}",
        short.hex(),
        (day.to_bytes(3, "big") + ms.to_bytes(4, "big") + (ns // 1000 % 1000).to_bytes(2, "big")).hex(),
        (short + (ns % 10**6 * 1000).to_bytes(4, "big")).hex(),
        bcd(f"{date.year:04d}{date.month:02d}{date.day:02d}{clock}").hex(),
        bcd(f"{date.year:04d}0{date.timetuple().tm_yday:03d}{clock}{frac}").hex(),
        date.strftime("%Y-%m-%d") + f"T{h:02d}:{m:02d}:{s:02d}.{ns:09d}Z",
        date.strftime("%Y-%j") + f"T{h:02d}:{m:02d}:{s:02d}",
    ]


def main():
    rnd = random.Random(301)
    rows = []
    for at, off in TABLE:
        if at != TABLE[0][0]:
            # The leap second is the one before the offset grows.
            rows.append(row(at // 86400 - 1, 86400, rnd.randrange(10**9), at + off - 1))
            rows.append(row(at // 86400 - 1, 86399, rnd.randrange(10**9), at + off - 2))
        rows.append(row(at // 86400, 0, rnd.randrange(10**9), at + off))
    for _ in range(60):
        utc = rnd.randrange(TABLE[0][0], 65535 * 86400)
        rows.append(row(utc // 86400, utc % 86400, rnd.randrange(10**9), utc + offset(utc)))
    path = ROOT / "timecode/testdata"
    with open(path / "segmented.txt", "w") as f:
        f.write(f"# Made by test/golden/timecode.py with spacepackets {meta.version('spacepackets')} and leap-seconds.list.\n")
        f.write("# tai-ns cds16 cds24us cds16ps ccs-month ccs-day-12 ascii-a-9 ascii-b-bare\n")
        for r in rows:
            f.write(" ".join(r) + "\n")


if __name__ == "__main__":
    main()
