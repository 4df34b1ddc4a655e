//! The lock file: one holder at a time for storage that lies in files.
//!
//! **Invariants**
//! - At most one living process, and in it one handle, holds the lock of a path.
//! - A lock whose owner has died is taken over, by exactly one of those who want it.
//! - A lock that is held names its owner.
//!
//! # Taking it
//! The text that names the owner is written to a temporary file, synced, and *linked* to the lock's
//! name. A link is atomic and fails if the name is taken: there is one winner, and nobody ever reads a
//! half-written lock, not even after a loss of power.
//!
//! # Taking it over
//! Read, judge dead, remove, link is not enough: between reading and removing, a faster contender may
//! have done all four, and what is removed is his fresh lock. So a takeover has a lock of its own, the
//! *guard* (`<lock>.takeover`), taken as every lock is. Its holder reads the lock **again** and removes
//! it only if the owner it names now is dead.
//!
//! Why this never removes a living owner's lock: a lock is removed by its owner, or under its guard.
//! The holder of the guard reads the name of a dead owner. From then until it removes that file nobody
//! else can: the owner is dead, and all others need the guard. The name stays taken all the while, so
//! no fresh lock can be linked to it. What is removed is therefore what was judged. After the removal
//! the contenders are back at the link, which has one winner, the holder of the guard or another.
//!
//! The argument needs one holder of the guard at a time, which is the same claim one level up: a guard
//! whose holder died in the middle of a takeover is cleared under a guard of its own. On the last
//! level nothing is taken over, and the link alone gives one holder. Each further level needs one more
//! death within the same few file operations; beyond the last the answer is `Blocked`, with the file
//! that has to be deleted by hand.
//!
//! # What it can not do
//! - **A lock that names nobody** (empty, cut off, written by something else) is never taken over,
//!   since nothing says that its owner is dead: `Blocked`, with the remedy to delete it.
//! - **Where the host has no hard links** (FAT, some network drives) the lock is made under its own
//!   name and then written. It excludes others just as well; but a process that dies, or a power loss,
//!   between the two leaves a lock that names nobody.
//! - **Where not even the owner's name fits on a full disk**, the lock is taken without it, so that
//!   what is stored can still be read; after a crash it has to be deleted by hand.
//! - **Processes that can not see one another** (containers with a process table each, machines that
//!   share a network drive) take one another for dead. Storage in files is for one machine, and for
//!   one process table on it.

use std::fmt::Write as _;
use std::sync::Arc;

use super::civil::rfc3339;
use super::file_error;
use crate::platform::files::{FileErrorKind, FileSystem, OpenMode};
use crate::platform::{Clock, Rng, SystemClock, SystemRng};
use crate::{Error, Result};

mod owner;
#[cfg(all(test, not(target_family = "wasm")))]
mod tests;

use owner::{Found, Owner};

/// How often a lock that is let go of whenever it is asked for is asked for again.
const ATTEMPTS: usize = 100;

/// How many guards of guards are taken over: this many deaths within one takeover are survived.
const LEVELS: usize = 4;

/// A lock that is held. Dropping it lets go.
#[derive(Debug)]
pub(crate) struct Lock {
    files: Arc<dyn FileSystem>,
    path: String,
    /// What the file holds; empty if the disk was full.
    content: Vec<u8>,
    held: bool,
}

impl Lock {
    /// Takes the lock whose file is `path`; `what` is what it guards, for messages.
    ///
    /// # Errors
    /// `Blocked`, naming the owner; `Unavailable` or `Quota` if the file can not be written.
    pub(crate) fn take(files: &Arc<dyn FileSystem>, path: &str, what: &str) -> Result<Self> {
        let contender = Contender::enter(files, path, what)?;
        let taken = contender.claim(path, 0);
        // A name that stays behind costs a few bytes until the next takeover clears it away.
        let _ = files.remove(&contender.temporary);
        taken
    }

    /// Lets go, and says if that failed.
    ///
    /// # Errors
    /// `Unavailable` if the file could not be removed.
    pub(crate) fn release(mut self) -> Result<()> {
        self.held = false;
        self.remove()
    }

    /// Removes the file if it is still this lock's: somebody may have deleted it by hand, and another
    /// may hold a new one.
    fn remove(&self) -> Result<()> {
        if owner::read(&*self.files, &self.path)?.as_ref() != Some(&self.content) {
            return Ok(());
        }
        match self.files.remove(&self.path) {
            Err(error) if error.kind != FileErrorKind::NotFound => {
                Err(file_error("removing the lock", error))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.held {
            // Whoever wants to know calls `release`. A lock that stays is taken over once this process
            // has ended.
            let _ = self.remove();
        }
    }
}

/// Somebody who wants a lock, with a file ready that only needs its name.
struct Contender<'a> {
    files: &'a Arc<dyn FileSystem>,
    path: &'a str,
    what: &'a str,
    owner: Owner,
    temporary: String,
    content: Vec<u8>,
}

impl<'a> Contender<'a> {
    fn enter(files: &'a Arc<dyn FileSystem>, path: &'a str, what: &'a str) -> Result<Self> {
        let mut random = [0; 8];
        SystemRng.fill(&mut random).map_err(|cause| {
            Error::unavailable(format!("locking {what}: {cause}; retry")).with_source(cause)
        })?;
        let mut token = String::new();
        for byte in random {
            // Writing to a string does not fail.
            let _ = write!(token, "{byte:02x}");
        }
        let temporary = format!("{path}.{token}{TEMPORARY}");
        let owner = Owner { process: files.process(), taken: rfc3339(SystemClock.now()), token };
        let mut contender = Self { files, path, what, content: owner.to_bytes(), owner, temporary };
        contender.prepare()?;
        Ok(contender)
    }

    /// Writes the temporary file.
    fn prepare(&mut self) -> Result<()> {
        let doing = format!("locking {}", self.what);
        let file = self
            .files
            .open(&self.temporary, OpenMode::CreateNew)
            .map_err(|error| file_error(&doing, error))?;
        let written = file.write_at(&self.content, 0).and_then(|()| file.sync());
        let written = match written {
            Err(error) if error.kind == FileErrorKind::NoSpace => {
                self.content.clear();
                file.set_length(0)
            }
            written => written,
        };
        written.map_err(|error| {
            // The error that is given says enough.
            let _ = self.files.remove(&self.temporary);
            file_error(&doing, error)
        })
    }

    /// Takes the lock `path`: the one that is wanted, or, above level 0, the guard of a takeover.
    fn claim(&self, path: &str, level: usize) -> Result<Lock> {
        for _ in 0..ATTEMPTS {
            if self.occupy(path)? {
                return Ok(self.holding(path));
            }
            match owner::find(&**self.files, path)? {
                // It was let go of just now.
                Found::Nothing => {}
                // The link was made although the host reported otherwise, as network drives do.
                Found::Owner(owner) if owner.token == self.owner.token => return Ok(self.holding(path)),
                Found::Owner(owner) if self.files.is_running(&owner.process) => {
                    return Err(self.blocked(path, &owner, level));
                }
                Found::Owner(owner) => self.clear(path, &owner, level)?,
                Found::Unreadable => {
                    return Err(Error::blocked(format!(
                        "{} is locked by {path}, which does not say by whom; if no program uses it, \
                         delete that file",
                        self.what
                    )));
                }
            }
        }
        Err(Error::blocked(format!("{} changes hands all the time ({path}); retry", self.what)))
    }

    fn holding(&self, path: &str) -> Lock {
        Lock {
            files: Arc::clone(self.files),
            path: path.to_owned(),
            content: self.content.clone(),
            held: true,
        }
    }

    /// Gives the temporary file the name `path`, or says that the name is taken.
    fn occupy(&self, path: &str) -> Result<bool> {
        match self.files.link(&self.temporary, path) {
            Ok(()) => return Ok(true),
            Err(error) if error.kind == FileErrorKind::AlreadyExists => return Ok(false),
            // What hosts say that have no links.
            Err(error) if matches!(error.kind, FileErrorKind::Other | FileErrorKind::PermissionDenied) => {}
            Err(error) => return Err(file_error(&format!("locking {}", self.what), error)),
        }
        let file = match self.files.open(path, OpenMode::CreateNew) {
            Ok(file) => file,
            Err(error) if error.kind == FileErrorKind::AlreadyExists => return Ok(false),
            Err(error) => return Err(file_error(&format!("locking {}", self.what), error)),
        };
        file.write_at(&self.content, 0).and_then(|()| file.sync()).map_err(|error| {
            // It is ours: nobody takes over what names nobody.
            let _ = self.files.remove(path);
            file_error(&format!("locking {}", self.what), error)
        })?;
        Ok(true)
    }

    /// Removes the lock `path` if its owner is dead, under its guard.
    fn clear(&self, path: &str, seen: &Owner, level: usize) -> Result<()> {
        if level == LEVELS {
            return Err(Error::blocked(format!(
                "{} was left locked by process {}, which died while it took over {}; delete {path}",
                self.what, seen.process.id, self.path
            )));
        }
        let guard = self.claim(&format!("{path}{GUARD}"), level + 1)?;
        if let Found::Owner(owner) = owner::find(&**self.files, path)?
            && !self.files.is_running(&owner.process)
        {
            match self.files.remove(path) {
                Err(error) if error.kind != FileErrorKind::NotFound => {
                    return Err(file_error(&format!("taking over the lock of {}", self.what), error));
                }
                _ => {}
            }
            if level == 0 {
                self.sweep();
            }
        }
        guard.release()
    }

    /// Removes the temporary files of contenders that died. What can not be read or removed stays for
    /// the next takeover: it is in nobody's way.
    fn sweep(&self) {
        let (directory, lock) = self.path.rsplit_once('/').unwrap_or((".", self.path));
        for name in self.files.list(directory).unwrap_or_default() {
            if name.strip_prefix(lock).is_some_and(|rest| rest.starts_with('.') && rest.ends_with(TEMPORARY))
            {
                let path = format!("{directory}/{name}");
                if let Ok(Found::Owner(owner)) = owner::find(&**self.files, &path)
                    && !self.files.is_running(&owner.process)
                {
                    let _ = self.files.remove(&path);
                }
            }
        }
    }

    fn blocked(&self, path: &str, owner: &Owner, level: usize) -> Error {
        let Owner { process, taken: since, .. } = owner;
        let what = self.what;
        Error::blocked(if *process == self.owner.process {
            format!(
                "{what} is open already in this process ({}), since {since}, in another handle or worker; \
                 close that one first (lock file {path})",
                process.id
            )
        } else if level > 0 {
            format!("{what} is being taken over from a process that died by process {}; retry", process.id)
        } else {
            format!(
                "{what} is open in process {}, since {since}; close it there and retry, or, if that \
                 process has nothing to do with it, delete {path}",
                process.id
            )
        })
    }
}

const GUARD: &str = ".takeover";
const TEMPORARY: &str = ".tmp";
