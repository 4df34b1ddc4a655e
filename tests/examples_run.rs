//! The examples do what they say, as the programs that `cargo test` has built.
//!
//! **Invariants**
//! - Each test has a directory of its own, which is gone afterwards.

#![cfg(all(feature = "json", feature = "sqlite", not(target_family = "wasm")))]
#![allow(clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::process::{Command, Output};

/// A directory for one test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mnemora-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("can be made");
        Self(path)
    }

    /// Runs an example here.
    fn run(&self, example: &str, arguments: &[&str]) -> Output {
        // target/<profile>/deps/<this test> -> target/<profile>/examples/<example>
        let deps = std::env::current_exe().expect("is a file").parent().expect("has a folder").to_owned();
        let program = deps.parent().expect("has a folder").join("examples").join(example);
        assert!(program.exists(), "{} is not built: run `cargo build --examples` first", program.display());
        Command::new(program).args(arguments).current_dir(&self.0).output().expect("starts")
    }

    /// The standard output of an example that ends well.
    fn output(&self, example: &str, arguments: &[&str]) -> String {
        let output = self.run(example, arguments);
        assert!(output.status.success(), "{example}: {output:?}");
        String::from_utf8(output.stdout).expect("is text")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A test that fails leaves what it must not hide: the failure itself is told by then.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn an_agent_remembers_its_first_run_in_its_second() {
    let scratch = Scratch::new("agent-memory");
    let first = scratch.output("agent_memory", &[]);
    assert!(first.contains("run 1, durability strict"), "{first}");
    assert!(!first.contains("remembered:"), "{first}");
    assert!(first.contains("found: run-001/guest"), "{first}");
    assert!(first.contains("Save run-001"), "{first}");
    let second = scratch.output("agent_memory", &["agent-memory.db"]);
    assert!(second.contains("run 2, durability strict"), "{second}");
    assert!(second.contains("remembered: run-001 (version"), "{second}");
    assert!(second.contains("on episode 1, 2 turns"), "{second}");
    assert!(!second.contains("Save run-001"), "only what this run changed: {second}");

    let lines = scratch.output("read_file", &["sqlite://agent-memory.db", "agents"]);
    let read: serde_json::Value = serde_json::from_str(&lines).expect("is one JSON line");
    assert_eq!(read["id"], "researcher");
    assert_eq!(read["value"], serde_json::json!({ "runs": 2, "budget_cents": 400 }));
    assert!(read["version"].as_u64().expect("is a number") > 1);
    let sessions = scratch.output("read_file", &["sqlite://agent-memory.db", "sessions"]);
    assert_eq!(sessions.lines().count(), 2);
    assert!(sessions.contains(r#""begun":{"$date":"#), "{sessions}");
}

#[test]
fn a_shop_sells_what_it_has_and_no_more() {
    let scratch = Scratch::new("inventory");
    for url in ["memory:", "json://shop", "sqlite://shop.db"] {
        assert_eq!(scratch.output("inventory", &[url]), "sold 150, orders 150, left 0\n", "{url}");
    }
    let orders = scratch.output("read_file", &["json://shop", "orders"]);
    assert_eq!(orders.lines().count(), 150);
}

#[test]
fn reading_makes_nothing() {
    let scratch = Scratch::new("read-file");
    for (arguments, code) in
        [(&["sqlite://none.db", "agents"][..], 1), (&["x"][..], 2), (&["ftp://x", "s"][..], 1)]
    {
        let output = scratch.run("read_file", arguments);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty());
    }
    assert_eq!(std::fs::read_dir(&scratch.0).expect("is there").count(), 0);
}
