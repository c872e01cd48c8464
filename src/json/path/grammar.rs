//! From text to a path, by the grammar of RFC 9535.

use std::rc::Rc;

use super::function::{self, Argument, Function};
use super::lexer::Lexer;
use super::{BadPath, Comparable, Logical, Query, Relation, Segment, Selector};
use crate::json::document::{Document, Node};
use crate::json::number::{Number, literal};

/// Brackets and filters inside of each other. A person writes three.
const DEEPEST: usize = 32;

/// Longer signs before those that they begin with.
const RELATIONS: [(&str, Relation); 6] = [
    ("==", Relation::Equal),
    ("!=", Relation::NotEqual),
    ("<=", Relation::LessOrEqual),
    (">=", Relation::GreaterOrEqual),
    ("<", Relation::Less),
    (">", Relation::Greater),
];

pub(super) fn path(text: &str) -> Result<Vec<Segment>, BadPath> {
    let mut parser = Parser { lexer: Lexer::new(text), depth: 0 };
    if !parser.lexer.takes("$") {
        return parser.lexer.bad("it begins with no $");
    }
    let segments = parser.segments()?;
    if !parser.lexer.is_at_end() {
        return parser.lexer.bad("something stands there that belongs to no path");
    }
    Ok(segments)
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    depth: usize,
}

/// What may be compared, tested or handed to a function.
enum Operand {
    Literal(Document),
    Query(Query),
    Function(Function),
}

impl Parser<'_> {
    fn segments(&mut self) -> Result<Vec<Segment>, BadPath> {
        let mut segments = Vec::new();
        loop {
            let before = self.lexer.place();
            self.lexer.skip_blanks();
            let Some(segment) = self.segment()? else {
                self.lexer.go_to(before);
                return Ok(segments);
            };
            segments.push(segment);
        }
    }

    fn segment(&mut self) -> Result<Option<Segment>, BadPath> {
        let descends = self.lexer.takes("..");
        if self.lexer.peek() == Some('[') {
            return Ok(Some(Segment { descends, selectors: self.bracketed()? }));
        }
        if !descends && !self.lexer.takes(".") {
            return Ok(None);
        }
        let selector = if self.lexer.takes("*") {
            Selector::Wildcard
        } else {
            match self.lexer.shorthand() {
                Some(name) => Selector::Name(name.into()),
                None => return self.lexer.bad("a name, * or [ is expected behind the dot"),
            }
        };
        Ok(Some(Segment { descends, selectors: vec![selector] }))
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, BadPath>) -> Result<T, BadPath> {
        if self.depth >= DEEPEST {
            return self.lexer.bad("it is nested too deep");
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn bracketed(&mut self) -> Result<Vec<Selector>, BadPath> {
        self.lexer.expect("[")?;
        let mut selectors = Vec::new();
        loop {
            self.lexer.skip_blanks();
            selectors.push(self.deeper(Self::selector)?);
            self.lexer.skip_blanks();
            if !self.lexer.takes(",") {
                self.lexer.expect("]")?;
                return Ok(selectors);
            }
        }
    }

    fn selector(&mut self) -> Result<Selector, BadPath> {
        if let Some(name) = self.lexer.string()? {
            return Ok(Selector::Name(name.into()));
        }
        if self.lexer.takes("*") {
            return Ok(Selector::Wildcard);
        }
        if self.lexer.takes("?") {
            self.lexer.skip_blanks();
            return self.any().map(Selector::Filter);
        }
        let start = self.lexer.integer()?;
        let behind = self.lexer.place();
        self.lexer.skip_blanks();
        if self.lexer.takes(":") {
            return self.slice(start);
        }
        self.lexer.go_to(behind);
        match start {
            Some(index) => Ok(Selector::Index(index)),
            None => self.lexer.bad("a name in quotes, a number, *, : or ? is expected"),
        }
    }

    /// Behind its first colon.
    fn slice(&mut self, start: Option<i64>) -> Result<Selector, BadPath> {
        self.lexer.skip_blanks();
        let end = self.lexer.integer()?;
        let behind = self.lexer.place();
        self.lexer.skip_blanks();
        if !self.lexer.takes(":") {
            self.lexer.go_to(behind);
            return Ok(Selector::Slice { start, end, step: 1 });
        }
        let behind = self.lexer.place();
        self.lexer.skip_blanks();
        let step = self.lexer.integer()?;
        if step.is_none() {
            self.lexer.go_to(behind);
        }
        Ok(Selector::Slice { start, end, step: step.unwrap_or(1) })
    }

    fn any(&mut self) -> Result<Logical, BadPath> {
        let mut terms = self.chain("||", Self::all)?;
        Ok(if terms.len() == 1 { terms.remove(0) } else { Logical::Any(terms) })
    }

    fn all(&mut self) -> Result<Logical, BadPath> {
        let mut terms = self.chain("&&", Self::basic)?;
        Ok(if terms.len() == 1 { terms.remove(0) } else { Logical::All(terms) })
    }

    fn chain(
        &mut self,
        sign: &str,
        term: fn(&mut Self) -> Result<Logical, BadPath>,
    ) -> Result<Vec<Logical>, BadPath> {
        let mut terms = vec![term(self)?];
        loop {
            let before = self.lexer.place();
            self.lexer.skip_blanks();
            if !self.lexer.takes(sign) {
                self.lexer.go_to(before);
                return Ok(terms);
            }
            self.lexer.skip_blanks();
            terms.push(term(self)?);
        }
    }

    fn basic(&mut self) -> Result<Logical, BadPath> {
        let is_negated = self.lexer.takes("!");
        if is_negated {
            self.lexer.skip_blanks();
        }
        let inner = if self.lexer.takes("(") {
            self.lexer.skip_blanks();
            let inner = self.deeper(Self::any)?;
            self.lexer.skip_blanks();
            self.lexer.expect(")")?;
            inner
        } else if is_negated {
            let operand = self.operand()?;
            self.tested(operand)?
        } else {
            self.comparison()?
        };
        Ok(if is_negated { Logical::Not(Box::new(inner)) } else { inner })
    }

    fn comparison(&mut self) -> Result<Logical, BadPath> {
        let left = self.operand()?;
        let before = self.lexer.place();
        self.lexer.skip_blanks();
        let relation =
            RELATIONS.iter().find(|(sign, _)| self.lexer.takes(sign)).map(|(_, relation)| *relation);
        let Some(relation) = relation else {
            self.lexer.go_to(before);
            return self.tested(left);
        };
        self.lexer.skip_blanks();
        let right = self.operand()?;
        let (left, right) = (self.comparable(left)?, self.comparable(right)?);
        Ok(Logical::Compares(Box::new(left), relation, Box::new(right)))
    }

    fn tested(&self, operand: Operand) -> Result<Logical, BadPath> {
        match operand {
            Operand::Query(query) => Ok(Logical::Exists(query)),
            Operand::Function(function) if function.is_logical() => Ok(Logical::Function(Box::new(function))),
            Operand::Function(_) => self.lexer.bad("what this function says has to be compared"),
            Operand::Literal(_) => self.lexer.bad("a value has to be compared with something"),
        }
    }

    fn comparable(&self, operand: Operand) -> Result<Comparable, BadPath> {
        match operand {
            Operand::Literal(value) => Ok(Comparable::Literal(Rc::new(value))),
            Operand::Query(query) if query.is_singular() => Ok(Comparable::Query(query)),
            Operand::Query(_) => self.lexer.bad("a path that can select several values cannot be compared"),
            Operand::Function(function) if function.is_logical() => {
                self.lexer.bad("match and search cannot be compared")
            }
            Operand::Function(function) => Ok(Comparable::Function(Box::new(function))),
        }
    }

    fn operand(&mut self) -> Result<Operand, BadPath> {
        if let Some(query) = self.query()? {
            return Ok(Operand::Query(query));
        }
        if let Some(text) = self.lexer.string()? {
            return Ok(Operand::Literal(Document::scalar(Node::Text(text.into()))));
        }
        if let Some(length) = literal(self.lexer.rest().as_bytes()) {
            let number = Number::parse(&self.lexer.rest()[..length]);
            self.lexer.go_to(self.lexer.place() + length);
            return match number {
                Some(number) => Ok(Operand::Literal(Document::scalar(Node::Number(number)))),
                None => self.lexer.bad("a number is none"),
            };
        }
        self.word()
    }

    fn query(&mut self) -> Result<Option<Query>, BadPath> {
        let is_absolute = self.lexer.takes("$");
        if !is_absolute && !self.lexer.takes("@") {
            return Ok(None);
        }
        Ok(Some(Query { is_absolute, segments: self.segments()? }))
    }

    /// `true`, `false`, `null` or a function.
    fn word(&mut self) -> Result<Operand, BadPath> {
        let start = self.lexer.place();
        let word = self
            .lexer
            .take_while(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
        let node = match word {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            "null" => Node::Null,
            name if self.lexer.takes("(") => {
                return self.deeper(|parser| parser.function(name)).map(Operand::Function);
            }
            _ => {
                self.lexer.go_to(start);
                return self.lexer.bad("a path, a value or a function is expected");
            }
        };
        Ok(Operand::Literal(Document::scalar(node)))
    }

    /// Behind its parenthesis.
    fn function(&mut self, name: &str) -> Result<Function, BadPath> {
        let mut arguments = Vec::new();
        self.lexer.skip_blanks();
        while !self.lexer.takes(")") {
            if !arguments.is_empty() {
                self.lexer.expect(",")?;
                self.lexer.skip_blanks();
            }
            arguments.push(match self.operand()? {
                Operand::Query(query) => Argument::Query(query),
                Operand::Literal(value) => Argument::Literal(Rc::new(value)),
                Operand::Function(function) => Argument::Function(Box::new(function)),
            });
            self.lexer.skip_blanks();
        }
        function::named(name, arguments).map_err(|what| self.lexer.error(what))
    }
}
