//! A TOML text as settings that know their lines.

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::lines::{Lines, line_of};
use super::problem::Problem;
use super::syntax;
use super::value::{Inner, Origin, Setting, Value, inner_item, inner_key};

/// The keys of one table and where it begins.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) origin: Origin,
    pub(super) settings: Vec<(String, Setting)>,
}

/// What a configuration file says, not yet judged.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Tables on the first level, also empty ones.
    pub(super) sections: Vec<(String, Origin)>,
    /// By dotted key; a key outside any section has no dot.
    pub(super) settings: Vec<(String, Setting)>,
    /// `None` when sites are not mentioned at all.
    pub(super) sites: Option<Vec<Fields>>,
}

impl Document {
    /// Reads as much as can be read, and every error of syntax. `origin` is the file, or [`Origin::Default`].
    pub(super) fn parse(text: &str, origin: &Origin) -> (Self, Vec<Problem>) {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = Lines::of(text, origin);
        let (readable, mut problems) = syntax::without_dead_ends(text, &lines);
        let (root, errors) = DeTable::parse_recoverable(&readable);
        problems.extend(errors.iter().map(|error| syntax::problem(error, &lines)));
        let mut problems = syntax::first_per_line(problems);
        let mut document = Self::default();
        for (key, value) in root.into_inner() {
            // Of other keys each has a range of its own.
            if key.get_ref() == "site" {
                refuse_large("site", &value, &lines, &mut problems);
            }
            document.add(key, value, &lines, &mut problems);
        }
        // The parser sorts by key; people read by line.
        document.settings.sort_by_key(|(_, setting)| line_of(&setting.origin));
        document.sections.sort_by_key(|(_, origin)| line_of(origin));
        (document, problems)
    }

    fn add(
        &mut self,
        key: Spanned<std::borrow::Cow<'_, str>>,
        value: Spanned<DeValue<'_>>,
        lines: &Lines<'_>,
        problems: &mut Vec<Problem>,
    ) {
        let origin = lines.origin(key.span().start);
        let name = key.into_inner().into_owned();
        match value.into_inner() {
            DeValue::Array(items) if name == "site" => self.add_sites(items, lines, problems),
            DeValue::Table(_) if name == "site" => {
                let remedy = "write [[site]], with double brackets, before each site";
                problems
                    .push(Problem::new(origin, "is one table, not a list of sites", remedy).about("[site]"));
                self.sites.get_or_insert_default();
            }
            DeValue::Table(table) => self.add_section(&name, origin, table, lines),
            other => self.settings.push((name, Setting::new(Value::Typed(plain(other)), origin))),
        }
    }

    /// A table inside a table is a section of its own: `[result_log.kafka]`.
    fn add_section(&mut self, name: &str, origin: Origin, table: DeTable<'_>, lines: &Lines<'_>) {
        self.sections.push((name.to_owned(), origin));
        for (key, value) in table {
            let origin = lines.origin(key.span().start);
            let key = format!("{name}.{}", key.into_inner());
            match value.into_inner() {
                DeValue::Table(inner) => self.add_section(&key, origin, inner, lines),
                other => self.settings.push((key, Setting::new(Value::Typed(plain(other)), origin))),
            }
        }
    }

    fn add_sites<'a>(
        &mut self,
        items: impl IntoIterator<Item = Spanned<DeValue<'a>>>,
        lines: &Lines<'_>,
        problems: &mut Vec<Problem>,
    ) {
        let sites = self.sites.get_or_insert_default();
        for item in items {
            let origin = lines.origin(item.span().start);
            match item.into_inner() {
                DeValue::Table(table) => sites.push(Fields { origin, settings: fields(table, lines) }),
                other => {
                    let kind = Value::Typed(plain(other)).kind();
                    let message = format!("holds {kind}, which is no site");
                    problems.push(
                        Problem::new(origin, message, "write a [[site]] table for each site").about("site"),
                    );
                }
            }
        }
    }
}

fn fields(table: DeTable<'_>, lines: &Lines<'_>) -> Vec<(String, Setting)> {
    let mut fields: Vec<_> = table
        .into_iter()
        .map(|(key, value)| {
            let origin = lines.origin(key.span().start);
            let inner = inner(value.get_ref(), lines);
            let value = Value::Typed(plain(value.into_inner()));
            (key.into_inner().into_owned(), Setting { inner, ..Setting::new(value, origin) })
        })
        .collect();
    fields.sort_by_key(|(_, setting)| line_of(&setting.origin));
    fields
}

fn inner(value: &DeValue<'_>, lines: &Lines<'_>) -> Inner {
    let mut inner = Inner::default();
    if let DeValue::Table(_) = value {
        note_lines("", value, lines, &mut inner);
    }
    inner
}

/// Notes where everything inside of `value` stands. `path` is where `value` itself is in the table.
fn note_lines(path: &str, value: &DeValue<'_>, lines: &Lines<'_>, inner: &mut Inner) {
    let mut note = |path: String, at: usize, value: &DeValue<'_>| {
        note_lines(&path, value, lines, inner);
        inner.lines.insert(path, line_of(&lines.origin(at)));
    };
    match value {
        DeValue::Table(table) => table
            .iter()
            .for_each(|(key, value)| note(inner_key(path, key.get_ref()), key.span().start, value.get_ref())),
        DeValue::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, item)| note(inner_item(path, at), item.span().start, item.get_ref())),
        _ => {}
    }
}

fn whole(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// TOML's numbers have 64 bits: what does not fit must not become another number.
fn refuse_large(path: &str, value: &Spanned<DeValue<'_>>, lines: &Lines<'_>, problems: &mut Vec<Problem>) {
    match value.get_ref() {
        DeValue::Integer(number) if whole(number).is_none() => {
            // Without the number, for it may be a password.
            let (message, remedy) =
                ("has a number of more than 64 bits", "write a smaller one, or a text in quotes");
            problems.push(Problem::new(lines.origin(value.span().start), message, remedy).about(path));
        }
        DeValue::Table(table) => table
            .iter()
            .for_each(|(key, value)| refuse_large(&inner_key(path, key.get_ref()), value, lines, problems)),
        DeValue::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(at, item)| refuse_large(&inner_item(path, at), item, lines, problems)),
        _ => {}
    }
}

fn plain(value: DeValue<'_>) -> toml::Value {
    match value {
        DeValue::String(text) => text.into_owned().into(),
        DeValue::Integer(number) => {
            // In a site this is a problem already, and every other key's own range refuses the largest number.
            whole(&number).unwrap_or(i64::MAX).into()
        }
        DeValue::Float(number) => number.as_str().parse().unwrap_or(f64::INFINITY).into(),
        DeValue::Boolean(yes) => yes.into(),
        DeValue::Datetime(date) => toml::Value::Datetime(date),
        DeValue::Array(items) => {
            items.into_iter().map(|item| plain(item.into_inner())).collect::<Vec<_>>().into()
        }
        DeValue::Table(table) => {
            let pairs = table.into_iter();
            let plain_pair = |(key, value): (Spanned<std::borrow::Cow<'_, str>>, Spanned<DeValue<'_>>)| {
                (key.into_inner().into_owned(), plain(value.into_inner()))
            };
            toml::Value::Table(pairs.map(plain_pair).collect())
        }
    }
}
