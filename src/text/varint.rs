//! Numbers in as few bytes as they need: seven bits a byte, the lowest first, the top bit for more.
//!
//! **Invariants**
//! - [`read`] takes what [`write`] gave, and nothing that does not fit 32 bits.

/// Bytes of a number, at most.
pub(super) const MOST: usize = 5;

/// Appends `value`.
#[inline]
pub(super) fn write(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a number from the front of `bytes`; `None` if there is none.
#[inline]
pub(super) fn read(bytes: &mut &[u8]) -> Option<u32> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    if *first < 0x80 {
        return Some(u32::from(*first));
    }
    let mut value = u32::from(*first & 0x7f);
    for shift in [7, 14, 21, 28] {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if shift == 28 && *byte > 0x0f {
            return None;
        }
        value |= u32::from(*byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn numbers_come_back_and_nothing_else() {
        for value in [0, 1, 127, 128, 300, 16_383, 16_384, u32::MAX - 1, u32::MAX] {
            let mut bytes = Vec::new();
            write(value, &mut bytes);
            assert_eq!(read(&mut bytes.as_slice()), Some(value));
            bytes.pop();
            assert_eq!(read(&mut bytes.as_slice()), None);
        }
        assert_eq!(read(&mut [0xff, 0xff, 0xff, 0xff, 0x10].as_slice()), None);
        assert_eq!(read(&mut [0x80; 9].as_slice()), None);
    }
}
