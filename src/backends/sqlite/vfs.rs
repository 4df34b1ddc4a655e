//! SQLite's virtual file system over the host's.
//!
//! **Invariants**
//! - Registered once a process (once an instance in wasm), and never taken out: one registration
//!   serves every connection.
//! - A page leaves for the main file with its checksum and comes back only with the right one. Frames of
//!   the write-ahead log pass as they are, a commit at a time (see `wal`): they carry SQLite's own.
//! - Once the volume is broken, no file of it is written to, cut, synced or, unless it is empty, removed.
//! - The first sync of a file that may have been made by this connection makes its name durable too.
//! - Locks do nothing: the lock file (in a browser, the exclusive handle) keeps others out, and one
//!   connection is all there is.
//!
//! `POWERSAFE_OVERWRITE` is announced, as SQLite's own file systems do: a write changes no byte outside of
//! what it writes, also when the power goes. Without it, each commit would be padded to whole sectors.

use std::sync::Arc;
use std::time::Duration;

use rsqlite_vfs::{
    AccessMode, DeviceCharacteristics, FileKind, LockLevel, MemChunksFile, OpenAccess, OpenOptions,
    OpenRequest, OpenedFile, OsCallback, SQLiteIoMethods, SQLiteVfs, SyncOptions, VfsError, VfsErrorCode,
    VfsFile, VfsResult, VfsStore, ffi,
};

use super::page::{self, PAGE_BYTES};
use super::volume::{Asked, Volume, Volumes};
use super::wal::Wal;
use crate::platform::files::{File, FileError, FileErrorKind, OpenMode};
use crate::platform::{Clock, Rng, SystemClock, SystemRng};
use crate::{Error, Result};

/// The name that the file system is registered under.
pub(super) const NAME: &str = "mnemora";

/// The volumes of the registered file system, which is registered by the first call.
///
/// # Errors
/// `Internal` if SQLite does not take it.
pub(super) fn volumes() -> Result<Arc<Volumes>> {
    let registered = registration::volumes();
    registered.map_err(|reason| Error::internal(format!("SQLite did not take the file system: {reason}")))
}

#[cfg(not(target_family = "wasm"))]
mod registration {
    use std::sync::{Arc, OnceLock};

    use super::{Volumes, register};

    static REGISTERED: OnceLock<Result<Arc<Volumes>, String>> = OnceLock::new();

    pub(super) fn volumes() -> Result<Arc<Volumes>, String> {
        REGISTERED.get_or_init(register).clone()
    }
}

#[cfg(target_family = "wasm")]
mod registration {
    use std::cell::OnceCell;
    use std::sync::Arc;

    use super::{Volumes, register};

    thread_local! {
        static REGISTERED: OnceCell<Result<Arc<Volumes>, String>> = const { OnceCell::new() };
    }

    pub(super) fn volumes() -> Result<Arc<Volumes>, String> {
        REGISTERED.with(|registered| registered.get_or_init(register).clone())
    }
}

#[allow(unsafe_code)]
fn register() -> std::result::Result<Arc<Volumes>, String> {
    let volumes = Arc::new(Volumes::default());
    // SAFETY: `HostVfs` and `HostIo` keep the crate's constructor, callbacks, file layout and versions, all of
    // them over `HostStore`, whose app data is what is given here; it stays registered to the end of the
    // process. Only `registration` calls this, once, inside of a cell that others wait for; nobody else
    // uses the name. Natively SQLite is built to be called from several threads: the app data is `Sync`, and
    // a file is only used by the connection that opened it, which is on one thread at a time.
    let registration =
        unsafe { rsqlite_vfs::register_vfs::<HostIo, HostVfs>(NAME, Arc::clone(&volumes), false) };
    // Dropping a registration leaves it in place.
    registration.map(|_| volumes).map_err(|error| error.to_string())
}

struct HostIo;

impl SQLiteIoMethods for HostIo {
    type Store = HostStore;
}

struct HostVfs;

impl SQLiteVfs<HostIo> for HostVfs {
    type Os = Host;

    fn os(_: &Arc<Volumes>) -> &Host {
        &Host
    }
}

struct Host;

impl OsCallback for Host {
    fn sleep(&self, _: Duration) {
        // SQLite sleeps to wait for a lock, and there are none.
    }

    fn random(&self, buffer: &mut [u8]) -> usize {
        match SystemRng.fill(buffer) {
            Ok(()) => buffer.len(),
            Err(_) => 0,
        }
    }

    fn epoch_timestamp_in_ms(&self) -> VfsResult<i64> {
        Ok(i64::try_from(SystemClock.now()).unwrap_or(i64::MAX))
    }
}

struct HostStore;

fn unknown(name: &str) -> VfsError {
    VfsError::new(VfsErrorCode::CantOpen, format!("no connection has the file {name}").into())
}

/// Keeps what the host said for whoever reads the error, and gives SQLite its number.
fn failed(volume: &Volume, asked: Asked, code: VfsErrorCode, error: FileError) -> VfsError {
    volume.failed(asked, &error);
    let code = match error.kind {
        FileErrorKind::NoSpace => VfsErrorCode::Full,
        _ => code,
    };
    VfsError::new(code, error.message.into())
}

impl VfsStore for HostStore {
    type File = HostFile;
    type AppData = Arc<Volumes>;

    fn open_file(volumes: &Arc<Volumes>, request: OpenRequest<'_>) -> VfsResult<OpenedFile<HostFile>> {
        let options = request.options;
        let Some(name) = request.filename else {
            // A temporary file, which nobody needs after the connection.
            let file = HostFile::Memory(MemChunksFile::waiting_for_write());
            return Ok(OpenedFile { file, access: options.access() });
        };
        let (volume, path) = volumes.find(name.path()).ok_or_else(|| unknown(name.path()))?;
        let mode = match options.access() {
            OpenAccess::ReadOnly => OpenMode::Read,
            OpenAccess::ReadWrite if options.exclusive() => OpenMode::CreateNew,
            OpenAccess::ReadWrite if options.create() => OpenMode::Create,
            OpenAccess::ReadWrite => OpenMode::Write,
        };
        let opened = volume.files().open(&path, mode);
        let file = opened.map_err(|error| failed(&volume, Asked::Read, VfsErrorCode::CantOpen, error))?;
        let pages = options.kind() == Some(FileKind::MainDb);
        let file = match options.kind() {
            Some(FileKind::Wal) => {
                let wal = Arc::new(Wal::new(file));
                volume.hold(&wal);
                Box::new(wal)
            }
            _ => file,
        };
        let file = HostFile::Named(NamedFile { file, volume, pages, name_is_durable: !options.create() });
        Ok(OpenedFile { file, access: options.access() })
    }

    fn close_file(
        volumes: &Arc<Volumes>,
        name: Option<&str>,
        file: HostFile,
        options: OpenOptions,
    ) -> VfsResult<()> {
        drop(file);
        match name {
            Some(name) if options.delete_on_close() => Self::delete_file(volumes, name, false),
            _ => Ok(()),
        }
    }

    fn access(volumes: &Arc<Volumes>, name: &str, _: AccessMode) -> VfsResult<bool> {
        let (volume, path) = volumes.find(name).ok_or_else(|| unknown(name))?;
        let found = volume.files().metadata(&path);
        let found = found.map_err(|error| failed(&volume, Asked::Read, VfsErrorCode::IoAccess, error))?;
        // An empty journal or log is as good as none; SQLite's own file systems say so too.
        Ok(found.is_some_and(|found| found.length > 0))
    }

    fn full_pathname(_: &Arc<Volumes>, name: &str) -> VfsResult<String> {
        Ok(name.into())
    }

    fn delete_file(volumes: &Arc<Volumes>, name: &str, sync_dir: bool) -> VfsResult<()> {
        let (volume, path) = volumes.find(name).ok_or_else(|| unknown(name))?;
        if let Some(error) = volume.broken() {
            // An empty log, which was made while opening failed, is nobody's.
            let empty =
                volume.files().metadata(&path).is_ok_and(|found| found.is_none_or(|found| found.length == 0));
            if !empty {
                return Err(VfsError::new(VfsErrorCode::IoDelete, error.message.into()));
            }
        }
        match volume.files().remove(&path) {
            Ok(()) => {}
            Err(error) if error.kind == FileErrorKind::NotFound => {
                return Err(VfsError::new(VfsErrorCode::IoDeleteNoEntry, error.message.into()));
            }
            Err(error) => return Err(failed(&volume, Asked::Read, VfsErrorCode::IoDelete, error)),
        }
        if !sync_dir {
            return Ok(());
        }
        let synced = volume.files().sync_directory(volume.directory());
        synced.map_err(|error| failed(&volume, Asked::Sync, VfsErrorCode::IoDirectorySync, error))
    }
}

/// An open file of SQLite's.
enum HostFile {
    Named(NamedFile),
    Memory(MemChunksFile),
}

/// A file that has a path.
struct NamedFile {
    file: Box<dyn File>,
    volume: Arc<Volume>,
    /// Whether it is the main file, whose pages have checksums.
    pages: bool,
    name_is_durable: bool,
}

impl NamedFile {
    fn read(&self, buffer: &mut [u8], offset: u64) -> VfsResult<usize> {
        let read = self.file.read_at(buffer, offset);
        let count = read.map_err(|error| failed(&self.volume, Asked::Read, VfsErrorCode::IoRead, error))?;
        if self.pages
            && count == PAGE_BYTES
            && let (Ok(page), Some(number)) =
                (<&[u8; PAGE_BYTES]>::try_from(&*buffer), page::number_at(offset))
            && !page::is_whole(page, number)
        {
            self.volume.damaged(number);
            let code = VfsErrorCode::from_raw(ffi::SQLITE_IOERR_DATA).unwrap_or(VfsErrorCode::IoRead);
            return Err(VfsError::new(code, format!("page {number} is damaged").into()));
        }
        Ok(count)
    }

    fn write(&self, bytes: &[u8], offset: u64) -> VfsResult<()> {
        self.check_not_broken(VfsErrorCode::IoWrite)?;
        let page = <&[u8; PAGE_BYTES]>::try_from(bytes).ok().filter(|_| self.pages);
        let written = match (page, page::number_at(offset)) {
            (Some(page), Some(number)) => {
                let mut stamped = *page;
                page::stamp(&mut stamped, number);
                self.file.write_at(&stamped, offset)
            }
            _ => self.file.write_at(bytes, offset),
        };
        written.map_err(|error| failed(&self.volume, Asked::Write, VfsErrorCode::IoWrite, error))
    }

    fn truncate(&self, size: u64) -> VfsResult<()> {
        self.check_not_broken(VfsErrorCode::IoTruncate)?;
        let cut = self.file.set_length(size);
        cut.map_err(|error| failed(&self.volume, Asked::Write, VfsErrorCode::IoTruncate, error))
    }

    fn sync(&mut self) -> VfsResult<()> {
        self.check_not_broken(VfsErrorCode::IoSync)?;
        let mut synced = self.file.sync();
        if synced.is_ok() && !self.name_is_durable {
            synced = self.volume.files().sync_directory(self.volume.directory());
        }
        synced.map_err(|error| failed(&self.volume, Asked::Sync, VfsErrorCode::IoSync, error))?;
        self.name_is_durable = true;
        Ok(())
    }

    fn check_not_broken(&self, code: VfsErrorCode) -> VfsResult<()> {
        match self.volume.broken() {
            Some(error) => Err(VfsError::new(code, error.message.into())),
            None => Ok(()),
        }
    }
}

impl VfsFile for HostFile {
    fn device_characteristics(&self) -> DeviceCharacteristics {
        DeviceCharacteristics::POWERSAFE_OVERWRITE
    }

    fn read(&mut self, buffer: &mut [u8], offset: u64) -> VfsResult<usize> {
        match self {
            Self::Named(file) => file.read(buffer, offset),
            Self::Memory(file) => file.read(buffer, offset),
        }
    }

    fn write(&mut self, bytes: &[u8], offset: u64) -> VfsResult<()> {
        match self {
            Self::Named(file) => file.write(bytes, offset),
            Self::Memory(file) => file.write(bytes, offset),
        }
    }

    fn truncate(&mut self, size: u64) -> VfsResult<()> {
        match self {
            Self::Named(file) => file.truncate(size),
            Self::Memory(file) => file.truncate(size),
        }
    }

    fn sync(&mut self, options: SyncOptions) -> VfsResult<()> {
        match self {
            Self::Named(file) => file.sync(),
            Self::Memory(file) => file.sync(options),
        }
    }

    fn size(&self) -> VfsResult<u64> {
        match self {
            Self::Named(file) => {
                let length = file.file.length();
                length.map_err(|error| failed(&file.volume, Asked::Read, VfsErrorCode::IoStat, error))
            }
            Self::Memory(file) => file.size(),
        }
    }

    fn lock(&mut self, _: LockLevel) -> VfsResult<()> {
        Ok(())
    }

    fn unlock(&mut self, _: LockLevel) -> VfsResult<()> {
        Ok(())
    }

    fn check_reserved_lock(&self) -> VfsResult<bool> {
        Ok(false)
    }
}
