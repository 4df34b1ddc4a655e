//! A vector that is compared with many: its codes widened, in buffers that are used again.

use super::super::distance::exact;
use super::frame::{Frame, Head};

/// One side of a comparison. Buffers are kept from use to use.
#[derive(Debug, Clone, Default)]
pub(in crate::vector) struct Probe {
    pub(super) head: Head,
    pub(super) codes: Vec<i16>,
    /// The vector less the centre, in units. Room for the making of codes.
    pub(super) offsets: Vec<f32>,
    /// The vector was too long for the frame: scores with it order rows, and are not in units.
    pub(super) shrunk: bool,
    /// The probe was made from codes.
    pub(super) of_slot: bool,
}

impl Probe {
    /// Takes the codes of `vector` in `frame`. The vector is a checked one.
    pub(super) fn take(&mut self, frame: &Frame, vector: &[f32]) {
        self.take_scaled(frame, vector, exact::norm(vector));
    }

    /// As [`take`](Self::take), given the length of `vector`.
    pub(super) fn take_scaled(&mut self, frame: &Frame, vector: &[f32], norm: f64) {
        let (factor, kept) = frame.factor(norm);
        self.shrunk = !kept;
        self.take_at(frame, vector, factor);
    }

    /// Takes the codes of `vector` times `factor`.
    pub(super) fn take_at(&mut self, frame: &Frame, vector: &[f32], factor: f64) {
        self.offsets.resize(vector.len(), 0.0);
        self.codes.resize(vector.len(), 0);
        let largest = frame.offsets(vector, factor, &mut self.offsets);
        self.head = frame.encode(&self.offsets, largest, &mut self.codes);
        self.of_slot = false;
    }
}
