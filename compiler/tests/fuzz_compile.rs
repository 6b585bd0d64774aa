//! No Yul makes the compiler panic, and what it compiles to does not depend on the level. Mutants of real contracts, of
//! fixtures and of drawn programs, for `LATHE_FUZZ_SECONDS` (10) from the seed `LATHE_FUZZ_SEED` (1).
use lathe_compiler::compile::{Contract, Level, Options, compile};
use lathe_compiler::yul::builtin::Builtin;
use lathe_compiler::yul::parse;
use lathe_compiler::yul::print::print;
use lathe_oracle::corpus;
use lathe_oracle::draw::{ACCOUNTS, Call, Draw};
use lathe_oracle::program::Program;
use lathe_vm::sandbox::{Answer, Message, Sandbox, Status};
use lathe_vm::word::Word;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

const FIXTURES: [&str; 4] = [
    include_str!("yul/fixtures/arithmetic.yul"),
    include_str!("yul/fixtures/compiled.yul"),
    include_str!("yul/fixtures/factory.yul"),
    include_str!("yul/fixtures/token.yul"),
];
/// Contracts whose text is longer take too long to compile.
const LONGEST: usize = 60_000;
const ADDRESS: [u8; 20] = [0x70; 20];
const STEPS: u32 = 200_000;
/// What numbers are changed to.
const EDGES: [&str; 12] = [
    "0",
    "1",
    "31",
    "32",
    "255",
    "256",
    "0x40",
    "0xffffffff",
    "0x10000000000000000",
    "0xffffffffffffffffffffffffffffffff",
    "0x8000000000000000000000000000000000000000000000000000000000000000",
    "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The texts that mutants are made of, in the form of the printer: a statement a line.
fn originals() -> Vec<String> {
    let contracts = corpus::compiled().unwrap_or_else(|error| panic!("{error}"));
    let texts = contracts.iter().map(|contract| contract.yul.as_str()).filter(|yul| yul.len() < LONGEST);
    let drawn = (0..40).map(|seed| Program::draw(&mut Draw::new(seed)).object("P"));
    let texts = texts.chain(FIXTURES).map(String::from).chain(drawn);
    texts.map(|text| print(&parse(&text).unwrap_or_else(|errors| panic!("{errors:?}\n{text}")))).collect()
}

/// A text with some statements doubled, moved or taken out, and some tokens changed for others of their kind.
fn mutant(draw: &mut Draw, original: &str) -> String {
    let mut lines: Vec<String> = original.lines().map(String::from).collect();
    for _ in 0..=draw.below(6) {
        let at = draw.below(lines.len());
        match draw.below(8) {
            0 if is_statement(&lines[at]) => drop(lines.remove(at)),
            1 if is_statement(&lines[at]) => lines.insert(at, lines[at].clone()),
            2 => {
                let other = draw.below(lines.len());
                if is_statement(&lines[at]) && is_statement(&lines[other]) {
                    lines.swap(at, other);
                }
            }
            _ => lines[at] = changed(draw, &lines, at),
        }
    }
    lines.join("\n")
}

/// True for a line that is a statement without blocks, and declares nothing.
fn is_statement(line: &str) -> bool {
    !line.contains(['{', '}']) && !line.trim_start().starts_with("let ") && !line.trim().is_empty()
}

/// A line with one token changed for another that may stand in its place.
fn changed(draw: &mut Draw, lines: &[String], at: usize) -> String {
    let mut tokens = split(&lines[at]);
    let is_number = |token: &str| token.starts_with(|c: char| c.is_ascii_digit());
    let words: Vec<usize> = (0..tokens.len()).filter(|i| is_word(&tokens[*i])).collect();
    if words.is_empty() || lines[at].contains("object ") || lines[at].contains("data ") {
        return lines[at].clone();
    }
    let i = *draw.pick(&words);
    let token = tokens[i].clone();
    tokens[i] = match Builtin::find(&token) {
        Some(builtin) => replacement(draw, builtin).to_string(),
        None if is_number(&token) => (*draw.pick(&EDGES)).to_string(),
        None => {
            // Names of the neighbourhood are likely to be visible.
            let near = &lines[at.saturating_sub(12)..at];
            let names: Vec<String> =
                near.iter().flat_map(|line| split(line)).filter(|t| is_name(t)).collect();
            if names.is_empty() { token } else { draw.pick(&names).clone() }
        }
    };
    tokens.concat()
}

/// A builtin that takes and gives as much.
fn replacement(draw: &mut Draw, builtin: Builtin) -> &'static str {
    let shape = |b: &Builtin| (b.arguments(), b.results(), b.text_arguments());
    let same: Vec<&Builtin> = Builtin::ALL.iter().filter(|b| shape(b) == shape(&builtin)).collect();
    draw.pick(&same).name()
}

/// Words, and what is between them.
fn split(line: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    for c in line.chars() {
        let belongs = |last: &String| last.chars().next_back().is_some_and(|l| is_part(l) == is_part(c));
        match tokens.last_mut().filter(|last| belongs(last)) {
            Some(last) => last.push(c),
            None => tokens.push(c.to_string()),
        }
    }
    tokens
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_$.".contains(c)
}

fn is_word(token: &str) -> bool {
    const KEYWORDS: [&str; 12] = [
        "let", "if", "for", "switch", "case", "default", "function", "leave", "break", "continue", "code",
        "object",
    ];
    token.starts_with(is_part) && !KEYWORDS.contains(&token)
}

fn is_name(token: &str) -> bool {
    is_word(token) && !token.starts_with(|c: char| c.is_ascii_digit()) && Builtin::find(token).is_none()
}

/// What the code that answers calls did, call by call, as far as both levels must agree: until a halt or a limit.
type Done = Vec<(Answer, BTreeMap<Word, Word>)>;

fn done(contract: &Contract, calls: &[Call]) -> Done {
    let part = contract.runtime.as_ref().unwrap_or(&contract.deploy);
    let mut sandbox = Sandbox::new();
    sandbox.limits.max_steps = STEPS;
    sandbox.install(ADDRESS, part.page().expect("a page of the compiler is valid"));
    for account in ACCOUNTS {
        sandbox.set_balance(account, Word::from(1 << 60));
    }
    let mut done = Vec::new();
    for call in calls {
        let message = Message { from: call.from, to: ADDRESS, value: call.value, data: &call.data };
        match sandbox.call(&message) {
            Ok(answer) if !matches!(answer.status, Status::Halted(_)) => {
                done.push((answer, sandbox.storage_slots(ADDRESS)));
            }
            _ => break,
        }
    }
    done
}

fn calls(draw: &mut Draw, text: &str) -> Vec<Call> {
    // Constants of four bytes are selectors more often than not.
    let selectors: Vec<u32> = split(text).iter().filter_map(|token| selector(token)).collect();
    let mut call = || {
        let selector = if selectors.is_empty() { 0 } else { *draw.pick(&selectors) };
        let words = draw.below(5);
        let mut data = if draw.once_in(8) { Vec::new() } else { selector.to_be_bytes().to_vec() };
        (0..words).for_each(|_| data.extend(draw.word().to_be_bytes()));
        Call {
            name: String::new(),
            from: *draw.pick(&ACCOUNTS),
            value: Word::from(draw.below(8) as u128 / 7),
            data,
        }
    };
    (0..6).map(|_| call()).collect()
}

fn selector(token: &str) -> Option<u32> {
    let digits = token.strip_prefix("0x").filter(|digits| digits.len() == 8)?;
    u32::from_str_radix(digits, 16).ok()
}

/// True for a line that may tell the levels apart, since it may read the page beside the data.
fn sees_its_page(line: &str) -> bool {
    const WHOLE: &str = "dataoffset(\"d\"), datasize(\"d\"))";
    const REST: &str = "add(dataoffset(\"d\"), 0x1), sub(datasize(\"d\"), 0x1))";
    ["dataoffset", "datacopy", "codecopy", "codesize"].iter().any(|name| line.contains(name))
        && !line.contains(WHOLE)
        && !line.contains(REST)
}

/// Compiles and runs a mutant; true if there was something to run.
fn check(text: &str, level: Level, calls: &[Call]) -> bool {
    let at = |level| compile(text, &Options { level, ..Options::default() });
    let (Ok(plain), Ok(optimised)) = (at(Level::O0), at(level)) else { return false };
    if text.lines().any(sees_its_page) {
        return true;
    }
    for (i, (theirs, ours)) in done(&plain, calls).iter().zip(&done(&optimised, calls)).enumerate() {
        let shown = |(answer, storage): &(Answer, BTreeMap<Word, Word>)| {
            format!("{:?} 0x{} {:?} {storage:?}", answer.status, hex::encode(&answer.output), answer.logs)
        };
        let (theirs, ours) = (shown(theirs), shown(ours));
        assert_eq!(theirs, ours, "call {i} of {calls:?} at O0 and {level:?}");
    }
    true
}

#[test]
fn mutants_compile_without_panic_and_do_the_same_at_every_level() {
    let (seconds, first) = (setting("LATHE_FUZZ_SECONDS", 10), setting("LATHE_FUZZ_SEED", 1));
    let originals = originals();
    let start = Instant::now();
    let (mut tried, mut ran) = (0u64, 0u64);
    while start.elapsed() < Duration::from_secs(seconds) {
        let seed = first + tried;
        let mut draw = Draw::new(seed);
        let original = draw.pick(&originals).clone();
        let text = mutant(&mut draw, &original);
        let level = *draw.pick(&[Level::O1, Level::O2, Level::O3, Level::O3, Level::Oz]);
        let calls = calls(&mut draw, &text);
        match catch_unwind(AssertUnwindSafe(|| check(&text, level, &calls))) {
            Ok(good) => ran += u64::from(good),
            Err(_) => panic!("LATHE_FUZZ_SEED={seed} at {level:?}:\n{text}"),
        }
        tried += 1;
    }
    assert!(tried < 20 || ran * 5 > tried, "{ran} of {tried} mutants compile: the fuzz tests nothing");
}
