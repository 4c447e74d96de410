#!/usr/bin/env python3
"""Reference values for plan/orbit from outside implementations.

States come from the PyPI package sgp4 (the C++ of AIAA 2006-6753, WGS-72, improved
mode) for the verification set that it brings along; sights and passes come from the
PyPI package skyfield, which has its own turn from TEME to the ground. Its search for
events finds which passes there are, to half a second; bisection of its elevation then
finds the instants. UT1 is set equal to UTC, as plan/orbit has it. Nothing is downloaded.

    python3 -m venv v && v/bin/pip install sgp4==2.27 skyfield==1.55
    v/bin/python test/golden/orbit.py plan/orbit/testdata

sgp4.txt    the two lines of an object (checksums of hand-edited ones repaired), then
            minutes from epoch and x y z (km) vx vy vz (km/s), or "error N"
sights.txt  the two lines, then time, station, azimuth, elevation (degrees), range (km)
passes.txt  the two lines, then for each pass: station, AOS, TCA,
            LOS, highest elevation, azimuths at the three (whole passes of two days)
gmst.txt    time, Greenwich mean sidereal time of 1982 in hours
"""

import datetime as dt
import math
import sys
from importlib.metadata import version
from pathlib import Path
from pkgutil import get_data

from sgp4.api import WGS72, Satrec
from sgp4.exporter import export_tle
from skyfield.api import EarthSatellite, load, wgs84
from skyfield.sgp4lib import theta_GMST1982

MADE = f"# Made by test/golden/orbit.py with sgp4 {version('sgp4')}, skyfield {version('skyfield')}.\n"

# name, latitude and longitude (degrees), altitude (m), minimum elevation (degrees)
STATIONS = [
    ("kiruna", 67.857, 20.964, 402, 5),
    ("svalbard", 78.23, 15.41, 450, 5),
    ("weilheim", 47.88, 11.08, 663, 0),
    ("santiago", -33.15, -70.67, 730, 10),
    ("troll", -72.01, 2.53, 1270, 30),
]

# Orbits of our own: inclination, node, eccentricity, perigee, anomaly (degrees), rev/day.
ORBITS = [
    ("sun-synchronous", 97.6000, 33.1, 0.0012, 90.0, 270.0, 15.05),
    ("low", 51.64, 210.0, 0.0005, 90.0, 270.0, 15.5),
    ("molniya", 63.4, 120.0, 0.72, 270.0, 10.0, 2.006),
    ("geosynchronous", 6.0, 80.0, 0.002, 40.0, 300.0, 1.0027),
]
EPOCH = dt.datetime(2026, 11, 20, 12, tzinfo=dt.timezone.utc)


def checksum(line):
    return str(sum(int(c) if c.isdigit() else c == "-" for c in line[:68]) % 10)


def states(path):
    lines = [l.rstrip() for l in get_data("sgp4", "SGP4-VER.TLE").decode().splitlines() if l[:1] in "12"]
    with open(path, "w") as out:
        out.write(MADE)
        for one, two in zip(lines[::2], lines[1::2]):
            start, stop, step = map(float, two[69:].split())
            two = two[:69]
            sat = Satrec.twoline2rv(one, two, WGS72)
            out.write(one[:68] + checksum(one) + "\n" + two[:68] + checksum(two) + "\n")
            steps = int((stop - start) / step)
            for n in sorted({0, 1, steps // 3, 2 * steps // 3, steps}):
                t = start + n * step
                error, r, v = sat.sgp4_tsince(t)
                if error:
                    out.write(f"{t:.8f} error {error}\n")
                    break
                out.write(f"{t:.8f} " + " ".join(f"{x:.9f}" for x in r + v) + "\n")


def orbits():
    days = (EPOCH - dt.datetime(1949, 12, 31, tzinfo=dt.timezone.utc)).total_seconds() / 86400
    for number, (_, incl, node, ecc, perigee, anomaly, n) in enumerate(ORBITS):
        sat = Satrec()
        r = math.radians
        sat.sgp4init(WGS72, "i", 90001 + number, days, 5e-5 if n > 10 else 0, 0, 0, ecc,
                     r(perigee), r(incl), r(anomaly), n * 2 * math.pi / 1440, r(node))
        sat.classification, sat.intldesg, sat.elnum, sat.revnum = "U", "26001A", 1, 1
        yield export_tle(sat)


def stamp(t):
    return t.utc_datetime().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def look(sat, station, t):
    elevation, azimuth, distance = (sat - station).at(t).altaz()
    return azimuth.degrees, elevation.degrees, distance.km


def ground(folder, ts):
    sights, passes = open(folder / "sights.txt", "w"), open(folder / "passes.txt", "w")
    sights.write(MADE)
    passes.write(MADE)
    for f in sights, passes:
        f.write("# stations: name lat lon alt_m min_elevation\n")
        for s in STATIONS:
            f.write("station " + " ".join(map(str, s)) + "\n")
    for one, two in orbits():
        sat = EarthSatellite(one, two, ts=ts)
        for f in sights, passes:
            f.write(f"{one}\n{two}\n")
        for name, lat, lon, alt, low in STATIONS:
            station = wgs84.latlon(lat, lon, alt)
            for hours in (-30, 0, 7.25, 50):
                t = ts.from_datetime(EPOCH + dt.timedelta(hours=hours))
                sights.write(f"{stamp(t)} {name} " + "%.6f %.6f %.6f\n" % look(sat, station, t))
            search(passes, ts, sat, name, station, low)


def refine(test, a, b):
    """Days between a and b where test changes, to 1 ms."""
    first = test(a)
    while b - a > 1e-3 / 86400:
        middle = (a + b) / 2
        if test(middle) == first:
            a = middle
        else:
            b = middle
    return (a + b) / 2


def exact(ts, sat, station, low, event, t):
    """Sharpens an event: 0 rise, 1 highest, 2 set."""
    second = 1 / 86400

    def elevation(days):
        return look(sat, station, t + days)[1]

    if event == 1:
        return t + refine(lambda d: elevation(d + 0.05 * second) > elevation(d - 0.05 * second), -2 * second, 2 * second)
    return t + refine(lambda d: elevation(d) >= low, -2 * second, 2 * second)


def search(out, ts, sat, name, station, low):
    start, stop = ts.from_datetime(EPOCH), ts.from_datetime(EPOCH + dt.timedelta(days=2))
    times, events = sat.find_events(station, start, stop, altitude_degrees=low)
    found = {}
    for t, event in zip(times, events):
        t = exact(ts, sat, station, low, event, t)
        if event == 0:
            found = {0: t}
        elif event == 1:
            # The highest of several culminations.
            if 1 not in found or look(sat, station, t)[1] > look(sat, station, found[1])[1]:
                found[1] = t
        elif 0 in found and 1 in found:
            rise, top = found[0], found[1]
            out.write(f"{name} {stamp(rise)} {stamp(top)} {stamp(t)} %.4f %.4f %.4f %.4f\n" % (
                look(sat, station, top)[1], look(sat, station, rise)[0], look(sat, station, top)[0], look(sat, station, t)[0]))
            found = {}


def sidereal(path, ts):
    with open(path, "w") as out:
        out.write(MADE)
        for when in ("1995-10-01T09:00:00Z", "2000-01-01T12:00:00Z", "2026-11-20T12:00:00Z", "2049-02-03T04:05:06Z"):
            jd = 2440587.5 + dt.datetime.fromisoformat(when.replace("Z", "+00:00")).timestamp() / 86400
            theta, _ = theta_GMST1982(jd)
            out.write(f"{when} {theta / math.tau % 1 * 24:.9f}\n")


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    ts = load.timescale(delta_t=32.184 + 37, builtin=True)
    states(folder / "sgp4.txt")
    ground(folder, ts)
    sidereal(folder / "gmst.txt", ts)


if __name__ == "__main__":
    main()
