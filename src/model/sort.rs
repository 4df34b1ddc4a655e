//! Sorting and gathering that take little code.
//!
//! The sorts of the standard library are compiled anew for each type and order, at 3 to 7 KB of WebAssembly
//! each; collecting into a `BTreeMap` or `BTreeSet` brings the dearest of them along. For lists that are
//! short, or rarely sorted, that is too much to load.

use std::cmp::Ordering;

/// Sorts in place by `compare`, in O(n log n) whatever the order was. Equal elements may change places.
pub(crate) fn heap_sort_by<T>(list: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let mut length = list.len();
    let mut unsettled = length / 2;
    // First the upper half is made a heap, from below; then the largest goes behind the rest, one by one.
    while length > 1 {
        if unsettled > 0 {
            unsettled -= 1;
        } else {
            length -= 1;
            list.swap(0, length);
        }
        sift(&mut list[..length], unsettled, &mut compare);
    }
}

/// Lets the element at `at` sink to where none below it is larger.
fn sift<T>(heap: &mut [T], mut at: usize, compare: &mut impl FnMut(&T, &T) -> Ordering) {
    loop {
        let mut child = 2 * at + 1;
        if child >= heap.len() {
            return;
        }
        if child + 1 < heap.len() && compare(&heap[child], &heap[child + 1]).is_lt() {
            child += 1;
        }
        if compare(&heap[at], &heap[child]).is_ge() {
            return;
        }
        heap.swap(at, child);
        at = child;
    }
}

/// Collects one by one, without sorting first.
pub(crate) fn gather<T, C: Default + Extend<T>>(items: impl IntoIterator<Item = T>) -> C {
    let mut gathered = C::default();
    gathered.extend(items);
    gathered
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::rng::SplitMix64;

    const SEED: u64 = 41;

    #[test]
    fn sorts_as_the_standard_library_does() {
        println!("seed {SEED}");
        let mut rng = SplitMix64::new(SEED);
        for length in (0..40).chain([100, 1_000, 4_097]) {
            for range in [1, 3, 1_000, u64::MAX] {
                let list: Vec<u64> = (0..length).map(|_| rng.next_u64() % range).collect();
                let mut expected = list.clone();
                expected.sort_unstable();
                let mut sorted = list.clone();
                heap_sort_by(&mut sorted, Ord::cmp);
                assert_eq!(sorted, expected, "{length} numbers below {range}");
                // What is sorted already, and what is sorted the wrong way round.
                heap_sort_by(&mut sorted, Ord::cmp);
                assert_eq!(sorted, expected, "{length} sorted numbers below {range}");
                heap_sort_by(&mut sorted, |a, b| Reverse(a).cmp(&Reverse(b)));
                expected.reverse();
                assert_eq!(sorted, expected, "{length} numbers below {range}, downwards");
            }
        }
    }

    #[test]
    fn an_order_that_contradicts_itself_ends() {
        let mut rng = SplitMix64::new(SEED);
        let mut list: Vec<u64> = (0..500).collect();
        heap_sort_by(&mut list, |_, _| {
            if rng.next_u64().is_multiple_of(2) { Ordering::Less } else { Ordering::Greater }
        });
        list.sort_unstable();
        assert!(list.iter().copied().eq(0..500), "nothing is lost");
    }

    #[test]
    fn of_what_is_gathered_twice_the_last_counts() {
        let gathered: BTreeMap<u8, char> = gather([(2, 'a'), (1, 'b'), (2, 'c')]);
        assert_eq!(gathered.into_iter().collect::<Vec<_>>(), [(1, 'b'), (2, 'c')]);
    }
}
