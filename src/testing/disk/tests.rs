//! The simulated disk does lose what it may lose, and keeps what it must keep.

use std::collections::BTreeSet;

use super::*;

const SEEDS: u64 = 400;

fn read(disk: &SimulatedDisk, path: &str) -> Option<Vec<u8>> {
    let file = disk.open(path, OpenMode::Read).ok()?;
    let mut bytes = vec![0; 1 << 16];
    let length = file.read_at(&mut bytes, 0).unwrap();
    bytes.truncate(length);
    Some(bytes)
}

/// The disk as losses of power at the end of what was done would leave it.
fn after_losses(disk: &SimulatedDisk) -> impl Iterator<Item = SimulatedDisk> {
    let mut outage = Outage::at_the_beginning_of(&SimulatedDisk::new());
    for operation in &disk.recording().operations {
        outage.step(operation);
    }
    let losses = [Loss::Everything, Loss::Nothing].into_iter().chain((0..SEEDS).map(Loss::Seeded));
    losses.map(move |loss| outage.restart(&loss))
}

fn outcomes<T: Ord>(disk: &SimulatedDisk, look: impl Fn(&SimulatedDisk) -> T) -> BTreeSet<T> {
    after_losses(disk).map(|left| look(&left)).collect()
}

/// A disk with a durable file `/f` that holds `bytes`.
fn with_file(bytes: &[u8]) -> (SimulatedDisk, Box<dyn File>) {
    let disk = SimulatedDisk::new();
    let file = disk.open("/f", OpenMode::CreateNew).unwrap();
    file.write_at(bytes, 0).unwrap();
    file.sync().unwrap();
    disk.sync_directory("/").unwrap();
    (disk, file)
}

#[test]
fn what_was_synced_is_there() {
    let (disk, file) = with_file(&[1; 2_000]);
    assert_eq!(outcomes(&disk, |left| read(left, "/f")), BTreeSet::from([Some(vec![1; 2_000])]));
    file.write_at(&[2; 100], 500).unwrap();
    file.set_length(1_000).unwrap();
    file.sync().unwrap();
    let expected = [vec![1; 500], vec![2; 100], vec![1; 400]].concat();
    assert_eq!(outcomes(&disk, |left| read(left, "/f")), BTreeSet::from([Some(expected)]));
}

#[test]
fn what_was_not_synced_is_there_lost_or_torn_at_sectors() {
    let (disk, file) = with_file(&[0; 1_536]);
    file.write_at(&[1; 1_000], 100).unwrap();
    let found = outcomes(&disk, |left| {
        let bytes = read(left, "/f").unwrap();
        assert_eq!((bytes.len(), bytes[99], bytes[1_100]), (1_536, 0, 0), "beside it nothing changes");
        let sectors = [&bytes[100..512], &bytes[512..1_024], &bytes[1_024..1_100]];
        assert!(sectors.iter().all(|sector| sector.iter().all(|byte| *byte == sector[0])), "torn inside");
        sectors.map(|sector| sector[0])
    });
    assert_eq!(found.len(), 8, "every choice of the three sectors: {found:?}");
}

#[test]
fn a_later_write_may_survive_an_earlier_one_and_a_length_its_data() {
    let (disk, file) = with_file(b"");
    file.write_at(b"a", 0).unwrap();
    file.write_at(b"b", 1).unwrap();
    let found = outcomes(&disk, |left| read(left, "/f").unwrap());
    for expected in [&b""[..], b"a", b"a\0", b"\0b", b"ab", b"\0\0"] {
        assert!(found.contains(expected), "{expected:?} is not in {found:?}");
    }
}

#[test]
fn a_name_lasts_when_its_directory_was_synced() {
    let disk = SimulatedDisk::new();
    disk.create_directory("/d").unwrap();
    let file = disk.open("/d/f", OpenMode::CreateNew).unwrap();
    file.write_at(b"x", 0).unwrap();
    file.sync().unwrap();
    let both = BTreeSet::from([None, Some(b"x".to_vec())]);
    assert_eq!(outcomes(&disk, |left| read(left, "/d/f")), both, "to sync the file is not enough");
    disk.sync_directory("/d").unwrap();
    assert_eq!(outcomes(&disk, |left| read(left, "/d/f")), both, "the directory itself may be lost");
    disk.sync_directory("/").unwrap();
    assert_eq!(outcomes(&disk, |left| read(left, "/d/f")), BTreeSet::from([Some(b"x".to_vec())]));
}

#[test]
fn renames_links_and_removals_are_done_or_undone_whole() {
    let (disk, _) = with_file(b"old");
    let file = disk.open("/f.tmp", OpenMode::CreateNew).unwrap();
    file.write_at(b"new", 0).unwrap();
    file.sync().unwrap();
    disk.rename("/f.tmp", "/f").unwrap();
    let both = BTreeSet::from([Some(b"new".to_vec()), Some(b"old".to_vec())]);
    assert_eq!(outcomes(&disk, |left| read(left, "/f")), both);
    disk.sync_directory("/").unwrap();
    let look = |left: &SimulatedDisk| (read(left, "/f").is_some(), read(left, "/g").is_some());
    assert_eq!(outcomes(&disk, |left| (read(left, "/f"), read(left, "/f.tmp"))).len(), 1);
    disk.link("/f", "/g").unwrap();
    assert_eq!(disk.link("/f", "/g").unwrap_err().kind, FileErrorKind::AlreadyExists);
    assert_eq!(outcomes(&disk, look), BTreeSet::from([(true, false), (true, true)]));
    disk.sync_directory("/").unwrap();
    disk.remove("/f").unwrap();
    assert_eq!(outcomes(&disk, look), BTreeSet::from([(false, true), (true, true)]));
}

#[test]
fn a_sync_that_failed_leaves_doubt_that_no_later_one_ends() {
    let (disk, file) = with_file(b"..");
    file.write_at(b"a", 0).unwrap();
    disk.fail(Fault::Sync, 0, false);
    assert_eq!(file.sync().unwrap_err().kind, FileErrorKind::Other);
    file.write_at(b"b", 1).unwrap();
    file.sync().unwrap();
    assert!(disk.heal().is_some());
    let both = BTreeSet::from([Some(b".b".to_vec()), Some(b"ab".to_vec())]);
    assert_eq!(outcomes(&disk, |left| read(left, "/f")), both);
    file.write_at(b"cd", 0).unwrap();
    file.sync().unwrap();
    assert_eq!(outcomes(&disk, |left| read(left, "/f")), BTreeSet::from([Some(b"cd".to_vec())]));
}

#[test]
fn calls_fail_when_they_are_told_to_and_change_nothing() {
    let (disk, file) = with_file(b"old");
    for lasting in [false, true] {
        disk.fail(Fault::Io, 1, lasting);
        file.write_at(b"o", 0).unwrap();
        assert_eq!(file.write_at(b"xxx", 0).unwrap_err().kind, FileErrorKind::Other);
        assert_eq!(file.length().is_err(), lasting);
        assert!(disk.heal().is_some());
        assert_eq!(read(&disk, "/f").unwrap(), b"old");
    }
    disk.fail(Fault::Sync, 1_000, false);
    file.sync().unwrap();
    assert_eq!(disk.heal(), None, "nothing failed");
    disk.set_capacity(Some(5));
    assert_eq!(file.write_at(b"abcd", 3).unwrap_err().kind, FileErrorKind::NoSpace);
    assert_eq!(read(&disk, "/f").unwrap(), b"oldab", "what fits is written");
    file.write_at(b"OLD", 0).unwrap();
}

#[test]
fn the_same_seed_gives_the_same_loss_and_a_restart_is_a_disk_of_its_own() {
    let (disk, file) = with_file(&[0; 9_000]);
    file.write_at(&[1; 9_000], 0).unwrap();
    let mut outage = Outage::at_the_beginning_of(&SimulatedDisk::new());
    let operations = disk.recording().operations;
    let settled = operations.iter().map(|operation| {
        outage.step(operation);
        outage.is_settled()
    });
    assert_eq!(settled.collect::<Vec<_>>(), [false, false, false, true, false]);
    let once: Vec<_> = after_losses(&disk).map(|left| read(&left, "/f")).collect();
    let again: Vec<_> = after_losses(&disk).map(|left| read(&left, "/f")).collect();
    assert!(once == again);
    let left = after_losses(&disk).next().unwrap();
    assert!(!left.is_running(&disk.process()) && left.is_running(&left.process()));
    left.remove("/f").unwrap();
    assert!(read(&disk, "/f").is_some());
    let next = disk.next_process();
    assert!(!disk.is_running(&disk.process()) && disk.is_running(&next.process()));
}
