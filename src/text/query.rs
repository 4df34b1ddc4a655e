//! What people type, understood.
//!
//! - `words` apart: documents that hold any of them, those with more and rarer ones first.
//! - `"words in quotes"`: only documents that hold them so, one behind the other.
//! - `begin*`: words that begin so.
//!
//! Nothing is an error: a quote without its partner is passed over, and so is what is too long. Stop words
//! count within quotes, and where there is nothing else.
//!
//! **Invariants**
//! - At most [`MAX_CLAUSES`] clauses of at most [`MAX_SLOTS`] words are taken from the first
//!   [`MAX_QUERY_BYTES`] bytes.

use super::analysis::{Analyzer, Kind, STOP, Token};
use super::fold::fold;

/// What is read of a query, in bytes of UTF-8.
pub const MAX_QUERY_BYTES: usize = 16 << 10;
/// Words and phrases of a query that count.
pub const MAX_CLAUSES: usize = 128;
/// Words of a phrase that count.
pub const MAX_SLOTS: usize = 64;

/// What one word may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Want {
    /// This term.
    Term(String),
    /// A term that begins so, or the term that it is the whole of.
    Prefix { prefix: String, whole: String },
}

/// A word of a phrase, and how far behind its first word it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) offset: u32,
    pub(super) want: Want,
}

/// One thing that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// A word.
    Word(Want),
    /// A word of several parts: the whole if the index knows it, else the parts.
    Compound { whole: String, parts: Vec<String> },
    /// Words in quotes: a document without them is not found.
    Phrase(Vec<Slot>),
}

/// One thing that is looked for, and how often the query names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) asked: Asked,
    pub(super) times: u32,
}

/// What a query asks for, as [`TextIndex::parse`](super::TextIndex::parse) understood it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextQuery {
    pub(super) clauses: Vec<Clause>,
}

impl TextQuery {
    /// Whether there is no word in it, so that nothing can be found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    pub(super) fn parse(query: &str, analyzer: &Analyzer) -> Self {
        let query = &query[..query.floor_char_boundary(MAX_QUERY_BYTES)];
        let mut parser = Parser { analyzer, clauses: Vec::new(), stop_words: Vec::new() };
        let mut rest = query;
        while let Some((before, behind)) = rest.split_once(is_quote) {
            parser.words(before);
            match behind.split_once(is_quote) {
                Some((phrase, behind)) => {
                    parser.phrase(phrase);
                    rest = behind;
                }
                None => rest = behind,
            }
        }
        parser.words(rest);
        if parser.clauses.is_empty() {
            for word in std::mem::take(&mut parser.stop_words) {
                parser.add(Asked::Word(Want::Term(word)));
            }
        }
        Self { clauses: parser.clauses }
    }
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '“' | '”' | '„' | '«' | '»' | '＂')
}

struct Parser<'a> {
    analyzer: &'a Analyzer,
    clauses: Vec<Clause>,
    stop_words: Vec<String>,
}

impl Parser<'_> {
    fn add(&mut self, asked: Asked) {
        if let Some(clause) = self.clauses.iter_mut().find(|clause| clause.asked == asked) {
            clause.times += 1;
        } else if self.clauses.len() < MAX_CLAUSES {
            self.clauses.push(Clause { asked, times: 1 });
        }
    }

    /// Words outside of quotes.
    fn words(&mut self, text: &str) {
        let mut found = Vec::new();
        self.analyzer.read(text, &mut |token| match token.kind {
            _ if is_prefix(text, &token) => {
                if token.kind != Kind::Part && token.kind != Kind::Last {
                    found.push(Asked::Word(self.prefix(text, &token)));
                }
            }
            Kind::Word => found.push(Asked::Word(Want::Term(token.term.into()))),
            Kind::Lone => found.push(Asked::Word(self.prefix(text, &token))),
            Kind::Whole => found.push(Asked::Compound { whole: token.term.into(), parts: Vec::new() }),
            Kind::Part => {
                if let Some(Asked::Compound { parts, .. }) = found.last_mut() {
                    parts.push(token.term.into());
                }
            }
            Kind::Stop if self.stop_words.len() < MAX_CLAUSES => self.stop_words.push(token.term.into()),
            Kind::Stop | Kind::Last => {}
        });
        for asked in found {
            self.add(asked);
        }
    }

    /// Words in quotes.
    fn phrase(&mut self, text: &str) {
        let mut slots: Vec<(Slot, Kind)> = Vec::new();
        let mut first = 0;
        self.analyzer.read(text, &mut |token| {
            if token.kind == Kind::Part || slots.len() == MAX_SLOTS {
                return;
            }
            if slots.is_empty() {
                first = token.position;
            }
            let want = match is_prefix(text, &token) {
                true => self.prefix(text, &token),
                false => Want::Term(token.term.into()),
            };
            slots.push((Slot { offset: token.position - first, want }, token.kind));
        });
        // The last letter of a run may go on in the text: two letters before it hold it already, and one
        // alone is found by its beginning.
        if let Some((slot, kind)) = slots.last_mut()
            && let Want::Term(term) = &slot.want
        {
            match kind {
                Kind::Last => drop(slots.pop()),
                Kind::Lone => slot.want = Want::Prefix { prefix: term.clone(), whole: term.clone() },
                _ => {}
            }
        }
        if !slots.is_empty() {
            self.add(Asked::Phrase(slots.into_iter().map(|(slot, _)| slot).collect()));
        }
    }

    fn prefix(&self, text: &str, token: &Token<'_>) -> Want {
        let mut prefix = String::new();
        fold(&text[token.from..token.to], &mut prefix);
        let whole = match token.kind {
            Kind::Stop => token.term.to_owned(),
            _ => self.analyzer.term(&prefix).into_owned(),
        };
        debug_assert!(!prefix.starts_with(STOP));
        Want::Prefix { prefix, whole }
    }
}

/// Whether a star follows. Behind a pair of letters without spaces it says nothing new.
fn is_prefix(text: &str, token: &Token<'_>) -> bool {
    text[token.to..].starts_with('*')
}

#[cfg(test)]
mod tests {
    use super::super::Language;
    use super::*;

    fn parse(query: &str) -> Vec<Clause> {
        TextQuery::parse(query, &Analyzer::new(Language::English)).clauses
    }

    fn term(term: &str) -> Want {
        Want::Term(term.into())
    }

    fn once(asked: Asked) -> Clause {
        Clause { asked, times: 1 }
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn words_phrases_and_prefixes_are_told_apart() {
        let slot = |offset, want| Slot { offset, want };
        let prefix = |prefix: &str, whole: &str| Want::Prefix { prefix: prefix.into(), whole: whole.into() };
        assert_eq!(
            parse("Running the \"show must\" cat* running"),
            [
                Clause { asked: Asked::Word(term("run")), times: 2 },
                once(Asked::Phrase(vec![slot(0, term("show")), slot(1, term("must"))])),
                once(Asked::Word(prefix("cat", "cat"))),
            ]
        );
        assert_eq!(
            parse("“to be*”"),
            [once(Asked::Phrase(vec![slot(0, term("\0to")), slot(1, prefix("be", "\0be"))]))]
        );
        assert_eq!(parse("猫"), [once(Asked::Word(prefix("猫", "猫")))]);
        assert_eq!(
            parse("foo_bar"),
            [once(Asked::Compound { whole: "foo_bar".into(), parts: vec!["foo".into(), "bar".into()] })]
        );
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn stop_words_count_where_there_is_nothing_else() {
        assert_eq!(parse("to the point"), [once(Asked::Word(term("point")))]);
        assert_eq!(parse("to the"), [once(Asked::Word(term("\0to"))), once(Asked::Word(term("\0the")))]);
    }

    #[test]
    #[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
    fn what_is_too_much_is_cut() {
        assert_eq!(parse(""), []);
        assert_eq!(parse("\"\" * ** \" !? \""), []);
        assert_eq!(parse("\"left open").len(), 2);
        let words: String = (0..100_000).map(|n| format!("w{n} ")).collect();
        assert_eq!(parse(&words).len(), MAX_CLAUSES);
        let phrase = parse(&format!("\"{words}\" {words}"));
        assert!(phrase.len() <= MAX_CLAUSES);
        let [Clause { asked: Asked::Phrase(slots), .. }] = &parse(&format!("\"{}\"", &words[..2_000]))[..]
        else {
            panic!("one phrase")
        };
        assert_eq!(slots.len(), MAX_SLOTS);
        assert!(parse(&"é".repeat(10 << 20)).len() == 1);
    }
}
