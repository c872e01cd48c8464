//! From text to a document (RFC 8259), without recursion.

use super::document::{Document, Id, Node};
use super::number::{Number, literal};

/// Lists and objects inside of each other. As many as Go's `encoding/json` and jq read; node reads any number.
const DEEPEST: usize = 10_000;

/// Why a text is no JSON, in words that complete "no JSON (…)".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at line {line} column {column}")]
pub(crate) struct BadJson {
    what: &'static str,
    line: usize,
    column: usize,
}

/// A list or an object that has begun.
enum Open {
    List(Vec<Id>),
    /// With the name that the next value gets.
    Object(Vec<(Box<str>, Id)>, Box<str>),
}

impl Document {
    /// Reads `text`, all of it.
    pub(crate) fn parse(text: &str) -> Result<Self, BadJson> {
        Reader::new(text).document()
    }

    /// A setting as a document. What is nested deeper than any setting is empty.
    pub(crate) fn of(json: &serde_json::Value) -> Self {
        Self::parse(&json.to_string()).unwrap_or_else(|_| Self::scalar(Node::Null))
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    nodes: Vec<Node>,
    open: Vec<Open>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0, nodes: Vec::new(), open: Vec::new() }
    }

    fn document(mut self) -> Result<Document, BadJson> {
        let root = loop {
            // A value that is complete: by itself, or as the last of those that hold it.
            let Some(mut done) = self.value()? else { continue };
            let root = loop {
                match self.close(done)? {
                    Closed::Root(id) => break Some(id),
                    Closed::GoesOn => break None,
                    Closed::Container(id) => done = id,
                }
            };
            if let Some(root) = root {
                break root;
            }
        };
        self.skip_blanks();
        if self.at < self.text.len() {
            return Err(self.bad("trailing characters"));
        }
        Ok(Document { nodes: self.nodes, root })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn bad(&self, what: &'static str) -> BadJson {
        let before = &self.text.as_bytes()[..self.at.min(self.text.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + self.text.get(line_start..self.at).map_or(0, |line| line.chars().count());
        BadJson { what, line, column }
    }

    fn add(&mut self, node: Node) -> Result<Id, BadJson> {
        let id = u32::try_from(self.nodes.len()).map_err(|_| self.bad("too many values"))?;
        self.nodes.push(node);
        Ok(Id(id))
    }

    /// Reads a value, or the beginning of one that holds others.
    fn value(&mut self) -> Result<Option<Id>, BadJson> {
        self.skip_blanks();
        let node = match self.peek() {
            Some(b'"') => Node::Text(self.string()?),
            Some(b'[') => return self.begin_list(),
            Some(b'{') => return self.begin_object(),
            Some(b'-' | b'0'..=b'9') => Node::Number(self.number()?),
            Some(b't') => self.word("true", Node::Bool(true))?,
            Some(b'f') => self.word("false", Node::Bool(false))?,
            Some(b'n') => self.word("null", Node::Null)?,
            Some(_) => return Err(self.bad("expected value")),
            None => return Err(self.bad("it ends where a value is expected")),
        };
        self.add(node).map(Some)
    }

    fn begin_list(&mut self) -> Result<Option<Id>, BadJson> {
        self.at += 1;
        self.skip_blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return self.add(Node::List(Box::default())).map(Some);
        }
        self.open(Open::List(Vec::new()))
    }

    fn begin_object(&mut self) -> Result<Option<Id>, BadJson> {
        self.at += 1;
        self.skip_blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return self.add(Node::Object(Box::default())).map(Some);
        }
        let name = self.name()?;
        self.open(Open::Object(Vec::new(), name))
    }

    fn open(&mut self, open: Open) -> Result<Option<Id>, BadJson> {
        if self.open.len() >= DEEPEST {
            return Err(self.bad("nested too deep"));
        }
        self.open.push(open);
        Ok(None)
    }

    /// Puts `done` into what holds it, and reads what comes behind it there.
    fn close(&mut self, done: Id) -> Result<Closed, BadJson> {
        let Some(open) = self.open.pop() else { return Ok(Closed::Root(done)) };
        self.skip_blanks();
        let next = self.peek();
        self.at += 1;
        match (open, next) {
            (Open::List(mut items), Some(sign @ (b',' | b']'))) => {
                items.push(done);
                if sign == b']' {
                    return Ok(Closed::Container(self.add(Node::List(items.into()))?));
                }
                self.open.push(Open::List(items));
                Ok(Closed::GoesOn)
            }
            (Open::Object(mut members, name), Some(sign @ (b',' | b'}'))) => {
                members.push((name, done));
                if sign == b'}' {
                    return Ok(Closed::Container(self.add(Node::Object(sorted(members)))?));
                }
                self.skip_blanks();
                let name = self.name()?;
                self.open.push(Open::Object(members, name));
                Ok(Closed::GoesOn)
            }
            (Open::List(_), _) => self.back("expected `,` or `]`"),
            (Open::Object(..), _) => self.back("expected `,` or `}`"),
        }
    }

    fn back<T>(&mut self, what: &'static str) -> Result<T, BadJson> {
        self.at -= 1;
        Err(self.bad(what))
    }

    /// A name and its colon.
    fn name(&mut self) -> Result<Box<str>, BadJson> {
        if self.peek() != Some(b'"') {
            return Err(self.bad("expected a name in quotes"));
        }
        let name = self.string()?;
        self.skip_blanks();
        if self.peek() != Some(b':') {
            return Err(self.bad("expected `:`"));
        }
        self.at += 1;
        Ok(name)
    }

    fn word(&mut self, word: &str, node: Node) -> Result<Node, BadJson> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.bad("expected value"));
        }
        self.at += word.len();
        Ok(node)
    }

    fn number(&mut self) -> Result<Number, BadJson> {
        let rest = &self.text[self.at..];
        let number = literal(rest.as_bytes()).and_then(|length| Number::parse(&rest[..length]));
        let number = number.ok_or_else(|| self.bad("invalid number"))?;
        self.at += literal(rest.as_bytes()).unwrap_or_default();
        Ok(number)
    }

    fn string(&mut self) -> Result<Box<str>, BadJson> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            let Some(length) = length else {
                self.at = self.text.len();
                return Err(self.bad("it ends inside of a string"));
            };
            text.push_str(&self.text[self.at..self.at + length]);
            self.at += length;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text.into());
                }
                Some(b'\\') => text.push(self.escape()?),
                _ => return Err(self.bad("a control character in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, BadJson> {
        self.at += 1;
        let letter = match self.peek() {
            Some(b'u') => return self.unicode(),
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(letter),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.bad("invalid escape")),
        };
        self.at += 1;
        Ok(letter)
    }

    /// Half a pair is U+FFFD: a text that was cut in the middle of a letter has one.
    fn unicode(&mut self) -> Result<char, BadJson> {
        let first = self.four_digits()?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            let before = self.at;
            self.at += 1;
            let second = self.four_digits()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// Behind a `u`.
    fn four_digits(&mut self) -> Result<u32, BadJson> {
        let digits = self.text.get(self.at + 1..self.at + 5);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.bad("invalid escape"))?;
        self.at += 5;
        Ok(code)
    }
}

/// What became of a value.
enum Closed {
    /// It holds all others.
    Root(Id),
    /// It is part of one that goes on.
    GoesOn,
    /// It was the last of this one.
    Container(Id),
}

/// By name; of several with one name, the last.
fn sorted(mut members: Vec<(Box<str>, Id)>) -> Box<[(Box<str>, Id)]> {
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    members.reverse();
    members.dedup_by(|(a, _), (b, _)| a == b);
    members.reverse();
    members.into()
}
