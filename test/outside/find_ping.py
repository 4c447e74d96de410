#!/usr/bin/env python3
"""Finds TM[17,2] in a recording of raw downlink bits with outside tools alone.

Usage: find_ping.py down.received.raw [OCTETS]

OCTETS is how much of the recording to read.

Written from the books (131.0-B: sync marker, randomiser, Reed-Solomon; 132.0-B: transfer
frame; 133.0-B: space packet; ECSS-E-ST-70-41C: secondary header); it imports nothing of
Perilune. Reed-Solomon is PyPI's reed-solomon-ccsds. Prints each report with the octet where
its frame begins, and exits with 1 if there is none.
"""
import sys

import reed_solomon_ccsds as rs

ASM = bytes.fromhex("1acffc1d")
DEPTH, FRAME = 5, 1115
BLOCK = 255 * DEPTH


def randomiser(n):
    """The sequence of 131.0-B section 10: x^8 + x^7 + x^5 + x^3 + 1 from all ones."""
    state, out = [1] * 8, bytearray()
    for _ in range(n):
        octet = 0
        for _ in range(8):
            octet = octet << 1 | state[0]
            state = state[1:] + [state[0] ^ state[3] ^ state[5] ^ state[7]]
        out.append(octet)
    return bytes(out)


def crc(data):
    value = 0xFFFF
    for b in data:
        value ^= b << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021) & 0xFFFF if value & 0x8000 else value << 1
    return value


def frames(raw):
    """Yields (octet of the sync marker, corrected octets, frame).

    The marker may have a few wrong bits of its own; the code decides what is a frame.
    """
    noise = randomiser(BLOCK)
    marker = int.from_bytes(ASM, "big")
    at = 0
    while at + 4 + BLOCK <= len(raw):
        if (int.from_bytes(raw[at:at + 4], "big") ^ marker).bit_count() > 4:
            at += 1
            continue
        block = bytes(a ^ b for a, b in zip(raw[at + 4:at + 4 + BLOCK], noise))
        try:
            errors, data = rs.decode(block, True, DEPTH)
        except Exception:  # the library raises what it likes for a block that it cannot repair
            at += 1
            continue
        if crc(data):
            at += 1
            continue
        yield at, len(errors), data
        at += 4 + BLOCK


def packets(frame, open_packets):
    """Yields the packets that end in this frame. open_packets keeps, by virtual channel,
    the next frame count and the octets of a packet that goes on there."""
    channel, count = frame[1] >> 1 & 7, frame[3]
    pointer = int.from_bytes(frame[4:6], "big") & 0x7FF
    field = frame[6:FRAME - 6]  # OCF and FECF behind it
    expected, begun = open_packets.pop(channel, (None, b""))
    if begun and expected == count:
        # 0x7FF: no packet begins here, all of the field goes on with the one before.
        field, pointer = begun + field, 0
    elif pointer >= 0x7FE:
        return
    while pointer + 6 <= len(field):
        length = int.from_bytes(field[pointer + 4:pointer + 6], "big") + 7
        if pointer + length > len(field):
            break
        yield field[pointer:pointer + length]
        pointer += length
    open_packets[channel] = (count + 1 & 0xFF, field[pointer:])


def main():
    raw = open(sys.argv[1], "rb").read()
    if len(sys.argv) > 2:
        raw = raw[:int(sys.argv[2])]
    good = found = 0
    open_packets = {}
    for at, errors, frame in frames(raw):
        good += 1
        for packet in packets(frame, open_packets):
            secondary = packet[0] & 0x08
            if secondary and len(packet) > 9 and packet[7] == 17 and packet[8] == 2 and not crc(packet):
                apid = int.from_bytes(packet[:2], "big") & 0x7FF
                print(f"TM[17,2] of APID {apid} in the frame at octet {at}, {errors} corrected")
                found += 1
    print(f"{good} frames, {found} reports TM[17,2]")
    return 0 if found else 1


sys.exit(main())
