//! Damaged, missing, foreign and newer files: noticed, named, and never a wrong value.

use super::*;
use crate::ErrorKind;
use crate::testing::rng::SplitMix64;

/// Holds that nothing wrong is read: each of the records as it was, as damaged, or as `Corrupt`.
fn never_wrong(disk: &Arc<Disk>, good: &[(Key, Record)], what: &str) -> bool {
    let mut json = match open_as(disk, Durability::Strict) {
        Ok(json) => json,
        Err(error) => {
            let kind = error.kind();
            assert!(
                matches!(kind, ErrorKind::Corrupt | ErrorKind::Invalid | ErrorKind::Version),
                "{what}: {error}"
            );
            return true;
        }
    };
    let mut noticed = !json.check().unwrap().is_empty();
    for (key, record) in good.iter().filter(|(key, _)| key.space() != Some(Space::Log)) {
        match json.get(std::slice::from_ref(key)) {
            Ok(found) => match &found[0] {
                Some(found) if found == record => {}
                Some(found) => {
                    assert_eq!(
                        *found,
                        Record { version: 0, value: Vec::new() },
                        "{what}: a wrong value of {key}"
                    );
                    noticed = true;
                }
                None => panic!("{what}: {key} is silently absent"),
            },
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}");
                noticed = true;
            }
        }
    }
    for (_, entry) in json.scan(&Range::space(Space::Log), &Page::first(99)).unwrap().records {
        let known = good.iter().any(|(_, record)| *record == entry);
        assert!(known, "{what}: a wrong entry of the log");
    }
    noticed
}

#[test]
fn every_flipped_byte_is_noticed_or_harmless() {
    let disk = three();
    let good = everything(&mut open(&disk.copy())).0;
    let mut harmless = 0;
    for path in disk.paths() {
        let whole = disk.read(&path);
        for at in 0..whole.len() {
            for flip in [1u8, 1 << 5] {
                let disk = disk.copy();
                let mut bytes = whole.clone();
                bytes[at] ^= flip;
                disk.write(&path, &bytes);
                let noticed = never_wrong(&disk, &good, &format!("{path}, byte {at} ^ {flip}"));
                harmless += usize::from(!noticed);
            }
        }
        for cut in 0..whole.len() {
            let disk = disk.copy();
            disk.write(&path, &whole[..cut]);
            never_wrong(&disk, &good, &format!("{path}, cut at {cut}"));
        }
    }
    // A last line feed of a file of a namespace, say.
    assert!(harmless < 20, "{harmless} flips were not noticed");
}

#[test]
fn a_thousand_seeded_trials_of_noise() {
    let disk = three();
    let good = everything(&mut open(&disk.copy())).0;
    let seed = 0x6a73_6f6e;
    println!("noise, seed {seed:#x}");
    let mut rng = SplitMix64::new(seed);
    let paths = disk.paths();
    for trial in 0..1_000 {
        let disk = disk.copy();
        let path = &paths[rng.below(paths.len())];
        let mut bytes = disk.read(path);
        for _ in 0..=rng.below(4) {
            let at = rng.below(bytes.len());
            bytes[at] = rng.next_u64() as u8;
        }
        disk.write(path, &bytes);
        never_wrong(&disk, &good, &format!("{path}, trial {trial}"));
    }
}

#[test]
fn a_damaged_record_is_mended_by_who_writes_or_deletes_it() {
    for mend in [put("b", 9), batch().delete(key("b"))] {
        let disk = three();
        edit(&disk, AGENTS, 3, |line| line.replace("\"n\":2", "\"n\":3"));
        let mut json = open(&disk);
        assert_eq!(json.check().unwrap().len(), 1);
        commit(&mut json, mend);
        assert_eq!(json.check().unwrap(), Vec::<String>::new());
        json.close().unwrap();
        let mut json = open(&disk);
        assert_eq!(json.check().unwrap(), Vec::<String>::new());
        assert!(matches!(n(&mut json, "b"), None | Some(9)));
    }
}

#[test]
fn a_broken_namespace_is_read_as_far_as_it_goes_and_stops_no_other() {
    let disk = three();
    edit(&disk, AGENTS, 3, |line| line[..20].to_owned() + "\",\"check\":");
    let broken = disk.read(AGENTS);
    let mut json = open(&disk);
    assert_eq!((n(&mut json, "a"), n(&mut json, "c")), (Some(1), Some(3)));
    for error in [
        json.get(&[key("b")]).unwrap_err(),
        json.scan(&Range::ids(Space::Record, "agents", ""), &Page::first(9)).unwrap_err(),
        json.commit(&[put("b", 1)]).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.message().contains("agents.record.jsonl:3:"), "{error}");
    }
    let other = Key::record("notes", "y").unwrap();
    commit(&mut json, batch().put(other.clone(), vec![1]));
    assert_eq!(json.scan(&Range::ids(Space::Record, "notes", ""), &Page::first(9)).unwrap().records.len(), 2);
    // What lies beside it is listed from both sides, up to where it begins.
    let meta = Key::named(Space::Meta, "m", "x").unwrap();
    commit(&mut json, batch().put(meta.clone(), vec![1]));
    let everything = Range::new(Vec::new(), Some(vec![Space::Log as u8]));
    let keys = |found: ScanPage| found.records.into_iter().map(|(key, _)| key).collect::<Vec<_>>();
    for limit in [1, 2, 9] {
        for (page, expected) in [
            (Page::first(limit), vec![meta.clone()]),
            (Page::last(limit), vec![other.clone(), Key::record("notes", "x").unwrap()]),
        ] {
            let (mut found, mut page) = (Vec::new(), page);
            let error = loop {
                match json.scan(&everything, &page) {
                    Ok(part) => {
                        page = page.next(part.cursor.clone().expect("it does not come to the end"));
                        found.extend(keys(part));
                    }
                    Err(error) => break error,
                }
            };
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert_eq!(found, expected, "pages of {limit}");
        }
    }
    json.close().unwrap();
    assert_eq!(disk.read(AGENTS), broken, "it is left as it is");
    assert!(get(&mut open(&disk), &other).is_some());
}

#[test]
fn files_that_are_missing_foreign_or_newer_are_refused_by_name() {
    let kind = |change: &dyn Fn(&Disk)| {
        let disk = three();
        change(&disk);
        let error = open_as(&disk, Durability::Strict).unwrap_err();
        assert!(error.message().contains(".jsonl"), "{error}");
        error.kind()
    };
    assert_eq!(kind(&|disk| disk.delete("d/journal.jsonl")), ErrorKind::Corrupt);
    assert_eq!(kind(&|disk| disk.delete(AGENTS)), ErrorKind::Corrupt);
    assert_eq!(kind(&|disk| disk.write("d/journal.jsonl", b"{\"name\":\"x\"}\n")), ErrorKind::Invalid);
    assert_eq!(kind(&|disk| disk.write("d/log.jsonl", b"12:00 started\n")), ErrorKind::Invalid);
    assert_eq!(kind(&|disk| disk.write("d/other.record.jsonl", b"{\"id\":1}\n")), ErrorKind::Invalid);
    assert_eq!(kind(&|disk| disk.write("d/other.record.jsonl", &disk.read(AGENTS))), ErrorKind::Invalid);
    for path in ["d/journal.jsonl", "d/log.jsonl", AGENTS] {
        let newer = |disk: &Disk| {
            edit(disk, path, 1, |line| line.replace("\"format\":1", "\"format\":2,\"more\":[1]"))
        };
        assert_eq!(kind(&newer), ErrorKind::Version, "{path}");
    }
}

#[test]
fn an_older_copy_of_a_file_is_not_taken_for_the_newest() {
    let disk = three();
    let old = disk.read(AGENTS);
    let mut json = open(&disk);
    commit(&mut json, put("b", 22));
    json.close().unwrap();
    disk.write(AGENTS, &old);
    let mut json = open(&disk);
    let error = json.get(&[key("nobody")]).unwrap_err();
    assert!(error.message().contains("not the file that was written last"), "{error}");
    drop(json);
    // As the message says.
    edit(&disk, AGENTS, 1, unchecked);
    assert_eq!(n(&mut open(&disk), "b"), Some(2));
}

#[test]
fn other_files_are_left_alone_and_ours_that_were_half_written_go() {
    let disk = three();
    for name in ["package.json", "notes.txt", "x.jsonl", "agents.record.jsonl.bak", "y.tmp"] {
        disk.write(&format!("d/{name}"), b"theirs");
    }
    for name in ["journal.jsonl.tmp", "log.jsonl.tmp", "agents.record.jsonl.tmp"] {
        disk.write(&format!("d/{name}"), b"half");
    }
    let expected = everything(&mut open(&three()));
    assert!(everything(&mut open(&disk)) == expected);
    let paths = disk.paths();
    assert_eq!(paths.iter().filter(|path| disk.read(path) == b"theirs").count(), 5);
    assert!(!paths.iter().any(|path| path.ends_with(".jsonl.tmp")), "{paths:?}");
}

#[test]
fn a_namespace_without_records_has_no_file() {
    let disk = three();
    let mut json = open(&disk);
    commit(&mut json, batch().delete(Key::record("notes", "x").unwrap()));
    json.close().unwrap();
    assert!(!disk.paths().contains(&"d/notes.record.jsonl".to_owned()));
    assert_eq!(open(&disk).check().unwrap(), Vec::<String>::new());
}
