#!/usr/bin/env python3
"""Reference PDUs for ccsds/cfdp from an outside implementation.

    python3 -m venv v && v/bin/pip install spacepackets==0.32.0 cfdp-py==0.7.0
    v/bin/python test/golden/cfdp.py ccsds/cfdp/testdata

pdu.csv       a line a PDU: "header;body;octets". Header: source, sequence,
              destination, octets of an entity id, octets of the sequence
              number, unacknowledged, CRC, large file, toward sender. Body: its
              name and fields, as written by the functions below.
checksum.csv  type, file, checksum; computed by cfdp-py and by the crc32c and
              zlib algorithms it uses

Octets are in hexadecimal, numbers in decimal.
"""

import random
import sys
import tempfile
from pathlib import Path

from cfdppy.filestore import NativeFilestore
from spacepackets.cfdp import (
    ChecksumType,
    ConditionCode,
    CrcFlag,
    Direction,
    DirectiveType,
    EntityIdTlv,
    FinishedParams,
    LargeFileFlag,
    MessageToUserTlv,
    PduConfig,
    TransmissionMode,
)
from spacepackets.cfdp.defs import DeliveryCode, FileStatus
from spacepackets.cfdp.pdu import (
    AckPdu,
    EofPdu,
    FileDataPdu,
    FinishedPdu,
    KeepAlivePdu,
    MetadataPdu,
    NakPdu,
    PromptPdu,
    TransactionStatus,
)
from spacepackets.cfdp.pdu.file_data import FileDataParams, RecordContinuationState, SegmentMetadata
from spacepackets.cfdp.pdu.metadata import MetadataParams
from spacepackets.cfdp.pdu.prompt import ResponseRequired
from spacepackets.util import ByteFieldGenerator

FAULTS = [c for c in ConditionCode if c not in (ConditionCode.NO_CONDITION_FIELD, ConditionCode.NO_ERROR)]


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def conf(self):
        r = self.rng
        e, s = r.choice([1, 2, 4, 8]), r.choice([1, 2, 4, 8])
        ids = [r.randrange(256**e), r.randrange(256**s), r.randrange(256**e)]
        flags = [r.randrange(2) for _ in range(4)]
        make = ByteFieldGenerator.from_int
        conf = PduConfig(
            source_entity_id=make(e, ids[0]),
            transaction_seq_num=make(s, ids[1]),
            dest_entity_id=make(e, ids[2]),
            trans_mode=TransmissionMode(flags[0]),
            crc_flag=CrcFlag(flags[1]),
            file_flag=LargeFileFlag(flags[2]),
            direction=Direction.TOWARDS_RECEIVER,
        )
        return conf, [*ids, e, s, *flags[:3]]

    def offset(self, conf):
        return self.rng.randrange(2**63 if conf.file_flag == LargeFileFlag.LARGE else 2**32)

    def fault(self):
        n = self.rng.choice([1, 2, 4, 8])
        v = self.rng.randrange(256**n)
        return EntityIdTlv(v.to_bytes(n, "big")), (v, n)

    def eof(self, conf):
        c = self.rng.choice([ConditionCode.NO_ERROR, *FAULTS])
        size, checksum = self.offset(conf), self.rng.randrange(2**32)
        tlv, (v, n) = self.fault() if c != ConditionCode.NO_ERROR else (None, (0, 0))
        pdu = EofPdu(conf, file_checksum=checksum, file_size=size, fault_location=tlv, condition_code=c)
        return pdu, ["EOF", c.value, checksum, size, v, n]

    def finished(self, conf):
        c = self.rng.choice([ConditionCode.NO_ERROR, ConditionCode.FILE_CHECKSUM_FAILURE])
        d, s = self.rng.choice(list(DeliveryCode)), self.rng.choice(list(FileStatus))
        tlv, (v, n) = self.fault() if c != ConditionCode.NO_ERROR else (None, (0, 0))
        pdu = FinishedPdu(conf, FinishedParams(c, d, s, [], tlv))
        return pdu, ["Finished", c.value, d.value, s.value, v, n]

    def ack(self, conf):
        of = self.rng.choice([DirectiveType.EOF_PDU, DirectiveType.FINISHED_PDU])
        c, s = self.rng.choice(FAULTS), self.rng.choice(list(TransactionStatus))
        return AckPdu(conf, of, c, s), ["ACK", of.value, c.value, s.value]

    def metadata(self, conf):
        closure = self.rng.randrange(2)
        kind = self.rng.choice([ChecksumType.MODULAR, ChecksumType.CRC_32C, ChecksumType.CRC_32, ChecksumType.NULL_CHECKSUM])
        size = self.offset(conf)
        names = [self.rng.choice(["a", "some/longer/name.bin", "n" * 200]) for _ in range(2)]
        messages = [self.rng.randbytes(self.rng.randrange(1, 40)) for _ in range(self.rng.randrange(3))]
        pdu = MetadataPdu(conf, MetadataParams(bool(closure), kind, size, *names),
                          [MessageToUserTlv(m) for m in messages] or None)
        return pdu, ["Metadata", closure, kind.value, size, *names, *[m.hex() for m in messages]]

    def nak(self, conf):
        start, end = self.offset(conf), self.offset(conf)
        segments = [tuple(sorted((self.offset(conf), self.offset(conf)))) for _ in range(self.rng.randrange(6))]
        return NakPdu(conf, start, end, segments), ["NAK", start, end, *[x for s in segments for x in s]]

    def prompt(self, conf):
        r = self.rng.choice(list(ResponseRequired))
        return PromptPdu(conf, r), ["Prompt", r.value]

    def keep_alive(self, conf):
        p = self.offset(conf)
        return KeepAlivePdu(conf, p), ["KeepAlive", p]

    def file_data(self, conf):
        offset, data = self.offset(conf), self.rng.randbytes(self.rng.randrange(1, 60))
        meta, fields = None, ["", ""]
        if self.rng.randrange(2):
            state, m = self.rng.choice(list(RecordContinuationState)), self.rng.randbytes(self.rng.randrange(1, 63))
            meta, fields = SegmentMetadata(state, m), [state.value, m.hex()]
        return FileDataPdu(conf, FileDataParams(data, offset, meta)), ["FileData", *fields, offset, data.hex()]


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    m = Maker(727)
    kinds = [m.eof, m.finished, m.ack, m.metadata, m.nak, m.prompt, m.keep_alive, m.file_data]
    with open(out / "pdu.csv", "w") as f:
        for i in range(120):
            conf, header = m.conf()
            pdu, body = kinds[i % len(kinds)](conf)
            octets = bytes(pdu.pack())
            # The library sets the direction by the kind of PDU.
            header.append(octets[0] >> 3 & 1)
            f.write(";".join([",".join(map(str, header)), ",".join(map(str, body)), octets.hex()]) + "\n")

    store = NativeFilestore()
    rng = random.Random(42)
    with open(out / "checksum.csv", "w") as f, tempfile.TemporaryDirectory() as d:
        for n in [1, 2, 3, 4, 5, 7, 8, 100, 1001, 4099]:
            data = rng.randbytes(n)
            path = Path(d) / "f"
            path.write_bytes(data)
            for kind in [ChecksumType.MODULAR, ChecksumType.CRC_32C, ChecksumType.CRC_32]:
                sum_ = store.calculate_checksum(kind, path, n)
                f.write(f"{kind.value},{data.hex()},{bytes(sum_).hex()}\n")


if __name__ == "__main__":
    main()
