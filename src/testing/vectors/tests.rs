//! The suite over the engines of this crate, natively.

use super::{Flat, Hnsw, HnswCodes, HnswRecords};

mod flat {
    use super::Flat;

    crate::testing::vector_index!(native, Flat);
}

mod hnsw {
    use super::Hnsw;

    crate::testing::vector_index!(native, Hnsw);
}

mod hnsw_codes {
    use super::HnswCodes;

    crate::testing::vector_index!(native, HnswCodes);
}

mod hnsw_records {
    use super::HnswRecords;

    crate::testing::vector_index!(native, HnswRecords);
}

#[cfg(feature = "instant-distance")]
mod frozen {
    use super::super::Frozen;

    crate::testing::vector_index!(native, Frozen);
}
