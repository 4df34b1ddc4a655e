//! Times and bytes as text: ISO 8601 in UTC, base64 (RFC 4648, padded).
//!
//! **Invariant**: what one direction makes, the other reads back to the same; it takes nothing else.

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

use crate::backends::civil::{DAY_MS, civil, rfc3339};

/// The first millisecond of the year 10000, which four digits can not say.
pub(super) const YEAR_10000: u64 = 253_402_300_800_000;

/// `2026-11-20T12:00:00.000Z` for milliseconds since the Unix epoch; `None` beyond the year 9999.
pub(super) fn iso(ms: u64) -> Option<String> {
    (ms < YEAR_10000).then(|| rfc3339(ms))
}

/// Reads what [`iso`] writes; the milliseconds may be missing.
pub(super) fn parse_iso(text: &str) -> Option<u64> {
    let shape =
        |text: &str| text.bytes().map(|b| if b.is_ascii_digit() { b'0' } else { b }).collect::<Vec<_>>();
    let ms: u64 = match shape(text).as_slice() {
        b"0000-00-00T00:00:00.000Z" => text[20..23].parse().ok()?,
        b"0000-00-00T00:00:00Z" => 0,
        _ => return None,
    };
    let number = |from: usize, to: usize| text[from..to].parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if year < 1970 || !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = days(year, month, day);
    // A day that the month does not have would come back as another.
    (day >= 1 && civil(days) == (year, month, day))
        .then(|| days * DAY_MS + (hour * 3600 + minute * 60 + second) * 1000 + ms)
}

/// The number of days since the Unix epoch, from 1970 on: the other way round of [`civil`].
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year) = (year / 400, year % 400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let day = (153 * month + 2) / 5 + day.max(1) - 1;
    era * 146_097 + 365 * year + year / 4 - year / 100 + day - 719_468
}

/// A time in a file: ISO 8601, or the bare number of milliseconds where that can not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(pub(super) u64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match iso(self.0) {
            Some(text) => serializer.serialize_str(&text),
            None => serializer.serialize_u64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Time;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a time such as \"2026-11-20T12:00:00.000Z\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
                parse_iso(text).map(Time).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }

            fn visit_u64<E: de::Error>(self, ms: u64) -> Result<Time, E> {
                Ok(Time(ms))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The base64 of `bytes`.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) as usize & 63;
            text.push(if digit <= chunk.len() { char::from(DIGITS[index]) } else { '=' });
        }
    }
    text
}

/// The bytes of a base64 text, if it is one in canonical form.
pub(super) fn parse_base64(text: &str) -> Option<Vec<u8>> {
    let (chunks, []) = text.as_bytes().as_chunks::<4>() else { return None };
    let mut bytes = Vec::with_capacity(chunks.len() * 3);
    for (index, chunk) in chunks.iter().enumerate() {
        let padding = if index + 1 == chunks.len() {
            chunk.iter().rev().take_while(|&&b| b == b'=').count()
        } else {
            0
        };
        if padding > 2 {
            return None;
        }
        let mut bits = 0;
        for &digit in &chunk[..4 - padding] {
            bits = bits << 6 | u32::from(value_of(digit)?);
        }
        bits <<= 6 * padding;
        let [_, read @ ..] = bits.to_be_bytes();
        let (kept, cut) = read.split_at(3 - padding);
        if cut.iter().any(|&byte| byte != 0) {
            return None;
        }
        bytes.extend_from_slice(kept);
    }
    Some(bytes)
}

fn value_of(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng::SplitMix64;

    #[test]
    fn times_come_back_and_read_as_people_read_them() {
        assert_eq!(iso(0).unwrap(), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(951_782_400_000).unwrap(), "2000-02-29T00:00:00.000Z");
        assert_eq!(iso(YEAR_10000 - 1).unwrap(), "9999-12-31T23:59:59.999Z");
        assert_eq!(iso(YEAR_10000), None);
        for day in (0..YEAR_10000 / DAY_MS).step_by(5) {
            let ms = day * DAY_MS + day * 977 % DAY_MS;
            assert_eq!(parse_iso(&iso(ms).unwrap()), Some(ms), "day {day}");
        }
        assert_eq!(parse_iso("2026-11-20T12:00:00Z"), Some(1_795_176_000_000));
        for bad in [
            "",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.0000Z",
            "２026-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_iso(bad), None, "{bad}");
        }
    }

    #[test]
    fn base64_is_that_of_the_rfc_and_has_one_form() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
            assert_eq!(parse_base64(text).unwrap(), bytes.as_bytes());
        }
        for bad in ["Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm-v", "Zm9v "] {
            assert_eq!(parse_base64(bad), None, "{bad}");
        }
        let mut rng = SplitMix64::new(7);
        for length in 0..200 {
            let bytes = rng.bytes(length);
            assert_eq!(parse_base64(&base64(&bytes)).unwrap(), bytes);
        }
    }
}
