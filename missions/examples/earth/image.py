#!/usr/bin/env python3
"""Makes earth.pgm, a part of NASA's Blue Marble, from the copy that an npm package carries.

    npm pack three-globe@2.45.2 && tar xzf three-globe-2.45.2.tgz
    python3 -m venv venv && venv/bin/pip install pillow==13.0.0
    venv/bin/python image.py package/example/img/earth-blue-marble.jpg earth.pgm

512 x 512 pixels are cut out at full resolution (1 pixel = 360/4096 degrees) from 45 N 9.8 E to
0 N 54.8 E, and turned to grey. The header is filled with comments up to 512 octets, so that the
file is a whole number of sectors.
"""
import hashlib
import sys

from PIL import Image

SOURCE = "228deba2e4b600146bdcb6cfa359b8ead6aacc2b1c13550a29cd82824cfa1c01"
BOX = (2160, 512, 2672, 1024)
COMMENTS = [
    "Earth: Mediterranean, Nile, Red Sea, Arabia, Sahel. 45N 9.8E to 0N 54.8E, plate carree.",
    "NASA Blue Marble: Next Generation, NASA Earth Observatory. Public domain.",
    "Grey, cut from earth-blue-marble.jpg of npm three-globe 2.45.2 by image.py.",
]


def header(size):
    text = "P5\n" + "".join(f"# {c}\n" for c in COMMENTS)
    end = f"{size[0]} {size[1]}\n255\n"
    fill = 512 - len(text) - len(end)
    return (text + "#" + " " * (fill - 2) + "\n" + end).encode()


def main(source, target):
    digest = hashlib.sha256(open(source, "rb").read()).hexdigest()
    if digest != SOURCE:
        sys.exit(f"{source}: sha256 {digest}, want {SOURCE}")
    image = Image.open(source).convert("L").crop(BOX)
    data = header(image.size) + image.tobytes()
    open(target, "wb").write(data)
    print(hashlib.sha256(data).hexdigest(), len(data), target)


if __name__ == "__main__":
    main(*sys.argv[1:])
