//! Real files on a host that does not play along: full, forbidden, held by others.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use futures_executor::block_on;
use mnemora::ErrorKind;
use mnemora::backends::{Backend, Durability};
use mnemora::model::{Batch, Key};
use mnemora::platform::files::NativeFiles;

use crate::history::records;
use crate::subject::Subject;

/// An empty directory for a test, removed at its end.
pub(crate) struct Place(PathBuf);

impl Place {
    /// Makes it.
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mnemora-faults-{name}-{}", std::process::id()));
        // It is there only if a test died.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(subject: Subject, directory: &str) -> mnemora::Result<Arc<dyn Backend>> {
    subject.open(Arc::new(NativeFiles), directory, Durability::Strict)
}

fn put(store: &dyn Backend, id: u32, value: Vec<u8>) -> mnemora::Result<()> {
    let batch = Batch::new(1).put(Key::record("s", &id.to_string()).unwrap(), value);
    block_on(store.commit(&[batch])).map(drop)
}

/// Runs a program; gives what it said if it failed or is not there.
fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    match Command::new(program).args(arguments).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

/// A mounted file system, unmounted at the end.
struct Mounted<'a>(&'a str);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        if let Err(error) = run("umount", &[self.0]) {
            println!("{} stays mounted: {error}", self.0);
        }
    }
}

/// Writes until a disk of 1 MiB is full: that is said, nothing is lost, and it goes on when there is space.
pub(crate) fn fill_a_small_disk(subject: Subject) {
    let place = Place::new(&format!("full-{}", subject.scheme));
    if let Err(reason) = run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs", place.path()]) {
        println!(
            "skipped: a small disk can not be mounted here ({reason}); failing_calls covers it in memory"
        );
        return;
    }
    let _mounted = Mounted(place.path());
    let ballast = format!("{}/ballast", place.path());
    std::fs::write(&ballast, vec![0; 600_000]).unwrap();
    let store = open(subject, place.path()).unwrap();
    let value = |id: u32| vec![id as u8; 5_000];
    let mut stored = 0;
    let error = loop {
        match put(&*store, stored, value(stored)) {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 1_000, "more is acknowledged than fits");
    };
    assert_eq!(error.kind(), ErrorKind::Quota, "{error}");
    assert!(stored > 10, "{stored} records fitted");
    println!("{subject:?}: {stored} records of 5,000 bytes fitted");
    let whole = |store: &dyn Backend, at: &str| {
        let found = records(store).unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_eq!(found.len(), stored as usize, "{at}");
        for id in 0..stored {
            assert_eq!(found[&Key::record("s", &id.to_string()).unwrap()].value, value(id), "{at}");
        }
    };
    whole(&*store, "on the full disk");
    // It may say that it could not tidy up.
    let _ = block_on(store.close());
    match open(subject, place.path()) {
        Ok(store) => {
            whole(&*store, "opened on the full disk");
            let _ = block_on(store.close());
        }
        Err(error) => {
            println!("{subject:?}: does not open on the full disk: {error}");
            assert_eq!(error.kind(), ErrorKind::Quota, "{error}");
        }
    }
    std::fs::remove_file(&ballast).unwrap();
    let store = open(subject, place.path()).unwrap();
    whole(&*store, "when there is space again");
    put(&*store, 999, vec![1]).unwrap();
    block_on(store.close()).unwrap();
}

/// Opens in a directory that may not be written to.
pub(crate) fn open_where_it_may_not_write(subject: Subject) {
    let place = Place::new(&format!("readonly-{}", subject.scheme));
    let denied = format!("{}/denied", place.path());
    std::fs::create_dir(&denied).unwrap();
    run("chmod", &["555", &denied]).unwrap();
    // The superuser may write everywhere but where nobody can: on a file system mounted to be read.
    let mounted = std::fs::write(format!("{denied}/probe"), "").is_ok().then(|| {
        let _ = std::fs::remove_file(format!("{denied}/probe"));
        run("mount", &["-t", "tmpfs", "-o", "ro,size=64k", "tmpfs", &denied]).map(|()| Mounted(&denied))
    });
    if let Some(Err(reason)) = &mounted {
        println!("skipped: this user may write everywhere, and can not mount anything ({reason})");
        return;
    }
    let error = open(subject, &denied).expect_err("it can not be written to");
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.message().contains(&denied), "it says where: {error}");
    let error = open(subject, &format!("{}/none/at/all", place.path()));
    if let Err(error) = error {
        assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unavailable), "{error}");
    }
}

/// A store that a living process has open is refused with its number; what a dead one held is opened.
pub(crate) fn open_what_others_hold(subject: Subject) {
    let place = Place::new(&format!("held-{}", subject.scheme));
    let store = open(subject, place.path()).unwrap();
    put(&*store, 1, vec![1]).unwrap();
    let error = open(subject, place.path()).expect_err("it is open");
    assert_eq!(error.kind(), ErrorKind::Blocked, "{error}");
    assert!(error.message().contains(&std::process::id().to_string()), "it names the owner: {error}");
    put(&*store, 2, vec![2]).expect("the owner is not disturbed");
    // The lock, as if another process had taken it.
    let lock = lock_file(place.path());
    let text = std::fs::read_to_string(&lock).unwrap();
    block_on(store.close()).unwrap();
    assert!(!lock.exists(), "it is let go of");
    let mut other = Command::new("sleep").arg("60").spawn().unwrap();
    let started = std::fs::read_to_string(format!("/proc/{}/stat", other.id())).ok();
    let foreign = text
        .lines()
        .map(|line| match (line.split_once(' '), &started) {
            (Some(("process", _)), _) => format!("process {}\n", other.id()),
            (Some(("started", own)), Some(stat)) => {
                let ticks = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap();
                format!("started {}/{ticks}\n", own.split('/').next().unwrap())
            }
            _ => format!("{line}\n"),
        })
        .collect::<String>();
    std::fs::write(&lock, &foreign).unwrap();
    let error = open(subject, place.path()).expect_err("another process has it");
    assert_eq!(error.kind(), ErrorKind::Blocked, "{error}");
    assert!(error.message().contains(&other.id().to_string()), "it names the owner: {error}");
    assert_eq!(std::fs::read_to_string(&lock).unwrap(), foreign, "the lock of the living stays");
    other.kill().unwrap();
    other.wait().unwrap();
    let store = open(subject, place.path()).expect("a dead process holds nothing");
    assert_eq!(records(&*store).unwrap().len(), 2);
    block_on(store.close()).unwrap();
}

/// The lock file below `directory`.
fn lock_file(directory: &str) -> PathBuf {
    let mut below = vec![PathBuf::from(directory)];
    while let Some(path) = below.pop() {
        if path.is_dir() {
            below.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("lock")) {
            return path;
        }
    }
    panic!("there is no lock file in {directory}");
}
