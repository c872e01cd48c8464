//! The functions of RFC 9535, section 2.4.

use std::rc::Rc;

use super::pattern::Pattern;
use super::{Comparable, Query};
use crate::json::document::Document;

/// A call whose arguments are of the right kinds.
#[derive(Debug, Clone)]
pub(super) enum Function {
    Length(Comparable),
    Count(Query),
    Value(Query),
    /// `match` and `search`.
    Matches(Comparable, Pattern),
}

/// As written.
pub(super) enum Argument {
    Literal(Rc<Document>),
    Query(Query),
    Function(Box<Function>),
}

impl Function {
    /// It says yes or no, and no value.
    pub(super) fn is_logical(&self) -> bool {
        matches!(self, Self::Matches(..))
    }
}

/// The function `name` with these arguments, or what is wrong with it.
pub(super) fn named(name: &str, arguments: Vec<Argument>) -> Result<Function, String> {
    let count = arguments.len();
    let mut arguments = arguments.into_iter();
    let (first, second) = (arguments.next(), arguments.next());
    match (name, first, second, count) {
        ("length", Some(of), None, 1) => value(of).map(Function::Length),
        ("count", Some(Argument::Query(query)), None, 1) => Ok(Function::Count(query)),
        ("value", Some(Argument::Query(query)), None, 1) => Ok(Function::Value(query)),
        ("count" | "value", Some(_), None, 1) => Err(format!("{name} wants a path")),
        ("match" | "search", Some(text), Some(pattern), 2) => {
            Ok(Function::Matches(value(text)?, Pattern::new(value(pattern)?, name == "match")?))
        }
        ("length" | "count" | "value", ..) => Err(format!("{name} wants one argument")),
        ("match" | "search", ..) => Err(format!("{name} wants two arguments")),
        _ => Err(format!("there is no function {name}: there are length, count, value, match and search")),
    }
}

/// An argument of which one value can be made.
fn value(argument: Argument) -> Result<Comparable, String> {
    match argument {
        Argument::Literal(value) => Ok(Comparable::Literal(value)),
        Argument::Query(query) if query.is_singular() => Ok(Comparable::Query(query)),
        Argument::Query(_) => Err("a path that can select several values is no argument here".to_owned()),
        Argument::Function(function) if function.is_logical() => {
            Err("match and search are no arguments".to_owned())
        }
        Argument::Function(function) => Ok(Comparable::Function(function)),
    }
}
