//! Kills and lost power: what was acknowledged is there, and nothing by halves.

use super::*;
use crate::ErrorKind;

const JOURNAL: &str = "d/journal.jsonl";

type State = (Vec<(Key, Record)>, u64);

/// A journal of six commits that was not closed, and the state after each of them.
fn six(durability: Durability) -> (Arc<Disk>, Vec<State>) {
    let disk = Arc::new(Disk::default());
    let mut json = open_as(&disk, durability).unwrap();
    let mut states = vec![everything(&mut json)];
    let commits = [
        vec![put("a", 1)],
        vec![put("a", 2), put("b", 1), put("a", 3)],
        vec![batch().delete(key("b"))],
        vec![put("c", 1).put(Key::record("notes", "x").unwrap(), b"raw".to_vec())],
        vec![Batch { trim_log: Some(3), ..put("d", 1) }],
        vec![put("e", 1), put("f", 1)],
    ];
    for batches in commits {
        json.commit(&batches).unwrap();
        states.push(everything(&mut json));
    }
    (disk, states)
}

fn line_ends(bytes: &[u8]) -> Vec<usize> {
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect()
}

#[test]
fn every_cut_of_the_journal_opens_to_a_prefix_of_whole_commits() {
    let (disk, states) = six(Durability::Strict);
    let whole = disk.read(JOURNAL);
    let ends = line_ends(&whole);
    assert_eq!(ends.len(), 7);
    for cut in 0..=whole.len() {
        for zeros in [false, true] {
            let disk = disk.copy();
            let mut bytes = whole[..cut].to_vec();
            if zeros {
                bytes.resize(whole.len(), 0);
            }
            disk.write(JOURNAL, &bytes);
            if cut < ends[0] {
                let kind = open_as(&disk, Durability::Strict).unwrap_err().kind();
                assert!(matches!(kind, ErrorKind::Corrupt | ErrorKind::Invalid), "cut at {cut}: {kind:?}");
                continue;
            }
            let commits = ends.iter().filter(|end| **end <= cut).count() - 1;
            let mut json = open(&disk);
            assert!(everything(&mut json) == states[commits], "cut at {cut}, zeros: {zeros}");
            assert_eq!(json.info().data_loss, None);
            commit(&mut json, put("z", 26));
            let expected = everything(&mut json);
            json.close().unwrap();
            assert!(everything(&mut open(&disk)) == expected, "cut at {cut}: it goes on");
        }
    }
}

#[test]
fn a_last_line_with_a_hole_was_never_acknowledged() {
    let (disk, states) = six(Durability::Strict);
    let whole = disk.read(JOURNAL);
    let start = line_ends(&whole)[5];
    for from in (start..whole.len()).step_by(3) {
        let disk = disk.copy();
        let mut bytes = whole.clone();
        bytes[from..(from + 40).min(whole.len())].fill(0);
        disk.write(JOURNAL, &bytes);
        assert!(everything(&mut open(&disk)) == states[5], "hole from {from}");
    }
}

#[test]
fn damage_before_the_last_line_is_named_with_its_line() {
    let (disk, _) = six(Durability::Strict);
    let whole = disk.read(JOURNAL);
    let ends = line_ends(&whole);
    for at in ends[0]..ends[5] - 1 {
        let disk = disk.copy();
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 7);
        disk.write(JOURNAL, &bytes);
        let error = open_as(&disk, Durability::Strict).unwrap_err();
        let line = ends.iter().filter(|end| **end <= at).count() + 1;
        assert_eq!(error.kind(), ErrorKind::Corrupt, "byte {at}: {error}");
        assert!(error.message().contains(&format!("journal.jsonl:{line}:")), "byte {at}: {error}");
        assert_eq!(disk.read(JOURNAL), bytes, "it is left as it is");
    }
}

#[test]
fn relaxed_loses_a_suffix_at_most_and_says_so() {
    let (disk, states) = six(Durability::Relaxed);
    let whole = disk.read(JOURNAL);
    let ends = line_ends(&whole);
    for at in ends[0]..whole.len() {
        let disk = disk.copy();
        let mut bytes = whole.clone();
        bytes[at] = 0;
        disk.write(JOURNAL, &bytes);
        let line = ends.iter().filter(|end| **end <= at).count();
        let mut json = open_as(&disk, Durability::Relaxed).unwrap();
        assert!(everything(&mut json) == states[line - 1], "hole at {at}");
        let said = json.info().data_loss.unwrap_or_default();
        assert_eq!(
            said.contains(&format!("journal.jsonl:{}:", line + 1)),
            at != whole.len() - 1,
            "{at}: {said}"
        );
    }
}

/// Some work with checkpoints; tells what was acknowledged.
fn work(disk: &Arc<Disk>, acknowledged: &mut Vec<State>) -> Result<()> {
    let mut json = open_as(disk, Durability::Strict)?;
    acknowledged.push(everything(&mut json));
    for round in 0..3 {
        for (id, n) in [("a", 1), ("b", 2), ("c", 3)] {
            let other = Key::record("notes", id).unwrap();
            json.commit(&[put(id, round * 10 + n), batch().put(other, vec![round as u8])])?;
            acknowledged.push(everything(&mut json));
        }
        json.commit(&[Batch { trim_log: Some(round as u64 * 5), ..batch().delete(key("b")) }])?;
        acknowledged.push(everything(&mut json));
        json.checkpoint()?;
    }
    json.commit(&[batch()
        .delete(Key::record("notes", "a").unwrap())
        .delete(Key::record("notes", "b").unwrap())
        .delete(Key::record("notes", "c").unwrap())])?;
    acknowledged.push(everything(&mut json));
    json.close()
}

#[test]
fn a_kill_before_any_change_to_the_disk_loses_nothing() {
    let mut number = 0;
    loop {
        let disk = Arc::new(Disk::default());
        disk.changes(Some(number));
        let mut acknowledged = Vec::new();
        let outcome = work(&disk, &mut acknowledged);
        let after = disk.copy();
        let mut json = open(&after);
        let found = everything(&mut json);
        if let Some(last) = acknowledged.last() {
            // The commit in flight may be there without its acknowledgement.
            let ahead = found.1.saturating_sub(last.1);
            assert!(
                found == *last || (1..=2).contains(&ahead),
                "change {number}: {} after {}",
                found.1,
                last.1
            );
        }
        assert_eq!(json.check().unwrap(), Vec::<String>::new());
        json.close().unwrap();
        assert!(everything(&mut open(&after)) == found, "change {number}");
        assert!(!after.paths().iter().any(|path| path.ends_with(".jsonl.tmp")), "{:?}", after.paths());
        if outcome.is_ok() {
            assert!(number > 50, "{number} changes");
            break;
        }
        number += 1;
    }
}

/// The numbers of the log's entries.
fn log_numbers(json: &mut JsonFiles) -> Vec<u64> {
    let found = json.scan(&Range::space(Space::Log), &Page::first(1_000)).unwrap();
    found.records.iter().map(|(_, record)| record.version).collect()
}

#[test]
fn a_trim_and_a_kill_in_the_checkpoint_behind_it_are_no_damage_of_the_log() {
    // Long keys, so that the log is worth rewriting.
    let long = |n: u64| put(&format!("{n}-{}", "x".repeat(900)), 1);
    let disk = Arc::new(Disk::default());
    let mut json = open(&disk);
    for n in 1..=80 {
        commit(&mut json, long(n));
    }
    json.close().unwrap();
    for trim in [0, 1, 60, 79, 80, 81, 82, 83] {
        for number in 0.. {
            let disk = disk.copy();
            let mut json = open(&disk);
            commit(&mut json, long(81));
            commit(&mut json, Batch { trim_log: Some(trim), ..long(82) });
            disk.changes(Some(number));
            let outcome = json.checkpoint();
            let disk = disk.copy();
            let mut json = open(&disk);
            let at = format!("trimmed to {trim}, killed before change {number}");
            assert_eq!(json.check().unwrap(), Vec::<String>::new(), "{at}");
            assert_eq!(log_numbers(&mut json), (trim + 1..=82).collect::<Vec<_>>(), "{at}");
            commit(&mut json, long(83));
            json.close().unwrap();
            let mut json = open(&disk);
            assert_eq!(json.check().unwrap(), Vec::<String>::new(), "{at}, and once more");
            let rest = (trim.min(82) + 1..=83).collect::<Vec<_>>();
            assert_eq!(log_numbers(&mut json), rest, "{at}, and once more");
            if outcome.is_ok() {
                assert!(number > 5, "{number} changes");
                break;
            }
        }
    }
}
