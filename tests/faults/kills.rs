//! Processes that are killed while they write to real files.
//!
//! A writer makes transaction after transaction and says of each that it was acknowledged. Each writes
//! three records with its number. When the writer was killed, the store has to be at the last number
//! that was acknowledged or, if its answer did not get through, at the next.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use mnemora::backends::{Backend, Durability};
use mnemora::model::{Batch, Key};
use mnemora::platform::files::NativeFiles;
use mnemora::testing::rng::SplitMix64;

use crate::host::Place;
use crate::subject::{Subject, seeds};

const CYCLES: u64 = 200;
const DIRECTORY: &str = "MNEMORA_FAULTS_DIRECTORY";
const SLOTS: u64 = 17;

fn keys(transaction: u64) -> [Key; 3] {
    let slot = transaction % SLOTS;
    [
        Key::record("head", "n").unwrap(),
        Key::record("left", &format!("{slot}")).unwrap(),
        Key::record("right", &format!("{slot}")).unwrap(),
    ]
}

fn value(transaction: u64) -> Vec<u8> {
    let length = 8 + transaction as usize * 37 % 700;
    transaction.to_le_bytes().into_iter().cycle().take(length).collect()
}

/// The number of the last transaction; everything else has to go with it.
fn last_transaction(store: &dyn Backend) -> u64 {
    let head = block_on(store.get(&keys(0)[..1])).unwrap().remove(0);
    let last = head.map_or(0, |record| u64::from_le_bytes(record.value[..8].try_into().unwrap()));
    let stats = block_on(store.stats()).unwrap();
    assert_eq!(stats.sequence, last, "the sequence number and the records disagree");
    for transaction in last.saturating_sub(SLOTS - 1).max(1)..=last {
        let found = block_on(store.get(&keys(transaction))).unwrap();
        for record in &found[1..] {
            let record =
                record.as_ref().unwrap_or_else(|| panic!("transaction {transaction} of {last} is half"));
            assert_eq!(record.version, transaction);
            assert!(record.value == value(transaction), "transaction {transaction} of {last} is half");
        }
    }
    last
}

/// The life of a writer, in a process of its own; does nothing where no directory is given.
pub(crate) fn write_until_killed(subject: Subject) {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let store = subject.open(Arc::new(NativeFiles), &directory, Durability::Strict).unwrap();
    let mut transaction = last_transaction(&*store);
    let mut output = std::io::stdout().lock();
    loop {
        transaction += 1;
        let [head, left, right] = keys(transaction);
        let value = value(transaction);
        let batch =
            Batch::new(transaction).put(head, value.clone()).put(left, value.clone()).put(right, value);
        block_on(store.commit(&[batch])).unwrap().remove(0).unwrap();
        writeln!(output, "\nacknowledged {transaction}").unwrap();
        output.flush().unwrap();
    }
}

/// Kills 200 writers in a row over one store.
pub(crate) fn kill_writers(subject: Subject) {
    let cycles = seeds(CYCLES);
    let place = Place::new(&format!("kill-{}", subject.scheme));
    println!("{subject:?}: seeds {cycles:?}");
    let (began, mut before, mut unheard) = (Instant::now(), 0, 0);
    for seed in cycles.clone() {
        let acknowledged = run_and_kill(subject, &place, seed).unwrap_or(before);
        let store = subject
            .open(Arc::new(NativeFiles), place.path(), Durability::Strict)
            .unwrap_or_else(|error| panic!("seed {seed}, after transaction {acknowledged}: {error}"));
        let last = last_transaction(&*store);
        assert!(
            last == acknowledged || last == acknowledged + 1,
            "seed {seed}: {acknowledged} was acknowledged, it is at {last}"
        );
        assert_eq!(block_on(store.check()).unwrap(), [""; 0], "seed {seed}");
        // Its log or journal is moved at the end of every other cycle; else the next writer finds it as
        // the killed one left it, grown by what comes.
        if seed % 2 == 0 {
            block_on(store.close()).unwrap();
        } else {
            drop(store);
        }
        unheard += last - acknowledged;
        before = last;
    }
    println!(
        "{subject:?}: {} kills, {before} transactions, {unheard} of them stored but not heard of, {:?}",
        cycles.count(),
        began.elapsed()
    );
}

/// Gives the last transaction that the writer said was acknowledged.
fn run_and_kill(subject: Subject, place: &Place, seed: u64) -> Option<u64> {
    let test = format!("faults::{}::writer_to_be_killed", subject.scheme);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([&*test, "--exact", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let number = |line: String| line.strip_prefix("acknowledged ")?.parse::<u64>().ok();
    let mut rng = SplitMix64::new(seed);
    // Some are killed while they open, before anything is heard of them.
    let first = if rng.below(8) == 0 {
        None
    } else {
        let first = lines.by_ref().map_while(Result::ok).find_map(number);
        assert!(first.is_some(), "seed {seed}: the writer ended by itself");
        first
    };
    std::thread::sleep(Duration::from_micros(rng.below(30_000) as u64));
    child.kill().unwrap();
    let last = lines.map_while(Result::ok).filter_map(number).last();
    child.wait().unwrap();
    last.or(first)
}
