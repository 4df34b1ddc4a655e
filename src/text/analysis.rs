//! From text to terms: the one way that documents and queries go.
//!
//! A text is cut into words as UAX #29 says. A word takes one position and gives one term: folded, then
//! stemmed if it is in the script of the language. Around that:
//! - Words of several parts (`foo_bar`, `v1.2.3`, `getUserName`, `me@example.com`, `C++`) give the whole
//!   and their parts, all at one position.
//! - Scripts without spaces give, for each letter, that letter with the next one; the last letter of a run
//!   stands alone. So any two letters that follow one another are found, and one letter by its beginning.
//! - Stop words give terms of their own, which do not count as words of the text.
//!
//! **Invariants**
//! - Terms are not empty and have at most [`MAX_LETTERS`] letters, besides the mark of a stop word.
//! - Positions grow by one from each word to the next; ranges are in order and on borders of letters.
//! - The work is linear in the text.

use unicode_segmentation::UnicodeSegmentation;

use super::Language;
use super::case::lower;
use super::fold::{fold, is_mark};
use super::script::{Unspaced, is_attached, is_picture, unspaced};
use super::stem::stem;
use super::stop_words::stop_words;

/// Letters after which a word is cut.
pub(super) const MAX_LETTERS: usize = 64;

/// Parts of one word that are found by themselves.
const MAX_PARTS: usize = 16;

/// Where the first letter of a word ends, in a script without spaces; `None` in others.
pub(super) fn first_letter(word: &str) -> Option<usize> {
    let mut letters = word.chars();
    let first = letters.next().filter(|letter| unspaced(*letter).is_some())?;
    Some(
        first.len_utf8()
            + letters.take_while(|letter| is_attached(*letter)).map(char::len_utf8).sum::<usize>(),
    )
}

/// Letters before the apostrophe of an article that was drawn to its word, at most: `l'`, `jusqu'`.
const MAX_ARTICLE: usize = 6;

/// What the term of a stop word begins with. No word holds it.
pub(super) const STOP: char = '\0';

/// What a term is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word, or two letters of a script without spaces.
    Word,
    /// A stop word.
    Stop,
    /// A word of several parts, which follow it.
    Whole,
    /// A part of the word before.
    Part,
    /// The only letter of a run in a script without spaces.
    Lone,
    /// The last letter of a longer run.
    Last,
}

/// A term of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) term: &'a str,
    pub(super) kind: Kind,
    /// Which word of the text, from zero.
    pub(super) position: u32,
    /// Where it stands in the text, in bytes.
    pub(super) from: usize,
    pub(super) to: usize,
}

/// Reads texts of one language.
#[derive(Debug)]
pub(super) struct Analyzer {
    language: Language,
    stop_words: Vec<&'static str>,
}

/// A text that is being read.
struct Reading<'a> {
    analyzer: &'a Analyzer,
    text: &'a str,
    position: u32,
    folded: String,
    sink: &'a mut dyn FnMut(Token<'_>),
}

impl Analyzer {
    pub(super) fn new(language: Language) -> Self {
        Self { language, stop_words: stop_words(language).split_ascii_whitespace().collect() }
    }

    /// Gives the terms of `text` to `sink`, in order. Returns how many positions they take.
    pub(super) fn read(&self, text: &str, sink: &mut dyn FnMut(Token<'_>)) -> u32 {
        let mut reading = Reading { analyzer: self, text, position: 0, folded: String::new(), sink };
        let mut at = 0;
        while let Some(script) = text[at..].chars().next().map(unspaced) {
            let to = match script {
                Some(script) => reading.run(at, script),
                None => reading.spaced(at),
            };
            at = to;
        }
        reading.position
    }

    /// The stem of a folded word.
    pub(super) fn term<'a>(&self, folded: &'a str) -> std::borrow::Cow<'a, str> {
        stem(self.language, folded)
    }

    fn is_stop_word(&self, folded: &str) -> bool {
        self.stop_words.binary_search(&folded).is_ok()
    }
}

impl Reading<'_> {
    fn emit(&mut self, term: &str, kind: Kind, from: usize, to: usize) {
        if !term.is_empty() {
            (self.sink)(Token { term, kind, position: self.position, from, to });
        }
    }

    /// Reads letters of a script without spaces from `start` on. Returns where they end.
    fn run(&mut self, start: usize, script: Unspaced) -> usize {
        // The folded letters before the last one, if any, and where they begin and end.
        let mut letters = std::mem::take(&mut self.folded);
        letters.clear();
        let mut split = 0;
        let mut last = start;
        let mut count = 0;
        let mut at = start;
        while let Some(letter) = self.text[at..].chars().next().filter(|l| unspaced(*l) == Some(script)) {
            let from = at;
            at += letter.len_utf8();
            let rest = self.text[at..].chars();
            at += rest
                .take_while(|l| is_attached(*l))
                .take(MAX_LETTERS / 2 - 1)
                .map(char::len_utf8)
                .sum::<usize>();
            let before = std::mem::replace(&mut last, from);
            count += 1;
            if count > 1 {
                letters.drain(..split);
                split = letters.len();
            }
            fold(&self.text[from..at], &mut letters);
            if count > 1 {
                self.emit(&letters, Kind::Word, before, at);
                self.position += 1;
            }
        }
        let kind = if count == 1 { Kind::Lone } else { Kind::Last };
        self.emit(&letters[split..], kind, last, at);
        self.position += 1;
        self.folded = letters;
        at
    }

    /// Reads words up to where a script without spaces begins. Returns that place.
    fn spaced(&mut self, start: usize) -> usize {
        let rest = &self.text[start..];
        let stretch = rest.find(|letter| unspaced(letter).is_some()).map_or(rest, |end| &rest[..end]);
        let mut segments = stretch.split_word_bound_indices();
        let mut done = 0;
        while let Some((from, segment)) = segments.next() {
            if from < done {
                continue;
            }
            let mut to = from + segment.len();
            if is_word(segment) {
                // An address is one word; so is a language whose name ends in signs.
                let mut ahead = segments.clone();
                if let (Some((_, "@")), Some((at, host))) = (ahead.next(), ahead.next())
                    && is_word(host)
                {
                    to = at + host.len();
                } else {
                    to += signs(&stretch[to..]);
                }
                self.word(start + from, start + to);
            } else if segment.starts_with(is_picture) {
                self.folded.clear();
                fold(segment, &mut self.folded);
                let folded = std::mem::take(&mut self.folded);
                self.emit(cut(&folded), Kind::Word, start + from, start + to);
                self.position += 1;
                self.folded = folded;
            }
            done = to;
        }
        start + stretch.len()
    }

    /// Reads one word.
    fn word(&mut self, from: usize, to: usize) {
        let raw = cut(&self.text[from..to]);
        let mut folded = std::mem::take(&mut self.folded);
        folded.clear();
        folded.push(STOP);
        fold(raw, &mut folded);
        let language = self.analyzer.language;
        if language == Language::French
            && let Some((article, word)) = folded[1..].split_once('\'')
            && article.chars().count() <= MAX_ARTICLE
            && !word.is_empty()
        {
            let word = folded.len() - word.len();
            folded.drain(1..word);
        }
        let whole = cut(&folded[1..]);
        let apart =
            |letter: char| letter.is_ascii_punctuation() && (letter != '\'' || language != Language::English);
        if self.analyzer.is_stop_word(whole) {
            self.emit(&folded, Kind::Stop, from, to);
        } else if whole.contains(apart) {
            self.emit(whole, Kind::Whole, from, to);
            for part in whole.split(apart).filter(|part| !part.is_empty()).take(MAX_PARTS) {
                self.part(part, from, to);
            }
        } else if is_camel(raw) {
            self.emit(&stem(language, whole), Kind::Whole, from, to);
            let mut part = String::new();
            for raw in camel_parts(raw).take(MAX_PARTS) {
                part.clear();
                fold(raw, &mut part);
                self.part(&part, from, to);
            }
        } else {
            self.emit(&stem(language, whole), Kind::Word, from, to);
        }
        self.position += 1;
        self.folded = folded;
    }

    fn part(&mut self, part: &str, from: usize, to: usize) {
        if !self.analyzer.is_stop_word(part) {
            let term = self.analyzer.term(part);
            self.emit(&term, Kind::Part, from, to);
        }
    }
}

fn is_word(segment: &str) -> bool {
    segment.contains(|letter: char| letter.is_alphanumeric() && !is_mark(letter))
}

/// The first letters of a word, as many as count.
fn cut(word: &str) -> &str {
    if word.len() <= MAX_LETTERS {
        return word;
    }
    word.char_indices().nth(MAX_LETTERS).map_or(word, |(end, _)| &word[..end])
}

/// How long the signs are that belong to the name before them: `C++`, `F#`.
fn signs(rest: &str) -> usize {
    let length = if rest.starts_with("++") { 2 } else { usize::from(rest.starts_with('#')) };
    if rest[length..].starts_with(|next: char| next.is_alphanumeric() || next == '+' || next == '#') {
        0
    } else {
        length
    }
}

fn is_capital(letter: char) -> bool {
    lower(letter) != letter
}

/// Letters of scripts without capital ones count as small.
fn is_small(letter: char) -> bool {
    letter.is_alphabetic() && !is_capital(letter)
}

/// Whether a small letter is followed by a capital one.
fn is_camel(word: &str) -> bool {
    let mut letters = word.chars().filter(|letter| !is_mark(*letter));
    let mut small = false;
    letters.any(|letter| std::mem::replace(&mut small, is_small(letter)) && is_capital(letter))
}

/// The parts of `getUserName` or `parseHTMLPage`: a part begins at a capital letter behind a small one, and
/// at the last of several capitals before a small one.
fn camel_parts(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let mut letters = rest.char_indices().peekable();
        let (_, mut before) = letters.next()?;
        while let Some((at, letter)) = letters.next() {
            let small_next = letters.peek().is_some_and(|(_, next)| is_small(*next));
            if is_capital(letter) && (is_small(before) || (is_capital(before) && small_next)) {
                let (part, tail) = rest.split_at(at);
                rest = tail;
                return Some(part);
            }
            before = letter;
        }
        Some(std::mem::take(&mut rest))
    })
}

#[cfg(test)]
mod tests;
