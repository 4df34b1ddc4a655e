//! Bytes of a page seen as codes, without copying.
#![allow(unsafe_code)]

/// The same bytes, each as a number of two's complement.
#[must_use]
#[inline(always)]
pub fn signed(bytes: &[u8]) -> &[i8] {
    // SAFETY: i8 has the size and alignment of u8, every pattern is a value of both, and the result
    // borrows from `bytes`.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) }
}
