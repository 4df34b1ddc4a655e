//! The upper levels: the few vectors that have links there, and their links.
//!
//! **Invariants**
//! - A tower of height `h` has a list of `m` links for each level 1 to `h`; a link is the number of a
//!   tower that is at least as high as the level.
//! - A number that is free has no slot, and no link leads to it.

use std::collections::BTreeMap;

use super::links::EMPTY;

/// Levels there are at most. With two links a level, 2^16 times as many vectors as a machine holds would
/// be needed to notice.
pub(super) const MOST_LEVELS: usize = 15;

/// The links of one vector in the levels above the lowest.
#[derive(Debug)]
struct Tower {
    slot: u32,
    links: Box<[u32]>,
}

/// All towers.
#[derive(Debug)]
pub(super) struct Towers {
    m: usize,
    towers: Vec<Tower>,
    by_slot: BTreeMap<u32, u32>,
    free: Vec<u32>,
}

impl Towers {
    /// Lists of at most `m` links.
    pub(super) fn new(m: usize) -> Self {
        Self { m, towers: Vec::new(), by_slot: BTreeMap::new(), free: Vec::new() }
    }

    pub(super) fn m(&self) -> usize {
        self.m
    }

    /// Numbers that have been given: all towers are below it.
    pub(super) fn count(&self) -> u32 {
        self.towers.len() as u32
    }

    pub(super) fn slot_of(&self, tower: u32) -> u32 {
        self.towers[tower as usize].slot
    }

    pub(super) fn of_slot(&self, slot: u32) -> Option<u32> {
        self.by_slot.get(&slot).copied()
    }

    pub(super) fn height(&self, tower: u32) -> usize {
        self.towers[tower as usize].links.len() / self.m
    }

    /// The towers of a range of slots, with their slots, in order.
    pub(super) fn within(&self, slots: std::ops::Range<u32>) -> impl Iterator<Item = (u32, u32)> {
        self.by_slot.range(slots).map(|(slot, tower)| (*slot, *tower))
    }

    /// All towers in the order of their slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.by_slot.values().copied()
    }

    /// A tower without links on a slot that has none.
    pub(super) fn raise(&mut self, slot: u32, height: usize) -> u32 {
        let tower = Tower { slot, links: vec![EMPTY; height * self.m].into_boxed_slice() };
        let number = match self.free.pop() {
            Some(number) => {
                self.towers[number as usize] = tower;
                number
            }
            None => {
                self.towers.push(tower);
                self.count() - 1
            }
        };
        self.by_slot.insert(slot, number);
        number
    }

    /// Takes a tower away, to which no link leads.
    pub(super) fn raze(&mut self, tower: u32) {
        let gone =
            std::mem::replace(&mut self.towers[tower as usize], Tower { slot: EMPTY, links: Box::default() });
        self.by_slot.remove(&gone.slot);
        self.free.push(tower);
        // In descending order, so that the smallest is taken first, whatever happened before.
        self.free.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// The list of a tower at a level from 1 on, empty above its height.
    #[inline(always)]
    pub(super) fn words(&self, tower: u32, level: usize) -> &[u32] {
        self.towers[tower as usize].links.get((level - 1) * self.m..level * self.m).unwrap_or_default()
    }

    /// The links of a tower at a level.
    pub(super) fn of(&self, tower: u32, level: usize) -> impl Iterator<Item = u32> {
        self.words(tower, level).iter().copied().take_while(|link| *link != EMPTY)
    }

    /// Replaces a list at a level that the tower has.
    pub(super) fn set(&mut self, tower: u32, level: usize, links: impl IntoIterator<Item = u32>) {
        let m = self.m;
        let list = &mut self.towers[tower as usize].links[(level - 1) * m..level * m];
        list.fill(EMPTY);
        list.iter_mut().zip(links).for_each(|(place, link)| *place = link);
    }

    /// The highest tower, of equals that of the smallest slot.
    pub(super) fn highest(&self) -> Option<u32> {
        self.by_slot.values().copied().rev().max_by_key(|tower| self.height(*tower))
    }
}
