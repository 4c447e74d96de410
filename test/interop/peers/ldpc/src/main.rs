//! Codewords of labrador-ldpc. Each line is a question, answered by a line and "done":
//!
//!     encode K N DATA      the codeword
//!     decode K N SOFT      the data, or "none"; an octet a bit, signed, positive for 0

use labrador_ldpc::LDPCCode;
use std::io::{self, BufRead, Write};

const CODES: [LDPCCode; 8] = [
    LDPCCode::TC128,
    LDPCCode::TC512,
    LDPCCode::TM1280,
    LDPCCode::TM1536,
    LDPCCode::TM2048,
    LDPCCode::TM5120,
    LDPCCode::TM6144,
    LDPCCode::TM8192,
];

const ITERATIONS: usize = 200;

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        writeln!(out, "{}\ndone", answer(&words))?;
        out.flush()?;
    }
    Ok(())
}

fn answer(words: &[&str]) -> String {
    let (k, n): (usize, usize) = (words[1].parse().unwrap(), words[2].parse().unwrap());
    let code = CODES.iter().find(|c| c.k() == k && c.n() == n).expect("no such code");
    let octets = unhex(words[3]);
    if words[0] == "encode" {
        let mut word = vec![0u8; n / 8];
        code.copy_encode(&octets, &mut word);
        return hex(&word);
    }
    let soft: Vec<f32> = octets.iter().map(|&b| f32::from(b as i8)).collect();
    let mut data = vec![0u8; code.output_len()];
    let mut work = vec![0f32; code.decode_ms_working_len()];
    let mut signs = vec![0u8; code.decode_ms_working_u8_len()];
    let (found, _) = code.decode_ms(&soft, &mut data, &mut work, &mut signs, ITERATIONS);
    if found {
        hex(&data[..k / 8])
    } else {
        "none".to_string()
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|b| format!("{:02x}", b)).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}
