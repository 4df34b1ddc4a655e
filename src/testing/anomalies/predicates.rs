//! Anomalies over records that are looked for by what they hold, also those that are not there yet.

use super::session::{Database, Reads, Session, given, passes, select};
use super::{Outcome, seen_if};

pub(super) async fn predicate_many_preceders(database: &impl Database, reads: Reads) -> Outcome {
    // What appears between two reads.
    given(database, &[("item:1", 10), ("item:2", 20)]).await;
    let mut reader = database.begin(0);
    let of_thirty = |value| value == 30;
    let before = select(&mut reader, reads, of_thirty).await.expect("nobody wrote");
    given(database, &[("item:3", 30)]).await;
    let after = select(&mut reader, reads, of_thirty).await;
    // A read that ends in a conflict dooms the transaction.
    if passes(reader).await {
        let after = after.expect("it passed");
        seen_if(before != after, || format!("one transaction read {before:?} and then {after:?}"))?;
    }

    // One adds 10 to each, the other deletes those that are 20.
    let (mut adding, mut deleting) = (database.begin(0), database.begin(1));
    let all = select(&mut adding, reads, |_| true).await.expect("nobody wrote");
    let twenties = select(&mut deleting, reads, |value| value == 20).await.expect("nobody wrote");
    assert_eq!((all.len(), twenties.len()), (3, 1));
    for (id, value) in &all {
        adding.save(id, value + 10).await;
    }
    for (id, _) in &twenties {
        deleting.delete(id).await;
    }
    let passed = (passes(adding).await, passes(deleting).await);
    assert!(passed.0 || passed.1, "one of them passes");
    seen_if(passed == (true, true), || {
        "it deleted what was no longer 20, and left what had become 20".to_owned()
    })
}

pub(super) async fn read_skew_over_a_predicate(database: &impl Database, reads: Reads) -> Outcome {
    given(database, &[("item:1", 10), ("item:2", 20)]).await;
    let mut reader = database.begin(0);
    let fives = select(&mut reader, reads, |value| value % 5 == 0).await.expect("nobody wrote");
    let mut writer = database.begin(1);
    for (id, _) in select(&mut writer, reads, |value| value == 10).await.expect("nobody wrote") {
        writer.save(&id, 12).await;
    }
    assert!(passes(writer).await, "nobody wrote");
    let threes = select(&mut reader, reads, |value| value % 3 == 0).await;
    if !passes(reader).await {
        return Ok(());
    }
    let threes = threes.expect("it passed");
    let found = fives.len() + threes.len();
    seen_if(found > 2, || format!("of 2 items, {found} were seen: {fives:?} and {threes:?}"))
}

pub(super) async fn write_skew_over_a_predicate(database: &impl Database, reads: Reads) -> Outcome {
    given(database, &[("item:1", 10), ("item:2", 20)]).await;
    let (mut one, mut two) = (database.begin(0), database.begin(1));
    let threes = |value| value % 3 == 0;
    assert_eq!(select(&mut one, reads, threes).await.expect("nobody wrote"), []);
    assert_eq!(select(&mut two, reads, threes).await.expect("nobody wrote"), []);
    one.save("item:3", 30).await;
    two.save("item:4", 42).await;
    let passed = (passes(one).await, passes(two).await);
    assert!(passed.0 || passed.1, "one of them passes");
    seen_if(passed == (true, true), || "both wrote the first multiple of 3 there is".to_owned())
}
