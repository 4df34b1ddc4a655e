//! Bits that flip in a file: told, or harmless, and never another record than was written.

use std::os::unix::fs::FileExt;

use super::*;
use crate::backends::sqlite::page::PAGE_BYTES;
use crate::model::{Page, Range, Space};
use crate::testing::rng::SplitMix64;

fn value(number: usize) -> Vec<u8> {
    let length = if number.is_multiple_of(20) { 9_000 } else { 300 };
    vec![number as u8; length]
}

const RECORDS: usize = 120;

async fn written() -> Vec<u8> {
    let path = fresh_path();
    let backend = open_at(&path).await.expect("opens");
    for number in 0..RECORDS {
        put(&backend, &format!("{number}"), &value(number)).await.expect("writes");
    }
    backend.close().await.expect("closes");
    std::fs::read(&path).expect("is there")
}

#[test]
fn flipped_bits_never_give_another_record() {
    block_on(async {
        let whole = written().await;
        let seed = 0x5EED;
        println!("seed {seed:#x}, {} bytes", whole.len());
        let mut rng = SplitMix64::new(seed);
        let (mut told, mut trials) = (0, 0);
        while trials < 300 {
            trials += 1;
            let (at, bit) = (rng.below(whole.len()), rng.below(8));
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            let path = fresh_path();
            std::fs::write(&path, &bytes).expect("can be written");
            let where_ = format!("byte {at} bit {bit}");
            told += usize::from(reads_only_what_was_written(&path, &where_).await);
            std::fs::remove_file(&path).expect("can be removed");
        }
        // Pages that nothing uses any more can be damaged without harm; the check tells of them too.
        assert_eq!(told, trials);
    });
}

/// Whether anything told that the file is damaged.
async fn reads_only_what_was_written(path: &str, place: &str) -> bool {
    let backend = match open_at(path).await {
        Ok(backend) => backend,
        Err(error) => {
            let kind = error.kind();
            assert!(
                matches!(kind, ErrorKind::Corrupt | ErrorKind::Invalid | ErrorKind::Version),
                "{place}: {error}"
            );
            return true;
        }
    };
    let mut told = false;
    for number in 0..RECORDS {
        match get(&backend, &format!("{number}")).await {
            Ok(found) => assert_eq!(found, Some(value(number)), "{place}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{place}: {error}");
                told = true;
            }
        }
    }
    match backend.scan(&Range::space(Space::Record), Page::first(RECORDS * 2)).await {
        Ok(page) => assert_eq!(page.records.len(), RECORDS, "{place}"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{place}: {error}"),
    }
    told |= !backend.check().await.expect("checks").is_empty();
    backend.close().await.expect("closes");
    told
}

#[test]
fn a_page_that_is_damaged_while_the_file_is_open_is_named_and_the_others_stay_readable() {
    block_on(async {
        let bytes = written().await;
        let path = fresh_path();
        std::fs::write(&path, &bytes).expect("can be written");
        let backend = open_at(&path).await.expect("opens");
        let needle = value(57);
        let at = bytes.windows(300).position(|window| window == needle).expect("lies in the file");
        let file = std::fs::OpenOptions::new().write(true).open(&path).expect("opens");
        file.write_all_at(b"x", at as u64 + 9).expect("can be written");
        let error = refused(get(&backend, "57").await, ErrorKind::Corrupt);
        assert!(error.message().contains(&format!("page {} ", at / PAGE_BYTES + 1)), "{error}");
        assert_eq!(error.key(), Some("s/57"));
        let readable = {
            let mut count = 0;
            for number in 0..RECORDS {
                count += usize::from(get(&backend, &format!("{number}")).await.is_ok());
            }
            count
        };
        assert!(readable > RECORDS - 20, "{readable}");
        let problems = backend.check().await.expect("checks");
        assert!(problems.iter().any(|line| line.contains("page")), "{problems:?}");
        // And it can still be written to.
        put(&backend, "new", b"x").await.expect("writes");
    });
}
