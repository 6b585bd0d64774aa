//! No text makes the front end panic or overflow a stack of 2 MiB. Runs for `LATHE_FUZZ_SECONDS` (10) from
//! the seed `LATHE_FUZZ_SEED` (1).
use crate::support::{FIXTURES, STACK};
use lathe_compiler::diagnostic::Sources;
use lathe_compiler::yul::print::print;
use lathe_compiler::yul::{MAX_DEPTH, parse};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Words that make up Yul, whole and broken.
const WORDS: &[&str] = &[
    "{",
    "}",
    "{",
    "}",
    "(",
    ")",
    ",",
    ":",
    ":=",
    "->",
    "let",
    "function",
    "if",
    "switch",
    "case",
    "default",
    "for",
    "break",
    "continue",
    "leave",
    "true",
    "false",
    "hex",
    "hex\"00\"",
    "hex'0",
    "\"a\"",
    "\"",
    "'",
    "\\",
    "0",
    "1",
    "0x",
    "0xff",
    "01",
    "x",
    "y",
    "f",
    "x.y",
    "u256",
    "add",
    "mload",
    "datasize",
    "memoryguard",
    "setimmutable",
    "verbatim_1i_1o",
    "object",
    "code",
    "data",
    "object \"o\" { code {",
    "/// @src 0:1:2\n",
    "/** @src 0:",
    "*/",
    "//",
    "/*",
    "@use-src 0:\"a\"",
    "\n",
    "\r",
    "é",
    "\u{2028}",
    "let x := 1",
    "x := f(y)",
    "function f(a) -> b {",
    "for {} 1 {} {",
    "pop(",
    "not(",
    "\"\\x4",
    "\"\\u00e9\"",
    "\\\n",
];

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound.max(1)
    }

    fn bytes(&mut self) -> String {
        let bytes: Vec<u8> = (0..self.below(200)).map(|_| self.below(256) as u8).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn words(&mut self) -> String {
        let glue = [" ", "", " "][self.below(3)];
        let words: Vec<_> = (0..self.below(400)).map(|_| WORDS[self.below(WORDS.len())]).collect();
        ["{ ", ""][self.below(2)].to_string() + &words.join(glue)
    }

    /// Nothing but openings: deep as can be.
    fn tower(&mut self) -> String {
        let level = WORDS[self.below(WORDS.len())];
        "{".to_string() + &[level, " "].concat().repeat(self.below(4 * MAX_DEPTH))
    }

    /// A fixture with a few ranges deleted, doubled, swapped, or replaced by a piece of another text.
    fn mutant(&mut self) -> String {
        let mut text: Vec<char> = FIXTURES[self.below(FIXTURES.len())].chars().collect();
        for _ in 0..=self.below(6) {
            let (a, b) = self.range(text.len());
            match self.below(5) {
                0 => drop(text.drain(a..b)),
                1 => {
                    let piece = text[a..b].to_vec();
                    text.splice(b..b, piece);
                }
                2 => {
                    let (at, piece) = (self.below(a), text.drain(a..b).collect::<Vec<_>>());
                    text.splice(at..at, piece);
                }
                3 => {
                    let other: Vec<char> = FIXTURES[self.below(FIXTURES.len())].chars().collect();
                    let (c, d) = self.range(other.len());
                    text.splice(a..b, other[c..d].iter().copied());
                }
                _ => drop(text.splice(a..b, WORDS[self.below(WORDS.len())].chars())),
            }
        }
        text.into_iter().collect()
    }

    /// A range, short more often than not.
    fn range(&mut self, length: usize) -> (usize, usize) {
        let start = self.below(length + 1);
        let longest = [4, 30, 400][self.below(3)];
        (start, (start + self.below(longest)).min(length))
    }
}

/// Everything there is to do with a text: it parses and prints, or its faults can be shown.
fn try_everything(text: &str) {
    match parse(text) {
        Ok(object) => {
            let printed = print(&object);
            let again = parse(&printed).expect("what is printed parses");
            assert_eq!(print(&again), printed);
        }
        Err(faults) => {
            let mut sources = Sources::new("a.yul", text);
            sources.insert(0, "a.sol", "contract é {}\n");
            assert!(!faults.is_empty());
            for fault in faults {
                assert!(fault.loc.is_some_and(|loc| loc.yul.start <= loc.yul.end));
                assert!(fault.render(&sources).starts_with("Error: "));
            }
        }
    }
}

fn from_environment(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

#[test]
fn no_text_makes_it_panic() {
    let time = Duration::from_secs(from_environment("LATHE_FUZZ_SECONDS", 10));
    let mut random = Random(from_environment("LATHE_FUZZ_SEED", 1).max(1));
    let run = move || {
        let end = Instant::now() + time;
        let mut tried = 0u64;
        while Instant::now() < end || tried < 100 {
            let text = match tried % 8 {
                0 => random.bytes(),
                1 | 2 => random.words(),
                3 => random.tower(),
                _ => random.mutant(),
            };
            let outcome = catch_unwind(AssertUnwindSafe(|| try_everything(&text)));
            assert!(outcome.is_ok(), "text {tried} breaks it:\n{text:?}");
            tried += 1;
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run).expect("a thread");
    assert!(thread.join().is_ok(), "see the text above");
}
