//! Ranges of keys, and pages of them.

use super::{Key, KeyBuilder, Space};

/// A half-open range of key bytes: `start` is in it, `end` is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    start: Vec<u8>,
    end: Option<Vec<u8>>,
}

impl Range {
    /// From `start` (in it) to `end` (not in it); without an end, to the last key there is.
    #[must_use]
    pub fn new(start: Vec<u8>, end: Option<Vec<u8>>) -> Self {
        Self { start, end }
    }

    /// Every key whose bytes begin with `prefix`.
    #[must_use]
    pub fn starting_with(prefix: Vec<u8>) -> Self {
        let end = successor(&prefix);
        Self { start: prefix, end }
    }

    /// Every key of `space`.
    #[must_use]
    pub fn space(space: Space) -> Self {
        Self::starting_with(vec![space as u8])
    }

    /// Every key of `namespace` in `space` whose id begins with `prefix`.
    #[must_use]
    pub fn ids(space: Space, namespace: &str, prefix: &str) -> Self {
        Self::starting_with(KeyBuilder::new(space).text(namespace).prefix(prefix))
    }

    /// The keys of the log entries after the sequence number `sequence`.
    #[must_use]
    pub fn log_after(sequence: u64) -> Self {
        let start = Key::log(sequence.saturating_add(1)).as_bytes().to_vec();
        Self { start, end: successor(&[Space::Log as u8]) }
    }

    /// The first bytes that are in the range.
    #[must_use]
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// The first bytes behind the range, if it ends.
    #[must_use]
    pub fn end(&self) -> Option<&[u8]> {
        self.end.as_deref()
    }

    /// Whether `key` lies in the range.
    #[must_use]
    pub fn contains(&self, key: &Key) -> bool {
        let bytes = key.as_bytes();
        bytes >= self.start.as_slice() && self.end.as_deref().is_none_or(|end| bytes < end)
    }

    /// The part of the range that lies before `end`.
    #[must_use]
    pub fn before(mut self, end: &[u8]) -> Self {
        if self.end.as_deref().is_none_or(|before| end < before) {
            self.end = Some(end.to_vec());
        }
        self
    }

    /// The part of the range that is left for a page: what comes after its cursor, or before it in
    /// reverse.
    #[must_use]
    pub fn rest(&self, page: &Page) -> Self {
        let mut rest = self.clone();
        match &page.after {
            Some(cursor) if page.reverse => {
                let cursor = cursor.as_bytes();
                if rest.end.as_deref().is_none_or(|end| cursor < end) {
                    rest.end = Some(cursor.to_vec());
                }
            }
            Some(cursor) if cursor.as_bytes() >= rest.start.as_slice() => {
                // The smallest bytes above the cursor.
                rest.start = cursor.as_bytes().to_vec();
                rest.start.push(0);
            }
            _ => {}
        }
        rest
    }

    /// The sequence numbers of the log entries in the range: first and last, both in it.
    #[must_use]
    pub fn log_sequences(&self) -> (u64, u64) {
        // Bytes above `Key::log(n)` and below `Key::log(n + 1)` are what a cursor leaves behind.
        let first = match log_number(&self.start) {
            Some((sequence, exact)) => sequence.saturating_add(u64::from(!exact)),
            None => 0,
        };
        let last = match self.end.as_deref().and_then(log_number) {
            Some((sequence, exact)) => sequence.saturating_sub(u64::from(exact)),
            None => u64::MAX,
        };
        (first, last)
    }

    /// Whether no key can lie in the range.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end.as_deref().is_some_and(|end| end <= self.start.as_slice())
    }
}

/// The sequence number that `bytes` begin with, if they begin with a log key, and whether they end
/// with it.
fn log_number(bytes: &[u8]) -> Option<(u64, bool)> {
    let length = Key::log(0).as_bytes().len();
    let key = Key::decode(bytes.get(..length)?).ok()?;
    Some((key.log_sequence()?, bytes.len() == length))
}

/// The smallest bytes above every byte string that begins with `prefix`.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != 0xFF)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// Which part of a scan to return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many records at the most; at least 1.
    pub limit: usize,
    /// From the last key to the first.
    pub reverse: bool,
    /// Go on after this key (before it, in reverse).
    pub after: Option<Key>,
}

impl Page {
    /// The first `limit` records.
    #[must_use]
    pub fn first(limit: usize) -> Self {
        Self { limit, reverse: false, after: None }
    }

    /// The last `limit` records, last first.
    #[must_use]
    pub fn last(limit: usize) -> Self {
        Self { limit, reverse: true, after: None }
    }

    /// The page after `cursor`, with the same limit and direction.
    #[must_use]
    pub fn next(&self, cursor: Key) -> Self {
        Self { after: Some(cursor), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> Key {
        Key::record("s", id).expect("valid key")
    }

    #[test]
    fn a_prefix_range_holds_its_ids_and_no_others() {
        let range = Range::ids(Space::Record, "s", "ab");
        for (id, expected) in
            [("a", false), ("ab", true), ("ab\u{10ffff}", true), ("abc", true), ("ac", false)]
        {
            assert_eq!(range.contains(&key(id)), expected, "{id}");
        }
        assert!(!range.contains(&Key::record("s2", "ab").expect("valid key")));
    }

    #[test]
    fn the_rest_excludes_the_cursor_in_both_directions() {
        let range = Range::ids(Space::Record, "s", "");
        let forward = range.rest(&Page::first(1).next(key("b")));
        assert!(!forward.contains(&key("b")) && forward.contains(&key("ba")) && !forward.contains(&key("a")));
        let backward = range.rest(&Page::last(1).next(key("b")));
        assert!(
            !backward.contains(&key("b")) && backward.contains(&key("a")) && !backward.contains(&key("ba"))
        );
    }

    #[test]
    fn a_cursor_outside_the_range_does_not_widen_it() {
        let range = Range::ids(Space::Record, "s", "m");
        assert_eq!(range.rest(&Page::first(1).next(key("a"))), range);
        assert_eq!(range.rest(&Page::last(1).next(key("z"))), range);
        assert!(range.rest(&Page::first(1).next(key("z"))).is_empty());
        assert!(range.rest(&Page::last(1).next(key("a"))).is_empty());
    }

    #[test]
    fn log_ranges_know_their_numbers() {
        assert_eq!(Range::space(Space::Log).log_sequences(), (0, u64::MAX));
        let after = Range::log_after(7);
        assert_eq!(after.log_sequences(), (8, u64::MAX));
        assert_eq!(after.rest(&Page::first(1).next(Key::log(9))).log_sequences(), (10, u64::MAX));
        assert_eq!(after.rest(&Page::last(1).next(Key::log(9))).log_sequences(), (8, 8));
    }

    #[test]
    fn successor_skips_full_bytes() {
        assert_eq!(successor(&[1, 0xFF, 0xFF]), Some(vec![2]));
        assert_eq!(successor(&[0xFF]), None);
    }
}
