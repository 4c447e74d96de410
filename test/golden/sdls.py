#!/usr/bin/env python3
"""Protected TC frame data fields made by an outside AES-GCM (PyPI cryptography).

    python3 -m venv v && v/bin/pip install cryptography
    v/bin/python test/golden/sdls.py > ccsds/sdls/testdata/fields.csv

Columns, hexadecimal but for the numbers: SPI, virtual channel, number, key, frame
header (5 octets of primary header and the segment header), clear data, field.
Layout and mask from CCSDS 355.0-B-2 with the managed parameters of package sdls:
SPI 16 bits, IV = SPI as 32 bits and the number as 64, authenticated are the frame
header without octet 4 and the security header.
"""

import random
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

rng = random.Random(355)
print("# spi,vc,number,key,header,data,field")
for i, length in enumerate([0, 1, 15, 16, 17, 100, 218, 500, 986]):
    spi, vc = rng.randrange(1, 65535), rng.randrange(64)
    number = [1, 2, 255, 2**32, 2**63, 7, 8, 9, 2**64 - 2][i]
    key = rng.randbytes(32)
    frame = 5 + 1 + 14 + length + 16 + 2
    header = struct.pack(">HHBB", 0x002A, vc << 10 | frame - 1, rng.randrange(256), 0xC0)
    data = rng.randbytes(length)
    iv = struct.pack(">IQ", spi, number)
    security = struct.pack(">H", spi) + iv
    aad = header[:4] + b"\0" + header[5:] + security
    field = security + AESGCM(key).encrypt(iv, data, aad)
    print(",".join([str(spi), str(vc), str(number), key.hex(), header.hex(), data.hex(), field.hex()]))
