//! Building the index from its pages, of which nothing is believed that was not checked.
//!
//! Labels and codes decide what is there; links only say how to get there. So a bad link is dropped, a
//! vector that lost its links is linked anew, and only what has no codes is lost.
//!
//! **Invariants**
//! - Whatever the bytes were, the index that comes out is sound: [`HnswIndex::check`] finds nothing.
//! - Memory is taken for what came, not for what a header promises.

use std::collections::BTreeMap;

use super::graph::{Entry, Graph, LINKS, UPPER, UPPER_BLOCK};
use super::insert::height;
use super::links::{BLOCK, EMPTY, target};
use super::pages::{CODES, FORM, Header, StoredTower};
use super::scratch::{Pool, Scratch, Visited};
use super::slots::{MOST, NONE, Slots};
use super::span::Sets;
use super::towers::MOST_LEVELS;
use super::walk::walk;
use super::{HnswIndex, HnswOptions};
use crate::paged::{Loading, PageId};
use crate::vector::codes::{Codes, CodesLoader};
use crate::vector::{Keep, check_dimensions};
use crate::{Error, Result};

/// Builds an index from its pages.
#[derive(Debug)]
pub struct HnswLoader {
    header: Header,
    options: HnswOptions,
    codes: CodesLoader,
    labels: BTreeMap<u32, Vec<u32>>,
    links: BTreeMap<u32, Vec<u32>>,
    towers: Vec<StoredTower>,
}

impl HnswIndex {
    /// Begins to load an index of which `header` was stored. The index has the options that it was made
    /// with, except for `keep`.
    ///
    /// # Errors
    /// [`Corrupt`](crate::ErrorKind::Corrupt) if it can not be the header of an index,
    /// [`Version`](crate::ErrorKind::Version) if a newer release wrote it.
    pub fn loader(header: &[u8], keep: Keep) -> Result<HnswLoader> {
        match header.first() {
            Some(&FORM) => (),
            Some(form) if *form > FORM => {
                return Err(Error::version(format!(
                    "vector index: its pages have form {form}: upgrade to read them"
                )));
            }
            _ => return Err(corrupt("its header is none")),
        }
        let header: Header = postcard::from_bytes(header).map_err(|_| corrupt("its header is damaged"))?;
        let options = HnswOptions {
            m: header.m as usize,
            ef_construction: header.ef_construction as usize,
            keep,
            seed: header.seed,
        };
        let dimensions = header.dimensions as usize;
        check_dimensions(dimensions)
            .and_then(|()| options.check())
            .map_err(|error| corrupt(error.message()).with_source(error))?;
        if header.slots > MOST {
            return Err(corrupt("its header promises more vectors than there can be"));
        }
        let codes = CodesLoader::new(dimensions, header.metric, keep, header.slots, header.codes.clone())?;
        let (labels, links, towers) = Default::default();
        Ok(HnswLoader { header, options, codes, labels, links, towers })
    }
}

fn corrupt(what: &str) -> Error {
    Error::corrupt(format!("vector index: {what}: build it anew"))
}

fn bad(page: PageId, what: &str) -> Error {
    Error::corrupt(format!("vector index: page {} of region {}: {what}", page.number, page.region))
}

impl HnswLoader {
    /// Slots on a page that has `slots` of them unless it is the last; none if it is beyond that.
    fn slots_on(&self, page: PageId, slots: u32) -> Result<u32> {
        let from = u64::from(page.number) * u64::from(slots);
        match u64::from(self.header.slots).checked_sub(from) {
            Some(left) if left > 0 => Ok(left.min(slots.into()) as u32),
            _ => Err(bad(page, "it is beyond the last vector")),
        }
    }

    fn codes_page(&mut self, page: PageId, bytes: &[u8]) -> Result<()> {
        let slots =
            self.codes.slots_in(page.number).ok_or_else(|| bad(page, "it is beyond the last vector"))?;
        let Some((labels, codes)) = bytes.split_at_checked(slots as usize * 4) else {
            return Err(bad(page, "it is too short"));
        };
        self.codes.load_block(page.number, codes)?;
        let labels = labels.as_chunks::<4>().0.iter().map(|label| u32::from_le_bytes(*label)).collect();
        self.labels.insert(page.number, labels);
        Ok(())
    }

    fn links_page(&mut self, page: PageId, bytes: &[u8]) -> Result<()> {
        let slots = self.slots_on(page, BLOCK)?;
        let width = 2 * self.options.m;
        let Some((counts, words)) = bytes.split_at_checked(slots as usize) else {
            return Err(bad(page, "it is too short"));
        };
        let (words, rest) = words.as_chunks::<4>();
        let total: usize = counts.iter().map(|count| usize::from(*count)).sum();
        if total != words.len() || !rest.is_empty() || counts.iter().any(|count| usize::from(*count) > width)
        {
            return Err(bad(page, "the numbers of its links do not fit it"));
        }
        let mut words = words.iter().map(|word| u32::from_le_bytes(*word));
        let mut lists = vec![EMPTY; slots as usize * width];
        for (list, count) in lists.chunks_exact_mut(width).zip(counts) {
            list.iter_mut().zip(words.by_ref().take((*count).into())).for_each(|(place, word)| *place = word);
        }
        self.links.insert(page.number, lists);
        Ok(())
    }

    fn upper_page(&mut self, page: PageId, bytes: &[u8]) -> Result<()> {
        let slots = self.slots_on(page, UPPER_BLOCK)?;
        let towers: Vec<StoredTower> =
            postcard::from_bytes(bytes).map_err(|_| bad(page, "it holds no towers"))?;
        let from = page.number * UPPER_BLOCK;
        let sound = |tower: &StoredTower| {
            (from..from + slots).contains(&tower.slot) && (1..=MOST_LEVELS).contains(&tower.levels.len())
        };
        if !towers.iter().all(sound) || !towers.is_sorted_by(|a, b| a.slot < b.slot) {
            return Err(bad(page, "its towers are not of its vectors, or too high"));
        }
        self.towers.extend(towers);
        Ok(())
    }
}

impl Loading for HnswLoader {
    type Index = HnswIndex;

    fn page(&mut self, page: PageId, bytes: &[u8]) -> Result<()> {
        match page.region {
            CODES => self.codes_page(page, bytes),
            LINKS => self.links_page(page, bytes),
            UPPER => self.upper_page(page, bytes),
            _ => Err(bad(page, "there is no such region")),
        }
    }

    fn finish(self) -> Result<HnswIndex> {
        let Self { header, options, codes, labels: pages, links, towers } = self;
        let codes = codes.finish()?;
        let mut labels = vec![NONE; header.slots as usize];
        for (block, page) in pages {
            let from = (block * codes.block_slots()) as usize;
            labels[from..][..page.len()].copy_from_slice(&page);
        }
        let slots = Slots::of_labels(labels);
        let mut index = HnswIndex {
            dimensions: header.dimensions as usize,
            metric: header.metric,
            options,
            codes,
            slots,
            graph: Graph::new(options.m),
            inserted: header.inserted,
            pool: Pool::default(),
        };
        let no_room =
            |_| Error::quota("vector index: no memory for its links: delete some of the collection");
        index.graph.links.reserve(header.slots).map_err(no_room)?;
        index.take_links(&links);
        index.take_towers(&towers);
        let entry = header.entry.filter(|slot| *slot < header.slots);
        index.mend(entry);
        Ok(index)
    }
}

impl HnswIndex {
    /// Takes over the links that can be: to another slot, once.
    fn take_links(&mut self, pages: &BTreeMap<u32, Vec<u32>>) {
        let (count, width) = (self.slots.count(), 2 * self.options.m);
        let mut met = Visited::default();
        for (number, lists) in pages {
            for (slot, list) in (number * BLOCK..).zip(lists.chunks_exact(width)) {
                met.begin(count);
                met.insert(slot);
                let words = list.iter().copied().take_while(|word| *word != EMPTY);
                self.graph
                    .links
                    .set(slot, words.filter(|word| target(*word) < count && met.insert(target(*word))));
            }
        }
    }

    /// Takes over the towers, and those of their links that lead to one high enough, once.
    fn take_towers(&mut self, stored: &[StoredTower]) {
        let towers = &mut self.graph.towers;
        for tower in stored {
            towers.raise(tower.slot, tower.levels.len());
        }
        let mut met = Visited::default();
        for tower in stored {
            let Some(number) = towers.of_slot(tower.slot) else { continue };
            for (level, links) in (1..).zip(&tower.levels) {
                met.begin(towers.count());
                met.insert(number);
                let links: Vec<u32> = links
                    .iter()
                    .filter_map(|slot| towers.of_slot(*slot))
                    .filter(|to| towers.height(*to) >= level && met.insert(*to))
                    .collect();
                towers.set(number, level, links);
            }
        }
    }

    /// Makes the graph sound again, whatever is missing in it.
    fn mend(&mut self, entry: Option<u32>) {
        let used =
            |index: &Self, slot| index.slots.is_live(slot) || index.graph.links.of(slot).next().is_some();
        let all: Vec<u32> = (0..self.slots.count()).filter(|slot| used(self, *slot)).collect();
        let mut parts = self.graph.prune_tree(self.slots.count(), all.iter().copied());
        let whole = all.first().is_none_or(|first| parts.size(*first) as usize == all.len());
        self.graph.entry = self.entry_of(entry);
        if whole {
            self.repair();
            return;
        }
        // Without their tree the dead can not be bridged: their links are dropped first.
        let Self { graph, slots, .. } = self;
        for slot in slots.iter_live() {
            if graph.neighbours(slot).any(|near| !slots.is_live(near)) {
                let live: Vec<u32> =
                    graph.links.of(slot).filter(|word| slots.is_live(target(*word))).collect();
                graph.links.set(slot, live);
                graph.touch(slot);
            }
        }
        for slot in slots.dead() {
            graph.links.set(*slot, []);
            graph.touch(*slot);
        }
        self.repair();
        let mut parts = self.graph.prune_tree(self.slots.count(), self.slots.iter_live());
        let live: Vec<u32> = self.slots.iter_live().collect();
        let Some(main) = live.iter().copied().max_by_key(|slot| parts.size(*slot)) else { return };
        if (parts.size(main) as usize) < live.len() / 2 {
            self.link_all();
        } else {
            self.reconnect(main, &mut parts);
        }
    }

    /// The stored entry, if it is as high as any; else one that is.
    fn entry_of(&self, stored: Option<u32>) -> Option<Entry> {
        let towers = &self.graph.towers;
        let Some(highest) = towers.highest() else {
            let stored = stored.filter(|slot| self.slots.is_live(*slot)).map(Entry::Slot);
            return stored.or_else(|| self.graph.best_entry(&self.slots));
        };
        let tower = stored.and_then(|slot| towers.of_slot(slot));
        Some(Entry::Tower(tower.filter(|t| towers.height(*t) == towers.height(highest)).unwrap_or(highest)))
    }

    /// Joins each part of the tree to the one that `main` is in.
    fn reconnect(&mut self, main: u32, parts: &mut Sets) {
        let entry = self.graph.entry;
        if self.graph.entry_slot().is_none_or(|slot| parts.find(slot) != parts.find(main)) {
            self.graph.entry = Some(Entry::Slot(main));
        }
        let Self { graph, codes, slots, options, pool, .. } = self;
        pool.with(|scratch| {
            for slot in slots.iter_live() {
                if parts.find(slot) == parts.find(main) {
                    continue;
                }
                let alone = graph.links.of(slot).next().is_none();
                look_around(graph, codes, slots, slot, options.ef_construction, scratch);
                scratch.found.retain(|key| parts.find(key.node()) == parts.find(main));
                match scratch.found.first().map(|key| key.node()) {
                    Some(_) if alone => graph.link_base(codes, slot, &scratch.found),
                    near => graph.join(codes, slot, near.unwrap_or(main)),
                }
                parts.merge(slot, main);
            }
        });
        self.graph.entry = entry.or_else(|| self.graph.best_entry(&self.slots));
    }

    /// Links all vectors anew: too much was lost.
    fn link_all(&mut self) {
        self.graph.clear(self.slots.count());
        let Self { graph, codes, slots, options, pool, .. } = self;
        pool.with(|scratch| {
            for (count, slot) in (0..).zip(slots.iter_live()) {
                let height = height(options.seed, count, options.m);
                // There are no dead ones that could hide the live.
                let linked = graph.insert(codes, slots, slot, height, options.ef_construction, scratch);
                debug_assert!(linked);
            }
        });
    }
}

/// Leaves the vectors around `slot` that a walk finds in `scratch.found`.
fn look_around(graph: &Graph, codes: &Codes, slots: &Slots, slot: u32, ef: usize, scratch: &mut Scratch) {
    codes.probe_slot(slot, &mut scratch.probe);
    scratch.found.clear();
    if let Some(start) = graph.approach(codes, 0, scratch) {
        walk(&graph.base(slots.count()), codes, start, ef, scratch, |_| ());
        scratch.found.retain(|key| key.node() != slot && slots.is_live(key.node()));
    }
}
