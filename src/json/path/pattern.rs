//! The regular expressions of `match` and `search` (RFC 9485). One of the path is compiled once, and one that the document says
//! whenever it is another than for the value before, good or bad, which the budget pays for.

use std::cell::RefCell;
use std::rc::Rc;

use regex::Regex;

use super::Comparable;
use crate::json::document::{Document, Node};
use crate::pattern;

/// Steps of the budget that the compilation of an expression from a document counts as.
pub(super) const COMPILATION: u64 = 2_000;

/// Letters of an expression from a document. More are none.
const LONGEST: usize = 1_000;

/// What a text is held against.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    is_whole: bool,
    of: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Known(Regex),
    /// It is no text, so nothing matches it.
    Nothing,
    /// The document says it. The last one is kept: mostly it is the same for every value.
    Found(Comparable, Rc<RefCell<Option<Last>>>),
}

/// An expression and what became of it.
#[derive(Debug)]
pub(super) struct Last {
    text: String,
    /// `None` where it is no expression. That is remembered as well: to find it out costs as much as to compile a good one.
    regex: Option<Regex>,
}

impl Pattern {
    /// `is_whole`: the text from its beginning to its end.
    pub(super) fn new(pattern: Comparable, is_whole: bool) -> Result<Self, String> {
        let of = match pattern {
            Comparable::Literal(document) => match document.node(document.root()) {
                Node::Text(text) => match compiled(text, is_whole) {
                    Ok(regex) => Source::Known(regex),
                    Err(why) => return Err(format!("{text:?} is no regular expression: {why}")),
                },
                _ => Source::Nothing,
            },
            other => Source::Found(other, Rc::default()),
        };
        Ok(Self { is_whole, of })
    }

    /// Where its text is to be found, unless it is known.
    pub(super) fn source(&self) -> Option<&Comparable> {
        match &self.of {
            Source::Found(comparable, _) => Some(comparable),
            Source::Known(_) | Source::Nothing => None,
        }
    }

    /// Whether `found` is another expression than the last one, and costs its compilation.
    pub(super) fn is_new(&self, found: &str) -> bool {
        matches!(&self.of, Source::Found(_, last) if is_other(last.borrow().as_ref(), found))
    }

    /// Whether `text` matches; `found` is the expression where the document says it.
    pub(super) fn matches(&self, text: &str, found: Option<&str>) -> bool {
        match (&self.of, found) {
            (Source::Known(regex), _) => regex.is_match(text),
            (Source::Found(_, last), Some(found)) => {
                let mut last = last.borrow_mut();
                if is_other(last.as_ref(), found) {
                    *last = Some(Last::new(found, self.is_whole));
                }
                let regex = last.as_ref().and_then(|last| last.regex.as_ref());
                regex.is_some_and(|regex| regex.is_match(text))
            }
            _ => false,
        }
    }
}

impl Last {
    fn new(text: &str, is_whole: bool) -> Self {
        let regex = if text.len() > LONGEST { None } else { compiled(text, is_whole).ok() };
        Self { text: text.to_owned(), regex }
    }
}

fn is_other(last: Option<&Last>, found: &str) -> bool {
    last.is_none_or(|last| last.text != found)
}

/// A dot is any letter but a line end.
fn compiled(text: &str, is_whole: bool) -> Result<Regex, pattern::BadPattern> {
    pattern::regex(&if is_whole { format!(r"(?R)\A(?:{text})\z") } else { format!("(?R){text}") })
}

/// The text of a value.
pub(super) fn text_of(document: &Document, id: super::Id) -> Option<&str> {
    match document.node(id) {
        Node::Text(text) => Some(text),
        _ => None,
    }
}
