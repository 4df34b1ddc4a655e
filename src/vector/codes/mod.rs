//! Vectors as codes of one byte a number, by slot: what an approximate index walks by.
//!
//! | file | what |
//! |---|---|
//! | `keep` | what stays in memory beside the codes |
//! | `frame` | how numbers become codes, for all metrics |
//! | `probe` | one side of a comparison, made once and used for many |
//! | `score` | how similar a slot is to a probe |
//! | `rows` | the f32 rows that are at hand |
//! | `adapt` | a frame that follows the vectors |
//! | `bound` | how far a score can be from the truth |
//! | `pages` | codes as pages, and back |
//!
//! **Invariants**
//! - A slot's scale, bias and codes lie next to one another, in blocks of [`Codes::block_slots`] slots. A
//!   block is a page, and never moves: growing copies nothing.
//! - A score is finite, whatever vectors were set and whatever pages were loaded.
//! - All codes are in one frame. When it moves, all are made anew, and [`Codes::epoch`] changes.
//! - Slots and their order decide every bit of the state: it is the same natively and in wasm.

mod adapt;
mod bound;
mod frame;
mod keep;
mod pages;
mod probe;
mod rows;
mod score;

use std::collections::TryReserveError;
use std::fmt;

pub use keep::Keep;
pub(super) use pages::{CodesHeader, CodesLoader};
pub(super) use probe::Probe;

use super::Metric;
use super::distance::{codes as kernels, exact};
use crate::{Error, Result};
use frame::{Frame, Head};
use rows::Rows;

/// Bytes a block is at most, unless a single slot is larger.
const BLOCK_BYTES: usize = 1 << 16;

/// Slots a block has at most: short vectors would make pages of too many.
const BLOCK_SLOTS: usize = 1024;

/// The codes of an index, by slot; and the f32 rows that are at hand.
pub(super) struct Codes {
    dimensions: usize,
    keep: Keep,
    frame: Frame,
    blocks: Vec<Box<[u8]>>,
    /// One for each block with [`Keep::F32`], else none.
    rows: Vec<Rows>,
    /// Slots that exist.
    slots: u32,
    /// Slots in a block, as a power of two.
    shift: u32,
    epoch: u32,
    /// The length of the longest vector there was.
    longest: f64,
    /// Slots there were when the frame was last looked at.
    looked: u32,
    /// Bound on what codes that were made from codes are off by beyond one rounding, in units.
    carried: f64,
    /// For making codes.
    scratch: Probe,
}

/// Without the numbers.
impl fmt::Debug for Codes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dimensions, slots, keep, unit) = (self.dimensions, self.slots, self.keep, self.frame.unit);
        write!(
            f,
            "Codes({slots} slots of {dimensions} under {}, keep {keep}, unit 2^{unit})",
            self.frame.metric
        )
    }
}

/// Slots in a block, as a power of two.
fn block_shift(dimensions: usize) -> u32 {
    (BLOCK_BYTES / (dimensions + Head::BYTES)).clamp(1, BLOCK_SLOTS).ilog2()
}

impl Codes {
    /// No slots yet. `dimensions` is a checked one.
    pub(super) fn new(dimensions: usize, metric: Metric, keep: Keep) -> Self {
        Self {
            dimensions,
            keep,
            frame: Frame::new(dimensions, metric),
            blocks: Vec::new(),
            rows: Vec::new(),
            slots: 0,
            shift: block_shift(dimensions),
            epoch: 0,
            longest: 0.0,
            looked: 0,
            carried: 0.0,
            scratch: Probe::default(),
        }
    }

    /// Slots in a block.
    pub(super) fn block_slots(&self) -> u32 {
        1 << self.shift
    }

    /// Changes whenever all codes were made anew: probes must be taken again, and all pages are dirty.
    pub(super) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Sets a slot that exists, or the next one, to a checked vector. May move the frame: see
    /// [`epoch`](Self::epoch).
    ///
    /// # Errors
    /// [`Quota`](crate::ErrorKind::Quota) without memory for it; nothing is changed then.
    pub(super) fn set(&mut self, slot: u32, vector: &[f32]) -> Result<()> {
        debug_assert!(slot <= self.slots && vector.len() == self.dimensions);
        self.reserve(slot).map_err(|_| self.no_room())?;
        let norm = exact::norm(vector);
        if slot == self.slots {
            self.slots += 1;
        }
        self.adapt_to(norm);
        let mut probe = std::mem::take(&mut self.scratch);
        probe.take_scaled(&self.frame, vector, norm);
        self.write(slot, &probe);
        self.scratch = probe;
        self.supply(slot, vector);
        self.adapt_if_grown();
        Ok(())
    }

    /// Lets go of a slot's f32 row. Its codes stay until the slot is set anew.
    pub(super) fn free(&mut self, slot: u32) {
        let (block, at) = self.place(slot);
        if let Some(rows) = self.rows.get_mut(block) {
            rows.free(at);
        }
    }

    /// Takes a checked vector as a probe.
    pub(super) fn probe(&self, vector: &[f32], into: &mut Probe) {
        into.take(&self.frame, vector);
    }

    /// Takes what is in a slot as a probe.
    pub(super) fn probe_slot(&self, slot: u32, into: &mut Probe) {
        let (head, codes) = self.slot(slot);
        into.head = head;
        into.shrunk = false;
        into.of_slot = true;
        into.codes.resize(codes.len(), 0);
        kernels::widen(codes, &mut into.codes);
    }

    /// Whether two slots hold the same codes: copies of one vector do.
    pub(super) fn same(&self, a: u32, b: u32) -> bool {
        self.slot(a) == self.slot(b)
    }

    /// The similarity that users see, of a score.
    pub(super) fn similarity(&self, score: f32) -> f32 {
        self.frame.similarity(score)
    }

    /// The f32 row of a slot, bit for bit as it was set or supplied, if it is at hand.
    pub(super) fn row(&self, slot: u32) -> Option<&[f32]> {
        let (block, at) = self.place(slot);
        self.rows.get(block)?.get(at, self.dimensions)
    }

    /// Takes over the f32 row of a slot, read from its record. It is kept with [`Keep::F32`], if there is
    /// memory for it: it can be read again.
    pub(super) fn supply(&mut self, slot: u32, row: &[f32]) {
        let (block, at) = self.place(slot);
        let slots = 1 << self.shift;
        if let Some(rows) = self.rows.get_mut(block)
            && rows.reserve(slots, self.dimensions).is_ok()
        {
            rows.put(at, row);
        }
    }

    /// Makes room for `slot`.
    fn reserve(&mut self, slot: u32) -> Result<(), TryReserveError> {
        let (block, _) = self.place(slot);
        if block == self.blocks.len() {
            let codes = self.empty_block()?;
            self.blocks.try_reserve(1)?;
            if self.keep == Keep::F32 {
                self.rows.try_reserve(1)?;
                let mut rows = Rows::default();
                rows.reserve(1 << self.shift, self.dimensions)?;
                self.rows.push(rows);
            }
            self.blocks.push(codes);
        } else if let Some(rows) = self.rows.get_mut(block) {
            rows.reserve(1 << self.shift, self.dimensions)?;
        }
        Ok(())
    }

    fn empty_block(&self) -> Result<Box<[u8]>, TryReserveError> {
        let bytes = self.stride() << self.shift;
        let mut block = Vec::new();
        block.try_reserve_exact(bytes)?;
        block.resize(bytes, 0);
        Ok(block.into_boxed_slice())
    }

    fn no_room(&self) -> Error {
        Error::quota(format!(
            "no memory for another vector of {} numbers beside {}: delete some, use fewer dimensions, or keep \"codes\"",
            self.dimensions, self.slots
        ))
    }

    fn stride(&self) -> usize {
        Head::BYTES + self.dimensions
    }

    /// The block of a slot, and which one it is there.
    #[inline(always)]
    fn place(&self, slot: u32) -> (usize, usize) {
        ((slot >> self.shift) as usize, (slot & ((1 << self.shift) - 1)) as usize)
    }

    #[inline(always)]
    fn slot(&self, slot: u32) -> (Head, &[i8]) {
        let (block, at) = self.place(slot);
        let stride = self.stride();
        let bytes = &self.blocks[block][at * stride..][..stride];
        match bytes.split_first_chunk::<{ Head::BYTES }>() {
            Some((head, codes)) => (Head::read(head), kernels::signed(codes)),
            None => (Head::default(), &[]), // a stride is longer than a head
        }
    }

    /// Writes what the probe holds into a slot.
    fn write(&mut self, slot: u32, probe: &Probe) {
        let (block, at) = self.place(slot);
        let stride = self.stride();
        let bytes = &mut self.blocks[block][at * stride..][..stride];
        let (head, codes) = bytes.split_at_mut(Head::BYTES);
        head.copy_from_slice(&probe.head.bytes());
        for (code, wide) in codes.iter_mut().zip(&probe.codes) {
            *code = *wide as u8; // two's complement
        }
    }
}

#[cfg(test)]
mod tests;
