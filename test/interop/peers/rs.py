#!/usr/bin/env python3
"""Reed-Solomon of CCSDS 131.0-B by PyPI reed-solomon-ccsds (E=16) and Debian's libfec.

    encode LIB E BASIS DEPTH HEX    the block
    decode LIB E BASIS DEPTH HEX    the data, or "uncorrectable"
    erase libfec E BASIS DEPTH HEX PLACE,PLACE...   likewise, with octets of the block that are known to be doubtful

LIB is pypi or libfec, BASIS dual or conventional.
"""

import ctypes
import sys

import reed_solomon_ccsds as rs

FEC = ctypes.CDLL("libfec.so.0")
FEC.init_rs_char.restype = ctypes.c_void_p
# libfec's tables between the bases.
TO_DUAL = bytes((ctypes.c_ubyte * 256).in_dll(FEC, "Taltab"))
TO_CONV = bytes((ctypes.c_ubyte * 256).in_dll(FEC, "Tal1tab"))
CODES = {e: ctypes.c_void_p(FEC.init_rs_char(8, 0x187, 128 - e, 11, 2 * e, 0)) for e in (8, 16)}


def fec_encode(e, dual, depth, data):
    words = []
    for i in range(depth):
        word = data[i::depth]
        parity = (ctypes.c_ubyte * (2 * e))()
        FEC.encode_rs_char(CODES[e], word.translate(TO_CONV) if dual else word, parity)
        words.append(bytes(parity).translate(TO_DUAL) if dual else bytes(parity))
    return data + bytes(w[k] for k in range(2 * e) for w in words)


def fec_decode(e, dual, depth, block, places=()):
    out = bytearray(len(block))
    for i in range(depth):
        word = block[i::depth]
        buf = (ctypes.c_ubyte * 255).from_buffer_copy(word.translate(TO_CONV) if dual else word)
        mine = [p // depth for p in places if p % depth == i]
        if FEC.decode_rs_char(CODES[e], buf, (ctypes.c_int * 255)(*mine), len(mine)) < 0:
            return None
        out[i::depth] = bytes(buf).translate(TO_DUAL) if dual else bytes(buf)
    return bytes(out[: len(block) - 2 * e * depth])


def main():
    for line in sys.stdin:
        op, lib, e, basis, depth, octets, *places = line.split()
        e, dual, depth, octets = int(e), basis == "dual", int(depth), bytes.fromhex(octets)
        if op == "erase":
            answer = fec_decode(e, dual, depth, octets, [int(p) for p in places[0].split(",")])
        elif lib == "pypi":
            assert e == 16
            if op == "encode":
                answer = bytes(rs.encode(octets, dual, depth))
            else:
                try:
                    answer = bytes(rs.decode(octets, dual, depth)[1])
                except rs.UncorrectableError:
                    answer = None
        else:
            answer = (fec_encode if op == "encode" else fec_decode)(e, dual, depth, octets)
        print("uncorrectable" if answer is None else answer.hex())
        print("done", flush=True)


if __name__ == "__main__":
    main()
