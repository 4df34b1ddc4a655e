//! Patterns over ids: `*` stands for any run of characters, also for none.

/// A pattern, split at its stars.
///
/// Matching is linear in the id for each piece: after the fixed head and tail, every piece is taken
/// at its first occurrence, which is never worse than a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pieces: Vec<String>,
}

impl Pattern {
    pub(super) fn new(pattern: &str) -> Self {
        Self { pieces: pattern.split('*').map(str::to_owned).collect() }
    }

    /// What every matching id starts with.
    pub(super) fn head(&self) -> &str {
        self.pieces.first().map_or("", String::as_str)
    }

    pub(super) fn matches(&self, id: &str) -> bool {
        let [head, middle @ .., tail] = self.pieces.as_slice() else {
            return self.head() == id;
        };
        let Some(mut rest) = id.strip_prefix(head.as_str()).and_then(|rest| rest.strip_suffix(tail.as_str()))
        else {
            return false;
        };
        for piece in middle {
            match rest.split_once(piece.as_str()) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng::SplitMix64;

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, id, expected) in [
            ("user:*:settings", "user:42:settings", true),
            ("user:*:settings", "user::settings", true),
            ("user:*:settings", "user:settings", false),
            ("user:*:settings", "user:1:2:settings", true),
            ("*", "", true),
            ("*", "anything", true),
            ("a*", "a", true),
            ("*a", "ba", true),
            ("aba", "aba", true),
            ("aba", "ab", false),
            ("ab*ba", "aba", false),
            ("ab*ba", "abba", true),
            ("**x**", "axb", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(id), expected, "{pattern:?} on {id:?}");
        }
    }

    /// Tries every length for every star.
    fn naive(pattern: &[u8], id: &[u8]) -> bool {
        match pattern.split_first() {
            None => id.is_empty(),
            Some((b'*', rest)) => (0..=id.len()).any(|taken| naive(rest, &id[taken..])),
            Some((byte, rest)) => id.first() == Some(byte) && naive(rest, &id[1..]),
        }
    }

    #[test]
    fn agrees_with_the_naive_matcher() {
        const SEED: u64 = 7;
        println!("seed {SEED}");
        let mut rng = SplitMix64::new(SEED);
        let mut some = |letters: &[u8], most: usize| -> String {
            (0..rng.below(most)).map(|_| char::from(letters[rng.below(letters.len())])).collect()
        };
        for _ in 0..20_000 {
            let (pattern, id) = (some(b"ab**", 7), some(b"ab", 9));
            let expected = naive(pattern.as_bytes(), id.as_bytes());
            assert_eq!(Pattern::new(&pattern).matches(&id), expected, "{pattern:?} on {id:?}");
        }
    }
}
