#!/usr/bin/env python3
"""Messages of PUS services 3, 5 and 20 against an outside implementation, PyPI's puslib.

    python3 -m venv v && v/bin/pip install puslib==0.4.0
    v/bin/python test/golden/pus_puslib.py

Writes ccsds/pus/testdata/puslib.csv: TC or TM, service, subtype, clause, message as JSON with
the names of the fields, message in hexadecimal. Reports are those that puslib makes. Telecommands,
which puslib only reads, are put together here and given to it; they stand in the file if it
then did what they say. Widths are told to puslib as the flat-sat has them.

Not comparable: TM[3,10], which puslib writes without the status that stands behind the
identifier here and in AcubeSAT's ecss-services; the second and later intervals of TC[3,31],
which puslib reads from the place of the first. Parameters 1, 2 and 3 have 1, 2 and 4 octets.
"""

import base64
import json
import random
import struct
from pathlib import Path

import puslib
from puslib.ident import PusIdent
from puslib.parameter import UInt8Parameter, UInt16Parameter, UInt32Parameter
from puslib.pus_policy import PusPolicy
from puslib.services import RequestVerification
from puslib.services.pus_003_housekeeping import Housekeeping
from puslib.services.pus_005_event_reporting import EventReporting
from puslib.services.pus_020_parameter_management import ParameterManagement
from puslib.streams.buffer import QueuedOutput

OUT = Path(__file__).resolve().parents[2] / "ccsds/pus/testdata/puslib.csv"
rng = random.Random(3520)


def policy():
    p = PusPolicy()
    p.common.pus_version = 2
    p.housekeeping.collection_interval_type = UInt32Parameter
    p.event_reporting.count_type = UInt16Parameter
    p.function_management.count_type = UInt16Parameter  # that of service 20 too
    puslib.set_policy(p)


class Craft:
    """puslib's services on one application process."""

    def __init__(self, parameters):
        ident = PusIdent(1)
        self.tm = QueuedOutput()
        one = RequestVerification(ident, QueuedOutput())
        self.housekeeping = Housekeeping(ident, one, self.tm, parameters)
        self.events = EventReporting(ident, one, self.tm)
        self.values = ParameterManagement(ident, one, self.tm, parameters)

    def take(self, service, subtype, data):
        of = {3: self.housekeeping, 5: self.events, 20: self.values}[service]
        result = of._subservices[subtype](app_data=data)
        assert result is True, (service, subtype, data.hex(), result)


def u16s(numbers):
    return struct.pack(f">H{len(numbers)}H", len(numbers), *numbers)


class Rows:
    def __init__(self):
        self.lines = []

    def add(self, way, service, subtype, body, data):
        text = json.dumps(body).replace('"', '""')
        self.lines.append(f'{way},{service},{subtype},8.{service}.2.{subtype},"{text}",{bytes(data).hex()}\n')


def report(craft, service, subtype):
    packet = craft.tm.get()
    assert packet is not None and (packet.service, packet.subservice) == (service, subtype), packet
    assert craft.tm.empty()
    return packet.source_data


def structures(rows, diagnostic):
    parameters = {n: UInt16Parameter(n) for n in rng.sample(range(1, 65536), 12)}
    craft = Craft(parameters)
    have = craft.housekeeping._diagnostic_reports if diagnostic else craft.housekeeping._housekeeping_reports
    more = 1 if diagnostic else 0
    sids = rng.sample(range(16, 65536), 4)
    for sid in sids:
        period, ids = rng.getrandbits(32), rng.sample(list(parameters), rng.randrange(1, 6))
        data = struct.pack(">HI", sid, period) + u16s(ids) + u16s([])
        craft.take(3, 1 + more, data)
        assert have[sid].collection_interval == period and [i for i, _ in have[sid]] == ids and not have[sid].enabled
        rows.add("TC", 3, 1 + more, {"SID": sid, "Period": period, "Parameters": ids, "Arrays": []}, data)
    added = [n for n in parameters if n not in [i for i, _ in have[sids[0]]]][:3]
    data = struct.pack(">H", sids[0]) + u16s(added) + u16s([])
    craft.take(3, 29 + more, data)
    assert [i for i, _ in have[sids[0]]][-len(added):] == added
    rows.add("TC", 3, 29 + more, {"SID": sids[0], "Parameters": added, "Arrays": []}, data)
    for subtype, some, on in ((5 + 2 * more, sids[:3], True), (6 + 2 * more, sids[1:2], False)):
        craft.take(3, subtype, u16s(some))
        assert all(have[s].enabled == on for s in some)
        rows.add("TC", 3, subtype, {"IDs": some}, u16s(some))
    data = struct.pack(">HHI", 1, sids[2], 7777)
    craft.take(3, 31 + more, data)
    assert have[sids[2]].collection_interval == 7777
    rows.add("TC", 3, 31 + more, {"Structures": [{"SID": sids[2], "Period": 7777}]}, data)
    craft.take(3, 33 + more, u16s(sids))
    rows.add("TC", 3, 33 + more, {"IDs": sids}, u16s(sids))
    states = [{"SID": s, "Enabled": have[s].enabled, "Period": have[s].collection_interval} for s in sids]
    rows.add("TM", 3, 35 + more, {"Structures": states}, report(craft, 3, 35 + more))
    craft.take(3, 9 + 2 * more, u16s(sids[3:]))
    report(craft, 3, 10 + 2 * more)
    rows.add("TC", 3, 9 + 2 * more, {"IDs": sids[3:]}, u16s(sids[3:]))
    craft.take(3, 27 + more, u16s(sids[:1]))
    assert report(craft, 3, 25 + more)[:2] == struct.pack(">H", sids[0])
    rows.add("TC", 3, 27 + more, {"IDs": sids[:1]}, u16s(sids[:1]))
    craft.take(3, 3 + more, u16s(sids[1:2]))
    assert sids[1] not in have
    rows.add("TC", 3, 3 + more, {"IDs": sids[1:2]}, u16s(sids[1:2]))


def events(rows):
    craft = Craft({})
    ids = rng.sample(range(1, 65536), 8)
    for n in ids:
        craft.events.add(n)
    off = sorted(ids[:5], key=ids.index)
    craft.take(5, 6, u16s(off))
    rows.add("TC", 5, 6, {"IDs": off}, u16s(off))
    craft.take(5, 5, u16s(off[1:3]))
    rows.add("TC", 5, 5, {"IDs": off[1:3]}, u16s(off[1:3]))
    craft.take(5, 7, b"")
    rows.add("TC", 5, 7, {}, b"")
    rows.add("TM", 5, 8, {"IDs": [n for n in off if n not in off[1:3]]}, report(craft, 5, 8))


def values(rows):
    kinds = {1: (UInt8Parameter, ">B"), 2: (UInt16Parameter, ">H"), 3: (UInt32Parameter, ">I")}
    craft = Craft({n: kind(0) for n, (kind, _) in kinds.items()})
    ids = rng.sample(list(kinds), 3)
    new = {n: rng.getrandbits(8 * struct.calcsize(kinds[n][1])) for n in ids}
    octets = {n: struct.pack(kinds[n][1], new[n]) for n in ids}
    data = struct.pack(">H", len(ids)) + b"".join(struct.pack(">H", n) + octets[n] for n in ids)
    body = {"Values": [{"Parameter": n, "Value": base64.b64encode(octets[n]).decode()} for n in ids]}
    craft.take(20, 3, data)
    assert all(craft.values._params[n].value == new[n] for n in ids)
    rows.add("TC", 20, 3, body, data)
    craft.take(20, 1, u16s(ids))
    rows.add("TC", 20, 1, {"IDs": ids}, u16s(ids))
    rows.add("TM", 20, 2, body, report(craft, 20, 2))


def main():
    policy()
    rows = Rows()
    for _ in range(4):
        structures(rows, False)
        structures(rows, True)
        events(rows)
        values(rows)
    OUT.write_text("".join(rows.lines))


if __name__ == "__main__":
    main()
