#!/usr/bin/env python3
"""Makes the golden vectors of frames that carry something else than packets: ccsds/aos and ccsds/tm.

    test/golden/services.py

They come from Dario Lucia's library for Java, which Maven fetches; it wants a JDK to run
Services.java. Where a B_PDU is not full of the user's bits the library counts them, while the
book's pointer is the place of the last one, from 0; its header error control is not that of
YAMCS and of the published values. Of both there are no vectors.
"""
import pathlib
import subprocess
import tempfile

VERSION = "1.0.6"
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1] / "ccsds"
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>golden</groupId><artifactId>services</artifactId><version>1</version><packaging>pom</packaging>
<dependencies><dependency><groupId>eu.dariolucia.ccsds</groupId><artifactId>eu.dariolucia.ccsds.tmtc</artifactId><version>%s</version></dependency></dependencies>
</project>""" % VERSION

with tempfile.TemporaryDirectory() as tmp:
    pom = pathlib.Path(tmp) / "pom.xml"
    pom.write_text(POM)
    subprocess.run(["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={tmp}/jars", "-DincludeScope=runtime"], check=True)
    rows = subprocess.run(["java", "-cp", f"{tmp}/jars/*", HERE / "Services.java"], check=True, capture_output=True, text=True).stdout.splitlines()

HEAD = f"""# Made by test/golden/services.py with eu.dariolucia.ccsds.tmtc {VERSION}.
# service scid vc count insert ocf fecf data frame
"""
for kind, name in ("aos", "services.txt"), ("tm", "access.txt"):
    mine = [r.removeprefix(kind + " ") for r in rows if r.startswith(kind + " ")]
    assert len(mine) >= 16
    (ROOT / kind / "testdata" / name).write_text(HEAD + "\n".join(mine) + "\n")
