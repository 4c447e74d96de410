#!/usr/bin/env python3
"""Space packets and PUS packets by PyPI spacepackets.

    space-make TYPE APID SEQ FLAGS SECHDR HEX          the packet
    space-take HEX                                     TYPE APID SEQ FLAGS SECHDR LENGTH
    tc-make APID SEQ ACK SERVICE SUBTYPE SOURCE HEX    the packet
    tc-take HEX                                        APID SEQ ACK SERVICE SUBTYPE SOURCE DATA
    tm-make APID SEQ SERVICE SUBTYPE COUNT DEST QUALITY TIME HEX
    tm-take HEX                                        APID SEQ SERVICE SUBTYPE COUNT DEST QUALITY TIME DATA
    verify-make SUBTYPE TC CODE TEXT                   TM of service 1 on a telecommand
    verify-take HEX                                    SUBTYPE REQUEST

Octets are in hexadecimal, "-" for none.
"""

import sys

from spacepackets.ccsds import PacketType, SequenceFlags, SpacePacket, SpacePacketHeader
from spacepackets.ecss import PusTc
from spacepackets.ecss.fields import PacketFieldEnum
from spacepackets.ecss.pus_1_verification import (
    FailureNotice,
    ManagedParamsVerification,
    RequestId,
    Service1Tm,
    VerificationParams,
)
from spacepackets.ecss.tm import ManagedParams, MiscParams, PusTm

STAMP = 7  # octets of time in a telemetry packet


def octets(word):
    return b"" if word == "-" else bytes.fromhex(word)


def text(data):
    return bytes(data).hex() or "-"


def answer(op, a):
    if op == "space-make":
        kind, apid, seq, flags, sec = map(int, a[:5])
        data = octets(a[5])
        h = SpacePacketHeader(packet_type=PacketType(kind), apid=apid, seq_count=seq, data_len=len(data) - 1,
                              sec_header_flag=bool(sec), seq_flags=SequenceFlags(flags))
        return (SpacePacket(h, None, data).pack() if not sec else bytes(h.pack()) + data).hex(),
    if op == "space-take":
        h = SpacePacketHeader.unpack(octets(a[0]))
        return int(h.packet_type), h.apid, h.seq_count, int(h.seq_flags), int(h.sec_header_flag), h.packet_len
    if op == "tc-make":
        apid, seq, ack, service, subtype, source = map(int, a[:6])
        return text(PusTc(service=service, message_subtype=subtype, apid=apid, seq_count=seq, ack_flags=ack,
                          source_id=source, app_data=octets(a[6])).pack()),
    if op == "tc-take":
        p = PusTc.unpack(octets(a[0]))
        return (p.apid, p.seq_count, int(p.pus_tc_sec_header.ack_flags), p.service, p.message_subtype,
                p.source_id, text(p.app_data))
    if op == "tm-make":
        apid, seq, service, subtype, count, dest, quality = map(int, a[:7])
        return text(PusTm(service=service, message_subtype=subtype, apid=apid, seq_count=seq, message_counter=count,
                          destination_id=dest, timestamp=octets(a[7]), source_data=octets(a[8]),
                          misc_params=MiscParams(spacecraft_time_ref=quality)).pack()),
    if op == "tm-take":
        p = PusTm.unpack(octets(a[0]), STAMP)
        h = p.pus_tm_sec_header
        return (p.apid, p.seq_count, p.service, p.message_subtype, h.message_counter, h.dest_id,
                h.spacecraft_time_ref, text(p.timestamp), text(p.tm_data))
    if op == "verify-make":
        subtype, tc, code = int(a[0]), PusTc.unpack(octets(a[1])), int(a[2])
        notice = FailureNotice(PacketFieldEnum.with_byte_size(2, code), octets(a[3])) if subtype % 2 == 0 else None
        return text(Service1Tm(apid=1, message_subtype=subtype, timestamp=bytes(STAMP),
                               verif_params=VerificationParams(RequestId.from_pus_tc(tc), failure_notice=notice)).pack()),
    if op == "verify-take":
        p = Service1Tm.unpack(octets(a[0]), ManagedParams(STAMP), ManagedParamsVerification(1, 2))
        code = p.failure_notice.code.val if p.failure_notice else 0
        return int(p.pus_tm.message_subtype), text(p.tc_req_id.pack()), code
    raise ValueError(op)


def main():
    for line in sys.stdin:
        op, *words = line.split()
        try:
            print(*answer(op, words))
        except Exception as e:
            print("error", type(e).__name__, str(e).replace("\n", " "))
        print("done", flush=True)


if __name__ == "__main__":
    main()
