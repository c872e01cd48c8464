//! A document: all its values in one list.

use std::fmt::Write as _;

use super::number::Number;

/// Where a value stands in its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Id(pub(super) u32);

/// A value.
#[derive(Debug)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    List(Box<[Id]>),
    /// By name.
    Object(Box<[(Box<str>, Id)]>),
}

/// All values of a document.
#[derive(Debug)]
pub(crate) struct Document {
    pub(super) nodes: Vec<Node>,
    pub(super) root: Id,
}

impl Document {
    /// A value alone.
    pub(super) fn scalar(node: Node) -> Self {
        Self { nodes: vec![node], root: Id(0) }
    }

    /// Characters of a text, items of a list, members of an object.
    pub(crate) fn length(&self, id: Id) -> Option<u64> {
        let length = match self.node(id) {
            Node::Text(text) => text.chars().count(),
            Node::List(items) => items.len(),
            Node::Object(members) => members.len(),
            Node::Null | Node::Bool(_) | Node::Number(_) => return None,
        };
        Some(length as u64)
    }

    /// The value that holds all others.
    pub(crate) fn root(&self) -> Id {
        self.root
    }

    /// The value at `id`, which this document has given.
    pub(crate) fn node(&self, id: Id) -> &Node {
        const NULL: &Node = &Node::Null;
        self.nodes.get(id.0 as usize).unwrap_or(NULL)
    }

    /// The members of all objects, with their names.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, Id)> {
        let objects = self.nodes.iter().filter_map(|node| match node {
            Node::Object(members) => Some(members),
            _ => None,
        });
        objects.flatten().map(|(name, id)| (name.as_ref(), *id))
    }

    /// The member `name` of an object.
    pub(super) fn member(&self, id: Id, name: &str) -> Option<Id> {
        let Node::Object(members) = self.node(id) else { return None };
        let at = members.binary_search_by(|(known, _)| known.as_ref().cmp(name)).ok()?;
        members.get(at).map(|(_, id)| *id)
    }

    /// The items of a list, or the members of an object.
    pub(super) fn children(&self, id: Id) -> Children<'_> {
        match self.node(id) {
            Node::List(items) => Children::Items(items.iter()),
            Node::Object(members) => Children::Members(members.iter()),
            _ => Children::Items([].iter()),
        }
    }

    /// Equal as RFC 9535 has it (section 2.3.5.2.2): numbers by their value, objects in any order. It goes as deep as the shallower of
    /// the two, so one of them should be a setting.
    pub(crate) fn is_same(&self, id: Id, other: &Self, other_id: Id) -> bool {
        match (self.node(id), other.node(other_id)) {
            (Node::Null, Node::Null) => true,
            (Node::Bool(a), Node::Bool(b)) => a == b,
            (Node::Number(a), Node::Number(b)) => a.order(b).is_eq(),
            (Node::Text(a), Node::Text(b)) => a == b,
            (Node::List(a), Node::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.is_same(*a, other, *b))
            }
            (Node::Object(a), Node::Object(b)) => {
                let pairs = || a.iter().zip(b);
                a.len() == b.len() && pairs().all(|(a, b)| a.0 == b.0 && self.is_same(a.1, other, b.1))
            }
            _ => false,
        }
    }

    /// Its beginning in JSON, about as many bytes as `limit` and not many more.
    pub(crate) fn text(&self, id: Id, limit: usize) -> String {
        let mut out = String::new();
        let mut todo = vec![Piece::Value(id)];
        while let Some(piece) = todo.pop() {
            if out.len() > limit {
                break;
            }
            match piece {
                Piece::Value(id) => self.write(id, limit, &mut todo, &mut out),
                Piece::Name(name) => {
                    write_text(name, limit, &mut out);
                    out.push(':');
                }
                Piece::Sign(sign) => out.push(sign),
            }
        }
        out
    }

    /// Writes a value that has no others; of one that has, puts on the list what is to be written.
    fn write<'d>(&'d self, id: Id, limit: usize, todo: &mut Vec<Piece<'d>>, out: &mut String) {
        match self.node(id) {
            Node::Null => out.push_str("null"),
            Node::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
            Node::Number(number) => {
                let _ = write!(out, "{number}");
            }
            Node::Text(text) => write_text(text, limit, out),
            Node::List(items) => {
                out.push('[');
                todo.push(Piece::Sign(']'));
                // No more than could be shown: each takes two bytes at least.
                for (at, item) in items.iter().enumerate().take(limit).rev() {
                    todo.push(Piece::Value(*item));
                    if at > 0 {
                        todo.push(Piece::Sign(','));
                    }
                }
            }
            Node::Object(members) => {
                out.push('{');
                todo.push(Piece::Sign('}'));
                for (at, (name, member)) in members.iter().enumerate().take(limit).rev() {
                    todo.extend([Piece::Value(*member), Piece::Name(name)]);
                    if at > 0 {
                        todo.push(Piece::Sign(','));
                    }
                }
            }
        }
    }
}

/// What is still to be written.
enum Piece<'d> {
    Value(Id),
    Name(&'d str),
    Sign(char),
}

fn write_text(text: &str, limit: usize, out: &mut String) {
    let end = text.floor_char_boundary(limit.min(text.len()));
    // A string in JSON: nothing about it can fail.
    out.push_str(&serde_json::to_string(&text[..end]).unwrap_or_default());
}

/// The values right below one.
pub(super) enum Children<'d> {
    Items(std::slice::Iter<'d, Id>),
    Members(std::slice::Iter<'d, (Box<str>, Id)>),
}

impl Iterator for Children<'_> {
    type Item = Id;

    fn next(&mut self) -> Option<Id> {
        match self {
            Self::Items(items) => items.next().copied(),
            Self::Members(members) => members.next().map(|(_, id)| *id),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Items(items) => items.size_hint(),
            Self::Members(members) => members.size_hint(),
        }
    }
}

impl DoubleEndedIterator for Children<'_> {
    fn next_back(&mut self) -> Option<Id> {
        match self {
            Self::Items(items) => items.next_back().copied(),
            Self::Members(members) => members.next_back().map(|(_, id)| *id),
        }
    }
}

impl ExactSizeIterator for Children<'_> {}
