#!/usr/bin/env python3
"""The mission database as XTCE, by PyPI space-packet-parser.

    valid FILE          "valid", or what the schema of the OMG says against it, a line each
    load FILE           "loaded"
    take PACKET         NAME VALUE of each parameter of the telemetry packet, a line each

Packets are in hexadecimal; blanks in values are underscores, "-" is an empty one.
"""

import sys

import space_packet_parser as spp
from space_packet_parser.xtce.validation import validate_xtce

definition = None


def answer(op, word):
    global definition
    if op == "valid":
        r = validate_xtce(word, level="schema", print_results=False, raise_on_error=False, allow_schema_download=False)
        return ["valid"] if r.valid else [str(e).replace("\n", " ") for e in r.errors]
    if op == "load":
        definition = spp.load_xtce(word)
        return ["loaded"]
    if op == "take":
        p = definition.parse_bytes(bytes.fromhex(word), root_container_name="packet")
        return [" ".join((name, str(value).replace(" ", "_") or "-")) for name, value in p.items()]
    raise ValueError(op)


def main():
    for line in sys.stdin:
        try:
            for row in answer(*line.split()):
                print(row)
        except Exception as e:
            print("error", type(e).__name__, str(e).replace("\n", " "))
        print("done", flush=True)


if __name__ == "__main__":
    main()
