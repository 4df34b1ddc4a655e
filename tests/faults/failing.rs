//! Every call on files fails once, in every way it can.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use futures_executor::block_on;
use mnemora::backends::{Backend, Durability};
use mnemora::model::{Batch, Key};
use mnemora::platform::files::FileSystem;
use mnemora::testing::disk::{Fault, Loss, Outage, SimulatedDisk};
use mnemora::{Error, ErrorKind};

use crate::history::{Expected, History, records};
use crate::script::{Step, script};
use crate::subject::Subject;

const STEPS: usize = 24;

/// Fails the n-th call for every n of a run: once, and from then on.
pub(crate) fn fail_each_call(subject: Subject) {
    for fault in [Fault::Io, Fault::NoSpace, Fault::Sync] {
        for lasting in [false, true] {
            let mut after = 0;
            let mut runs = 0;
            // Between a call that can not fail like that and the next that can lies nothing new.
            while let Some(failed) = fail_one_call(subject, fault, after, lasting) {
                after = failed + 1;
                runs += 1;
            }
            println!("{subject:?} {fault:?} lasting={lasting}: {runs} runs over {after} calls");
            assert!(runs > 10, "{fault:?} was met {runs} times only");
        }
    }
}

/// Gives the number of the call that failed; `None` if the run ended before.
fn fail_one_call(subject: Subject, fault: Fault, after: usize, lasting: bool) -> Option<usize> {
    let place = format!("{subject:?}, {fault:?} at call {after}, lasting={lasting}");
    let _watch = Watch::over(&place);
    let disk = SimulatedDisk::new();
    disk.fail(fault, after, lasting);
    let mut history = History::new();
    let mut trimmed = 0;
    // What was acknowledged, and what was asked for by a call that failed.
    let mut acknowledged = 0;
    let mut marker = None;
    // Whether the call that failed may have been stored all the same.
    let mut stored = false;
    match subject.open_on(&disk, Durability::Strict) {
        Err(error) => expect_typed(&place, &error),
        Ok(mut store) => {
            for step in script(3, STEPS) {
                match step {
                    Step::Commit(batches) => {
                        let given = block_on(store.commit(&batches));
                        let verdicts = history.commit(&batches);
                        trimmed = batches.iter().filter_map(|batch| batch.trim_log).fold(trimmed, u64::max);
                        match given {
                            Ok(given) => {
                                assert_eq!(given, verdicts, "{place}");
                                acknowledged = history.sequence();
                            }
                            Err(error) => {
                                expect_typed(&place, &error);
                                stored = error.kind() == ErrorKind::Unavailable;
                                marker = mark(&place, &*store);
                                break;
                            }
                        }
                    }
                    Step::Reopen => {
                        // Whatever the end of it gave, the store is free afterwards.
                        let closed = block_on(store.close());
                        let _ = closed.inspect_err(|error| expect_typed(&place, error));
                        let opened = subject.open_on(&disk.next_process(), Durability::Strict);
                        match opened {
                            Ok(again) => store = again,
                            Err(error) => {
                                expect_typed(&place, &error);
                                break;
                            }
                        }
                    }
                }
            }
            let _ = block_on(store.close()).inspect_err(|error| expect_typed(&place, error));
        }
    }
    // The power may go as well: what a failed sync left in doubt must not be under what was acknowledged.
    let outage = end_of(&disk);
    let failed = disk.heal();
    let powerless = [Loss::Everything, Loss::Seeded(after as u64)].map(|loss| outage.restart(&loss));
    for (disk, end) in
        [disk.next_process()].iter().chain(&powerless).zip(["ended", "lost power", "lost power"])
    {
        let place = format!("{place}, then {end}");
        let store = open_after(subject, disk, fault).unwrap_or_else(|error| panic!("{place}: {error}"));
        match &marker {
            None => {
                let sequences = (acknowledged, if stored { history.sequence() } else { acknowledged });
                let expected = Expected { sequences, trimmed };
                history.compare(&*store, expected).unwrap_or_else(|what| panic!("{place}: {what}"));
            }
            Some((batch, at)) => {
                // It was acknowledged behind the call that failed, which was stored or was not.
                let kept = at - 1;
                assert!(
                    kept == acknowledged || stored && kept == history.sequence(),
                    "{place}: marked as {at}"
                );
                let mut with = replay(acknowledged, kept);
                with.commit(std::slice::from_ref(batch));
                let expected = Expected { sequences: (*at, *at), trimmed };
                with.compare(&*store, expected)
                    .unwrap_or_else(|what| panic!("{place}, after one more commit: {what}"));
            }
        }
        if end == "ended" {
            lose_power_behind(subject, disk, &*store, fault, &place);
        }
        block_on(store.close()).unwrap_or_else(|error| panic!("{place}: {error}"));
    }
    failed
}

/// Commits once more, and takes the power: what the process before left unsynced, on which this commit
/// rests, must not be lost with it.
fn lose_power_behind(subject: Subject, disk: &SimulatedDisk, store: &dyn Backend, fault: Fault, place: &str) {
    let place = format!("{place}, went on, then lost power");
    let (_, at) = mark(&place, store).unwrap_or_else(|| panic!("{place}: it does not write"));
    let expected = records(store).unwrap();
    let left = end_of(disk).restart(&Loss::Everything);
    let store = open_after(subject, &left, fault).unwrap_or_else(|error| panic!("{place}: {error}"));
    assert_eq!(block_on(store.stats()).unwrap().sequence, at, "{place}");
    assert!(records(&*store).unwrap() == expected, "{place}: records differ");
}

/// Opens what was left. A lock that was taken while the disk was full does not name its owner, so after
/// a loss of power somebody has to delete it, as the error says.
fn open_after(subject: Subject, disk: &SimulatedDisk, fault: Fault) -> mnemora::Result<Arc<dyn Backend>> {
    let opened = subject.open_on(disk, Durability::Strict);
    match opened {
        Err(error) if error.kind() == ErrorKind::Blocked && fault == Fault::NoSpace => {
            let nameless =
                disk.files().into_iter().find(|(path, length)| path.ends_with("lock") && *length == 0);
            let (lock, _) = nameless.ok_or_else(|| error.clone())?;
            assert!(error.message().contains(&lock) && error.message().contains("delete"), "{error}");
            disk.remove(&lock).expect("it is there");
            subject.open_on(disk, Durability::Strict)
        }
        opened => opened,
    }
}

/// What was done to a disk up to now, with the power about to go.
fn end_of(disk: &SimulatedDisk) -> Outage {
    let mut outage = Outage::at_the_beginning_of(&SimulatedDisk::new());
    disk.recording().operations.iter().for_each(|operation| outage.step(operation));
    outage
}

/// The script played again: up to what was acknowledged, or with the call behind it, to `kept`.
fn replay(acknowledged: u64, kept: u64) -> History {
    let mut history = History::new();
    for step in script(3, STEPS) {
        if let Step::Commit(batches) = step {
            if history.sequence() == kept && history.sequence() >= acknowledged {
                break;
            }
            history.commit(&batches);
        }
    }
    history
}

/// Goes on with a handle that one call of failed: it works, or it says why not.
fn mark(place: &str, store: &dyn Backend) -> Option<(Batch, u64)> {
    let batch = Batch::new(7_777).put(Key::record("mark", "er").unwrap(), vec![7; 50]);
    match block_on(store.commit(std::slice::from_ref(&batch))) {
        Ok(verdicts) => Some((batch, verdicts[0].as_ref().expect("it asks for nothing").sequence)),
        Err(error) => {
            expect_typed(place, &error);
            None
        }
    }
}

/// A caller can act on the error: it is no defect of this crate, and not laid at the door of its input.
fn expect_typed(place: &str, error: &Error) {
    let kinds = [ErrorKind::Unavailable, ErrorKind::Quota, ErrorKind::Blocked, ErrorKind::Closed];
    assert!(kinds.contains(&error.kind()), "{place}: {error}");
}

/// Ends the process with a word of why if what it watches does not end.
pub(crate) struct Watch(#[allow(dead_code)] Sender<()>);

impl Watch {
    pub(crate) fn over(place: &str) -> Self {
        let (sender, receiver) = channel::<()>();
        let place = place.to_owned();
        std::thread::spawn(move || {
            if receiver.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
                eprintln!("it hangs: {place}");
                std::process::exit(101);
            }
        });
        Self(sender)
    }
}
