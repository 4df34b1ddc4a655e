//! Loss of power, after every step and with any part of what was not synced.

use std::collections::HashMap;

use futures_executor::block_on;
use mnemora::backends::Durability;
use mnemora::model::{Batch, Key};
use mnemora::testing::disk::{Loss, Operation, Outage, Recording, SimulatedDisk};

use crate::history::{Expected, Found, History};
use crate::script::{Step, script};
use crate::subject::{Subject, seeds, setting};

const STEPS: usize = 200;

/// What is known of a recorded run.
struct Run {
    recording: Recording,
    history: History,
    calls: Vec<Call>,
}

/// One call of `commit`, and what was recorded before and after it.
struct Call {
    began: usize,
    acknowledged: usize,
    sequence: u64,
    trim: u64,
}

impl Run {
    fn record(subject: Subject, durability: Durability, seed: u64) -> Self {
        let disk = SimulatedDisk::new();
        let mut history = History::new();
        let mut calls = Vec::new();
        let mut store = subject.open_on(&disk, durability).unwrap();
        for step in script(seed, STEPS) {
            match step {
                Step::Commit(batches) => {
                    let began = disk.recorded();
                    let verdicts = block_on(store.commit(&batches)).unwrap();
                    assert_eq!(verdicts, history.commit(&batches), "verdicts differ from the memory's");
                    let trim = batches.iter().filter_map(|batch| batch.trim_log).max().unwrap_or(0);
                    let sequence = history.sequence();
                    calls.push(Call { began, acknowledged: disk.recorded(), sequence, trim });
                }
                Step::Reopen => {
                    block_on(store.close()).unwrap();
                    store = subject.open_on(&disk, durability).unwrap();
                }
            }
        }
        block_on(store.close()).unwrap();
        Self { recording: disk.recording(), history, calls }
    }

    /// What may be found after a loss of power behind `done` operations.
    fn expected(&self, durability: Durability, done: usize) -> Expected {
        let known = self.calls.iter().take_while(|call| call.acknowledged <= done).last();
        let asked = self.calls.iter().take_while(|call| call.began < done);
        let trimmed = asked.clone().map(|call| call.trim).max().unwrap_or(0);
        let first = match durability {
            Durability::Strict => known.map_or(0, |call| call.sequence),
            _ => 0,
        };
        Expected { sequences: (first, asked.last().map_or(0, |call| call.sequence)), trimmed }
    }
}

/// Every prefix of a run with everything unsynced lost and with nothing lost, and seeds beyond that.
pub(crate) fn lose_power_everywhere(subject: Subject, durability: Durability) {
    let script = setting("MNEMORA_FAULTS_SCRIPT").unwrap_or(1);
    let run = Run::record(subject, durability, script);
    let usual = if durability == Durability::Strict { 10_000 } else { 2_500 };
    let seeds = seeds(usual);
    println!(
        "{subject:?} {durability:?}: script {script}, {} operations, seeds {seeds:?}",
        run.recording.operations.len()
    );
    let open = unsettled(&run.recording);
    let mut held = Held::new(subject, durability, &run);
    let mut losses = 0;
    for_each_prefix(&run.recording, |done, outage| {
        // Seeds make a difference where something is not synced.
        let mine = open.binary_search(&done).ok();
        let seeds = seeds.clone().filter(|seed| mine == Some(*seed as usize % open.len())).map(Loss::Seeded);
        let everywhere = [Loss::Everything, Loss::Nothing].into_iter().take(1 + usize::from(mine.is_some()));
        let expected = run.expected(durability, done);
        for loss in everywhere.chain(seeds) {
            losses += 1;
            if let Err(what) = held.hold(&outage.restart(&loss), expected) {
                show(&run.recording.operations[..done]);
                panic!("script {script}, power lost after operation {done}, {loss:?}: {what}");
            }
        }
        true
    });
    println!("{subject:?} {durability:?}: {losses} losses left {} different disks", held.disks.len());
}

/// What a relaxed store loses is seen by the test for strict ones: the simulated disk does lose.
pub(crate) fn see_what_relaxed_loses(subject: Subject) {
    let run = Run::record(subject, Durability::Relaxed, 1);
    let mut seen = false;
    let mut held = Held::new(subject, Durability::Relaxed, &run);
    for_each_prefix(&run.recording, |done, outage| {
        let expected = run.expected(Durability::Strict, done);
        seen = held.hold(&outage.restart(&Loss::Everything), expected).is_err();
        !seen
    });
    assert!(seen, "{subject:?}: no prefix of a relaxed run loses anything, so the test tests nothing");
}

/// Goes through a recording, as long as `look` says to go on.
fn for_each_prefix(recording: &Recording, mut look: impl FnMut(usize, &Outage) -> bool) {
    let mut outage = Outage::at_the_beginning_of(&SimulatedDisk::new());
    let mut go_on = look(0, &outage);
    for (operation, done) in recording.operations.iter().zip(1..) {
        if !go_on {
            return;
        }
        outage.step(operation);
        go_on = look(done, &outage);
    }
}

/// The prefixes of a recording at whose end something is not synced.
fn unsettled(recording: &Recording) -> Vec<usize> {
    let mut open = Vec::new();
    for_each_prefix(recording, |done, outage| {
        if !outage.is_settled() {
            open.push(done);
        }
        true
    });
    open
}

/// Disks that were left by losses of power. Many losses leave the same: each is opened once, and what was
/// found in it is held against what each of the losses may leave.
struct Held<'a> {
    subject: Subject,
    durability: Durability,
    run: &'a Run,
    disks: HashMap<u128, Found>,
}

impl<'a> Held<'a> {
    fn new(subject: Subject, durability: Durability, run: &'a Run) -> Self {
        Self { subject, durability, run, disks: HashMap::new() }
    }

    fn hold(&mut self, disk: &SimulatedDisk, expected: Expected) -> Result<(), String> {
        let digest = disk.digest();
        let found = match self.disks.get(&digest) {
            Some(found) => *found,
            None => self.open(disk)?,
        };
        self.disks.insert(digest, found);
        found.is_within(expected)
    }

    /// Opens what is left, compares it, and writes to it.
    fn open(&self, disk: &SimulatedDisk) -> Result<Found, String> {
        let store =
            self.subject.open_on(disk, self.durability).map_err(|error| format!("opening: {error}"))?;
        let found = self.run.history.look(&*store)?;
        let next = found.at + 1;
        let key = Key::record("afterwards", "new").unwrap();
        let batch = Batch::new(9_999).put(key.clone(), vec![1, 2, 3]);
        let verdicts = block_on(store.commit(&[batch])).map_err(|error| format!("writing: {error}"))?;
        if verdicts.iter().flatten().map(|committed| committed.sequence).ne([next]) {
            return Err(format!("the commit that should be {next} is {verdicts:?}"));
        }
        let read = block_on(store.get(&[key])).map_err(|error| format!("reading: {error}"))?;
        if read.iter().flatten().map(|record| record.version).ne([next]) {
            return Err("what was written afterwards is not there".into());
        }
        block_on(store.close()).map_err(|error| format!("closing: {error}"))?;
        Ok(found)
    }
}

/// The power goes, and goes again while the store is opened: nothing more may be lost by that.
pub(crate) fn lose_power_again(subject: Subject) {
    const SEEDS: u64 = 150;
    let durability = Durability::Strict;
    let run = Run::record(subject, durability, 2);
    let operations = &run.recording.operations;
    let seeds = seeds(SEEDS);
    println!("{subject:?}: script 2, seeds {seeds:?}");
    let mut held = Held::new(subject, durability, &run);
    for seed in seeds {
        let done = (seed as usize).wrapping_mul(7_919) % (operations.len() + 1);
        let mut outage = Outage::at_the_beginning_of(&SimulatedDisk::new());
        operations[..done].iter().for_each(|operation| outage.step(operation));
        let disk = outage.restart(&Loss::Seeded(seed));
        let mut again = Outage::at_the_beginning_of(&disk);
        let expected = run.expected(durability, done);
        let store = subject.open_on(&disk, durability).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let first =
            run.history.compare(&*store, expected).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        block_on(store.close()).unwrap();
        // What was seen once is there for good.
        let expected = Expected { sequences: (first, first), ..expected };
        for (step, operation) in disk.recording().operations.iter().enumerate() {
            again.step(operation);
            if let Err(what) = held.hold(&again.restart(&Loss::Seeded(seed ^ step as u64)), expected) {
                panic!("seed {seed}: power lost after operation {done} and {step} of recovering: {what}");
            }
        }
    }
}

/// Prints the end of what was done before a loss of power that was not survived.
fn show(operations: &[Operation]) {
    for (number, operation) in operations.iter().enumerate().skip(operations.len().saturating_sub(30)) {
        match operation {
            Operation::Write { node, offset, bytes } => {
                println!("{number}: write {} bytes at {offset} of file {node}", bytes.len());
            }
            other => println!("{number}: {other:?}"),
        }
    }
}
