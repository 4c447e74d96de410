#!/usr/bin/env python3
"""Messages of ECSS-E-ST-70-41C, services 4, 6, 12 to 15, 19, 21, 22 and 23, put together field by field.

    python3 test/golden/pus_fields.py

Writes ccsds/pus/testdata/fields.csv: TC or TM, service, subtype, clause, message as JSON with
the names of the fields, message in hexadecimal. Nothing of ours is imported, and nothing but
the standard library. This is an independent script, not an implementation by others: it says
in which order which fields stand, once more. The order was held against what others have made,
read and not run, as far as they have a message:

    AcubeSAT's ecss-services (C++)     4, 6 raw memory, 12 definitions but validity and interval, 13, 14 report types, 15 stores,
                                       19, 23 files and directories
    YAMCS, example and simulator "pus" 12 definitions but validity, 13, 14 all but the rates of structures, 15 stores, 21,
                                       22 but that a shift is one number there

What nobody at hand has (15 what stores keep, 12 transitions and functional monitoring, 6 objects and files, the rates of 14, 23 find, list and copy) stands as
the clauses of the standard are named and as our own reading has it: weaker still.

What the standard leaves to the mission is as the flat-sat has it: counts and identifiers of 16
bits, addresses 64, offsets, lengths, periods and delays 32, sizes of files 64, times CUC of 4
and 3 octets, texts and data behind a length of 16 bits, statistics float64, CRC-16 sums,
sub-schedules and groups in service 22, parameters 1 to 4 of 1, 2, 4 and 8 octets, places as orbit (32 bits) and angle (2^-32 of a turn).
"""

import base64
import json
import random
import struct
from pathlib import Path

OUT = Path(__file__).resolve().parents[2] / "ccsds/pus/testdata/fields.csv"
EACH = 4  # examples of a message

REQUEST = [("Source", "u16"), ("APID", "u16"), ("Seq", "u16")]
PLACE = [("Orbit", "u32"), ("Angle", "u32")]
SHIFT = [("Orbits", "i32"), ("Angle", "i32")]
FILE = [("Repository", "text"), ("Name", "text")]
ACTIVITY = [("SubSchedule", "u16"), ("Group", "u16"), ("Release", PLACE)]
FILTER = [("Window", "window"), ("SubSchedules", ["u16"]), ("Groups", ["u16"])]
STATES = [("States", [[("ID", "u16"), ("Enabled", "bool")]])]
IDS = [("IDs", ["u16"])]
REPORTS = [("Processes", [[("APID", "u16"), ("Services", [[("Service", "u8"), ("Subtypes", "octets")]])]])]
RATES = [("Processes", [[("APID", "u16"), ("Structures", [[("SID", "u16"), ("Rate", "u16")]])]])]
BLOCKED = [("Processes", [[("APID", "u16"), ("Events", ["u16"])]])]
SEQUENCE = [("Sequence", "u16"), ("Steps", [[("Request", "packet"), ("Delay", "u32")]])]
BY_FILE = [("Sequence", "u16"), ("Repository", "text"), ("File", "text")]
MEMORY, OBJECT = [("Memory", "u16")], [("Memory", "u16"), ("Base", "u32")]
WATCH = [("Definitions", [[("Parameter", "u16"), ("Interval", "u32")]])]
PART = [("Transaction", "u16"), ("Number", "u16"), ("Data", "part")]
COPY = [("Operation", "u16"), ("From", FILE), ("To", FILE)]
RAW = [("Areas", [[("Start", "u64"), ("Data", "value"), ("Checksum", "u16")]])]
AREAS = [("Areas", [[("Start", "u64"), ("Length", "u32")]])]
OFFSETS = [("Areas", [[("Offset", "u32"), ("Length", "u32")]])]
IN_OBJECT = [("Areas", [[("Offset", "u32"), ("Data", "value"), ("Checksum", "u16")]])]

VALIDITY = [("Parameter", "parameter"), ("Mask", "sized"), ("Expected", "sized")]
MONITOR = [("ID", "u16"), ("Parameter", "parameter"), ("Validity", VALIDITY), ("Interval", "u32")]
FUNCTIONAL = [("ID", "u16"), ("Validity", VALIDITY), ("Event", "u16"), ("Least", "u16"), ("Checks", ["u16"]), ("Enabled", "bool"),
              ("Protected", "bool")]
# What stands behind the type of a check: 0 expected value, 1 limits, 2 delta.
CRITERIA = {
    0: [("Mask", "sized"), ("Expected", "sized"), ("Unexpected", "u16")],
    1: [("Low", "sized"), ("LowEvent", "u16"), ("High", "sized"), ("HighEvent", "u16")],
    2: [("Low", "sized"), ("LowEvent", "u16"), ("High", "sized"), ("HighEvent", "u16"), ("Successive", "u16")],
}
TRANSITIONS = [("Transitions", [[
    ("ID", "u16"), ("Parameter", "parameter"), ("Check", "u8"), ("Value", "sized"), ("Crossed", "sized"), ("Before", "u8"), ("Now", "u8"),
    ("At", "time")]])]

TC, TM = {}, {}

TC[4] = {1: [("Reset", "bool")], 4: [("Interval", "u32")], 6: WATCH, 7: IDS}
TM[4] = {
    2: [("Start", "time"), ("End", "time"), ("Parameters", [[
        ("Parameter", "u16"), ("Samples", "u32"), ("Max", "f64"), ("MaxAt", "time"), ("Min", "f64"), ("MinAt", "time"),
        ("Mean", "f64"), ("Deviation", "f64")]])],
    9: [("Interval", "u32")] + WATCH,
}
TC[6] = {
    1: OBJECT + IN_OBJECT, 2: MEMORY + RAW, 3: OBJECT + OFFSETS, 5: MEMORY + AREAS, 7: OBJECT + OFFSETS, 9: MEMORY + AREAS,
    11: MEMORY + RAW, 13: MEMORY, 14: MEMORY, 15: MEMORY, 16: MEMORY, 17: OBJECT,
    19: MEMORY + [("Areas", [[("Start", "u64"), ("File", FILE)]])], 20: MEMORY + AREAS + [("File", FILE)],
    21: OBJECT + [("Areas", [[("Offset", "u32"), ("File", FILE)]])], 22: OBJECT + OFFSETS + [("File", FILE)],
}
TM[6] = {
    4: OBJECT + IN_OBJECT, 6: MEMORY + RAW,
    8: OBJECT + [("Areas", [[("Offset", "u32"), ("Length", "u32"), ("Checksum", "u16")]])],
    10: MEMORY + [("Areas", [[("Start", "u64"), ("Length", "u32"), ("Checksum", "u16")]])], 18: OBJECT + [("Checksum", "u16")],
}
TC[12] = {n: IDS for n in (1, 2, 6, 8, 19, 20, 21, 22, 24, 25)}
TC[12] |= {
    3: [("Delay", "u32")], 23: [("Definitions", [FUNCTIONAL])],
    5: [("Definitions", [MONITOR + [("Repetition", "u16"), ("Criteria", "criteria")]])],
    7: [("Definitions", [[("ID", "u16"), ("Parameter", "parameter"), ("Repetition", "u16"), ("Criteria", "criteria")]])],
}
TM[12] = {
    9: [("Delay", "u32"), ("Definitions", [MONITOR + [("Enabled", "bool"), ("Repetition", "u16"), ("Criteria", "criteria")]])],
    11: TRANSITIONS, 12: TRANSITIONS, 14: [("Definitions", [[("ID", "u16"), ("Enabled", "bool")]])],
    26: [("Definitions", [FUNCTIONAL])],
    28: [("Definitions", [[("ID", "u16"), ("Enabled", "bool"), ("Protected", "bool"), ("Checking", "u8")]])],
}
TC[13] = {9: PART, 10: PART, 11: PART}
TM[13] = {1: PART, 2: PART, 3: PART, 16: [("Transaction", "u16"), ("Reason", "u16")]}
TC[14] = {1: REPORTS, 2: REPORTS, 5: RATES, 6: RATES, 9: RATES, 10: RATES, 13: BLOCKED, 14: BLOCKED}
TM[14] = {4: REPORTS, 8: RATES, 12: RATES, 16: BLOCKED}
STORE, TIMES = [("Store", "u16")], [("At", "time"), ("Stores", ["u16"])]
STORES = [("Stores", [STORE + [("Size", "u64"), ("Bounded", "bool"), ("VC", "u8")]])]
TC[15] = {n: IDS for n in (1, 2, 12, 15, 16, 17, 21)} | {n: STORE for n in (5, 26, 27, 35, 37, 39)}
TC[15] |= {n: STORE + RATES for n in (29, 30, 31, 32)} | {n: STORE + BLOCKED for n in (33, 34)}
TC[15] |= {
    3: STORE + REPORTS, 4: STORE + REPORTS, 9: [("Retrievals", [STORE + [("Start", "time"), ("End", "time")]])], 11: TIMES, 14: TIMES,
    20: STORES, 24: "copy", 25: [("Stores", [STORE + [("Size", "u64")]])], 28: STORE + [("VC", "u8")],
}
TM[15] = {
    6: STORE + REPORTS,
    13: [("Stores", [STORE + [("Oldest", "time"), ("Newest", "time"), ("OpenFrom", "time"), ("Filled", "u8"), ("FilledOpen", "u8")]])],
    19: [("Stores", [STORE + [("Storing", "bool"), ("Open", "bool"), ("ByTime", "bool")]])], 23: STORES,
    36: STORE + RATES, 38: STORE + RATES, 40: STORE + BLOCKED,
}
EVENT = [("APID", "u16"), ("Event", "u16")]
ACTIONS, EVENTS = [("Actions", [EVENT + [("Request", "packet")]])], [("Events", [EVENT])]
TC[19] = {1: ACTIONS, 2: EVENTS, 4: EVENTS, 5: EVENTS, 10: EVENTS}
TM[19] = {7: [("Events", [EVENT + [("Enabled", "bool")]])], 11: ACTIONS}
ONE = [("Sequence", "u16")]
TC[21] = {1: SEQUENCE, 2: BY_FILE, 3: ONE, 4: ONE, 5: ONE, 8: BY_FILE, 9: ONE, 11: ONE}
TM[21] = {7: [("Sequences", [ONE + [("Running", "bool")]])], 10: ONE + [("Checksum", "u16")], 12: SEQUENCE, 14: IDS}
TC[22] = {
    4: [("SubSchedule", "u16"), ("Activities", [[("Group", "u16"), ("Release", PLACE), ("Request", "packet")]])],
    5: [("Requests", [REQUEST])], 6: FILTER, 7: SHIFT + [("Requests", [REQUEST])], 8: SHIFT + [("Filter", FILTER)],
    9: [("Requests", [REQUEST])], 11: FILTER, 12: [("Requests", [REQUEST])], 14: FILTER, 15: SHIFT,
    20: IDS, 21: IDS, 22: STATES, 23: IDS, 24: IDS, 25: IDS, 28: [("Orbit", "u32")],
}
TM[22] = {10: [("Activities", [ACTIVITY + [("Request", "packet")]])], 13: [("Activities", [ACTIVITY + [("Request", REQUEST)]])],
          19: STATES, 27: STATES}
TC[23] = {
    1: FILE + [("Size", "u64"), ("Locked", "bool")], 2: FILE, 3: FILE, 5: FILE, 6: FILE,
    7: [("Repository", "text"), ("Pattern", "text")], 9: FILE, 10: FILE,
    11: [("Repository", "text"), ("Old", "text"), ("New", "text")], 12: [("Repository", "text")], 14: COPY, 15: COPY,
    16: IDS, 17: IDS, 18: IDS, 19: [("Repository", "text")], 20: [("Repository", "text")], 21: [("Repository", "text")],
    22: [("Interval", "u32")],
}
TM[23] = {
    4: FILE + [("Size", "u64"), ("Locked", "bool")],
    8: [("Repository", "text"), ("Pattern", "text"), ("Files", [FILE])],
    13: [("Repository", "text"), ("Objects", [[("Directory", "bool"), ("Name", "text")]])],
    23: [("Operations", [[("Operation", "u16"), ("Done", "u8")]])],
}

NUMBERS = {"u8": ">B", "u16": ">H", "u32": ">I", "u64": ">Q", "i32": ">i"}
rng = random.Random(7041)


def number(kind):
    form = NUMBERS[kind]
    bits = 8 * struct.calcsize(form)
    n = rng.choice([0, 1, rng.getrandbits(bits), (1 << bits) - 1])
    if kind[0] == "i" and n >> (bits - 1):
        n -= 1 << bits
    return n, struct.pack(form, n)


def octets(least=0):
    data = rng.randbytes(rng.randrange(least, 9))
    return base64.b64encode(data).decode(), data


def make(kind, width=0):
    """A value of that kind, for JSON and as octets; width is that of the parameter's values."""
    if isinstance(kind, list) and kind and isinstance(kind[0], tuple):  # fields, one after the other
        made = []
        for name, k in kind:
            made.append((name, make(k, width)))
            if k == "parameter":
                width = {0: 0, 1: 1, 2: 2, 3: 4, 4: 8}[made[-1][1][0]]
        return {name: j for name, (j, _) in made}, b"".join(b for _, (_, b) in made)
    if isinstance(kind, list):  # a count and elements
        made = [make(kind[0], width) for _ in range(rng.randrange(4))]
        return [j for j, _ in made], struct.pack(">H", len(made)) + b"".join(b for _, b in made)
    if kind in NUMBERS:
        return number(kind)
    if kind == "bool":
        b = rng.random() < 0.5
        return b, bytes([b])
    if kind == "f64":
        x = rng.choice([0.0, -1.5, rng.uniform(-1e9, 1e9)])
        return x, struct.pack(">d", x)
    if kind == "time":  # nanoseconds of TAI since 1958; fractions that both can say
        seconds, part = rng.getrandbits(32), rng.randrange(512)
        return seconds * 10**9 + part * 10**9 // 512, struct.pack(">I", seconds) + (part << 15).to_bytes(3, "big")
    if kind == "text":
        text = rng.choice(["", "a", "tables", "größe 1"])
        data = text.encode()
        return text, struct.pack(">H", len(data)) + data
    if kind in ("value", "octets"):
        j, data = octets()
        return j, struct.pack(">H", len(data)) + data
    if kind == "part":
        return octets()
    if kind == "parameter":
        n = rng.randrange(5)
        return n, struct.pack(">H", n)
    if kind == "sized":
        data = rng.randbytes(width)
        return base64.b64encode(data).decode(), data
    if kind == "copy":  # 0 from and to, 1 from, 2 to
        window = rng.randrange(3)
        ends = [(name, "time") for name, windows in (("Start", (0, 1)), ("End", (0, 2))) if window in windows]
        j, data = make(ends + [("From", "u16"), ("To", "u16")])
        return {"Window": window} | j, bytes([window]) + data
    if kind == "criteria":
        check = rng.randrange(3)
        j, data = make(CRITERIA[check], width)
        return {"Check": check} | j, bytes([check]) + data
    if kind == "packet":  # CCSDS 133.0-B: its length is in its header
        _, data = octets(1)
        packet = struct.pack(">HHH", 0x1801 + rng.randrange(256), 0xC000 + rng.randrange(1 << 14), len(data) - 1) + data
        return base64.b64encode(packet).decode(), packet
    if kind == "window":  # 0 all, 1 from and to, 2 from, 3 to
        t = rng.randrange(4)
        j, b = {"Type": t, "From": {"Orbit": 0, "Angle": 0}, "To": {"Orbit": 0, "Angle": 0}}, bytes([t])
        for end, types in (("From", (1, 2)), ("To", (1, 3))):
            if t in types:
                j[end], more = make(PLACE)
                b += more
        return j, b
    raise ValueError(kind)


def main():
    with open(OUT, "w") as out:
        for way, services in (("TC", TC), ("TM", TM)):
            for service, messages in services.items():
                for subtype, fields in messages.items():
                    for _ in range(EACH):
                        body, data = make(fields)
                        text = json.dumps(body, ensure_ascii=False).replace('"', '""')
                        out.write(f'{way},{service},{subtype},8.{service}.2.{subtype},"{text}",{data.hex()}\n')


if __name__ == "__main__":
    main()
