//! Folding the journal into the files of the namespaces.
//!
//! The order is: journal durable, log durable, files durable and in place, directory durable, new journal
//! in place, directory durable. Broken off anywhere, the old journal still gives everything; see the
//! invariants of the [module above](super).

use std::collections::BTreeMap;

use super::journal::Header;
use super::namespace::{self, Content as Line};
use super::{CHECKPOINT_BYTES, Content, Journal, JsonFiles, Kept, join, name, read_all, write_new};
use crate::backends::{Durability, file_error};
use crate::model::{Key, Record};
use crate::platform::files::OpenMode;
use crate::{Error, ErrorKind, Result};

use super::record::Place;

impl JsonFiles {
    /// Makes a checkpoint if the journal is long. What it fails of stops no commit: the journal has
    /// everything. It is told by `check` and at the close.
    pub(super) fn checkpoint_if_due(&mut self) {
        let length = self.journal.commits_length();
        if length <= CHECKPOINT_BYTES.max(self.patience) {
            return;
        }
        let changed = self.dirty.iter().filter_map(|place| self.kept.get(place)?.content);
        if length <= changed.map(|content| content.length).sum() {
            return;
        }
        self.trouble = self.checkpoint().err();
        // After a failure not with each commit: it may cost as much as a success.
        self.patience = if self.trouble.is_some() { length * 2 } else { 0 };
    }

    /// Folds the journal.
    ///
    /// # Errors
    /// `Conflict` if somebody else changed a file, `Corrupt` if one is broken, `Quota`, `Unavailable`.
    /// Everything that was committed stays in the journal.
    pub(super) fn checkpoint(&mut self) -> Result<()> {
        self.journal.usable()?;
        for kept in self.dirty.iter().filter_map(|place| self.kept.get(place)) {
            self.unchanged(kept)?;
            if let Some(problem) = &kept.broken {
                return Err(Error::corrupt(format!(
                    "the journal can not be folded into a damaged file, and keeps what is new in it: {problem}"
                )));
            }
        }
        self.journal.sync()?;
        self.log.reach(&self.files, &self.directory, &self.table)?;
        let places: Vec<Place> = self.dirty.iter().cloned().collect();
        let mut empty = Vec::new();
        for place in places {
            if self.write_place(&place)? == 0 {
                empty.push(place);
            }
        }
        let syncing = |error| file_error("making the directory durable", error);
        self.files.sync_directory(&self.directory).map_err(syncing)?;
        let present = self.kept.iter().filter(|(place, _)| !empty.contains(place));
        let files: BTreeMap<String, String> =
            present.map(|(_, kept)| (kept.name.clone(), kept.check.clone())).collect();
        let header = Header::new(self.table.sequence, self.table.trimmed, files);
        let strict = self.durability == Durability::Strict;
        match Journal::begin(&self.files, &self.directory, &header, strict) {
            Ok(journal) => self.journal = journal,
            Err((error, stands)) => {
                if stands {
                    // What is written to it from now on could vanish with its name.
                    self.journal.give_up(error.clone());
                }
                return Err(error);
            }
        }
        self.dirty.clear();
        for place in empty {
            if let Some(kept) = self.kept.remove(&place) {
                // The journal no longer knows the file; one that stays holds nothing.
                let _ = self.files.remove(&join(&self.directory, &kept.name));
            }
        }
        Ok(())
    }

    /// Writes the file of `place`; gives how many lines it has.
    fn write_place(&mut self, place: &Place) -> Result<usize> {
        let own = place.range();
        let from = std::ops::Bound::Included(own.start());
        let to = own.end().map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let lines: Vec<(&Key, &Record)> =
            self.table.records.range::<[u8], _>((from, to)).filter(|(key, _)| place.holds(key)).collect();
        let name = match self.kept.get(place) {
            Some(kept) => kept.name.clone(),
            None => self.free_name(place)?,
        };
        let count = lines.len();
        let content = |(key, record)| match self.damaged.get(key) {
            Some(damaged) => (key, Line::Damaged(&damaged.line)),
            None => (key, Line::Record(record)),
        };
        let (bytes, check) = namespace::write(place, self.table.sequence, lines.into_iter().map(content))?;
        write_new(&*self.files, &self.directory, &name, &bytes)?;
        let kept = Kept { name, check, content: Some(Content::of(&bytes)), broken: None };
        self.kept.insert(place.clone(), kept);
        Ok(count)
    }

    /// A name for the file of `place` that no other has.
    fn free_name(&self, place: &Place) -> Result<String> {
        let taken = |name: &String| self.kept.values().any(|kept| kept.name == *name);
        let name = name::names(place).find(|name| !taken(name));
        let name = name.ok_or_else(|| Error::internal("two namespaces have one file name"))?;
        let there = self.files.metadata(&join(&self.directory, &name));
        if there.map_err(|error| file_error("looking for a file", error))?.is_some() {
            return Err(changed(&name));
        }
        Ok(name)
    }

    /// Whether the file is still the one that was read or written last.
    pub(super) fn unchanged(&self, kept: &Kept) -> Result<()> {
        let reading = |error| file_error("reading a file", error);
        let path = join(&self.directory, &kept.name);
        let length = self.files.metadata(&path).map_err(reading)?.map(|found| found.length);
        if length != kept.content.map(|content| content.length) {
            return Err(changed(&kept.name));
        }
        if length.is_some() {
            let file = self.files.open(&path, OpenMode::Read).map_err(reading)?;
            if kept.content != Some(Content::of(&read_all(&*file).map_err(reading)?)) {
                return Err(changed(&kept.name));
            }
        }
        Ok(())
    }
}

fn changed(name: &str) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!(
            "{name} was changed by somebody else while it was open, and is left as it is; what was committed is in the \
             journal: close, and open again to take the change up"
        ),
    )
}
