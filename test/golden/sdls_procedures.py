#!/usr/bin/env python3
"""PDUs of the SDLS extended procedures (CCSDS 355.1-B-1), built field by field.

    python3 -m venv v && v/bin/pip install cryptography
    v/bin/python test/golden/sdls_procedures.py > ccsds/sdls/testdata/procedures.txt

One PDU a line: a name and the octets, hexadecimal. Order and width of the fields are those
that NASA's CryptoLib 1.4.3 reads and writes (crypto_structs.h, sa_create, Crypto_MC_*), tags
those of its crypto_config.h; the length counts bits. New keys are encrypted by an outside
AES-GCM (PyPI cryptography). Values of events in the log are the mission's: code, SPI, number.
"""

from importlib import metadata

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

GROUPS = {"key": 0b00, "sa": 0b01, "mc": 0b11}


def bits(*fields):
    """Octets of (width, value) pairs."""
    text = "".join(format(value, f"0{width}b") for width, value in fields)
    assert len(text) % 8 == 0, len(text)
    return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))


def pdu(group, pid, data=b"", reply=0):
    return bits((1, reply), (1, 0), (2, GROUPS[group]), (4, pid), (16, 8 * len(data))) + data


def create(spi, est, ast, iv, sn, pl, mac, ecs, vector, acs, mask, arsn, window):
    head = bits((16, spi), (1, est), (1, ast), (6, iv), (6, sn), (2, pl), (8, mac))
    out = head
    for field in (ecs, vector, acs):
        out += bytes([len(field)]) + field
    return out + len(mask).to_bytes(2, "big") + mask + bytes([len(arsn)]) + arsn + bytes([len(window)]) + window


def event(tag, code, spi, number):
    value = bits((8, code), (16, spi), (64, number))
    return bytes([tag]) + len(value).to_bytes(2, "big") + value


master, key, iv = bytes(range(32)), bytes(range(100, 132)), bytes(range(200, 212))
sealed = AESGCM(master).encrypt(iv, (1001).to_bytes(2, "big") + key, None)
gvcid = lambda version, scid, vc, mapid: bits((4, version), (16, scid), (6, vc), (6, mapid))

print(f"# Made by test/golden/sdls_procedures.py with cryptography {metadata.version('cryptography')}.")
for name, octets in {
    "otar": pdu("key", 1, bits((16, 0)) + iv + sealed),
    "activate": pdu("key", 2, bits((16, 1001), (16, 1002))),
    "deactivate": pdu("key", 3, bits((16, 1001))),
    "verify": pdu("key", 4, bits((16, 1001)) + bytes(range(16))),
    "destroy": pdu("key", 6, bits((16, 1001))),
    "inventory": pdu("key", 7, bits((16, 0), (16, 65535))),
    "inventory reply": pdu("key", 7, bits((16, 2), (16, 1), (8, 1), (16, 1001), (8, 2)), 1),
    "read": pdu("sa", 0, bits((16, 7))),
    "read reply": pdu("sa", 0, bits((16, 7), (96, 0x0123456789ABCDEF)), 1),
    # AES-GCM, authenticated encryption, vector of 12 octets, MAC of 16, window of 64.
    "create gcm": pdu("sa", 1, create(7, 1, 1, 12, 0, 0, 16, b"\1", bits((32, 7), (64, 0)), b"", b"\0\0\xfc\0\0\xff", b"", b"\0\x40")),
    "create gmac": pdu("sa", 1, create(8, 0, 1, 12, 0, 2, 12, b"\1", bits((32, 8), (64, 0)), b"", b"", b"", b"\1\0")),
    "create encryption": pdu("sa", 1, create(9, 1, 0, 12, 0, 0, 0, b"\1", bits((32, 9), (64, 0)), b"", b"", b"", b"\0\0")),
    "create cmac": pdu("sa", 1, create(10, 0, 1, 0, 4, 1, 8, b"", b"", b"\1", b"\xff\xff", bytes(4), b"\0\0")),
    "delete": pdu("sa", 4, bits((16, 7))),
    "window": pdu("sa", 5, bits((16, 7), (64, 9))),
    "rekey": pdu("sa", 6, bits((16, 7), (16, 1001), (96, 5))),
    "expire": pdu("sa", 9, bits((16, 7))),
    "number": pdu("sa", 10, bits((16, 7), (96, 1 << 40))),
    "start": pdu("sa", 11, bits((16, 7)) + gvcid(0, 42, 3, 0) + gvcid(12, 42, 62, 1)),
    "stop": pdu("sa", 14, bits((16, 7))),
    "status": pdu("sa", 15, bits((16, 7))),
    "status reply": pdu("sa", 15, bits((16, 7), (8, 0x1B)), 1),
    "ping": pdu("mc", 1),
    "ping reply": pdu("mc", 1, b"", 1),
    "log status": pdu("mc", 2),
    "log status reply": pdu("mc", 2, bits((16, 2), (16, 62)), 1),
    "dump": pdu("mc", 3),
    "dump reply": pdu("mc", 3, event(0xFF, 4, 7, 99) + event(0x1E, 16, 2, 0), 1),
    "erase": pdu("mc", 4),
    "erase reply": pdu("mc", 4, bits((16, 0), (16, 64)), 1),
    "self-test": pdu("mc", 5),
    "self-test reply": pdu("mc", 5, b"\0", 1),
    "alarm": pdu("mc", 7),
}.items():
    print(f"{name}\t{octets.hex()}")
