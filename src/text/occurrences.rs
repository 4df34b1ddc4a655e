//! Where a term stands in one document, in bytes.
//!
//! The first number is the first position, doubled, plus one if there are more; then how many more, less
//! one; then the distance of each from the one before. Most terms stand once: one byte.
//!
//! **Invariants**
//! - Positions ascend and stay below [`MAX_POSITIONS`].

use super::varint;

/// Positions that a document can have.
pub(super) const MAX_POSITIONS: u32 = 1 << 30;

/// Appends the positions of a term, which are the lower halves of `words`, at least one.
pub(super) fn write(words: &[u64], out: &mut Vec<u8>) {
    let more = words.len() - 1;
    let mut before = None;
    for word in words {
        let position = *word as u32;
        match before {
            None => {
                varint::write(position << 1 | u32::from(more > 0), out);
                if more > 0 {
                    varint::write(more as u32 - 1, out);
                }
            }
            Some(before) => varint::write(position - before, out),
        }
        before = Some(position);
    }
}

/// Takes one list from the front of `bytes`, gives each position to `visit`, and returns how many there
/// are. `None` if it can not be a list.
#[inline]
pub(super) fn read(bytes: &mut &[u8], mut visit: impl FnMut(u32)) -> Option<u32> {
    let first = varint::read(bytes)?;
    let mut position = first >> 1;
    if position >= MAX_POSITIONS {
        return None;
    }
    visit(position);
    if first & 1 == 0 {
        return Some(1);
    }
    let more = varint::read(bytes)?.checked_add(1)?;
    for _ in 0..more {
        let distance = varint::read(bytes)?;
        position = position.checked_add(distance).filter(|at| distance > 0 && *at < MAX_POSITIONS)?;
        visit(position);
    }
    more.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn positions_come_back() {
        for positions in [vec![0], vec![63], vec![MAX_POSITIONS - 1], vec![0, 1], vec![3, 200, 201, 1 << 20]]
        {
            let mut bytes = Vec::new();
            write(&positions.iter().map(|at| u64::from(*at)).collect::<Vec<_>>(), &mut bytes);
            let (mut found, mut rest) = (Vec::new(), bytes.as_slice());
            assert_eq!(read(&mut rest, |at| found.push(at)), Some(positions.len() as u32));
            assert_eq!((found, rest.len()), (positions, 0));
        }
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn what_is_no_list_is_refused() {
        for bytes in [&[][..], &[1], &[1, 0], &[1, 0, 0], &[1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]] {
            assert_eq!(read(&mut &*bytes, |_| {}), None, "{bytes:?}");
        }
    }
}
