//! A disk that is full or fails: nothing half-stored, nothing lost, and it goes on.

use super::*;
use crate::ErrorKind;

#[test]
fn a_full_disk_stores_nothing_by_halves_and_goes_on_when_there_is_room() {
    let mut refused = 0;
    for room in (0..4_000).step_by(13) {
        let disk = three();
        let mut json = open(&disk);
        disk.room(Some(room));
        let mut before = everything(&mut json);
        let mut error = None;
        for n in 0..20 {
            match json.commit(&[put("new", n)]) {
                Ok(_) => before = everything(&mut json),
                Err(full) => error = Some(full),
            }
        }
        if let Some(error) = error {
            refused += 1;
            assert_eq!(error.kind(), ErrorKind::Quota);
            assert!(everything(&mut json) == before, "room {room}: what is stored stays readable");
        }
        let killed = disk.copy();
        assert!(everything(&mut open(&killed)) == before, "room {room}: killed now");
        disk.room(None);
        commit(&mut json, put("new", 99));
        let expected = everything(&mut json);
        json.close().unwrap();
        assert!(everything(&mut open(&disk)) == expected, "room {room}");
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn a_full_disk_at_the_checkpoint_stops_no_commit() {
    for room in (0..3_000).step_by(41) {
        let disk = three();
        let mut json = open(&disk);
        commit(&mut json, put("d", 4));
        let expected = everything(&mut json);
        disk.room(Some(room));
        let closed = json.close();
        assert!(closed.is_ok() || closed.unwrap_err().kind() == ErrorKind::Quota, "room {room}");
        disk.room(None);
        assert!(everything(&mut open(&disk)) == expected, "room {room}");
    }
}

#[test]
fn a_failed_line_is_never_read_even_if_it_can_not_be_cut_off() {
    let disk = three();
    let mut json = open(&disk);
    disk.fail(&["set_length"]);
    disk.room(Some(100));
    assert_eq!(json.commit(&[put("d", 4)]).unwrap_err().kind(), ErrorKind::Quota);
    let expected = everything(&mut json);
    assert!(everything(&mut open(&disk.copy())) == expected, "killed now");
    disk.room(None);
    assert!(json.commit(&[put("d", 4)]).is_err(), "the rest of the line is in the way");
    disk.fail(&[]);
    commit(&mut json, put("d", 5));
    assert_eq!(n(&mut open(&disk.copy()), "d"), Some(5));
}

#[test]
fn when_the_outcome_is_unknown_nothing_more_is_written() {
    for (failing, room) in [(vec!["sync"], None), (vec!["set_length", "overwrite"], Some(100))] {
        let disk = three();
        let mut json = open(&disk);
        disk.fail(&failing);
        disk.room(room);
        let error = json.commit(&[put("d", 4)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains("unknown"), "{error}");
        disk.fail(&[]);
        disk.room(None);
        let again = json.commit(&[put("e", 5)]).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Unavailable, "{failing:?}");
        assert_eq!(n(&mut json, "a"), Some(1), "reads go on");
        assert!(json.close().is_err());
        let mut json = open(&disk);
        assert!(matches!(n(&mut json, "d"), None | Some(4)));
        assert_eq!(n(&mut json, "e"), None);
        commit(&mut json, put("e", 5));
    }
}

#[test]
fn a_new_journal_whose_name_may_vanish_takes_no_commit() {
    let disk = three();
    let mut json = open(&disk);
    commit(&mut json, put("d", 4));
    disk.fail(&["sync_directory"]);
    assert!(json.checkpoint().is_err());
    disk.fail(&[]);
    let stands = json.commit(&[put("e", 5)]);
    let expected = everything(&mut json);
    assert!(stands.is_ok(), "the first directory sync failed: the old journal stands");
    drop(json);
    assert!(everything(&mut open(&disk)) == expected);
}

#[test]
fn a_hundred_batches_are_one_write_and_one_sync() {
    let disk = three();
    let mut json = open(&disk);
    let (syncs, writes) = disk.counts();
    let batches: Vec<Batch> = (0..100).map(|n| put(&format!("{n}"), n)).collect();
    json.commit(&batches).unwrap();
    assert_eq!(disk.counts(), (syncs + 1, writes + 1));
    drop(json);
    let mut json = open_as(&disk, Durability::Relaxed).unwrap();
    let (syncs, writes) = disk.counts();
    json.commit(&batches).unwrap();
    assert_eq!(disk.counts(), (syncs, writes + 1));
}

#[test]
fn a_long_journal_is_folded() {
    let disk = Arc::new(Disk::default());
    let mut json = open(&disk);
    let large = "x".repeat(1 << 18);
    for n in 0..9 {
        let key = key(&format!("{n}"));
        let value = value(&key, &Value::String(large.clone()));
        commit(&mut json, batch().put(key, value));
    }
    assert!(disk.paths().contains(&AGENTS.to_owned()), "a checkpoint without a close");
    assert!(disk.read("d/journal.jsonl").len() < 2 << 20);
    let expected = everything(&mut json);
    drop(json);
    assert!(everything(&mut open(&disk)) == expected);
}
