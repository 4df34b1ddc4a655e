//! Locks over real files and over a simulated disk, with processes that live and die as the test says.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::ErrorKind;
use crate::platform::files::{File, FileError, FileResult, Metadata, NativeFiles, Process};
use crate::testing::disk::{Loss, Outage, SimulatedDisk};

/// The processes of one machine.
type Living = Arc<Mutex<BTreeSet<String>>>;

/// What a test does in the middle of a contender's work.
type Interruption = Box<dyn FnOnce() + Send>;

/// Files, seen by one of the processes of a test.
#[derive(Clone)]
struct SeenBy {
    files: Arc<dyn FileSystem>,
    process: Process,
    living: Living,
    links: bool,
    /// Before the how-many-th call from now on something happens, and what.
    interruption: Arc<Mutex<Option<(usize, Interruption)>>>,
    /// How many calls go through before the process dies; each later one fails.
    calls_to_live: Arc<Mutex<usize>>,
}

impl std::fmt::Debug for SeenBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.process)
    }
}

impl SeenBy {
    fn new(files: &Arc<dyn FileSystem>, living: &Living, started: &str) -> Self {
        living.lock().unwrap().insert(started.to_owned());
        Self {
            files: Arc::clone(files),
            // All have the same number, as in containers.
            process: Process { id: 1, started: started.to_owned() },
            living: Arc::clone(living),
            links: true,
            interruption: Arc::default(),
            calls_to_live: Arc::new(Mutex::new(usize::MAX)),
        }
    }

    fn die(&self) {
        self.living.lock().unwrap().remove(&self.process.started);
    }

    fn take(&self, path: &str) -> Result<Lock> {
        let files: Arc<dyn FileSystem> = Arc::new(self.clone());
        Lock::take(&files, path, "the test")
    }

    fn before_each_call(&self) -> FileResult<()> {
        let due = {
            let mut interruption = self.interruption.lock().unwrap();
            match interruption.take() {
                Some((0, what)) => Some(what),
                Some((calls, what)) => {
                    *interruption = Some((calls - 1, what));
                    None
                }
                None => None,
            }
        };
        if let Some(what) = due {
            what();
        }
        let mut left = self.calls_to_live.lock().unwrap();
        if *left == 0 {
            return Err(FileError { kind: FileErrorKind::Other, message: "the process is dead".into() });
        }
        *left -= 1;
        Ok(())
    }
}

impl FileSystem for SeenBy {
    fn open(&self, path: &str, mode: OpenMode) -> FileResult<Box<dyn File>> {
        self.before_each_call()?;
        self.files.open(path, mode)
    }
    fn metadata(&self, path: &str) -> FileResult<Option<Metadata>> {
        self.before_each_call()?;
        self.files.metadata(path)
    }
    fn list(&self, directory: &str) -> FileResult<Vec<String>> {
        self.before_each_call()?;
        self.files.list(directory)
    }
    fn create_directory(&self, path: &str) -> FileResult<()> {
        self.before_each_call()?;
        self.files.create_directory(path)
    }
    fn rename(&self, from: &str, to: &str) -> FileResult<()> {
        self.before_each_call()?;
        self.files.rename(from, to)
    }
    fn link(&self, from: &str, to: &str) -> FileResult<()> {
        self.before_each_call()?;
        if !self.links {
            return Err(FileError { kind: FileErrorKind::Other, message: "this disk has no links".into() });
        }
        self.files.link(from, to)
    }
    fn remove(&self, path: &str) -> FileResult<()> {
        self.before_each_call()?;
        self.files.remove(path)
    }
    fn sync_directory(&self, path: &str) -> FileResult<()> {
        self.before_each_call()?;
        self.files.sync_directory(path)
    }
    fn absolute(&self, path: &str) -> FileResult<String> {
        self.before_each_call()?;
        self.files.absolute(path)
    }
    fn process(&self) -> Process {
        self.process.clone()
    }
    fn is_running(&self, process: &Process) -> bool {
        self.living.lock().unwrap().contains(&process.started)
    }
}

/// An empty directory, removed at the end.
struct Place(std::path::PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mnemora-lock-{name}-{}", std::process::id()));
        // It is there only if a test died.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn lock(&self) -> String {
        self.0.join("lock").into_os_string().into_string().unwrap()
    }

    fn names(&self) -> Vec<String> {
        NativeFiles.list(self.0.to_str().unwrap()).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn native() -> Arc<dyn FileSystem> {
    Arc::new(NativeFiles)
}

/// A process that holds `path` and dies, its lock left behind.
fn leave_a_dead_lock(files: &Arc<dyn FileSystem>, living: &Living, path: &str) {
    let dead = SeenBy::new(files, living, "dead");
    // Nothing is cleared up when a process is killed.
    std::mem::forget(dead.take(path).unwrap());
    dead.die();
}

/// Whom the lock `path` names.
fn holder(files: &Arc<dyn FileSystem>, path: &str) -> Option<Process> {
    match owner::find(&**files, path).unwrap() {
        Found::Owner(owner) => Some(owner.process),
        Found::Nothing | Found::Unreadable => None,
    }
}

#[test]
fn a_second_handle_is_blocked_until_the_first_lets_go() {
    let place = Place::new("second");
    let files = native();
    let first = Lock::take(&files, &place.lock(), "the test").unwrap();
    assert_eq!(place.names(), ["lock"], "no temporary file stays");
    let error = Lock::take(&files, &place.lock(), "the test").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Blocked);
    assert!(error.message().contains("this process"), "{error}");
    assert!(error.message().contains(&std::process::id().to_string()), "{error}");
    assert_eq!(place.names(), ["lock"]);
    first.release().unwrap();
    assert!(place.names().is_empty());
    drop(Lock::take(&files, &place.lock(), "the test").unwrap());
    assert!(place.names().is_empty(), "dropping lets go too");
}

#[test]
fn a_living_process_is_named_with_the_remedy() {
    let place = Place::new("living");
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let living = Living::default();
    let mut other = SeenBy::new(&native(), &living, "");
    other.process.id = child.id();
    let held = other.take(&place.lock()).unwrap();
    let error = Lock::take(&native(), &place.lock(), "the test").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Blocked);
    for part in [&child.id().to_string(), &place.lock(), "close it", "delete"] {
        assert!(error.message().contains(part), "{part:?} is not in {error}");
    }
    std::mem::forget(held);
    child.kill().unwrap();
    // Killed, but not yet waited for: dead all the same.
    let taken = (0..200).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        Lock::take(&native(), &place.lock(), "the test").ok()
    });
    assert!(taken.is_some(), "a dead process holds nothing");
    child.wait().unwrap();
}

#[test]
fn a_process_that_was_given_the_number_of_a_dead_one_does_not_hold_its_lock() {
    let place = Place::new("reused");
    // Also that of this very process, as after the restart of a container.
    for id in [std::process::id(), 1] {
        let text = format!(
            "mnemora lock 1\nprocess {id}\nstarted another-boot/1\ntaken 2026-01-01T00:00:00.000Z\ntoken {:016}\n",
            7
        );
        std::fs::write(place.lock(), text).unwrap();
        let lock = Lock::take(&native(), &place.lock(), "the test").unwrap();
        assert_eq!(place.names(), ["lock"]);
        lock.release().unwrap();
    }
}

#[test]
fn a_lock_that_names_nobody_blocks_and_says_what_to_do() {
    let place = Place::new("garbage");
    for garbage in [&b""[..], b"\0\0\0\0", b"mnemora lock 1\nprocess 1\nstar", &[0xFF; 10_000]] {
        std::fs::write(place.lock(), garbage).unwrap();
        let error = Lock::take(&native(), &place.lock(), "the test").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Blocked);
        assert!(error.message().contains("delete"), "{error}");
        assert_eq!(std::fs::read(place.lock()).unwrap(), garbage, "it is left alone");
    }
}

#[test]
fn only_its_own_lock_is_removed() {
    let place = Place::new("own");
    let files = native();
    let first = Lock::take(&files, &place.lock(), "the test").unwrap();
    std::fs::remove_file(place.lock()).unwrap();
    let second = Lock::take(&files, &place.lock(), "the test").unwrap();
    first.release().unwrap();
    assert_eq!(place.names(), ["lock"], "the second's lock stays");
    second.release().unwrap();
    let error = Lock::take(&files, &format!("{}/none/lock", place.lock()), "the test").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[test]
fn without_links_it_excludes_and_recovers_as_well() {
    let place = Place::new("no-links");
    let living = Living::default();
    let linkless = |name: &str| SeenBy { links: false, ..SeenBy::new(&native(), &living, name) };
    let (first, second) = (linkless("first"), linkless("second"));
    let lock = first.take(&place.lock()).unwrap();
    let error = second.take(&place.lock()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Blocked);
    std::mem::forget(lock);
    first.die();
    second.take(&place.lock()).unwrap().release().unwrap();
    assert!(place.names().is_empty());
}

/// Whatever one contender does between any two calls of another, at most one of them holds the lock.
#[test]
fn no_interruption_of_a_takeover_makes_two_holders() {
    for ending in ["holds", "lets go", "dies"] {
        for at in 0..40 {
            let files: Arc<dyn FileSystem> = Arc::new(SimulatedDisk::new());
            let living = Living::default();
            leave_a_dead_lock(&files, &living, "/lock");
            let [slow, fast, last] = ["slow", "fast", "last"].map(|name| SeenBy::new(&files, &living, name));
            let fast_lock = Arc::new(Mutex::new(None));
            let (interrupter, keep) = (fast.clone(), Arc::clone(&fast_lock));
            let interruption: Interruption = Box::new(move || match (ending, interrupter.take("/lock")) {
                ("dies", Ok(lock)) => {
                    std::mem::forget(lock);
                    interrupter.die();
                }
                ("lets go", Ok(lock)) => lock.release().unwrap(),
                (_, taken) => *keep.lock().unwrap() = taken.ok(),
            });
            *slow.interruption.lock().unwrap() = Some((at, interruption));
            let taken = slow.take("/lock");
            // An interruption that did not come about must not come now.
            slow.interruption.lock().unwrap().take();
            let fast_lock = fast_lock.lock().unwrap().take();
            let named = holder(&files, "/lock");
            match (&taken, &fast_lock) {
                (Ok(_), Some(_)) => panic!("two holders: fast {ending} before call {at}"),
                (Ok(_), None) => assert_eq!(named, Some(slow.process)),
                (Err(_), Some(_)) => assert_eq!(named, Some(fast.process)),
                (Err(error), None) => assert_eq!(error.kind(), ErrorKind::Blocked, "{ending} {at}: {error}"),
            }
            drop((taken, fast_lock));
            last.take("/lock").unwrap().release().unwrap();
        }
    }
}

/// A contender may die at any call of a takeover, and so may the one who clears up after it.
#[test]
fn deaths_in_the_middle_of_takeovers_are_cleared_up() {
    for first in 0..25 {
        for second in 0..35 {
            let files: Arc<dyn FileSystem> = Arc::new(SimulatedDisk::new());
            let living = Living::default();
            leave_a_dead_lock(&files, &living, "/lock");
            for (name, calls) in [("first", first), ("second", second)] {
                let contender = SeenBy::new(&files, &living, name);
                *contender.calls_to_live.lock().unwrap() = calls;
                std::mem::forget(contender.take("/lock"));
                contender.die();
            }
            let last = SeenBy::new(&files, &living, "last");
            let lock =
                last.take("/lock").unwrap_or_else(|error| panic!("deaths at {first}, {second}: {error}"));
            assert_eq!(holder(&files, "/lock"), Some(last.process));
            lock.release().unwrap();
            // A guard that was left when the lock was gone already waits for the next takeover.
            assert!(!files.list("/").unwrap().iter().any(|name| name == "lock"));
        }
    }
}

/// The owner of a lock that a loss of power left behind is known: its text was synced before its name.
#[test]
fn no_loss_of_power_leaves_a_lock_that_names_nobody() {
    let disk = SimulatedDisk::new();
    let files: Arc<dyn FileSystem> = Arc::new(disk.clone());
    let lock = Lock::take(&files, "/lock", "the test").unwrap();
    let mut outage = Outage::at_the_beginning_of(&SimulatedDisk::new());
    let mut left_behind = 0;
    for operation in &disk.recording().operations {
        outage.step(operation);
        for loss in [Loss::Everything, Loss::Nothing].into_iter().chain((0..100).map(Loss::Seeded)) {
            let files: Arc<dyn FileSystem> = Arc::new(outage.restart(&loss));
            left_behind += usize::from(files.metadata("/lock").unwrap().is_some());
            Lock::take(&files, "/lock", "the test").unwrap_or_else(|error| panic!("{loss:?}: {error}"));
        }
    }
    assert!(left_behind > 50, "{left_behind} losses of power left a lock");
    lock.release().unwrap();
}

/// Where not even the owner's name fits, the lock is taken all the same and excludes.
#[test]
fn on_a_full_disk_it_is_taken_without_a_name() {
    let disk = SimulatedDisk::new();
    let files: Arc<dyn FileSystem> = Arc::new(disk.clone());
    disk.set_capacity(Some(10));
    let lock = Lock::take(&files, "/lock", "the test").unwrap();
    let error = Lock::take(&files, "/lock", "the test").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Blocked);
    lock.release().unwrap();
    assert_eq!(disk.files(), []);
}

/// Eight contenders at once, again and again, over locks that most holders leave behind by dying.
#[test]
fn of_eight_contenders_one_holds_the_lock() {
    let place = Place::new("race");
    for (files, path, rounds) in [
        (native(), place.lock(), 60),
        (Arc::new(SimulatedDisk::new()) as Arc<dyn FileSystem>, "/lock".to_owned(), 500),
    ] {
        race(&files, &path, rounds);
    }
}

/// Goes on until as many as `rounds` have held the lock. Who holds it may be made to wait by the machine while
/// the others ask and ask.
fn race(files: &Arc<dyn FileSystem>, path: &str, rounds: usize) {
    /// Attempts of each contender for one that has to succeed.
    const EACH: usize = 1_000;
    let living = Living::default();
    let (holders, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    leave_a_dead_lock(files, &living, path);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (living, holders, taken) = (&living, &holders, &taken);
            scope.spawn(move || {
                for round in 0..rounds * EACH {
                    if taken.load(Ordering::SeqCst) >= rounds {
                        break;
                    }
                    let process = SeenBy::new(files, living, &format!("{thread}/{round}"));
                    match process.take(path) {
                        Ok(lock) => {
                            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two holders at once");
                            taken.fetch_add(1, Ordering::SeqCst);
                            std::thread::yield_now();
                            holders.fetch_sub(1, Ordering::SeqCst);
                            if round % 4 == 0 {
                                lock.release().unwrap();
                            } else {
                                std::mem::forget(lock);
                            }
                        }
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::Blocked, "{error}");
                            std::thread::yield_now();
                        }
                    }
                    process.die();
                }
            });
        }
    });
    let taken = taken.into_inner();
    assert!(taken >= rounds, "the race must not starve: {taken} held the lock");
    SeenBy::new(files, &living, "last").take(path).unwrap();
}
