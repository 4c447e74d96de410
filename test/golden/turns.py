#!/usr/bin/env python3
"""Reference values for counting orbits: plan/orbit (Turns, When) and test/flatsat.

States come from the PyPI package sgp4 (WGS-72, improved mode). The argument of latitude
is that of the PyPI package skyfield's osculating elements, in the frame of the states
(TEME). Orbits are counted the plain way: by the moments at which z turns from negative to
positive. Nothing is downloaded and nothing of ours is imported.

    python3 -m venv v && v/bin/pip install sgp4==2.27 skyfield==1.55
    v/bin/python test/golden/turns.py

plan/orbit/testdata/turns.txt       the two lines, then "at MINUTES ORBIT DEGREES" and
                                    "node ORBIT MINUTES": minutes from epoch
test/flatsat/testdata/positions.txt the two lines, then "ORBIT DEGREES TIME"
"""

import datetime as dt
import math
from importlib.metadata import version
from pathlib import Path
from pkgutil import get_data

from sgp4.api import WGS72, Satrec
from sgp4.exporter import export_tle
from skyfield.api import load
from skyfield.elementslib import OsculatingElements
from skyfield.units import Distance, Velocity

ROOT = Path(__file__).resolve().parents[2]
MADE = f"# Made by test/golden/turns.py with sgp4 {version('sgp4')}, skyfield {version('skyfield')}.\n"

# Orbits of our own: inclination, node, eccentricity, perigee, anomaly (degrees), rev/day, number of the orbit.
ORBITS = [
    (97.6, 33.1, 0.0012, 90.0, 270.0, 15.05, 1),
    (51.64, 210.0, 0.0005, 10.0, 200.0, 15.5, 41234),
    (140.0, 15.0, 0.02, 355.0, 300.0, 13.2, 99999),
    (63.4, 120.0, 0.72, 270.0, 10.0, 2.006, 700),
    (6.0, 80.0, 0.002, 40.0, 300.0, 1.0027, 5),
    (28.5, 300.0, 0.73, 178.0, 359.0, 2.25, 12),
]
# Of the verification set that sgp4 brings along: drag, low perigee, deep space, resonance.
VERIFICATION = ["00005", "06251", "28057", "08195", "09880", "22312", "28350", "11801"]
MU = 398600.8


def tle(epoch, incl, node, ecc, perigee, anomaly, n, number, catalogue):
    days = (epoch - dt.datetime(1949, 12, 31, tzinfo=dt.timezone.utc)).total_seconds() / 86400
    sat, r = Satrec(), math.radians
    sat.sgp4init(WGS72, "i", catalogue, days, 5e-5 if n > 10 else 0, 0, 0, ecc,
                 r(perigee), r(incl), r(anomaly), n * 2 * math.pi / 1440, r(node))
    sat.classification, sat.intldesg, sat.elnum, sat.revnum = "U", "26001A", 1, number
    return export_tle(sat)


def checksum(line):
    return str(sum(int(c) if c.isdigit() else c == "-" for c in line[:68]) % 10)


def verification():
    lines = [l.rstrip() for l in get_data("sgp4", "SGP4-VER.TLE").decode().splitlines() if l[:1] in "12"]
    for one, two in zip(lines[::2], lines[1::2]):
        if one[2:7] in VERIFICATION:
            yield one[:68] + checksum(one), two[:68] + checksum(two)


class Craft:
    def __init__(self, one, two):
        self.sat = Satrec.twoline2rv(one, two, WGS72)
        self.period = 2 * math.pi / self.sat.no_kozai
        self.number = self.sat.revnum

    def state(self, minutes):
        error, r, v = self.sat.sgp4_tsince(minutes)
        if error:
            raise ArithmeticError(error)
        return r, v

    def z(self, minutes):
        return self.state(minutes)[0][2]

    def degrees(self, ts, minutes):
        r, v = self.state(minutes)
        e = OsculatingElements(Distance(km=r), Velocity(km_per_s=v), ts.J2000, MU)
        return e.argument_of_latitude.degrees % 360

    def nodes(self, start, stop):
        """Minutes of all northward crossings of the equator."""
        step, found, t = self.period / 97, [], start
        before = self.z(t)
        while t < stop:
            try:
                after = self.z(t + step)
            except ArithmeticError:  # it comes down
                break
            if before < 0 <= after:
                low, high = t, t + step
                while high - low > 1e-9:
                    middle = (low + high) / 2
                    if self.z(middle) < 0:
                        low = middle
                    else:
                        high = middle
                found.append(high)
            t, before = t + step, after
        return found


def turns(path, sets, ts):
    with open(path, "w") as out:
        out.write(MADE)
        for one, two in sets:
            c = Craft(one, two)
            nodes = c.nodes(-5.3 * c.period, 400 * c.period)
            # The orbit of the epoch is the one whose number the elements have. An epoch not
            # 0.0115° before a node is meant to be at it (PyPI's pyorbital: z within 1 km).
            early = c.period * 0.0115 / 360
            first = sum(1 for t in nodes if t <= early)
            out.write(f"{one}\n{two}\n")
            for k in range(0, len(nodes) - 1, 29):
                out.write(f"node {c.number + k + 1 - first} {nodes[k]:.8f}\n")
                for part in (0.001, 0.17, 0.5, 0.83, 0.999):
                    t = round(nodes[k] + part * (nodes[k + 1] - nodes[k]), 6)
                    out.write(f"at {t:.6f} {c.number + k + 1 - first} {c.degrees(ts, t):.6f}\n")


def positions(path, ts):
    """For a flight whose clock begins with the year 2000."""
    epoch = dt.datetime(2000, 1, 1, 0, 0, tzinfo=dt.timezone.utc)
    one, two = tle(epoch, 97.6, 33.1, 0.0012, 90.0, 250.0, 15.05, 7, 90001)
    c = Craft(one, two)
    nodes = c.nodes(-c.period * 1.5, 6 * c.period)
    first = sum(1 for t in nodes if t <= 0)
    path.parent.mkdir(exist_ok=True)
    with open(path, "w") as out:
        out.write(MADE + f"{one}\n{two}\n")
        for k in range(first - 1, first + 4):
            for degrees in (0, 30, 90, 200, 330):
                low, high = nodes[k], nodes[k + 1]
                while degrees and high - low > 1e-9:
                    middle = (low + high) / 2
                    if c.degrees(ts, middle) < degrees:
                        low = middle
                    else:
                        high = middle
                at = epoch + dt.timedelta(minutes=low)
                if at > epoch:
                    out.write(f"{c.number + k + 1 - first} {degrees} {at.strftime('%Y-%m-%dT%H:%M:%S.%fZ')}\n")


def main():
    ts = load.timescale(builtin=True)
    epoch = dt.datetime(2026, 11, 20, 12, tzinfo=dt.timezone.utc)
    ours = [tle(epoch, *o, 90001 + i) for i, o in enumerate(ORBITS)]
    turns(ROOT / "plan/orbit/testdata/turns.txt", ours + list(verification()), ts)
    positions(ROOT / "test/flatsat/testdata/positions.txt", ts)


if __name__ == "__main__":
    main()
