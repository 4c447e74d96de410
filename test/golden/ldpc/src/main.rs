//! Makes the golden values of ccsds/coding/ldpc and ccsds/link from crates that are not ours.
//!
//!     cd test/golden/ldpc && cargo run --release --target-dir /tmp/golden-ldpc
//!
//! Codewords come from labrador-ldpc, which holds the generator matrices of the codes up to
//! k = 4096. Parity-check matrices come from ldpc-toolbox, which holds those of the AR4JA
//! family and of the code of rate 7/8: a digest of each, and the ones of some rows. Streams of
//! sliced frames (CCSDS 131.0-B-5 section 8) are labrador's codewords behind markers, randomised
//! by a shift register that is written once more here.

use labrador_ldpc::LDPCCode;
use ldpc_toolbox::codes::ccsds::{AR4JACode, AR4JAInfoSize, AR4JARate, C2Code};
use ldpc_toolbox::sparse::SparseMatrix;
use std::fmt::Write;

const OUT: &str = "../../../ccsds/coding/ldpc/testdata";
const LINK: &str = "../../../ccsds/link/testdata";

/// The generator of the test data: a linear congruence, its upper octet.
fn data(seed: u32, n: usize) -> Vec<u8> {
    let mut x = seed;
    (0..n)
        .map(|_| {
            x = x.wrapping_mul(1664525).wrapping_add(1013904223);
            (x >> 24) as u8
        })
        .collect()
}

fn hex(b: &[u8]) -> String {
    b.iter().map(|v| format!("{v:02x}")).collect()
}

fn codewords() -> String {
    let mut out = String::from(
        "# Made by test/golden/ldpc with labrador-ldpc 1.2.1.\n# information-bits sent-bits data codeword\n",
    );
    let codes = [
        LDPCCode::TC128, LDPCCode::TC512, LDPCCode::TM1280, LDPCCode::TM1536,
        LDPCCode::TM2048, LDPCCode::TM5120, LDPCCode::TM6144, LDPCCode::TM8192,
    ];
    for code in codes {
        let seeds = if code.k() <= 1024 { 3 } else { 1 };
        for seed in 0..seeds {
            let data = data(seed + 1, code.k() / 8);
            let mut word = vec![0u8; code.n() / 8];
            code.copy_encode(&data, &mut word);
            writeln!(out, "{} {} {} {}", code.k(), code.n(), hex(&data), hex(&word)).unwrap();
        }
    }
    out
}

/// FNV-1a over the columns of the ones, row after row in rising order, each as four octets,
/// most significant first, and 0xffffffff behind each row.
fn digest(h: &SparseMatrix) -> u64 {
    let mut d: u64 = 0xcbf29ce484222325;
    let mut add = |v: u32| {
        for b in v.to_be_bytes() {
            d = (d ^ b as u64).wrapping_mul(0x100000001b3);
        }
    };
    for r in 0..h.num_rows() {
        for c in row(h, r) {
            add(c as u32);
        }
        add(u32::MAX);
    }
    d
}

fn row(h: &SparseMatrix, r: usize) -> Vec<usize> {
    let mut v: Vec<usize> = h.iter_row(r).copied().collect();
    v.sort();
    v
}

fn line(out: &mut String, k: usize, n: usize, h: &SparseMatrix) {
    write!(out, "{k} {n} {} {} {:016x}", h.num_rows(), h.num_cols(), digest(h)).unwrap();
    for r in [0, h.num_rows() / 2 + 7, h.num_rows() - 1] {
        let ones: Vec<String> = row(h, r).iter().map(|c| c.to_string()).collect();
        write!(out, " {r}:{}", ones.join(",")).unwrap();
    }
    out.push('\n');
}

fn matrices() -> String {
    let mut out = String::from(
        "# Made by test/golden/ldpc with ldpc-toolbox 0.12.0.\n\
         # information-bits sent-bits rows columns digest row:ones row:ones row:ones\n",
    );
    for (k, size) in [(1024, AR4JAInfoSize::K1024), (4096, AR4JAInfoSize::K4096), (16384, AR4JAInfoSize::K16384)] {
        for (n, rate) in [(2 * k, AR4JARate::R1_2), (k * 3 / 2, AR4JARate::R2_3), (k * 5 / 4, AR4JARate::R4_5)] {
            line(&mut out, k, n, &AR4JACode::new(rate, size).h());
        }
    }
    line(&mut out, 7136, 8160, &C2Code::new().h());
    out
}

/// The pseudo-random sequence h(x) = x^8 + x^7 + x^5 + x^3 + 1, from all ones.
fn randomise(block: &mut [u8]) {
    let mut bits = [1u8; 8];
    for octet in block {
        for i in (0..8).rev() {
            *octet ^= bits[0] << i;
            let next = bits[0] ^ bits[3] ^ bits[5] ^ bits[7];
            bits.rotate_left(1);
            bits[7] = next;
        }
    }
}

/// Frames with their markers as one stream, cut into information blocks; a marker in front of
/// so many codewords, which are randomised as one.
fn sliced() -> String {
    let mut out = String::from(
        "# Made by test/golden/ldpc with labrador-ldpc 1.2.1.\n\
         # information-bits sent-bits codewords-of-a-codeblock octets-of-a-frame frames channel\n",
    );
    for (code, m, frame, frames) in [
        (LDPCCode::TM1280, 1, 100, 5),
        (LDPCCode::TM1536, 3, 256, 4),
        (LDPCCode::TM2048, 8, 60, 16),
        (LDPCCode::TM8192, 2, 1115, 3),
    ] {
        let (k, n) = (code.k() / 8, code.n() / 8);
        let sent = data(77, frame * frames);
        let mut stream = Vec::new();
        for f in sent.chunks(frame) {
            stream.extend([0x1a, 0xcf, 0xfc, 0x1d]);
            stream.extend(f);
        }
        stream.resize(stream.len().div_ceil(m * k) * m * k, 0);
        let mut channel = Vec::new();
        for slice in stream.chunks(m * k) {
            channel.extend([0x03, 0x47, 0x76, 0xc7, 0x27, 0x28, 0x95, 0xb0]);
            let mut block = vec![0u8; m * n];
            for (info, word) in slice.chunks(k).zip(block.chunks_mut(n)) {
                code.copy_encode(info, word);
            }
            randomise(&mut block);
            channel.extend(block);
        }
        writeln!(out, "{} {} {m} {frame} {} {}", code.k(), code.n(), hex(&sent), hex(&channel)).unwrap();
    }
    out
}

fn main() -> std::io::Result<()> {
    std::fs::create_dir_all(OUT)?;
    std::fs::create_dir_all(LINK)?;
    std::fs::write(format!("{LINK}/sliced.txt"), sliced())?;
    std::fs::write(format!("{OUT}/codewords.txt"), codewords())?;
    std::fs::write(format!("{OUT}/matrices.txt"), matrices())
}
