//! From a namespace to the name of its file.
//!
//! `<stem>.<space>.jsonl`. The stem is the namespace, with every byte but `a-z`, `0-9`, `-`, `_` and `$`
//! as `%` and two hexadecimal digits; a stem that Windows keeps for devices has its first letter so
//! written. The empty namespace is `%`, no namespace at all `~`. A stem above [`LONGEST`] is cut and
//! ends in `~`, the xxh3-128 of the namespace, and, should another namespace have that name, a number.
//!
//! **Invariants**
//! - Different namespaces have different names, also where upper and lower case are the same.
//! - A name has no separator, no `..`, no dot or space at its end, and fewer than 255 bytes.
//! - What [`place_of`] reads is what [`stem`] wrote, and it takes nothing else.

use xxhash_rust::xxh3::xxh3_128;

use super::record::{Place, space_name, space_of};

/// Longest stem, in bytes.
const LONGEST: usize = 160;

const ENDING: &str = ".jsonl";

/// The names that a file for `place` may have, best first.
pub(super) fn names(place: &Place) -> impl Iterator<Item = String> + '_ {
    let stem = stem(place.namespace.as_deref());
    let long = stem.len() > LONGEST;
    (0u32..).map_while(move |number| {
        let stem = match number {
            0 if !long => stem.clone(),
            _ if !long => return None,
            _ => cut(&stem, place.namespace.as_deref().unwrap_or_default(), number),
        };
        Some(format!("{stem}.{}{ENDING}", space_name(place.space)))
    })
}

/// Stem and space of a name, if it is of the form of ours.
fn parts(name: &str) -> Option<(&str, crate::model::Space)> {
    let (stem, space) = name.strip_suffix(ENDING)?.rsplit_once('.')?;
    Some((stem, space_of(space)?))
}

/// Whether a file of that name may be one of ours.
pub(super) fn is_ours(name: &str) -> bool {
    let Some((stem, _)) = parts(name) else { return false };
    !stem.is_empty() && stem.bytes().all(|byte| plain(byte) || byte == b'%' || byte == b'~')
}

/// The place that a name tells; `None` if it was cut, or is none of ours.
pub(super) fn place_of(name: &str) -> Option<Place> {
    let (text, space) = parts(name)?;
    let namespace = if text == "~" { None } else { Some(unescape(text)?) };
    (stem(namespace.as_deref()) == text).then_some(Place { space, namespace })
}

fn plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'$')
}

fn stem(namespace: Option<&str>) -> String {
    let Some(namespace) = namespace else { return "~".to_owned() };
    if namespace.is_empty() {
        return "%".to_owned();
    }
    let device = is_device(namespace);
    let mut stem = String::with_capacity(namespace.len());
    for (index, byte) in namespace.bytes().enumerate() {
        if plain(byte) && !(device && index == 0) {
            stem.push(char::from(byte));
        } else {
            stem.push_str(&format!("%{byte:02x}"));
        }
    }
    stem
}

/// The names that Windows keeps, whatever comes behind a dot.
fn is_device(name: &str) -> bool {
    match name.split_at_checked(3) {
        Some(("con" | "prn" | "aux" | "nul", "")) => true,
        Some(("com" | "lpt", number)) => matches!(number.as_bytes(), [b'0'..=b'9']),
        _ => false,
    }
}

fn unescape(stem: &str) -> Option<String> {
    if stem == "%" {
        return Some(String::new());
    }
    let mut bytes = Vec::with_capacity(stem.len());
    let mut rest = stem.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn cut(stem: &str, namespace: &str, number: u32) -> String {
    // Not in the middle of an escape, so that it stays readable.
    let mut end = LONGEST / 2;
    while stem.as_bytes()[end - 2..end].contains(&b'%') {
        end -= 1;
    }
    let more = if number == 0 { String::new() } else { format!("~{number}") };
    format!("{}~{:032x}{more}", &stem[..end], xxh3_128(namespace.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Space;
    use crate::testing::rng::SplitMix64;

    fn name(namespace: &str) -> String {
        names(&Place { space: Space::Record, namespace: Some(namespace.to_owned()) }).next().unwrap()
    }

    #[test]
    fn names_read_as_the_namespace_where_they_can() {
        assert_eq!(name("agents"), "agents.record.jsonl");
        assert_eq!(name("$agents"), "$agents.record.jsonl");
        assert_eq!(name("user-1_b"), "user-1_b.record.jsonl");
        assert_eq!(name("Agents"), "%41gents.record.jsonl");
        assert_eq!(name("../../etc/passwd"), "%2e%2e%2f%2e%2e%2fetc%2fpasswd.record.jsonl");
        assert_eq!(name("con"), "%63on.record.jsonl");
        assert_eq!(name("lpt9"), "%6cpt9.record.jsonl");
        assert_eq!(name("a "), "a%20.record.jsonl");
        assert_eq!(name(""), "%.record.jsonl");
        let none = Place { space: Space::Expiry, namespace: None };
        assert_eq!(names(&none).next().unwrap(), "~.expiry.jsonl");
        assert_eq!(place_of("~.expiry.jsonl"), Some(none));
    }

    #[test]
    fn hostile_namespaces_have_safe_and_different_names() {
        let mut rng = SplitMix64::new(3);
        let mut hostile: Vec<String> = [
            "..",
            ".",
            "/",
            "\\",
            "C:\\x",
            "a/b",
            "a\\b",
            "NUL",
            "nul",
            "Nul",
            "com1",
            "COM1",
            "~",
            "%",
            "%41",
            "a.",
            "a ",
            "a\n",
            "\u{202e}",
            "é",
            "e\u{301}",
            "ß",
            "SS",
            "ss",
            "İ",
            "i",
            "I",
            "*?<>|\":",
            "con.record",
            "journal",
            "log",
            "-",
            "$",
        ]
        .map(str::to_owned)
        .to_vec();
        hostile.extend((0..2_000).map(|_| {
            (0..1 + rng.below(12)).filter_map(|_| char::from_u32(rng.below(0x180) as u32)).collect::<String>()
        }));
        hostile.extend(["x".repeat(1024), "X".repeat(1024), "\u{10ffff}".repeat(256), "x".repeat(161)]);
        hostile.sort();
        hostile.dedup();
        let mut seen = std::collections::BTreeMap::new();
        for namespace in hostile {
            let name = name(&namespace);
            assert!(name.len() < 255 && is_ours(&name), "{name}");
            assert!(
                !name.contains(['/', '\\', ':', '*', '?', '"', '<', '>', '|', ' ']) && !name.contains("..")
            );
            assert!(name.bytes().all(|byte| byte.is_ascii_graphic()));
            if namespace.len() < 50 {
                assert_eq!(place_of(&name).unwrap().namespace.as_deref(), Some(namespace.as_str()));
            }
            let folded = name.to_lowercase();
            assert_eq!(folded, name, "folding changes nothing");
            assert_eq!(seen.insert(folded, namespace), None, "{name}");
        }
    }

    #[test]
    fn names_of_others_are_not_ours() {
        for other in [
            "package.json",
            "a.jsonl",
            "A.record.jsonl",
            "a b.record.jsonl",
            "a.log.jsonl",
            "journal.jsonl",
            "log.jsonl",
            ".record.jsonl",
            "a.record.jsonl.tmp",
            "a.b.record.jsonl",
            "lock",
        ] {
            assert!(!is_ours(other), "{other}");
        }
        for odd in [
            "%6.record.jsonl",
            "%61.record.jsonl",
            "%zz.record.jsonl",
            "con.record.jsonl",
            "%ff.record.jsonl",
        ] {
            assert_eq!(place_of(odd), None, "{odd}");
        }
    }
}
