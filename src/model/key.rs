//! Keys: ordered bytes made of components that can not forge one another.
//!
//! # Encoding
//! One byte for the [`Space`], then the components, each behind a byte for its type. A string
//! component is `0x02`, its UTF-8 bytes with every `0x00` written as `0x00 0xFF`, and a closing
//! `0x00`. An integer component is `0x01` and eight bytes big-endian. The scheme is that of the
//! FoundationDB tuple layer, cut down to the two types needed here.
//!
//! **Invariants**
//! - Byte order is component order: for strings the order of their UTF-8 bytes (which is the order
//!   of their code points), for integers numeric order.
//! - A closing `0x00` is followed by the end or by a type byte, never by `0xFF`; so no component
//!   can be mistaken for the beginning of another.
//! - [`Key::decode`] accepts exactly what the constructors make.

use std::borrow::Cow;
use std::fmt;

use crate::{Error, Result};

/// The kind of thing a key names. The number is stored; it is never given a new meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Space {
    /// What the database knows of itself: one key a setting.
    Meta = 1,
    /// Records of the generic stores.
    Record = 3,
    /// Earlier versions of records.
    History = 4,
    /// Expiry times, in order of time.
    Expiry = 5,
    /// Documents of collections.
    Document = 6,
    /// Pages of indexes. They follow from the documents: whoever copies or compares data leaves them out.
    Index = 0xE0,
    /// The commit log: one key an entry, its id is the sequence number. The last space, so that all
    /// others are one range.
    Log = 0xF0,
}

impl Space {
    /// Every space, in key order.
    pub const ALL: [Self; 7] =
        [Self::Meta, Self::Record, Self::History, Self::Expiry, Self::Document, Self::Index, Self::Log];

    fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|space| *space as u8 == byte)
    }
}

/// Longest id or namespace, in bytes of UTF-8.
pub const MAX_COMPONENT_BYTES: usize = 1024;

/// One component of a key, as [`Key::decode`] returns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Component {
    /// A string: a namespace or an id.
    Text(String),
    /// An integer: a sequence number or a time.
    Integer(u64),
}

/// An ordered, self-describing key: a byte for the [`Space`], then its components.
///
/// A string component is `0x02`, its UTF-8 bytes with every `0x00` written as `0x00 0xFF`, and a
/// closing `0x00`; an integer component is `0x01` and eight bytes big-endian. So byte order is
/// component order, and no component can be mistaken for the beginning of another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Box<[u8]>);

const TERMINATOR: u8 = 0x00;
const ESCAPE: u8 = 0xFF;
const INTEGER: u8 = 0x01;
const TEXT: u8 = 0x02;

/// Builds the bytes of a key, component by component.
#[derive(Debug, Clone)]
pub struct KeyBuilder(Vec<u8>);

impl KeyBuilder {
    /// Starts a key in `space`.
    #[must_use]
    pub fn new(space: Space) -> Self {
        let mut bytes = Vec::with_capacity(48);
        bytes.push(space as u8);
        Self(bytes)
    }

    /// Adds a string component.
    #[must_use]
    pub fn text(mut self, component: &str) -> Self {
        self.push_escaped(component);
        self.0.push(TERMINATOR);
        self
    }

    /// Adds an integer component.
    #[must_use]
    pub fn integer(mut self, component: u64) -> Self {
        self.0.push(INTEGER);
        self.0.extend_from_slice(&component.to_be_bytes());
        self
    }

    /// Ends in the beginning of a string component: the common prefix of every key whose next
    /// component starts with `prefix`. Not a key in itself.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Vec<u8> {
        self.push_escaped(prefix);
        self.0
    }

    /// The finished key.
    #[must_use]
    pub fn build(self) -> Key {
        Key(self.0.into_boxed_slice())
    }

    fn push_escaped(&mut self, text: &str) {
        self.0.push(TEXT);
        if !text.as_bytes().contains(&TERMINATOR) {
            self.0.extend_from_slice(text.as_bytes());
            return;
        }
        for &byte in text.as_bytes() {
            self.0.push(byte);
            if byte == TERMINATOR {
                self.0.push(ESCAPE);
            }
        }
    }
}

/// Checks a string that a user gave as an id or a namespace: 1 to 1,024 bytes of UTF-8, no NUL.
///
/// # Errors
/// [`Invalid`](crate::ErrorKind::Invalid), naming `what` and the rule that is broken.
pub fn check_component(what: &str, component: &str) -> Result<()> {
    if component.is_empty() {
        return Err(Error::invalid(format!("{what} is empty; give at least one character")));
    }
    if component.len() > MAX_COMPONENT_BYTES {
        return Err(Error::invalid(format!(
            "{what} is {} bytes long in UTF-8; the limit is {MAX_COMPONENT_BYTES}",
            component.len()
        )));
    }
    if let Some(at) = component.bytes().position(|byte| byte == 0) {
        return Err(Error::invalid(format!("{what} holds a NUL character at byte {at}; remove it")));
    }
    Ok(())
}

impl Key {
    /// The key of the record `id` of the store `namespace`.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if either breaks the rules of [`check_component`].
    pub fn record(namespace: &str, id: &str) -> Result<Self> {
        Self::named(Space::Record, namespace, id)
    }

    /// The key of `id` in `namespace` of `space`.
    ///
    /// # Errors
    /// [`Invalid`](crate::ErrorKind::Invalid) if either breaks the rules of [`check_component`].
    pub fn named(space: Space, namespace: &str, id: &str) -> Result<Self> {
        check_component("the name of the store", namespace)?;
        check_component("the id", id)?;
        Ok(KeyBuilder::new(space).text(namespace).text(id).build())
    }

    /// The key of the log entry with this sequence number.
    #[must_use]
    pub fn log(sequence: u64) -> Self {
        KeyBuilder::new(Space::Log).integer(sequence).build()
    }

    /// Reads a key back from its bytes.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if no constructor makes these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let well_formed = bytes.split_first().is_some_and(|(&space, components)| {
            Space::from_byte(space).is_some() && Parts(components).all(|part| part.is_some())
        });
        if well_formed {
            return Ok(Self(bytes.into()));
        }
        Err(Error::corrupt(format!("the stored key {} is not a key of this format", Hex(bytes))))
    }

    /// The bytes, as stored and compared.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The space this key lies in.
    #[must_use]
    pub fn space(&self) -> Option<Space> {
        self.0.first().copied().and_then(Space::from_byte)
    }

    /// The components after the space; `None` if the bytes are malformed.
    #[must_use]
    pub fn components(&self) -> Option<Vec<Component>> {
        self.space()?;
        let owned = |part: Option<Part<'_>>| match part? {
            Part::Integer(integer) => Some(Component::Integer(integer)),
            Part::Text(text) => Some(Component::Text(text.into_owned())),
        };
        self.parts().map(owned).collect()
    }

    /// The namespace and the id of a key made by [`Key::named`].
    #[must_use]
    pub fn namespace_and_id(&self) -> Option<(String, String)> {
        let (namespace, id) = self.names()?;
        Some((namespace.into_owned(), id.into_owned()))
    }

    /// The id of a key made by [`Key::named`].
    #[must_use]
    pub fn id(&self) -> Option<String> {
        Some(self.names()?.1.into_owned())
    }

    fn names(&self) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
        let mut parts = self.parts();
        match (parts.next()??, parts.next()??, parts.next()) {
            (Part::Text(namespace), Part::Text(id), None) => Some((namespace, id)),
            _ => None,
        }
    }

    fn parts(&self) -> Parts<'_> {
        Parts(self.0.get(1..).unwrap_or_default())
    }

    /// The sequence number of a key made by [`Key::log`].
    #[must_use]
    pub fn log_sequence(&self) -> Option<u64> {
        let digits = self.0.strip_prefix(&[Space::Log as u8, INTEGER])?;
        Some(u64::from_be_bytes(digits.try_into().ok()?))
    }
}

/// One component, as it stands in a key.
enum Part<'a> {
    Integer(u64),
    Text(Cow<'a, str>),
}

/// The components of a key; a malformed one is `None`, and the last.
struct Parts<'a>(&'a [u8]);

impl<'a> Iterator for Parts<'a> {
    type Item = Option<Part<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&kind, after) = self.0.split_first()?;
        let read = match kind {
            INTEGER => after
                .split_first_chunk::<8>()
                .map(|(digits, rest)| (Part::Integer(u64::from_be_bytes(*digits)), rest)),
            TEXT => read_text(after).map(|(text, rest)| (Part::Text(text), rest)),
            _ => None,
        };
        match read {
            Some((part, rest)) => {
                self.0 = rest;
                Some(Some(part))
            }
            None => {
                self.0 = &[];
                Some(None)
            }
        }
    }
}

/// Reads an escaped text up to its terminator; returns it and what follows.
fn read_text(bytes: &[u8]) -> Option<(Cow<'_, str>, &[u8])> {
    let end = bytes.iter().position(|&byte| byte == TERMINATOR)?;
    if bytes.get(end + 1) != Some(&ESCAPE) {
        return Some((Cow::Borrowed(std::str::from_utf8(&bytes[..end]).ok()?), &bytes[end + 1..]));
    }
    // Only a text with NUL characters, which no user may give, comes here.
    let mut text = Vec::new();
    let mut rest = bytes;
    loop {
        let end = rest.iter().position(|&byte| byte == TERMINATOR)?;
        text.extend_from_slice(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.split_first() {
            Some((&ESCAPE, after)) => {
                text.push(TERMINATOR);
                rest = after;
            }
            _ => return Some((Cow::Owned(String::from_utf8(text).ok()?), rest)),
        }
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(64).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(space), Some(components)) = (self.space(), self.components()) else {
            return write!(f, "{}", Hex(&self.0));
        };
        if !matches!(space, Space::Record | Space::Document) {
            write!(f, "{space:?}:")?;
        }
        for (index, component) in components.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            match component {
                // A namespace of the package's own is shown by its plain name.
                Component::Text(text) if index == 0 => f.write_str(text.strip_prefix('$').unwrap_or(text))?,
                Component::Text(text) => f.write_str(text)?,
                Component::Integer(integer) => write!(f, "{integer}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

impl std::borrow::Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_is_component_order() {
        let ids = [
            "",
            "\0",
            "\0\0",
            "\u{1}",
            "a",
            "a\0",
            "a\0b",
            "a\u{1}",
            "aa",
            "b",
            "é",
            "\u{ffff}",
            "\u{10000}",
        ];
        let mut expected: Vec<(&str, &str)> = Vec::new();
        for namespace in ids {
            expected.extend(ids.iter().map(|id| (namespace, *id)));
        }
        let mut keys: Vec<(Key, (&str, &str))> = expected
            .iter()
            .map(|&(namespace, id)| {
                (KeyBuilder::new(Space::Record).text(namespace).text(id).build(), (namespace, id))
            })
            .collect();
        keys.sort();
        expected.sort_unstable();
        assert_eq!(keys.iter().map(|(_, parts)| *parts).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn components_come_back() {
        let key = KeyBuilder::new(Space::History).text("a\0b").text("\u{1}\u{2}").integer(u64::MAX).build();
        let expected = vec![
            Component::Text("a\0b".into()),
            Component::Text("\u{1}\u{2}".into()),
            Component::Integer(u64::MAX),
        ];
        assert_eq!(key.components(), Some(expected));
        assert_eq!(Key::decode(key.as_bytes()).expect("decodes"), key);
    }

    #[test]
    fn a_component_can_not_forge_another() {
        let plain = KeyBuilder::new(Space::Record).text("a").text("b").build();
        for forged in ["a\0b", "a\0\u{2}b", "a\0\u{2}b\0"] {
            let key = KeyBuilder::new(Space::Record).text(forged).text("").build();
            assert_ne!(key, plain);
            assert_eq!(key.components().expect("decodes")[0], Component::Text(forged.into()));
        }
    }

    #[test]
    fn a_prefix_is_a_prefix_of_its_keys_only() {
        let prefix = KeyBuilder::new(Space::Record).text("s").prefix("us");
        assert!(Key::record("s", "user").expect("valid").as_bytes().starts_with(&prefix));
        assert!(!Key::record("s", "u").expect("valid").as_bytes().starts_with(&prefix));
        assert!(!Key::record("su", "ser").expect("valid").as_bytes().starts_with(&prefix));
    }

    #[test]
    fn hostile_components_are_refused() {
        for bad in ["", "a\0", &"x".repeat(1025)] {
            let error = Key::record("store", bad).expect_err("refused");
            assert_eq!(error.kind(), crate::ErrorKind::Invalid);
        }
        assert!(Key::record("store", &"x".repeat(1024)).is_ok());
    }

    #[test]
    fn malformed_bytes_are_refused() {
        for bad in [&b""[..], b"\xEE", b"\x03\x02a", b"\x03\x01\0\0", b"\x03\x03", b"\x03\x02\xff\0"] {
            assert!(Key::decode(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn log_keys_carry_their_sequence() {
        assert_eq!(Key::log(7).log_sequence(), Some(7));
        assert!(Key::log(255) < Key::log(256));
        assert_eq!(Key::record("a", "b").expect("valid").log_sequence(), None);
    }
}
