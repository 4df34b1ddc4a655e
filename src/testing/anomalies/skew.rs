//! Anomalies over two records, each of which is read and written by another transaction.

use super::session::{Database, Reads, Session, given, passes, read, read_both};
use super::{Outcome, seen_if};

pub(super) async fn read_skew(database: &impl Database, reads: Reads) -> Outcome {
    given(database, &[("x", 10), ("y", 20)]).await;
    let mut reader = database.begin(0);
    let x = read(&mut reader, reads, "x").await.expect("nobody wrote").expect("is there");
    let mut writer = database.begin(1);
    let (before_x, before_y) = read_both(&mut writer, reads).await.expect("nobody wrote");
    writer.save("x", before_x + 2).await;
    writer.save("y", before_y - 2).await;
    assert!(passes(writer).await, "nobody wrote");
    let y = read(&mut reader, reads, "y").await;
    if !passes(reader).await {
        return Ok(());
    }
    let found = (x, y.expect("it passed").expect("is there"));
    seen_if(found.0 + found.1 != 30, || format!("the sum was 30 at all times, and {found:?} was read"))
}

pub(super) async fn write_skew(database: &impl Database, reads: Reads) -> Outcome {
    given(database, &[("x", 10), ("y", 20)]).await;
    let (mut one, mut two) = (database.begin(0), database.begin(1));
    read_both(&mut one, reads).await.expect("nobody wrote");
    read_both(&mut two, reads).await.expect("nobody wrote");
    one.save("x", 11).await;
    two.save("y", 21).await;
    let passed = (passes(one).await, passes(two).await);
    assert!(passed.0 || passed.1, "one of them passes");
    seen_if(passed == (true, true), || "each decided on what the other was about to change".to_owned())
}

/// Two accounts, both 0. One transaction takes 10 from x and, since the sum goes below 0, a fee of 1;
/// another puts 20 into y; a third prints both. If the print shows the deposit without the withdrawal,
/// the deposit came first, and then there was no reason for the fee.
pub(super) async fn read_only_transaction(database: &impl Database, reads: Reads) -> Outcome {
    given(database, &[("x", 0), ("y", 0)]).await;
    let mut withdrawal = database.begin(0);
    let (x, y) = read_both(&mut withdrawal, reads).await.expect("nobody wrote");
    let mut deposit = database.begin(1);
    let before = read(&mut deposit, reads, "y").await.expect("nobody wrote").expect("is there");
    deposit.save("y", before + 20).await;
    assert!(passes(deposit).await, "nobody wrote");
    let mut print = database.begin(2);
    let printed = read_both(&mut print, reads).await.expect("nobody writes");
    assert!(passes(print).await, "nobody wrote");
    assert_eq!((x, y, printed), (0, 0, (0, 20)));
    withdrawal.save("x", x - 10 - i64::from(x + y < 10)).await;
    seen_if(passes(withdrawal).await, || {
        "the fee was taken though the deposit was printed before it".to_owned()
    })
}
