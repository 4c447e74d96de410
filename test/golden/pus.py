#!/usr/bin/env python3
"""Reference packets for ccsds/pus from an outside implementation.

    python3 -m venv v && v/bin/pip install spacepackets==0.32.0
    v/bin/python test/golden/pus.py ccsds/pus/testdata

tc.csv  apid, sequence, ack flags, service, subtype, source, data, packet
tm.csv  apid, sequence, service, subtype, count, destination, time reference
        status, time, data, packet
request.csv  packet, request id of service 1

Octets are in hexadecimal, numbers in decimal.
"""

import random
import sys
from pathlib import Path

from spacepackets.ecss.pus_1_verification import RequestId
from spacepackets.ecss.tc import PusTc
from spacepackets.ecss.tm import PusTm
from spacepackets.ecss.tm import MiscParams

SERVICES = [(1, 1), (3, 25), (5, 4), (8, 1), (9, 128), (11, 4), (17, 1), (128, 1), (255, 255)]


def write(path, rows):
    path.write_text("".join(",".join(map(str, r)) + "\n" for r in rows))


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(70)
    tc_rows, tm_rows, ids = [], [], []
    for i in range(40):
        service, subtype = SERVICES[i % len(SERVICES)]
        apid, seq = rng.randrange(2048), rng.randrange(16384)
        ack, source = rng.randrange(16), rng.randrange(65536)
        data = rng.randbytes(rng.choice([0, 1, 2, 9, 64, 300]))
        tc = PusTc(service=service, message_subtype=subtype, apid=apid, seq_count=seq,
                   ack_flags=ack, source_id=source, app_data=data)
        raw = bytes(tc.pack())
        tc_rows.append((apid, seq, ack, service, subtype, source, data.hex(), raw.hex()))
        ids.append((raw.hex(), bytes(RequestId.from_pus_tc(tc).pack()).hex()))

        count, dest, status = rng.randrange(65536), rng.randrange(65536), rng.randrange(3)
        stamp = rng.randbytes(7)
        tm = PusTm(service=service, message_subtype=subtype, apid=apid, seq_count=seq,
                   message_counter=count, destination_id=dest, timestamp=stamp, source_data=data,
                   misc_params=MiscParams(spacecraft_time_ref=status))
        tm_rows.append((apid, seq, service, subtype, count, dest, status, stamp.hex(), data.hex(),
                        bytes(tm.pack()).hex()))
    write(out / "tc.csv", tc_rows)
    write(out / "tm.csv", tm_rows)
    write(out / "request.csv", ids)


if __name__ == "__main__":
    main()
