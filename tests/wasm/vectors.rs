//! The suite of the vector engines, in wasm.

mod flat {
    mnemora::testing::vector_index!(wasm, mnemora::testing::vectors::Flat);
}
mod hnsw {
    mnemora::testing::vector_index!(wasm, mnemora::testing::vectors::Hnsw);
}
mod hnsw_codes {
    mnemora::testing::vector_index!(wasm, mnemora::testing::vectors::HnswCodes);
}
mod hnsw_records {
    mnemora::testing::vector_index!(wasm, mnemora::testing::vectors::HnswRecords);
}
#[cfg(feature = "instant-distance")]
mod frozen {
    mnemora::testing::vector_index!(wasm, mnemora::testing::vectors::Frozen);
}
