//! What a path selects.

use std::cmp::Ordering;

use super::function::Function;
use super::pattern::{COMPILATION, Pattern, text_of};
use super::{Comparable, Logical, Query, Relation, Segment, Selector};
use crate::json::budget::{Budget, Exhausted};
use crate::json::document::{Document, Id, Node};
use crate::json::number::Number;

pub(super) fn query(
    segments: &[Segment],
    document: &Document,
    budget: &mut Budget,
) -> Result<Vec<Id>, Exhausted> {
    Evaluation { document, budget }.walk(document.root(), segments)
}

struct Evaluation<'d, 'b> {
    document: &'d Document,
    budget: &'b mut Budget,
}

/// A value that a comparison is about.
enum Value<'v> {
    In(&'v Document, Id),
    Number(Number),
}

impl<'d> Evaluation<'d, '_> {
    fn walk(&mut self, from: Id, segments: &[Segment]) -> Result<Vec<Id>, Exhausted> {
        let mut selected = vec![from];
        for segment in segments {
            let mut next = Vec::new();
            for id in selected {
                if segment.descends {
                    self.descend(id, &segment.selectors, &mut next)?;
                } else {
                    self.select(id, &segment.selectors, &mut next)?;
                }
            }
            selected = next;
        }
        Ok(selected)
    }

    /// From a value and from all below it, each before those below it.
    fn descend(&mut self, from: Id, selectors: &[Selector], out: &mut Vec<Id>) -> Result<(), Exhausted> {
        let mut todo = vec![from];
        while let Some(id) = todo.pop() {
            self.select(id, selectors, out)?;
            let children = self.document.children(id);
            self.budget.spend(children.len() as u64)?;
            todo.extend(children.rev());
        }
        Ok(())
    }

    fn select(&mut self, id: Id, selectors: &[Selector], out: &mut Vec<Id>) -> Result<(), Exhausted> {
        for selector in selectors {
            self.budget.spend(1)?;
            match selector {
                Selector::Name(name) => out.extend(self.document.member(id, name)),
                Selector::Index(index) => out.extend(item(self.document, id, *index)),
                Selector::Wildcard => {
                    let children = self.document.children(id);
                    self.budget.spend(children.len() as u64)?;
                    out.extend(children);
                }
                Selector::Slice { start, end, step } => self.slice(id, (*start, *end, *step), out)?,
                Selector::Filter(filter) => {
                    for child in self.document.children(id) {
                        if self.holds(filter, child)? {
                            out.push(child);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// RFC 9535, section 2.3.4.2.2.
    fn slice(
        &mut self,
        id: Id,
        (start, end, step): (Option<i64>, Option<i64>, i64),
        out: &mut Vec<Id>,
    ) -> Result<(), Exhausted> {
        let Node::List(items) = self.document.node(id) else { return Ok(()) };
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let normal = |index: i64| if index >= 0 { index } else { length + index };
        let mut take = |at: i64| out.extend(usize::try_from(at).ok().and_then(|at| items.get(at)));
        if step > 0 {
            let lower = normal(start.unwrap_or(0)).clamp(0, length);
            let upper = normal(end.unwrap_or(length)).clamp(0, length);
            let mut at = lower;
            while at < upper {
                self.budget.spend(1)?;
                take(at);
                at = at.saturating_add(step);
            }
        } else if step < 0 {
            let upper = normal(start.unwrap_or(length - 1)).clamp(-1, length - 1);
            let lower = end.map_or(-1, |end| normal(end).clamp(-1, length - 1));
            let mut at = upper;
            while at > lower {
                self.budget.spend(1)?;
                take(at);
                at = at.saturating_add(step);
            }
        }
        Ok(())
    }

    fn holds(&mut self, filter: &Logical, at: Id) -> Result<bool, Exhausted> {
        self.budget.spend(1)?;
        match filter {
            Logical::Any(terms) => {
                for term in terms {
                    if self.holds(term, at)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Logical::All(terms) => {
                for term in terms {
                    if !self.holds(term, at)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Logical::Not(inner) => Ok(!self.holds(inner, at)?),
            Logical::Exists(query) => Ok(!self.selected(query, at)?.is_empty()),
            Logical::Function(function) => match function.as_ref() {
                Function::Matches(text, pattern) => self.matches(text, pattern, at),
                Function::Length(_) | Function::Count(_) | Function::Value(_) => Ok(false),
            },
            Logical::Compares(left, relation, right) => {
                let (left, right) = (self.value(left, at)?, self.value(right, at)?);
                self.compares(left.as_ref(), *relation, right.as_ref())
            }
        }
    }

    fn selected(&mut self, query: &Query, at: Id) -> Result<Vec<Id>, Exhausted> {
        let from = if query.is_absolute { self.document.root() } else { at };
        self.walk(from, &query.segments)
    }

    fn value<'v>(&mut self, comparable: &'v Comparable, at: Id) -> Result<Option<Value<'v>>, Exhausted>
    where
        'd: 'v,
    {
        let document = self.document;
        Ok(match comparable {
            Comparable::Literal(literal) => Some(Value::In(literal, literal.root())),
            Comparable::Query(query) => self.selected(query, at)?.first().map(|id| Value::In(document, *id)),
            Comparable::Function(function) => match function.as_ref() {
                Function::Length(of) => {
                    let value = self.value(of, at)?;
                    if let Some(text) = value.as_ref().and_then(Value::text) {
                        self.budget.look_at(text)?;
                    }
                    value.and_then(|value| value.length()).map(|length| Value::Number(length.into()))
                }
                Function::Count(query) => {
                    Some(Value::Number((self.selected(query, at)?.len() as u64).into()))
                }
                Function::Value(query) => match self.selected(query, at)?.as_slice() {
                    [id] => Some(Value::In(document, *id)),
                    _ => None,
                },
                Function::Matches(..) => None,
            },
        })
    }

    fn matches(&mut self, text: &Comparable, pattern: &Pattern, at: Id) -> Result<bool, Exhausted> {
        let text = self.value(text, at)?;
        let Some(text) = text.as_ref().and_then(Value::text) else { return Ok(false) };
        self.budget.look_at(text)?;
        let Some(source) = pattern.source() else { return Ok(pattern.matches(text, None)) };
        let found = self.value(source, at)?;
        let Some(found) = found.as_ref().and_then(Value::text) else { return Ok(false) };
        if pattern.is_new(found) {
            self.budget.spend(COMPILATION)?;
        }
        Ok(pattern.matches(text, Some(found)))
    }

    /// RFC 9535, section 2.3.5.2.2. Nothing is equal to nothing.
    fn compares(
        &mut self,
        left: Option<&Value<'_>>,
        relation: Relation,
        right: Option<&Value<'_>>,
    ) -> Result<bool, Exhausted> {
        let is_equal = match (left, right) {
            (None, None) => true,
            (Some(left), Some(right)) => self.is_same(left, right)?,
            _ => false,
        };
        let order = || left?.order(right?);
        Ok(match relation {
            Relation::Equal => is_equal,
            Relation::NotEqual => !is_equal,
            Relation::Less => order() == Some(Ordering::Less),
            Relation::Greater => order() == Some(Ordering::Greater),
            Relation::LessOrEqual => is_equal || order() == Some(Ordering::Less),
            Relation::GreaterOrEqual => is_equal || order() == Some(Ordering::Greater),
        })
    }

    /// Without recursion, for both sides may be of the document, and as deep as that.
    fn is_same(&mut self, left: &Value<'_>, right: &Value<'_>) -> Result<bool, Exhausted> {
        let (a, a_id, b, b_id) = match (left, right) {
            (Value::In(a, a_id), Value::In(b, b_id)) => (*a, *a_id, *b, *b_id),
            _ => return Ok(left.order(right) == Some(Ordering::Equal)),
        };
        let mut todo = vec![(a_id, b_id)];
        while let Some((a_id, b_id)) = todo.pop() {
            self.budget.spend(1)?;
            let is_same = match (a.node(a_id), b.node(b_id)) {
                (Node::Text(one), Node::Text(other)) => {
                    self.budget.look_at(if one.len() < other.len() { one } else { other })?;
                    one == other
                }
                (Node::List(one), Node::List(other)) => {
                    todo.extend(one.iter().zip(other).map(|(one, other)| (*one, *other)));
                    one.len() == other.len()
                }
                (Node::Object(one), Node::Object(other)) => {
                    todo.extend(one.iter().zip(other).map(|(one, other)| (one.1, other.1)));
                    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.0 == other.0)
                }
                _ => a.is_same(a_id, b, b_id),
            };
            if !is_same {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Value<'_> {
    fn text(&self) -> Option<&str> {
        match self {
            Self::In(document, id) => text_of(document, *id),
            Self::Number(_) => None,
        }
    }

    fn number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            Self::In(document, id) => match document.node(*id) {
                Node::Number(number) => Some(number),
                _ => None,
            },
        }
    }

    /// Numbers and texts have one.
    fn order(&self, other: &Self) -> Option<Ordering> {
        match (self.number(), other.number()) {
            (Some(a), Some(b)) => Some(a.order(b)),
            _ => Some(self.text()?.cmp(other.text()?)),
        }
    }

    fn length(&self) -> Option<u64> {
        match self {
            Self::In(document, id) => document.length(*id),
            Self::Number(_) => None,
        }
    }
}

fn item(document: &Document, id: Id, index: i64) -> Option<Id> {
    let Node::List(items) = document.node(id) else { return None };
    let at = match index {
        0.. => usize::try_from(index).ok()?,
        _ => items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    items.get(at).copied()
}
