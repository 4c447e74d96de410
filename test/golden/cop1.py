#!/usr/bin/env python3
"""Reference values for ccsds/cop1 from an outside implementation.

Runs the PyPI package ccsds-cop as a separate program and writes what it does,
not how: for FOP-1 the next state for each pair of state and event, for FARM-1
traces of random frames with the control word after each.

    python3 -m venv v && v/bin/pip install ccsds-cop==0.1.2
    v/bin/python test/golden/cop1.py ccsds/cop1/testdata

fop_states.csv   event, then the next state from S1..S6 ("-": cannot occur)
farm_trace.csv   kind (AD n | BD | UNLOCK | SETVR n | RELEASE | NOROOM n),
                 accepted, V(R), lockout, wait, retransmit, FARM-B modulo 4
"""

import logging
import random
import sys
from pathlib import Path

from ccsds_cop.cop_1.common.ccsds import Gvcid
from ccsds_cop.cop_1.farm import Farm1, FarmState
from ccsds_cop.cop_1.fop._fop1_events import FopEvent
from ccsds_cop.cop_1.fop.transitions import _transitions
from ccsds_cop.cop_1.fop.types import FopState
from ccsds_cop.cop_1.common.fsm import TransitionFrom
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


def fop_states(path):
    with open(path, "w") as out:
        out.write("event,S1,S2,S3,S4,S5,S6\n")
        for event in FopEvent:
            row = [f"E{event.value}"]
            for state in FopState:
                to = _transitions.get(TransitionFrom(state, event))
                row.append(str(to[0].value) if to else "-")
            out.write(",".join(row) + "\n")


def frame(bypass, command, seq, data):
    return TransferFrame(
        header=PrimaryHeader(
            scid=42, map_id=0, vcid=0, src_dest=SourceOrDestField.DEST,
            frame_len=len(data) + 20, vcf_count_len=1, vcf_count=seq,
            op_ctrl_flag=False, prot_ctrl_cmd_flag=command, bypass_seq_ctrl_flag=bypass,
        ),
        tfdf=TransferFrameDataField(
            tfdz_cnstr_rules=TfdzConstructionRules.VpNoSegmentation,
            uslp_ident=UslpProtocolIdentifier.COP_1_CTRL_COMMANDS
            if command == ProtocolCommandFlag.PROTOCOL_INFORMATION
            else UslpProtocolIdentifier.USER_DEFINED_OCTET_STREAM,
            tfdz=data,
        ),
    )


def ad(n):
    return frame(BypassSequenceControlFlag.SEQ_CTRLD_QOS, ProtocolCommandFlag.USER_DATA, n, b"x")


def bypass(command, data):
    return frame(BypassSequenceControlFlag.EXPEDITED_QOS, command, 0, data)


def farm_trace(path, window, steps, seed):
    rng = random.Random(seed)
    farm = Farm1(window)
    with open(path, "w") as out:
        out.write(f"# window {window}\n")
        for _ in range(steps):
            buffer = farm.higher_interface.buffer
            buffer.clear()
            farm.higher_interface.signal.clear()
            before = farm.v_r, farm.b_counter
            kind = rng.choices(
                ["next", "near", "any", "BD", "UNLOCK", "SETVR", "RELEASE", "NOROOM"],
                [40, 25, 4, 6, 6, 4, 8, 3])[0]
            name = kind
            if kind in ("next", "near", "any"):
                n = {"next": farm.v_r, "near": (farm.v_r + rng.randint(-9, 9)) % 256,
                     "any": rng.randrange(256)}[kind]
                name = f"AD {n}"
                # The package raises for a frame that finds room in Wait; the
                # book says no room is there by definition.
                if farm.wait and n == farm.v_r:
                    fill(buffer)
                farm._process_frame(ad(n))
            elif kind == "NOROOM":
                name = f"NOROOM {farm.v_r}"
                if farm.lockout:
                    continue  # the package goes to Wait out of Lockout; E2 in S3 says discard
                fill(buffer)
                farm._process_frame(ad(farm.v_r))
                farm.state = FarmState.WAIT  # the package sets the flag but forgets the state
            elif kind == "BD":
                farm._process_frame(bypass(ProtocolCommandFlag.USER_DATA, b"x"))
            elif kind == "UNLOCK":
                farm._process_frame(bypass(ProtocolCommandFlag.PROTOCOL_INFORMATION, b"\x00"))
            elif kind == "SETVR":
                n = rng.randrange(256)
                name = f"SETVR {n}"
                farm._process_frame(bypass(ProtocolCommandFlag.PROTOCOL_INFORMATION, bytes([0x82, 0, n])))
            elif kind == "RELEASE":
                farm.higher_interface.buffer_release.set()
                farm.tick()
            accepted = name.startswith("AD") and farm.v_r != before[0] or farm.b_counter != before[1]
            out.write(",".join([name] + [str(int(v)) for v in (
                accepted, farm.v_r, farm.lockout, farm.wait, farm.retransmit, farm.b_counter % 4)]) + "\n")


def fill(buffer):
    while buffer.try_appendleft(ad(0)):
        pass


if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.mkdir(exist_ok=True)
    fop_states(out / "fop_states.csv")
    farm_trace(out / "farm_trace.csv", 10, 3000, 1)
    farm_trace(out / "farm_trace_wide.csv", 254, 3000, 2)
