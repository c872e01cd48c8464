//! Sites in CSV: a header, then a site per row. Empty cells are "not said".

use csv::{ByteRecord, ReaderBuilder, Trim};

use super::RawSite;
use super::collector::Collector;
use super::fields::{of_csv, tables, unknown};
use crate::config::encoding::REMEDY;
use crate::config::fault::Fault;
use crate::config::problem::{Problem, Problems};
use crate::config::value::{Origin, Setting, Value};

const HEADER: &str = "the first line names the columns: name,url,every,timeout,tags";

pub(super) fn read(bytes: &[u8], origin: &Origin, collector: &mut Collector<'_>) -> Result<(), Problems> {
    let sheet = Sheet::of(bytes);
    let mut reader = ReaderBuilder::new()
        .flexible(true)
        .trim(Trim::All)
        .delimiter(sheet.separator)
        .from_reader(sheet.rows);
    let header = reader.byte_headers().map_err(|error| broken(&error, origin))?.clone();
    let columns = columns(&header, &origin.at(sheet.line(1)))?;
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| broken(&error, origin))? {
        let at = origin.at(sheet.line(line(&record, sheet.rows)));
        match raw_site(&record, &columns, &at) {
            Ok(site) => collector.add(site, Vec::new()),
            Err(problem) => collector.reject(vec![problem]),
        }
    }
    Ok(())
}

/// A file as a spreadsheet may have saved it.
struct Sheet<'a> {
    /// Header and rows.
    rows: &'a [u8],
    /// Between two cells.
    separator: u8,
    /// Lines before the header.
    skipped: u32,
}

impl<'a> Sheet<'a> {
    /// Where the comma is the decimal sign, spreadsheets separate columns by semicolons; Excel may say so in a line of its own,
    /// `sep=;`. A header has no separator in its cells, so it tells which one it is.
    fn of(bytes: &'a [u8]) -> Self {
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let end = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| at + 1);
        let (first, rest) = text.split_at(end);
        if let [b's', b'e', b'p', b'=', separator, blank @ ..] = first
            && blank.trim_ascii().is_empty()
        {
            return Self { rows: rest, separator: *separator, skipped: 1 };
        }
        let is_there = |separator: &u8| first.contains(separator);
        let separator = [b',', b';', b'\t'].into_iter().find(is_there).unwrap_or(b',');
        Self { rows: text, separator, skipped: 0 }
    }

    fn line(&self, of_rows: u32) -> u32 {
        of_rows.saturating_add(self.skipped)
    }
}

fn broken(error: &csv::Error, origin: &Origin) -> Problem {
    Problem::new(origin.clone(), format!("is no CSV: {error}"), HEADER)
}

/// The reader's position is where it began to look: blank lines before the record are still ahead of it.
fn line(record: &ByteRecord, bytes: &[u8]) -> u32 {
    let Some(position) = record.position() else { return 0 };
    let start = usize::try_from(position.byte()).unwrap_or_default();
    let blank =
        bytes.get(start..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let skipped = blank.filter(|byte| **byte == b'\n').count() as u64;
    u32::try_from(position.line() + skipped).unwrap_or(u32::MAX)
}

/// Of a column without a name, which spreadsheets write where a cell was once used.
const NAMELESS: &str = "";

/// The key of every column.
fn columns(header: &ByteRecord, at: &Origin) -> Result<Vec<&'static str>, Problems> {
    let (mut columns, mut problems) = (Vec::new(), Vec::new());
    for cell in header {
        let name = String::from_utf8_lossy(cell).to_lowercase();
        match of_csv().into_iter().find(|key| *key == name) {
            Some(key) if columns.contains(&key) => {
                problems.push(Problem::new(at.clone(), "stands there twice", "keep one").about(column(key)));
            }
            Some(key) => columns.push(key),
            None if name.is_empty() => columns.push(NAMELESS),
            None if name.contains([',', ';', '\t']) => {
                problems.push(
                    Problem::new(at.clone(), "is several columns", "separate all columns by the same sign")
                        .about(column(&name)),
                );
            }
            None => {
                let fault = stranger(&name);
                problems.push(Problem::new(at.clone(), fault.message, fault.remedy).about(column(&name)));
            }
        }
    }
    for key in ["name", "url"] {
        if !columns.contains(&key) {
            problems.push(Problem::new(at.clone(), "is missing", HEADER).about(column(key)));
        }
    }
    Problems::or(problems, columns)
}

/// What is wrong with a column that no key has.
fn stranger(name: &str) -> Fault {
    if tables().any(|table| name.split('.').next() == Some(table)) {
        return Fault::new("is a table, which CSV cannot hold", "write these sites in TOML or JSON");
    }
    if name == "send" {
        let remedy = "write these sites in TOML or JSON";
        return Fault::new("is a text with line breaks, which CSV cannot hold", remedy);
    }
    unknown(name, &of_csv())
}

fn column(name: &str) -> String {
    format!("column {}", super::quoted(name))
}

fn raw_site(record: &ByteRecord, columns: &[&'static str], at: &Origin) -> Result<RawSite, Problem> {
    if record.iter().skip(columns.len()).any(|cell| !cell.is_empty()) {
        let message = format!("has {} cells, the header has {}", record.len(), columns.len());
        return Err(Problem::new(at.clone(), message, "put text with commas in quotes; separate tags by ;"));
    }
    let mut site = RawSite::new(at.clone());
    for (key, cell) in columns.iter().zip(record) {
        let cell = text(cell, key, at)?;
        if *key == NAMELESS && !cell.is_empty() {
            let remedy = "name the column in the first line, or empty it";
            return Err(Problem::new(at.clone(), "has a cell in a column without a name", remedy));
        }
        if let Some(field) = site.field(key)
            && !cell.is_empty()
        {
            let value = if *key == "tags" { tags(cell) } else { Value::Text(cell.to_owned()) };
            *field = Some(Setting::new(value, at.clone()));
        }
    }
    Ok(site)
}

fn text<'a>(cell: &'a [u8], key: &str, at: &Origin) -> Result<&'a str, Problem> {
    // Without its closing quote a cell swallows the rows below, which must not go unnoticed.
    if cell.contains(&b'\n') {
        let remedy = "close the quote that is opened in this row";
        return Err(Problem::new(at.clone(), "goes on over several lines", remedy).about(column(key)));
    }
    std::str::from_utf8(cell).map_err(|_| Problem::new(at.clone(), "is not UTF-8", REMEDY).about(column(key)))
}

fn tags(cell: &str) -> Value {
    let words = cell.split([';', ',', ' ']).map(str::trim).filter(|word| !word.is_empty());
    Value::Typed(words.map(toml::Value::from).collect::<Vec<_>>().into())
}
