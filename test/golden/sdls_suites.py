#!/usr/bin/env python3
"""Protected frame data fields of each security service and kind of frame.

    python3 -m venv v && v/bin/pip install cryptography
    v/bin/python test/golden/sdls_suites.py

AES-GCM, AES-CTR and AES-CMAC come from PyPI cryptography. Layouts and authentication masks
are written here a second time after 355.0-B-2 section 4 and annex E: SPI, vector, sequence
number, pad length, data, MAC; authenticated are the masked headers of the frame and the
security header, and without encryption the data.
"""
import importlib.metadata as meta
import pathlib
import random

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.cmac import CMAC

ROOT = pathlib.Path(__file__).resolve().parents[2] / "ccsds"
MASKS = {  # frame headers before the security header: length, octets that count
    "tc": (6, {2: 0xFC, 5: 0xFF}), "tm": (6, {1: 0x0E}), "aos": (8, {1: 0x3F}), "uslp": (11, {2: 0x07, 3: 0xFE}),
}


def main():
    rnd = random.Random(3550)
    rows = []
    for kind, (length, mask) in MASKS.items():
        for service, algorithm, iv, sn, pad, mac in [
                (0, 0, 12, 0, 0, 16), (1, 0, 12, 0, 0, 16), (2, 0, 12, 0, 0, 0), (1, 1, 0, 4, 0, 16), (1, 1, 0, 8, 1, 8),
                (0, 0, 12, 2, 2, 16)]:
            for size in (0, 1, 16, 100):
                spi, key, head, data = rnd.randrange(1, 65535), rnd.randbytes(32), rnd.randbytes(length), rnd.randbytes(size)
                number = rnd.randrange(1, 1 << min(8 * sn or 64, 63))
                vector = spi.to_bytes(4, "big") + number.to_bytes(8, "big") if iv else b""
                security = spi.to_bytes(2, "big") + vector + (number.to_bytes(sn, "big") if sn else b"") + bytes(pad)
                aad = bytes(b & mask.get(i, 0) for i, b in enumerate(head)) + security
                if algorithm == 1:
                    c = CMAC(algorithms.AES(key))
                    c.update(aad + data)
                    field = data + c.finalize()[:mac]
                elif service == 2:
                    field = Cipher(algorithms.AES(key), modes.CTR(vector + b"\0\0\0\2")).encryptor().update(data)
                elif service == 1:
                    field = data + AESGCM(key).encrypt(vector, b"", aad + data)
                else:
                    field = AESGCM(key).encrypt(vector, data, aad)
                rows.append([kind, service, algorithm, iv, sn, pad, mac, spi, number, key.hex(), head.hex(), data.hex() or "-",
                             (security + field).hex()])
    with open(ROOT / "sdls/testdata/suites.txt", "w") as f:
        f.write(f"# Made by test/golden/sdls_suites.py with cryptography {meta.version('cryptography')}.\n")
        f.write("# frame service algorithm iv sn pad mac spi number key header data field\n")
        for r in rows:
            f.write(" ".join(map(str, r)) + "\n")


if __name__ == "__main__":
    main()
