#!/usr/bin/env python3
"""Reference fields of CFDP metadata and Finished PDUs from an outside implementation.

    python3 -m venv v && v/bin/pip install spacepackets==0.32.0
    v/bin/python test/golden/cfdp_user.py ccsds/cfdp/testdata

user.csv: a line a field value: "kind;fields;octets", fields separated by commas.

    request    action, first name, second name       filestore request
    response   action, status, first, second, text   filestore response
    fault      condition, handler                    fault handler override
    put        entity, octets of it, source, dest    proxy put request
    cancel                                           proxy put cancel
    closure    0 or 1                                proxy closure request
    mode       0 or 1                                proxy transmission mode
    answer     condition, delivery, file status      proxy put response
    origin     entity, its octets, number, its octets   originating transaction id
    list       directory, file                       directory listing request
    listed     success, directory, file              directory listing response

Octets are in hexadecimal, without type and length of the field.
"""

import itertools
import sys
from pathlib import Path

from spacepackets.cfdp import ConditionCode, FaultHandlerCode, TransmissionMode
from spacepackets.cfdp.defs import DeliveryCode, FileStatus, TransactionId
from spacepackets.cfdp.lv import CfdpLv
from spacepackets.cfdp.tlv import (
    DirectoryListingRequest,
    DirectoryListingResponse,
    DirectoryParams,
    FaultHandlerOverrideTlv,
    FilestoreActionCode,
    FileStoreRequestTlv,
    FilestoreResponseStatusCode,
    FileStoreResponseTlv,
    OriginatingTransactionId,
    ProxyCancelRequest,
    ProxyClosureRequest,
    ProxyPutRequest,
    ProxyPutRequestParams,
    ProxyPutResponse,
    ProxyPutResponseParams,
    ProxyTransmissionMode,
)
from spacepackets.util import ByteFieldGenerator

TWO = (FilestoreActionCode.RENAME_FILE_SNP, FilestoreActionCode.APPEND_FILE_SNP, FilestoreActionCode.REPLACE_FILE_SNP)


def lines():
    for a in FilestoreActionCode:
        second = "b/c.bin" if a in TWO else ""
        yield "request", [a.value, "dir/a", second], FileStoreRequestTlv(a, "dir/a", second)
        for status in FilestoreResponseStatusCode:
            if status.value < 0 or status.value >> 4 != a.value:
                continue
            msg = CfdpLv(b"text" if status.value & 15 else b"")
            yield "response", [a.value, status.value & 15, "dir/a", second, msg.value.decode()], \
                FileStoreResponseTlv(a, status, "dir/a", second, msg)
    for c in (ConditionCode.FILE_CHECKSUM_FAILURE, ConditionCode.INACTIVITY_DETECTED, ConditionCode.NAK_LIMIT_REACHED):
        for h in FaultHandlerCode:
            yield "fault", [c.value, h.value], FaultHandlerOverrideTlv(c, h)
    for width, entity in ((1, 7), (2, 300), (4, 70000)):
        p = ProxyPutRequestParams(ByteFieldGenerator.from_int(width, entity), CfdpLv(b"src/x"), CfdpLv(b"y"))
        yield "put", [entity, width, "src/x", "y"], ProxyPutRequest(p)
    yield "cancel", [], ProxyCancelRequest()
    for on in (0, 1):
        yield "closure", [on], ProxyClosureRequest(bool(on))
    for m in TransmissionMode:
        yield "mode", [m.value], ProxyTransmissionMode(m)
    codes = (ConditionCode.NO_ERROR, ConditionCode.CANCEL_REQUEST_RECEIVED)
    for c, d, f in itertools.product(codes, DeliveryCode, FileStatus):
        yield "answer", [c.value, d.value, f.value], ProxyPutResponse(ProxyPutResponseParams(c, d, f))
    for e, s in ((1, 2), (2, 4), (4, 8)):
        t = TransactionId(ByteFieldGenerator.from_int(e, 200), ByteFieldGenerator.from_int(s, 65000))
        yield "origin", [200, e, 65000, s], OriginatingTransactionId(t)
    d = DirectoryParams.from_strs("bundles", "list.txt")
    yield "list", ["bundles", "list.txt"], DirectoryListingRequest(d)
    for ok in (1, 0):
        yield "listed", [ok, "bundles", "list.txt"], DirectoryListingResponse(bool(ok), d)


def main():
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    with open(out / "user.csv", "w") as f:
        for kind, fields, tlv in lines():
            octets = bytes(tlv.pack())
            assert octets[1] == len(octets) - 2
            f.write(f"{kind};{','.join(map(str, fields))};{octets[2:].hex()}\n")


if __name__ == "__main__":
    main()
