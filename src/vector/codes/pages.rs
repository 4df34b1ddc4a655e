//! Codes as pages, and back.
//!
//! A block's page is its bytes as they lie in memory: for each slot that exists scale, bias (f32,
//! little-endian) and codes.
//!
//! **Invariants**
//! - What is loaded is checked: any bytes that pass give finite scores.
//! - Loading takes memory for the blocks that came, and for at most as many that did not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::frame::{Frame, Head};
use super::{Codes, Keep};
use crate::vector::Metric;
use crate::{Error, Result};

/// The frame, as it is stored beside the pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::vector) struct CodesHeader {
    /// Empty: the centre is zero.
    centre: Vec<f32>,
    unit: i32,
    carried: f64,
    longest: f64,
    looked: u32,
}

impl Codes {
    /// What the pages are read by, together with the number of slots.
    pub(in crate::vector) fn header(&self) -> CodesHeader {
        let centred = self.frame.centre.iter().any(|c| *c != 0.0);
        CodesHeader {
            centre: if centred { self.frame.centre.clone() } else { Vec::new() },
            unit: self.frame.unit,
            carried: self.carried,
            longest: self.longest,
            looked: self.looked,
        }
    }

    /// Appends the page of a block to `into`: nothing if there is no such block.
    pub(in crate::vector) fn write_block(&self, block: u32, into: &mut Vec<u8>) {
        if let Some(bytes) = self.blocks.get(block as usize) {
            let slots = self.slots - (block << self.shift);
            let used = (slots.min(self.block_slots()) as usize) * self.stride();
            into.extend_from_slice(&bytes[..used]);
        }
    }
}

/// Codes that are put together from pages.
#[derive(Debug)]
pub(in crate::vector) struct CodesLoader {
    codes: Codes,
    blocks: BTreeMap<u32, Box<[u8]>>,
}

impl CodesLoader {
    /// For the pages of an index that had `slots` slots.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if the header can not be of such an index.
    pub(in crate::vector) fn new(
        dimensions: usize,
        metric: Metric,
        keep: Keep,
        slots: u32,
        header: CodesHeader,
    ) -> Result<Self> {
        let mut codes = Codes::new(dimensions, metric, keep);
        let centred = !header.centre.is_empty();
        // A mean of stored vectors is not longer than they are: 2^33 units.
        let sound = (!centred || header.centre.len() == dimensions)
            && header.centre.iter().all(|c| c.abs() <= (1u64 << 33) as f32)
            && (-149..=135).contains(&header.unit)
            && (metric != Metric::Cosine || header.unit == 0)
            && (0.0..f64::INFINITY).contains(&header.carried)
            && (0.0..f64::INFINITY).contains(&header.longest)
            && header.looked <= slots;
        if !sound {
            return Err(Error::corrupt("the frame of the codes can not be one: build the index anew"));
        }
        let centre = if centred { header.centre } else { vec![0.0; dimensions] };
        codes.frame = Frame::new(dimensions, metric).moved(centre, header.unit);
        (codes.carried, codes.longest, codes.looked) = (header.carried, header.longest, header.looked);
        codes.slots = slots;
        Ok(Self { codes, blocks: BTreeMap::new() })
    }

    /// How many slots are in a block, and so on its page, if it is one of the index.
    pub(in crate::vector) fn slots_in(&self, block: u32) -> Option<u32> {
        let first = u64::from(block) << self.codes.shift;
        let left = u64::from(self.codes.slots).checked_sub(first).filter(|left| *left > 0)?;
        Some(left.min(u64::from(self.codes.block_slots())) as u32)
    }

    /// Takes over the page of a block.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if it is no block of the index, the bytes are too few or too
    /// many, or a scale or bias can not be one. [`Quota`](crate::ErrorKind::Quota) without memory.
    pub(in crate::vector) fn load_block(&mut self, block: u32, bytes: &[u8]) -> Result<()> {
        let stride = self.codes.stride();
        let Some(slots) = self.slots_in(block) else {
            return Err(Error::corrupt(format!("codes: block {block} is beyond the last slot")));
        };
        if bytes.len() != slots as usize * stride {
            let want = slots as usize * stride;
            return Err(Error::corrupt(format!(
                "codes: block {block} has {} bytes, not {want}",
                bytes.len()
            )));
        }
        for (at, slot) in bytes.chunks_exact(stride).enumerate() {
            if !slot.first_chunk().is_some_and(|head| Head::read(head).is_sound()) {
                return Err(Error::corrupt(format!(
                    "codes: block {block}, slot {at}: impossible scale or bias"
                )));
            }
        }
        let mut loaded = self.codes.empty_block().map_err(|_| self.codes.no_room())?;
        loaded[..bytes.len()].copy_from_slice(bytes);
        self.blocks.insert(block, loaded);
        Ok(())
    }

    /// The codes. Slots of blocks that did not come have codes of zero.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if more than half of the blocks are missing,
    /// [`Quota`](crate::ErrorKind::Quota) without memory.
    pub(in crate::vector) fn finish(mut self) -> Result<Codes> {
        let blocks = self.codes.slots.div_ceil(self.codes.block_slots());
        if self.blocks.len() < blocks.div_ceil(2) as usize {
            return Err(Error::corrupt(format!(
                "codes: {} of {blocks} blocks are there: build the index anew",
                self.blocks.len()
            )));
        }
        for block in 0..blocks {
            let bytes = match self.blocks.remove(&block) {
                Some(bytes) => bytes,
                None => self.codes.empty_block().map_err(|_| self.codes.no_room())?,
            };
            self.codes.blocks.push(bytes);
            if self.codes.keep == Keep::F32 {
                self.codes.rows.push(super::Rows::default());
            }
        }
        Ok(self.codes)
    }
}
