#!/usr/bin/env python3
"""COP-1 by PyPI ccsds-cop: its FARM-1, or its FOP-1. Run as a program of its own.

Argument: farm W, or fop K SECONDS. A line of standard input is one event:

farm:   ad N HEX | bc HEX | bd HEX   a frame    answers: got HEX..., clcw HEX
fop:    setvr N | begin N            initiate by Set V(R), or without (V(S) is N)
        send HEX                     an FDU; "busy" if it is not taken
        clcw HEX | poll              a control word; time passes
        answers: ad N HEX | bc HEX (frames to radiate), alert REASON, state N
"""

import logging
import sys

from ccsds_cop.cop_1.common.ccsds import ControlWord, Gvcid
from ccsds_cop.cop_1.farm import Farm1
from ccsds_cop.cop_1.fop.fop import Fop1
from ccsds_cop.cop_1.fop.types import (
    AsyncNotification,
    DirectiveRequest,
    DirectiveType,
    RequestToTransferFdu,
    Response,
    ResponseType,
    ServiceType,
    TransmitRequestForFrame,
)
from spacepackets.uslp import (
    BypassSequenceControlFlag,
    PrimaryHeader,
    ProtocolCommandFlag,
    SourceOrDestField,
    TfdzConstructionRules,
    TransferFrame,
    TransferFrameDataField,
    UslpProtocolIdentifier,
)

logging.disable(logging.CRITICAL)
CONTROL = ProtocolCommandFlag.PROTOCOL_INFORMATION
VCID = 0


def frame(bypass, command, seq, data):
    ident = UslpProtocolIdentifier.COP_1_CTRL_COMMANDS if command == CONTROL else \
        UslpProtocolIdentifier.USER_DEFINED_OCTET_STREAM
    return TransferFrame(
        header=PrimaryHeader(
            scid=42, map_id=0, vcid=VCID, src_dest=SourceOrDestField.DEST, frame_len=len(data) + 20,
            vcf_count_len=1, vcf_count=seq, op_ctrl_flag=False, prot_ctrl_cmd_flag=command,
            bypass_seq_ctrl_flag=bypass),
        tfdf=TransferFrameDataField(
            tfdz_cnstr_rules=TfdzConstructionRules.VpNoSegmentation, uslp_ident=ident, tfdz=data))


def farm(width):
    f = Farm1(width)
    free = BypassSequenceControlFlag.EXPEDITED_QOS
    for line in sys.stdin:
        word, *rest = line.split()
        data = bytes.fromhex(rest[-1])
        if word == "ad":
            f._process_frame(frame(BypassSequenceControlFlag.SEQ_CTRLD_QOS, ProtocolCommandFlag.USER_DATA, int(rest[0]), data))
        elif word == "bc":
            f._process_frame(frame(free, CONTROL, 0, data))
        else:
            f._process_frame(frame(free, ProtocolCommandFlag.USER_DATA, 0, data))
        f.higher_interface.signal.clear()
        while f.higher_interface.buffer:
            print("got", bytes(f.higher_interface.buffer.pop().tfdf.tfdz).hex())
        word = ControlWord(vcid=VCID, lockout=f.lockout, wait=f.wait, retransmit=f.retransmit,
                           farm_b_counter=f.b_counter, report_value=f.v_r)
        print("clcw", word.pack().hex())
        print("done", flush=True)


def fop(width, t1):
    gvcid = Gvcid(0, 42, VCID)
    f = Fop1(gvcid, width, t1)
    f.transmission_limit = 250
    f.ad_out = f.bc_out = f.bd_out = True  # the lower layer is ready

    def directive(kind, value=0):
        f.on_receive_directive(DirectiveRequest(gvcid, 1, kind, value))

    def radiate():
        while f.interface.to_lower:
            out = f.interface.to_lower.pop()
            if not isinstance(out, TransmitRequestForFrame):
                continue
            if out.command_flag == CONTROL:
                print("bc", bytes(out.tfdf).hex())
                # The package does not keep the frame in its Sent_Queue and fails on
                # the response BC_ACCEPTED, so there is none, and no second try.
                f.bc_out = True
            else:
                print("ad", out.v_s, bytes(out.tfdf).hex())
                f.on_receive_response_from_lower_layer(Response(gvcid, ResponseType.AD_ACCEPTED))
        while f.interface.to_higher:
            told = f.interface.to_higher.pop()
            if isinstance(told, AsyncNotification):
                print("alert", told.notification_qualifier.name if told.notification_qualifier else "suspend")

    for line in sys.stdin:
        word, *rest = line.split()
        if word == "setvr":
            directive(DirectiveType.INITIATE_AD_WITH_SET_V_R, int(rest[0]))
        elif word == "begin":
            directive(DirectiveType.SET_V_S, int(rest[0]))
            directive(DirectiveType.INITIATE_AD_NO_CLCW)
        elif word == "send":
            if f._wait_queue is not None or f.state.value > 3:  # S1 to S3 take an FDU
                print("busy")
            else:
                f.on_receive_request_to_transfer_fdu(RequestToTransferFdu(gvcid, 1, bytes.fromhex(rest[0]), ServiceType.AD))
        elif word == "clcw":
            f.on_clcw_arrived(ControlWord.unpack(bytes.fromhex(rest[0])))
        f.drain_timer_events()
        radiate()
        print("state", f.state.value)
        print("done", flush=True)
    f.cancel_timer()


if __name__ == "__main__":
    if sys.argv[1] == "farm":
        farm(int(sys.argv[2]))
    else:
        fop(int(sys.argv[2]), float(sys.argv[3]))
