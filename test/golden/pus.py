#!/usr/bin/env python3
"""Reference packets for ccsds/pus from an outside implementation.

    python3 -m venv v && v/bin/pip install spacepackets==0.32.0
    v/bin/python test/golden/pus.py ccsds/pus/testdata

tc.csv  apid, sequence, ack flags, service, subtype, source, data, packet
tm.csv  apid, sequence, service, subtype, count, destination, time reference
        status, time, data, packet
request.csv  packet, request id of service 1
verification.csv  subtype, request id, step, code, text, data of a report of service 1
test.csv  apid, sequence, subtype, time, packet of service 17

spacepackets 0.32.0 has headers, service 1 and service 17; of services 3, 5, 11, 15 and 20 it
knows numbers at most.

Octets are in hexadecimal, numbers in decimal.
"""

import random
import sys
from pathlib import Path

from spacepackets.ecss.fields import PacketFieldEnum
from spacepackets.ecss.pus_1_verification import FailureNotice, RequestId, Service1Tm, VerificationParams
from spacepackets.ecss.pus_17_test import Service17Tm
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
    write(out / "verification.csv", verification(rng))
    write(out / "test.csv", test(rng))


def verification(rng):
    """Reports of service 1: step and code in two octets, a text with its length behind."""
    rows = []
    for i in range(48):
        subtype = i % 8 + 1
        request = RequestId.from_pus_tc(PusTc(service=17, message_subtype=1, apid=rng.randrange(2048),
                                              seq_count=rng.randrange(16384)))
        step, code, text = rng.randrange(65536), rng.randrange(65536), "refused"[: rng.randrange(8)]
        params = VerificationParams(req_id=request)
        if subtype in (5, 6):
            params.step_id = PacketFieldEnum(pfc=16, val=step)
        if subtype % 2 == 0:
            data = len(text).to_bytes(2, "big") + text.encode()
            params.failure_notice = FailureNotice(code=PacketFieldEnum(pfc=16, val=code), data=data)
        tm = Service1Tm(apid=1, message_subtype=subtype, timestamp=bytes(7), verif_params=params)
        rows.append((subtype, int.from_bytes(request.pack(), "big"), step if subtype in (5, 6) else 0,
                     code if subtype % 2 == 0 else 0, text if subtype % 2 == 0 else "", bytes(tm.source_data).hex()))
    return rows


def test(rng):
    rows = []
    for i in range(40):
        apid, seq, stamp = rng.randrange(2048), rng.randrange(16384), rng.randbytes(7)
        tm = Service17Tm(apid=apid, message_subtype=2, timestamp=stamp, ssc=seq)
        rows.append((apid, seq, 2, stamp.hex(), bytes(tm.pack()).hex()))
    return rows


if __name__ == "__main__":
    main()
