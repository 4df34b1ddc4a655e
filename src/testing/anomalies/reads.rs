//! Anomalies of what is read: what was never committed, half of what was, and what is gone again.

use std::cell::Cell;

use futures_util::future::join;

use super::session::{Database, Reads, Session, given, passes, read, read_both};
use super::{Outcome, seen_if};
use crate::Result;
use crate::platform::yield_now;

pub(super) async fn aborted_read(database: &impl Database, reads: Reads) -> Outcome {
    // Given up.
    given(database, &[("x", 10), ("y", 20), ("z", 0)]).await;
    let (mut one, mut two) = (database.begin(0), database.begin(1));
    one.save("x", 101).await;
    let during = read_both(&mut two, reads).await;
    drop(one);
    never_there(during, passes(two).await)?;
    let mut later = database.begin(1);
    let after = read_both(&mut later, reads).await;
    never_there(after, passes(later).await)?;

    // Refused.
    given(database, &[("x", 10), ("y", 20)]).await;
    let mut refused = database.begin(0);
    read(&mut refused, reads, "z").await.expect("nobody wrote");
    given(database, &[("z", 1)]).await;
    refused.save("x", 101).await;
    refused.save("y", 201).await;
    if passes(refused).await {
        // What it wrote is committed then, by a lost update of z; that is another anomaly.
        return Ok(());
    }
    let mut later = database.begin(1);
    let after = read_both(&mut later, reads).await;
    never_there(after, passes(later).await)
}

fn never_there(read: Result<(i64, i64)>, passed: bool) -> Outcome {
    match read {
        Ok(read) if passed => {
            seen_if(read != (10, 20), || format!("(10, 20) is committed, {read:?} was read"))
        }
        _ => Ok(()),
    }
}

pub(super) async fn intermediate_read(database: &impl Database, reads: Reads) -> Outcome {
    given(database, &[("x", 10)]).await;
    let (mut one, mut two) = (database.begin(0), database.begin(1));
    one.save("x", 101).await;
    let during = read(&mut two, reads, "x").await;
    one.save("x", 11).await;
    assert!(passes(one).await, "a blind write passes");
    let mut later = database.begin(2);
    let after = read(&mut later, reads, "x").await;
    for (reader, seen) in [(two, during), (later, after)] {
        if passes(reader).await {
            let seen = seen.expect("it passed").expect("is there");
            seen_if(seen == 101, || "x was 101 on the way from 10 to 11, and that was read".to_owned())?;
        }
    }
    Ok(())
}

pub(super) async fn circular_information_flow(database: &impl Database, reads: Reads) -> Outcome {
    given(database, &[("x", 10), ("y", 20)]).await;
    let (mut one, mut two) = (database.begin(0), database.begin(1));
    one.save("x", 11).await;
    two.save("y", 22).await;
    let y = read(&mut one, reads, "y").await;
    let x = read(&mut two, reads, "x").await;
    let passed = (passes(one).await, passes(two).await);
    assert!(passed.0 || passed.1, "one of them passes");
    if passed != (true, true) {
        return Ok(());
    }
    let found = (x.expect("it passed"), y.expect("it passed"));
    seen_if(found == (Some(11), Some(22)), || format!("each read what the other wrote: {found:?}"))
}

pub(super) async fn observed_transaction_vanishes(database: &impl Database, reads: Reads) -> Outcome {
    given(database, &[("x", 10), ("y", 20)]).await;
    // In stated order: a reader sees x of the first writer, and y after the second.
    given(database, &[("x", 11), ("y", 19)]).await;
    let mut reader = database.begin(2);
    let x = read(&mut reader, reads, "x").await.expect("nobody wrote").expect("is there");
    given(database, &[("x", 12), ("y", 18)]).await;
    let y = read(&mut reader, reads, "y").await;
    if passes(reader).await {
        let y = y.expect("it passed").expect("is there");
        seen_if((x, y) != (11, 19), || format!("x of one moment and y of another: {:?}", (x, y)))?;
    }

    // While it is being written: one state after the other, each whole, and none comes back.
    let states: Vec<(i64, i64)> = (0..6).map(|n| (12 + n, 18 - n)).collect();
    let writing = Cell::new(true);
    let write = async {
        for &(x, y) in &states[1..] {
            given(database, &[("x", x), ("y", y)]).await;
        }
        writing.set(false);
    };
    let watch = async {
        let mut latest = 0;
        while writing.get() {
            // A commit may be answered without a wait, and then the writers would never have their turn.
            yield_now().await;
            let mut reader = database.begin(2);
            let found = read_both(&mut reader, reads).await;
            if !passes(reader).await {
                continue;
            }
            let found = found.expect("it passed");
            let at = states.iter().position(|&state| state == found);
            seen_if(at.is_none_or(|at| at < latest), || {
                format!("{found:?} was read after {:?}, of {states:?}", states[latest])
            })?;
            latest = at.unwrap_or(latest);
        }
        Ok(())
    };
    join(write, watch).await.1
}
