//! Edits by hand: taken up, or refused with file and line.

use super::*;
use crate::ErrorKind;
use crate::model::LogEntry;

fn by_hand(line: &str) -> String {
    unchecked(line).replace("\"n\":2", "\"n\":22")
}

#[test]
fn a_changed_record_gets_the_next_version_and_followers_see_it() {
    let disk = three();
    let before = get(&mut open(&disk.copy()), &key("b")).unwrap();
    edit(&disk, AGENTS, 3, by_hand);
    let mut json = open(&disk);
    assert_eq!(n(&mut json, "b"), Some(22));
    assert_eq!((n(&mut json, "a"), n(&mut json, "c")), (Some(1), Some(3)));
    let after = get(&mut json, &key("b")).unwrap();
    assert_eq!((before.version, after.version), (2, 4));
    let (old, new) = (
        Envelope::decode(&key("b"), &before.value).unwrap(),
        Envelope::decode(&key("b"), &after.value).unwrap(),
    );
    assert_eq!(new.created, old.created);
    assert!(new.updated >= old.updated);
    let log = json.scan(&Range::log_after(3), &Page::first(9)).unwrap().records;
    let entry = LogEntry::decode(&log[0].1.value).unwrap();
    assert_eq!((log.len(), entry.touched.len(), &entry.touched[0].0), (1, 1, &key("b")));
    assert_eq!(json.check().unwrap(), Vec::<String>::new());
    assert!(disk.text(AGENTS).lines().all(|line| line.contains("\"check\"")), "written anew at once");
    let expected = everything(&mut json);
    drop(json);
    assert!(everything(&mut open(&disk)) == expected, "taken up once");
}

#[test]
fn an_edit_that_keeps_its_check_is_named_and_never_believed() {
    let disk = three();
    edit(&disk, AGENTS, 3, |line| line.replace("\"n\":2", "\"n\":22"));
    let mut json = open(&disk);
    assert_eq!(get(&mut json, &key("b")).unwrap(), Record { version: 0, value: Vec::new() });
    assert_eq!(n(&mut json, "a"), Some(1), "the others are read as ever");
    let problems = json.check().unwrap();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("agents.record.jsonl:3:") && problems[0].contains("remove the \"check\""),
        "{problems:?}"
    );
    // A checkpoint keeps the line, so that it can still be mended by hand.
    commit(&mut json, put("d", 4));
    json.close().unwrap();
    edit(&disk, AGENTS, 3, unchecked);
    let mut json = open(&disk);
    assert_eq!(n(&mut json, "b"), Some(22));
    assert_eq!(json.check().unwrap(), Vec::<String>::new());
}

#[test]
fn lines_are_added_removed_and_renamed_when_the_first_line_has_no_check() {
    let disk = three();
    edit(&disk, AGENTS, 1, unchecked);
    let text = disk.text(AGENTS);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.remove(1);
    lines[1] = unchecked(&lines[1]).replace("\"id\":\"b\"", "\"id\":\"B\"");
    lines.push(r#"{"id":"new","value":{"n":5}}"#.to_owned());
    disk.write(AGENTS, lines.join("\r\n").as_bytes());
    let mut json = open(&disk);
    assert_eq!(
        ["a", "b", "B", "c", "new"].map(|id| n(&mut json, id)),
        [None, None, Some(2), Some(3), Some(5)]
    );
    // Nobody can tell what was removed: a follower from before is told to read anew.
    let log = json.scan(&Range::log_after(3), &Page::first(9)).unwrap().records;
    assert_eq!(log.iter().map(|(_, record)| record.version).collect::<Vec<_>>(), [5]);
    let expected = everything(&mut json);
    json.close().unwrap();
    let mut json = open(&disk);
    assert!(everything(&mut json) == expected);
    assert_eq!(json.check().unwrap(), Vec::<String>::new());
}

#[test]
fn lines_added_or_removed_under_a_check_are_never_silent() {
    for change in [0, 1, 2] {
        let disk = three();
        let mut lines: Vec<String> = disk.text(AGENTS).lines().map(str::to_owned).collect();
        match change {
            0 => drop(lines.remove(2)),
            1 => lines.push(r#"{"id":"new","value":1}"#.to_owned()),
            _ => lines[2] = unchecked(&lines[2]).replace("\"id\":\"b\"", "\"id\":\"z\""),
        }
        disk.write(AGENTS, (lines.join("\n") + "\n").as_bytes());
        let mut json = open(&disk);
        let error = json.get(&[key("nobody")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.message().contains("agents.record.jsonl:1:"), "{error}");
        assert_eq!(n(&mut json, "a"), Some(1));
    }
}

#[test]
fn spaces_and_line_ends_do_not_matter() {
    let disk = three();
    let expected = everything(&mut open(&disk.copy()));
    let pretty =
        disk.text(AGENTS).replace("\":", "\" : ").replace(",\"", " , \"").replace('\n', "\r\n") + "\r\n\n";
    disk.write(AGENTS, pretty.as_bytes());
    let mut json = open(&disk);
    assert!(everything(&mut json) == expected);
    assert_eq!(json.check().unwrap(), Vec::<String>::new());
}

#[test]
fn what_makes_no_sense_is_refused_with_its_line() {
    for bad in [
        "{",
        "[]",
        r#"{"id":"b"}"#,
        r#"{"value":1}"#,
        r#"{"id":"","value":1}"#,
        r#"{"id":"b","value":1,"bytes":""}"#,
        r#"{"id":"b","value":1,"surprise":1}"#,
        r#"{"id":"b","value":{"$date":"soon"}}"#,
        r#"{"id":"b","value":{"x":1,"x":2}}"#,
        r#"{"id":"b","value":9007199254740993}"#,
        r#"{"id":"b","value":1,"created":"yesterday"}"#,
        r#"{"id":"a","value":1}"#,
        r#"{"space":"meta","id":"b","value":1}"#,
        r#"{"key":[1.5],"value":1}"#,
        r#"{"id":"b","payload":"?"}"#,
    ] {
        let disk = three();
        edit(&disk, AGENTS, 3, |_| bad.to_owned());
        let before = disk.read(AGENTS);
        let error = open_as(&disk, Durability::Strict).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}: {error}");
        assert!(error.message().contains("agents.record.jsonl:3:"), "{bad}: {error}");
        assert_eq!(disk.read(AGENTS), before, "left as it is");
        assert!(open_as(&disk, Durability::Strict).is_err(), "and the lock was let go of");
    }
}

#[test]
fn a_file_changed_while_it_is_open_is_not_overwritten() {
    let disk = three();
    let mut json = open(&disk);
    edit(&disk, AGENTS, 3, by_hand);
    let theirs = disk.read(AGENTS);
    commit(&mut json, put("a", 11));
    assert!(json.check().unwrap().iter().any(|problem| problem.contains("changed by somebody else")));
    assert_eq!(json.close().unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(disk.read(AGENTS), theirs);
    let mut json = open(&disk);
    assert_eq!(
        ["a", "b", "c"].map(|id| n(&mut json, id)),
        [Some(11), Some(22), Some(3)],
        "both sides are there"
    );
    json.close().unwrap();
    assert_eq!(n(&mut open(&disk), "b"), Some(22));
}

#[test]
fn an_edit_of_what_was_saved_since_is_refused() {
    let disk = three();
    let mut json = open(&disk);
    edit(&disk, AGENTS, 3, by_hand);
    commit(&mut json, put("b", 222));
    assert_eq!(json.close().unwrap_err().kind(), ErrorKind::Conflict);
    let error = open_as(&disk, Durability::Strict).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.key(), Some("agents/b"));
    assert!(error.message().contains("agents.record.jsonl:3"), "{error}");
    // As the message says.
    let lines = disk.text(AGENTS);
    let mut lines: Vec<&str> = lines.lines().collect();
    let first = unchecked(lines[0]);
    lines[0] = &first;
    lines.remove(2);
    disk.write(AGENTS, lines.join("\n").as_bytes());
    assert_eq!(n(&mut open(&disk), "b"), Some(222));
}

#[test]
fn a_kill_while_an_edit_is_taken_up_takes_it_up_once() {
    let mut number = 0;
    loop {
        let disk = three();
        edit(&disk, AGENTS, 3, by_hand);
        edit(&disk, AGENTS, 1, unchecked);
        disk.changes(Some(number));
        let outcome = open_as(&disk, Durability::Strict).map(|json| json.trouble.is_none());
        let mut json = open(&disk.copy());
        assert_eq!(
            ["a", "b", "c"].map(|id| n(&mut json, id)),
            [Some(1), Some(22), Some(3)],
            "change {number}"
        );
        assert_eq!(json.stats().unwrap().sequence, 5, "change {number}");
        assert_eq!(json.check().unwrap(), Vec::<String>::new());
        if matches!(outcome, Ok(true)) {
            assert!(number > 5);
            break;
        }
        number += 1;
    }
}

#[test]
fn an_edit_that_was_taken_up_does_not_undo_what_was_saved_since() {
    let disk = three();
    edit(&disk, AGENTS, 3, by_hand);
    // The edit is committed, but its file can not be written.
    disk.fail(&["rename"]);
    let mut json = open(&disk);
    disk.fail(&[]);
    commit(&mut json, put("b", 23));
    drop(json);
    let mut json = open(&disk);
    assert_eq!(n(&mut json, "b"), Some(23));
    json.close().unwrap();
    assert_eq!(n(&mut open(&disk), "b"), Some(23));
}
