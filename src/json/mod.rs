//! JSON as answers have it, and RFC 9535 paths into it, with a bound on the work.
//!
//! serde_json refuses documents that browsers and most servers' own clients read: half a surrogate pair, a number too large for
//! a double in some other member, lists nested 128 deep. A [`Document`] has them. It is flat, so neither a deep one nor its end
//! needs a deep stack. A [`JsonPath`] is compiled once, its regular expressions included, and every step that it takes in a
//! document is paid for out of a [`Budget`].

mod budget;
mod document;
mod number;
mod path;
mod reader;
#[cfg(test)]
mod tests;

pub(crate) use budget::{Budget, Exhausted};
pub(crate) use document::{Document, Id, Node};
pub(crate) use number::Number;
pub(crate) use path::{BadPath, JsonPath};
