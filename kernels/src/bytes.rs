//! Sizes of memory as people write them. A size that cannot be read is refused with the forms that can.

/// A text that is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{got:?} is no size in bytes: {why}; write for instance 8GiB, 1.5GB, 500MB or 8589934592")]
pub struct BadSize {
    /// The text given.
    pub got: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Powers of 1024 with an `i`, of 1000 without, as in IEC 80000-13.
const UNITS: [(&str, u64); 9] = [
    ("", 1),
    ("B", 1),
    ("kB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Bytes of `8GiB`, `500MB`, `1.5 GiB` or a plain number; units in any case, fractions rounded down. Zero is refused.
///
/// # Errors
/// [`BadSize`].
pub fn parse_bytes(text: &str) -> Result<u64, BadSize> {
    let bad = |why| BadSize { got: text.to_string(), why };
    let trimmed = text.trim();
    let split = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = (&trimmed[..split], trimmed[split..].trim());
    let scale = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
    let scale =
        u128::from(scale.ok_or_else(|| bad("the unit is not one of B, kB, MB, GB, KiB, MiB, GiB, TiB"))?.1);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    // Nine decimals are more than any unit can show, and keep the product below 2^128.
    let digits = |s: &str| s.len() <= 20 && s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return Err(bad("it does not begin with a number of at most 20 digits, or 9 after the point"));
    }
    let whole: u128 = whole.parse().map_err(|_| bad("the number is too large"))?;
    let part: u128 =
        if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| bad("the number is too large"))? };
    let bytes = whole * scale + part * scale / 10u128.pow(fraction.len() as u32);
    match u64::try_from(bytes) {
        Ok(0) => Err(bad("it is zero")),
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(bad("it is 2^64 or more")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("1", 1),
            ("8GiB", 8 << 30),
            ("8 gib", 8 << 30),
            ("500MB", 500_000_000),
            ("1.5GiB", 3 << 29),
            ("0.5 kB", 500),
            (" 16777216 ", 1 << 24),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(parse_bytes(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused_with_the_forms_that_are() {
        let long = "9".repeat(40);
        for text in [
            "",
            "GiB",
            "-1GB",
            "8 gigs",
            "1.2.3GB",
            "0",
            "0.1B",
            "1e9",
            "17179869184GiB",
            "99999999TiB",
            ".5GB",
            &long,
        ] {
            let error = parse_bytes(text).unwrap_err().to_string();
            assert!(error.contains("8GiB, 1.5GB, 500MB"), "{text}: {error}");
        }
    }
}
