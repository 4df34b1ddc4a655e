//! Search in the plainest way: every document looked at, every formula written out.
//!
//! **Invariants**
//! - Shares no code with the index: words are what stands between spaces.

use std::collections::BTreeMap;

/// What is looked for.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Word(String),
    Prefix(String),
    Phrase(Vec<String>),
}

/// Documents by label, each a list of fields, each a list of words.
#[derive(Debug, Default, Clone)]
pub(super) struct Reference {
    pub(super) documents: BTreeMap<u32, Vec<Vec<String>>>,
}

fn count(field: &[String], ask: &Ask) -> f64 {
    let count = match ask {
        Ask::Word(word) => field.iter().filter(|other| *other == word).count(),
        Ask::Prefix(prefix) => field.iter().filter(|word| word.starts_with(prefix)).count(),
        Ask::Phrase(words) => field.windows(words.len()).filter(|window| window == words).count(),
    };
    count as f64
}

impl Reference {
    pub(super) fn insert(&mut self, label: u32, fields: &[&str]) {
        let words = |field: &&str| field.split_whitespace().map(str::to_owned).collect();
        if fields.iter().all(|field| field.is_empty()) {
            self.documents.remove(&label);
        } else {
            self.documents.insert(label, fields.iter().map(words).collect());
        }
    }

    fn idf(&self, documents: f64) -> f64 {
        let all = self.documents.len() as f64;
        (1.0 + (all - documents + 0.5) / (documents + 0.5)).ln()
    }

    /// Documents with a word.
    fn holding(&self, word: &str) -> f64 {
        let holds = |document: &&Vec<Vec<String>>| document.iter().flatten().any(|other| other == word);
        self.documents.values().filter(holds).count() as f64
    }

    fn idf_of(&self, ask: &Ask) -> f64 {
        match ask {
            Ask::Word(word) => self.idf(self.holding(word)),
            Ask::Phrase(words) => words.iter().map(|word| self.idf(self.holding(word))).sum(),
            Ask::Prefix(prefix) => {
                let mut words: Vec<&String> = self
                    .documents
                    .values()
                    .flatten()
                    .flatten()
                    .filter(|word| word.starts_with(prefix))
                    .collect();
                words.sort();
                words.dedup();
                let sum: f64 = words.iter().map(|word| self.holding(word)).sum();
                self.idf(sum.min(self.documents.len() as f64))
            }
        }
    }

    /// All documents that are found, best first, equal ranks by the smaller label.
    pub(super) fn search(&self, asks: &[Ask], weights: &[f32]) -> Vec<(u32, f64)> {
        let means: Vec<f64> = (0..weights.len())
            .map(|field| {
                let lengths: Vec<usize> = self
                    .documents
                    .values()
                    .filter_map(|d| d.get(field))
                    .map(Vec::len)
                    .filter(|n| *n > 0)
                    .collect();
                lengths.iter().sum::<usize>() as f64 / lengths.len().max(1) as f64
            })
            .collect();
        let mut found = Vec::new();
        for (label, document) in &self.documents {
            let (mut rank, mut whole) = (0.0, true);
            for ask in asks {
                let mut frequency = 0.0;
                for (field, words) in document.iter().enumerate().filter(|(_, words)| !words.is_empty()) {
                    let norm = 0.25 + 0.75 * words.len() as f64 / means[field];
                    frequency += f64::from(weights[field]) * count(words, ask) / norm;
                }
                rank += self.idf_of(ask) * frequency * 2.2 / (frequency + 1.2);
                whole &= frequency > 0.0 || !matches!(ask, Ask::Phrase(_));
            }
            if rank > 0.0 && whole {
                found.push((*label, rank));
            }
        }
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found
    }
}

/// The query as it is typed.
pub(super) fn typed(asks: &[Ask]) -> String {
    let each = asks.iter().map(|ask| match ask {
        Ask::Word(word) => word.clone(),
        Ask::Prefix(prefix) => format!("{prefix}*"),
        Ask::Phrase(words) => format!("\"{}\"", words.join(" ")),
    });
    each.collect::<Vec<_>>().join(" ")
}
