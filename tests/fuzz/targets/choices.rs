//! Bytes as choices: a fuzzer's bytes decide what is made of a grammar, so that most of them make something
//! that gets past the first check.

use mnemora::model::Value;

/// The bytes that are left.
#[derive(Debug)]
pub(crate) struct Choices<'a>(pub(crate) &'a [u8]);

impl Choices<'_> {
    /// The next byte; 0 once there is none.
    pub(crate) fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&byte, rest)) => {
                self.0 = rest;
                byte
            }
            None => 0,
        }
    }

    /// A number below `bound`, which is 1 to 256.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// One of `from`.
    pub(crate) fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len())]
    }

    /// Whether anything is left to decide.
    pub(crate) fn done(&self) -> bool {
        self.0.is_empty()
    }

    /// A value of any kind; its depth is bounded by the bytes.
    pub(crate) fn value(&mut self, keys: &[&str]) -> Value {
        match self.below(14) {
            0 => Value::Null,
            1 => Value::Bool(self.byte() & 1 == 1),
            2 => Value::Int(i64::from(self.byte()) - 128),
            3 => Value::Float([f64::NAN, f64::INFINITY, -0.0, 0.5, 1e300][self.below(5)]),
            4 => Value::Date(f64::from(self.byte())),
            5 | 6 => Value::String(self.pick(&["", "a", "b", "année", "\u{1F600}", "a.b"]).to_owned()),
            7 => Value::Undefined,
            8 => Value::Utf16(vec![0xD800]),
            9 => Value::Set(self.values(keys)),
            10 => Value::Array(self.values(keys)),
            _ => self.object(keys),
        }
    }

    fn values(&mut self, keys: &[&str]) -> Vec<Value> {
        let count = if self.done() { 0 } else { self.below(4) };
        (0..count).map(|_| self.value(keys)).collect()
    }

    /// An object whose fields have names of `keys`.
    pub(crate) fn object(&mut self, keys: &[&str]) -> Value {
        let mut fields: Vec<(String, Value)> = Vec::new();
        let count = if self.done() { 0 } else { self.below(4) };
        for _ in 0..count {
            let key = self.pick(keys).to_owned();
            let value = self.value(keys);
            if fields.iter().all(|(known, _)| *known != key) {
                fields.push((key, value));
            }
        }
        Value::Object(fields)
    }
}
