//! Anomalies of what is written: dirty write, lost update.

use futures_util::future::join;

use super::session::{Database, Reads, Session, both, given, passes, read};
use super::{Outcome, seen_if};

pub(super) async fn dirty_write(database: &impl Database, reads: Reads) -> Outcome {
    given(database, &[("x", 10), ("y", 20)]).await;
    let (mut one, mut two) = (database.begin(0), database.begin(1));
    one.save("x", 11).await;
    two.save("x", 12).await;
    two.save("y", 22).await;
    one.save("y", 21).await;
    // Neither has read anything: nothing stands in their way.
    let passed = join(passes(one), passes(two)).await;
    assert_eq!(passed, (true, true), "blind writes pass");
    let left = both(database, reads).await;
    seen_if(left != (11, 21) && left != (12, 22), || format!("one wrote (11, 21), two (12, 22): {left:?}"))
}

pub(super) async fn lost_update(database: &impl Database, reads: Reads) -> Outcome {
    given(database, &[("x", 10)]).await;
    let (mut one, mut two) = (database.begin(0), database.begin(1));
    let before = read(&mut one, reads, "x").await.expect("nobody wrote").expect("is there");
    let same = read(&mut two, reads, "x").await.expect("nobody wrote").expect("is there");
    one.save("x", before + 1).await;
    two.save("x", same + 1).await;
    let added = i64::from(passes(one).await) + i64::from(passes(two).await);
    assert!(added > 0, "one of them passes");
    let mut later = database.begin(2);
    let left = read(&mut later, reads, "x").await.expect("nobody writes").expect("is there");
    assert!(passes(later).await, "nobody is in the way");
    seen_if(left != 10 + added, || format!("{added} additions to 10 passed, and made {left}"))
}
