//! What is fuzzed. Each target is a plain function over bytes that returns, or panics on a defect. The test
//! program runs them on seeded bytes, libFuzzer on bytes that it finds.

#![allow(dead_code)] // a program of libFuzzer's has one of them

mod choices;
pub(crate) mod filter;
pub(crate) mod pages;
pub(crate) mod words;
