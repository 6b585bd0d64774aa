//! The inside of string literals, in code and in comments.

/// What the escapes of a string stand for, with `inside` the text between the quotes.
///
/// # Errors
/// The offset of the backslash and what is wrong.
pub(super) fn unescape(inside: &str) -> Result<Vec<u8>, (usize, String)> {
    let mut out = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(backslash) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..backslash]);
        let at = inside.len() - rest.len() + backslash;
        let escape = &rest[backslash + 1..];
        let length = escaped(escape, &mut out).map_err(|message| (at, message))?;
        rest = &escape[length..];
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// Appends what one escape stands for and says how long it is, without its backslash.
fn escaped(escape: &str, out: &mut Vec<u8>) -> Result<usize, String> {
    let Some(letter) = escape.chars().next() else {
        return Err("a backslash at the end of a string".to_string());
    };
    match letter {
        'n' => out.push(b'\n'),
        'r' => out.push(b'\r'),
        't' => out.push(b'\t'),
        '\\' | '\'' | '"' => out.push(letter as u8),
        // The line goes on.
        '\n' => {}
        '\r' => return Ok(if escape.starts_with("\r\n") { 2 } else { 1 }),
        'x' => {
            let byte = hex_digits(escape, 2).and_then(|value| u8::try_from(value).ok());
            out.push(byte.ok_or("`\\x` takes two hex digits")?);
            return Ok(3);
        }
        'u' => {
            let value = hex_digits(escape, 4).ok_or("`\\u` takes four hex digits")?;
            push_utf8(value, out);
            return Ok(5);
        }
        other => {
            let known = "known are \\n \\r \\t \\\\ \\' \\\" \\xNN \\uNNNN and a line's end";
            return Err(format!("unknown escape `\\{}`; {known}", other.escape_default()));
        }
    }
    Ok(letter.len_utf8())
}

/// The value of the `count` hex digits behind the first byte.
fn hex_digits(escape: &str, count: usize) -> Option<u32> {
    let digits = escape.get(1..=count)?;
    let valid = digits.bytes().all(|b| b.is_ascii_hexdigit());
    valid.then(|| u32::from_str_radix(digits, 16).ok())?
}

/// UTF-8 of a 16-bit code point; surrogates too, as solc encodes them.
fn push_utf8(point: u32, out: &mut Vec<u8>) {
    let tail = |shift: u32| 0x80 | (point >> shift & 0x3f) as u8;
    match point {
        0..=0x7f => out.push(point as u8),
        0x80..=0x7ff => out.extend([0xc0 | (point >> 6) as u8, tail(0)]),
        _ => out.extend([0xe0 | (point >> 12) as u8, tail(6), tail(0)]),
    }
}

/// The bytes of a hex literal, with `inside` the text between the quotes: pairs of digits, which single
/// underscores may separate. Nothing if it is not of that form.
pub(super) fn unhex(inside: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(inside.len() / 2);
    let mut rest = inside.as_bytes();
    while let [high, low, tail @ ..] = rest {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        out.push((digit(*high)? << 4 | digit(*low)?) as u8);
        rest = match tail {
            [b'_', next, ..] if *next != b'_' => &tail[1..],
            _ => tail,
        };
    }
    rest.is_empty().then_some(out)
}

/// The string as a literal: printable ASCII as it is, everything else escaped.
pub(super) fn quote(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push('"');
    out
}
