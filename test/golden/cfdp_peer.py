#!/usr/bin/env python3
"""A CFDP entity of another make, for ccsds/cfdp's tests to talk to.

    python3 -m venv v && v/bin/pip install cfdp-py==0.7.0
    PERILUNE_PYTHON=v/bin/python go test ./ccsds/cfdp -run Peer

Arguments: entity id, the other's entity id, 1 for a CRC on each PDU. Commands
come a line each on standard input, and each is answered by lines on standard
output, of which the last is "done":

    put SOURCE DEST   begin to send a file (class 2)
    pdu HEX           take a PDU
    poll              let timers run out

    pdu HEX           a PDU to send
    finished NAME     a transaction is over, with this condition
"""

import sys
from datetime import timedelta
from pathlib import Path

from cfdppy.handler.dest import DestHandler
from cfdppy.handler.source import SourceHandler
from cfdppy.mib import (
    CheckTimerProvider,
    DefaultFaultHandlerBase,
    IndicationConfig,
    LocalEntityConfig,
    RemoteEntityConfig,
    RemoteEntityConfigTable,
)
from cfdppy.request import PutRequest
from cfdppy.user import CfdpUserBase
from spacepackets.cfdp import ChecksumType, TransmissionMode
from spacepackets.cfdp.pdu import PduFactory
from spacepackets.countdown import Countdown
from spacepackets.seqcount import SeqCountProvider
from spacepackets.util import ByteFieldU16


def say(*words):
    print(*words, flush=True)


class Faults(DefaultFaultHandlerBase):
    def notice_of_suspension_cb(self, *_):
        pass

    def notice_of_cancellation_cb(self, *_):
        pass

    def abandoned_cb(self, *_):
        pass

    def ignore_cb(self, *_):
        pass


class User(CfdpUserBase):
    def transaction_finished_indication(self, params):
        say("finished", params.finished_params.condition_code.name)

    def transaction_indication(self, *_):
        pass

    eof_sent_indication = metadata_recv_indication = file_segment_recv_indication = transaction_indication
    report_indication = suspended_indication = resumed_indication = transaction_indication
    fault_indication = abandoned_indication = eof_recv_indication = transaction_indication


class Timers(CheckTimerProvider):
    def provide_check_timer(self, *_args, **_kw):
        return Countdown(timedelta(seconds=0.2))


def main():
    local, remote, crc = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "1"
    table = RemoteEntityConfigTable([RemoteEntityConfig(
        entity_id=ByteFieldU16(remote), max_file_segment_len=400, max_packet_len=512,
        closure_requested=False, crc_on_transmission=crc,
        default_transmission_mode=TransmissionMode.ACKNOWLEDGED, crc_type=ChecksumType.CRC_32,
        positive_ack_timer_interval_seconds=0.2, positive_ack_timer_expiration_limit=3000,
        nak_timer_interval_seconds=0.2, nak_timer_expiration_limit=3000)])
    cfg = LocalEntityConfig(ByteFieldU16(local), IndicationConfig(), Faults())
    source = SourceHandler(cfg, User(), table, Timers(), SeqCountProvider(bit_width=16))
    dest = DestHandler(cfg, User(), table, Timers())

    def run(handler, pdu=None):
        try:
            handler.state_machine(pdu)
        except Exception as e:  # a PDU it has no use for; say so and go on
            print(type(e).__name__, e, file=sys.stderr)
        while (out := handler.get_next_packet()) is not None:
            say("pdu", bytes(out.pack()).hex())

    for line in sys.stdin:
        word, *rest = line.split()
        if word == "put":
            source.put_request(PutRequest(ByteFieldU16(remote), Path(rest[0]), Path(rest[1]),
                                          TransmissionMode.ACKNOWLEDGED, None))
        elif word == "pdu":
            octets = bytes.fromhex(rest[0])
            toward_sender = octets[0] & 8
            run(source if toward_sender else dest, PduFactory.from_raw(octets))
        run(source)
        run(dest)
        say("done")


if __name__ == "__main__":
    main()
