//! Copies between memory backends: whole, cut off, under writers, and fed with nonsense.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::page::{Bytes, Stage, marker_key};
use super::*;
use crate::ErrorKind;
use crate::backends::{BackendInfo, MemoryBackend, ScanPage, Stats};
use crate::model::{Batch, Committed, Conflict, Envelope, KeyBuilder, Page, Range, Space};
use crate::testing::rng::SplitMix64;
use crate::testing::{block_on, commit, get, key};

fn quiet(_: Progress) {}

fn in_pages(page_bytes: usize) -> CopyOptions {
    CopyOptions { page_bytes, ..CopyOptions::default() }
}

async fn contents(backend: &dyn Backend) -> Vec<(Key, Vec<u8>)> {
    let found = backend.scan(&page::everything(), Page::first(100_000)).await.unwrap();
    found.records.into_iter().map(|(key, record)| (key, record.value)).collect()
}

async fn filled(count: usize, size: usize) -> MemoryBackend {
    let backend = MemoryBackend::new();
    for n in 0..count {
        commit(&backend, Batch::new(n as u64 + 1).put(key(&format!("{n:06}")), vec![n as u8; size]))
            .await
            .unwrap();
    }
    backend
}

async fn copied(from: &dyn Backend, to: &dyn Backend, options: &CopyOptions) -> Copied {
    let copied = copy(from, to, options, quiet).await.expect("copies");
    assert_eq!(contents(to).await, contents(from).await);
    assert_eq!(digest(to).await.unwrap(), copied.digest);
    assert_eq!(digest(from).await.unwrap(), copied.digest);
    assert_eq!(copied.records, contents(from).await.len() as u64);
    copied
}

#[test]
fn everything_arrives_whatever_the_number_of_records_and_the_size_of_pages() {
    block_on(async {
        for count in [0, 1, 2, 31, 32, 33, 64, 65, 300] {
            for page_bytes in [1, 100, 1 << 20] {
                let from = filled(count, 40).await;
                let to = MemoryBackend::new();
                let copied = copied(&from, &to, &in_pages(page_bytes)).await;
                assert_eq!((copied.sequence, copied.resumed), (count as u64, false));
            }
        }
    });
}

#[test]
fn all_spaces_and_huge_values_arrive_and_times_of_creation_stay() {
    block_on(async {
        let from = MemoryBackend::new();
        let envelope = Envelope {
            created: 5,
            updated: 9,
            expires: Some(77),
            schema: "",
            schema_version: 0,
            payload: b"x",
        };
        let sealed = envelope.encode(&key("a")).unwrap();
        let mut batch = Batch::new(9).put(key("a"), sealed.clone()).put(key("empty"), vec![]);
        for space in [Space::Meta, Space::History, Space::Expiry, Space::Document] {
            batch = batch.put(KeyBuilder::new(space).text("n").integer(7).build(), vec![space as u8]);
        }
        commit(&from, batch.put(key("huge"), vec![3; 9 << 20])).await.unwrap();
        let to = MemoryBackend::new();
        let copied = copied(&from, &to, &in_pages(1_000)).await;
        assert_eq!(copied.records, 7);
        assert_eq!(get(&to, &key("a")).await.unwrap().value, sealed);
    });
}

#[test]
fn versions_to_come_are_newer_than_the_past_that_was_copied() {
    block_on(async {
        let from = filled(20, 1).await;
        commit(
            &from,
            Batch::new(9)
                .put(KeyBuilder::new(Space::History).text("s").text("a").integer(19).build(), vec![]),
        )
        .await
        .unwrap();
        let to = MemoryBackend::new();
        copied(&from, &to, &CopyOptions::default()).await;
        assert!(get(&to, &key("000000")).await.unwrap().version > 21);
        let page = page_of(&from, 1 << 27).await;
        let empty = MemoryBackend::new();
        let mut target = Target::begin(&empty, Existing::Refuse).await.unwrap();
        assert_eq!(target.accept(page).await.unwrap_err().kind(), ErrorKind::Unsupported);
    });
}

async fn page_of(from: &dyn Backend, raise_to: u64) -> CopyPage {
    CopyPage { raise_to, ..Source::new(from, 100).page(&Cursor::default()).await.unwrap() }
}

#[test]
fn digests_tell_every_difference_and_nothing_else() {
    block_on(async {
        let make = async |records: &[(&str, &[u8])]| {
            let backend = MemoryBackend::new();
            for (id, value) in records {
                commit(&backend, Batch::new(1).put(key(id), value.to_vec())).await.unwrap();
            }
            digest(&backend).await.unwrap()
        };
        let some = make(&[("a", b"12"), ("b", b"3")]).await;
        assert_eq!(
            some,
            make(&[("b", b"0"), ("b", b"3"), ("a", b"12")]).await,
            "order and versions do not matter"
        );
        for other in [
            make(&[]).await,
            make(&[("a", b"12")]).await,
            make(&[("a", b"1"), ("b", b"23")]).await,
            make(&[("a", b"12"), ("c", b"3")]).await,
            make(&[("a", b"12"), ("b", b"3"), ("c", b"")]).await,
        ] {
            assert_ne!(some, other);
        }
        assert_eq!(some.to_string().parse::<Digest>().unwrap(), some);
        for bad in ["", "12", &"g".repeat(32), &format!("+{}", "1".repeat(31))] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
        assert_eq!(make(&[]).await.to_string(), "99aa06d3014798d86001c324468d497f", "the empty xxh3-128");
    });
}

#[test]
fn a_target_that_holds_something_is_refused_or_replaced() {
    block_on(async {
        let from = filled(5, 3).await;
        let to = MemoryBackend::new();
        for n in 0..1_200 {
            commit(&to, Batch::new(1).put(key(&format!("old {n}")), vec![1])).await.unwrap();
        }
        let before = contents(&to).await;
        let error = copy(&from, &to, &CopyOptions::default(), quiet).await.unwrap_err();
        assert_eq!((error.kind(), error.key()), (ErrorKind::Invalid, Some("s/old 0")));
        assert_eq!(contents(&to).await, before);
        copied(&from, &to, &CopyOptions { existing: Existing::Replace, ..CopyOptions::default() }).await;
        let again = copy(&from, &to, &CopyOptions::default(), quiet).await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Invalid, "a finished copy is a store like any other");
    });
}

/// Fails at one of its commits: before it, or after it with the outcome unknown to the caller. Or writes
/// to the backend inside whenever it is read.
#[derive(Debug, Default)]
struct Troubled {
    inner: Arc<MemoryBackend>,
    commits: AtomicUsize,
    fail_at: Option<usize>,
    stored: bool,
    /// Writes that are left to make, one at each scan.
    writes: AtomicUsize,
}

#[cfg_attr(target_family = "wasm", async_trait(?Send))]
#[cfg_attr(not(target_family = "wasm"), async_trait)]
impl Backend for Troubled {
    fn info(&self) -> BackendInfo {
        self.inner.info()
    }

    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        self.inner.get(keys).await
    }

    async fn scan(&self, range: &Range, page: Page) -> Result<ScanPage> {
        let left = self.writes.load(Ordering::Relaxed);
        if left > 0 {
            self.writes.store(left - 1, Ordering::Relaxed);
            let (new, old) = (key(&format!("{:06}", left * 7 % 50)), key(&format!("{:06}", left % 50)));
            commit(&*self.inner, Batch::new(7).delete(old).put(new, vec![left as u8; 9])).await.unwrap();
        }
        self.inner.scan(range, page).await
    }

    async fn commit(&self, batches: &[Batch]) -> Result<Vec<Result<Committed, Conflict>>> {
        let number = self.commits.fetch_add(1, Ordering::Relaxed);
        let fails = self.fail_at == Some(number);
        if fails && !self.stored {
            return Err(Error::unavailable("the plug was pulled"));
        }
        let verdicts = self.inner.commit(batches).await?;
        if fails { Err(Error::unavailable("the plug was pulled; outcome unknown")) } else { Ok(verdicts) }
    }

    async fn stats(&self) -> Result<Stats> {
        self.inner.stats().await
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await
    }
}

#[test]
fn cut_off_at_any_page_it_is_never_taken_for_complete_and_goes_on() {
    block_on(async {
        let from = filled(60, 10).await;
        for stored in [false, true] {
            for existing in [Existing::Refuse, Existing::Replace] {
                let options = CopyOptions { existing, ..in_pages(100) };
                let mut fail_at = 0;
                loop {
                    let inner = Arc::new(MemoryBackend::new());
                    if existing == Existing::Replace {
                        commit(&*inner, Batch::new(1).put(key("old"), vec![])).await.unwrap();
                    }
                    let pulled = Troubled {
                        inner: Arc::clone(&inner),
                        fail_at: Some(fail_at),
                        stored,
                        ..Troubled::default()
                    };
                    let outcome = copy(&from, &pulled, &options, quiet).await;
                    if pulled.commits.load(Ordering::Relaxed) <= fail_at {
                        outcome.expect("nothing failed");
                        break;
                    }
                    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Unavailable);
                    let marked = get(&*inner, &marker_key()).await.is_some();
                    let untouched = fail_at == 0 && !stored;
                    let complete = contents(&*inner).await == contents(&from).await;
                    assert_eq!(marked, !untouched && !complete, "commit {fail_at}");
                    if marked {
                        let before = contents(&*inner).await.len();
                        let gone_on = copied(&from, &*inner, &in_pages(100)).await;
                        assert!(gone_on.resumed, "commit {fail_at}, {before} there");
                    }
                    fail_at += 1;
                }
                assert!(fail_at > 5, "{fail_at} commits");
            }
        }
    });
}

#[test]
fn going_on_does_not_begin_again() {
    block_on(async {
        let from = filled(60, 10).await;
        let inner = Arc::new(MemoryBackend::new());
        let pulled = Troubled { inner: Arc::clone(&inner), fail_at: Some(4), ..Troubled::default() };
        copy(&from, &pulled, &in_pages(200), quiet).await.unwrap_err();
        let mut first = None;
        copy(&from, &*inner, &in_pages(200), |now| first = first.or(Some(now.records))).await.unwrap();
        assert!(first > Some(15), "{first:?}");

        let pulled = Troubled { fail_at: Some(4), ..Troubled::default() };
        copy(&from, &pulled, &in_pages(200), quiet).await.unwrap_err();
        let stranger = filled(10, 1).await;
        let error = copy(&stranger, &*pulled.inner, &in_pages(200), quiet).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Conflict), "{error}");
    });
}

#[test]
fn what_is_written_meanwhile_is_there_in_the_end() {
    block_on(async {
        for writes in [1, 10, 60] {
            let from = Troubled { inner: Arc::new(filled(50, 10).await), ..Troubled::default() };
            from.writes.store(writes, Ordering::Relaxed);
            let to = MemoryBackend::new();
            let copied = copied(&from, &to, &in_pages(120)).await;
            assert_eq!(copied.sequence, 50 + writes as u64);
        }
        let from = Troubled { inner: Arc::new(filled(50, 10).await), ..Troubled::default() };
        from.writes.store(1 << 30, Ordering::Relaxed);
        let to = MemoryBackend::new();
        let error = copy(&from, &to, &CopyOptions { rounds: 5, ..in_pages(500) }, quiet).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        from.writes.store(0, Ordering::Relaxed);
        assert!(copied(&from, &to, &in_pages(500)).await.resumed);
    });
}

#[test]
fn a_log_that_was_trimmed_meanwhile_is_a_conflict() {
    block_on(async {
        let from = filled(50, 10).await;
        let to = MemoryBackend::new();
        let mut target = Target::begin(&to, Existing::Refuse).await.unwrap();
        let source = Source::new(&from, 100);
        for _ in 0..3 {
            target.accept(source.page(target.cursor()).await.unwrap()).await.unwrap();
        }
        for _ in 0..2 {
            commit(&from, Batch { trim_log: Some(51), ..Batch::new(1).put(key("new"), vec![]) })
                .await
                .unwrap();
        }
        let error = copy(&from, &to, &in_pages(100), quiet).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        copied(&from, &to, &CopyOptions { existing: Existing::Replace, ..in_pages(100) }).await;
    });
}

#[test]
fn a_target_that_differs_is_named_by_key_and_stays_unfinished() {
    block_on(async {
        let from = filled(50, 10).await;
        let to = MemoryBackend::new();
        let mut target = Target::begin(&to, Existing::Refuse).await.unwrap();
        let source = Source::new(&from, 200);
        while !target.cursor().settled() {
            target.accept(source.page(target.cursor()).await.unwrap()).await.unwrap();
        }
        drop(target);
        commit(&to, Batch::new(1).put(key("000017"), vec![1]).delete(key("000044"))).await.unwrap();
        let error = copy(&from, &to, &in_pages(200), quiet).await.unwrap_err();
        assert_eq!((error.kind(), error.key()), (ErrorKind::Corrupt, Some("s/000017")));
        assert!(get(&to, &marker_key()).await.is_some());
    });
}

#[test]
fn pages_go_over_as_bytes() {
    block_on(async {
        let from = filled(40, 300).await;
        let to = MemoryBackend::new();
        let source = Source::new(&from, 1_000);
        let mut target = Target::begin(&to, Existing::Refuse).await.unwrap();
        while !target.cursor().settled() {
            let cursor = Cursor::decode(&target.cursor().encode().unwrap()).unwrap();
            let page = source.page(&cursor).await.unwrap().encode().unwrap();
            target.accept(CopyPage::decode(&page).unwrap()).await.unwrap();
        }
        let expected = source.digest(target.cursor()).await.unwrap().expect("nobody writes");
        assert_eq!(target.finish(expected).await.unwrap(), digest(&from).await.unwrap());
        assert_eq!(contents(&to).await, contents(&from).await);
    });
}

#[test]
fn pages_that_no_source_makes_are_refused_whole() {
    block_on(async {
        let from = filled(40, 10).await;
        let source = Source::new(&from, 300);
        let to = MemoryBackend::new();
        let mut target = Target::begin(&to, Existing::Refuse).await.unwrap();
        for _ in 0..2 {
            target.accept(source.page(target.cursor()).await.unwrap()).await.unwrap();
        }
        let good = source.page(target.cursor()).await.unwrap();
        let before = contents(&to).await;
        let with = |change: &dyn Fn(&mut CopyPage)| {
            let mut page = good.clone();
            change(&mut page);
            page
        };
        let value = || Some(Bytes(vec![1]));
        let bad = [
            with(&|page| page.records.reverse()),
            with(&|page| page.records.push((Key::log(3), value()))),
            with(&|page| page.records.insert(0, (marker_key(), value()))),
            with(&|page| page.records.insert(0, (key("000000"), value()))),
            with(&|page| page.records[1].1 = None),
            with(&|page| page.records[1].1 = Some(Bytes(vec![0; from.info().max_value_bytes + 1]))),
            with(&|page| page.next = page.from.clone()),
            with(&|page| page.next.stage = Stage::Begin),
            with(&|page| page.next.stage = Stage::Settled),
            with(&|page| page.next.since += 1),
            with(&|page| page.from = Cursor::default()),
        ];
        for (number, page) in bad.into_iter().enumerate() {
            let error = target.accept(page).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "page {number}: {error}");
            assert_eq!(contents(&to).await, before, "page {number}");
        }
        let bytes = good.encode().unwrap();
        let mut rng = SplitMix64::new(11);
        for trial in 0..2_000 {
            let mut damaged = bytes.clone();
            let at = rng.below(damaged.len());
            if trial % 2 == 0 {
                damaged[at] ^= 1 << rng.below(8)
            } else {
                damaged.truncate(at)
            }
            if let Err(error) = CopyPage::decode(&damaged) {
                assert_eq!(error.kind(), ErrorKind::Invalid, "trial {trial}");
            }
        }
        assert!(target.finish(digest(&from).await.unwrap()).await.is_err(), "it is not through");
        assert_eq!(contents(&to).await, before);
        let mut target = Target::begin(&to, Existing::Refuse).await.unwrap();
        target.accept(good).await.expect("and the good one still fits");
    });
}

#[test]
fn of_two_copies_into_one_target_one_ends_in_a_conflict() {
    block_on(async {
        let from = filled(10, 10).await;
        let to = MemoryBackend::new();
        let source = Source::new(&from, 30);
        let mut one = Target::begin(&to, Existing::Refuse).await.unwrap();
        let mut two = Target::begin(&to, Existing::Refuse).await.unwrap();
        one.accept(source.page(one.cursor()).await.unwrap()).await.unwrap();
        let error = two.accept(source.page(two.cursor()).await.unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
    });
}
