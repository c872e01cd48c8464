//! Tables that fit: on a narrow page long texts are cut, then the least important columns are left out.
//!
//! `comfy-table` would wrap cells over several lines, which nobody can read or grep.

use std::io::{self, Write};

use comfy_table::{Cell as Drawn, CellAlignment, Color, ColumnConstraint, Row, Table, Width, presets};

use super::Page;

/// Spaces between two columns.
const GAP: u16 = 2;

/// A column that can be cut stays at least this wide.
const SHORTEST: u16 = 16;

/// A column and what may be done to it.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    number: bool,
    cut: bool,
    /// Higher goes first; 0 stays.
    expendable: u8,
}

impl Column {
    /// Text, aligned left.
    pub const fn text(title: &'static str) -> Self {
        Self { title, number: false, cut: false, expendable: 0 }
    }

    /// A number, aligned right.
    pub const fn number(title: &'static str) -> Self {
        Self { title, number: true, cut: false, expendable: 0 }
    }

    /// Long texts may lose their end.
    #[must_use]
    pub const fn cut(self) -> Self {
        Self { cut: true, ..self }
    }

    /// Left out on a narrow page, those of the highest `order` first.
    #[must_use]
    pub const fn expendable(self, order: u8) -> Self {
        Self { expendable: order, ..self }
    }

    fn width(self, natural: u16) -> u16 {
        if self.cut { natural.min(SHORTEST) } else { natural }
    }
}

/// One cell.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    colour: Option<Color>,
}

impl Cell {
    /// A text without colour.
    pub fn new(text: impl ToString) -> Self {
        Self { text: text.to_string(), colour: None }
    }

    /// Nothing to say.
    pub fn none() -> Self {
        Self::new("-")
    }

    pub(super) fn coloured(self, colour: Color) -> Self {
        Self { colour: Some(colour), ..self }
    }
}

/// A table on its way to the page.
#[derive(Debug, Clone)]
pub struct Layout {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Layout {
    /// Without rows.
    pub fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row, with a cell for every column.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Writes the header and every row, each on one line.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn write(self, page: Page, out: &mut impl Write) -> io::Result<()> {
        let mut table = self.draw(page.colour);
        if let Some(room) = page.width {
            let widths = fit(&self.columns, &table.column_max_content_widths(), room);
            constrain(&mut table, &widths);
        }
        writeln!(out, "{}", table.trim_fmt())
    }

    fn draw(&self, colour: bool) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_truncation_indicator("…");
        if colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(self.columns.iter().map(|column| column.title));
        for cells in &self.rows {
            table.add_row(row(cells));
        }
        for (column, drawn) in self.columns.iter().zip(table.column_iter_mut()) {
            drawn.set_padding((0, GAP));
            drawn.set_cell_alignment(if column.number { CellAlignment::Right } else { CellAlignment::Left });
        }
        table
    }
}

fn row(cells: &[Cell]) -> Row {
    let draw = |cell: &Cell| match cell.colour {
        Some(colour) => Drawn::new(&cell.text).fg(colour),
        None => Drawn::new(&cell.text),
    };
    let mut row: Row = cells.iter().map(draw).collect::<Vec<_>>().into();
    row.max_height(1);
    row
}

fn constrain(table: &mut Table, widths: &[Option<u16>]) {
    for (drawn, width) in table.column_iter_mut().zip(widths) {
        drawn.set_constraint(match width {
            Some(width) => ColumnConstraint::Absolute(Width::Fixed(width + GAP)),
            None => ColumnConstraint::Hidden,
        });
    }
}

/// Each column's width on a page with `room`, `None` where it is left out.
fn fit(columns: &[Column], natural: &[u16], room: u16) -> Vec<Option<u16>> {
    let mut widths: Vec<Option<u16>> = natural.iter().copied().map(Some).collect();
    loop {
        let least = columns.iter().zip(&widths).map(|(column, width)| width.map(|width| column.width(width)));
        if total(least) <= u32::from(room) {
            break;
        }
        let kept = columns
            .iter()
            .enumerate()
            .filter(|(index, column)| column.expendable > 0 && widths[*index].is_some());
        match kept.max_by_key(|(_, column)| column.expendable) {
            Some((index, _)) => widths[index] = None,
            None => break,
        }
    }
    cut(columns, &mut widths, room);
    widths
}

/// Takes what is too much from the columns that may be cut, the last one first.
fn cut(columns: &[Column], widths: &mut [Option<u16>], room: u16) {
    let mut excess = total(widths.iter().copied()).saturating_sub(u32::from(room));
    for (column, width) in columns.iter().zip(widths).rev() {
        if let Some(width) = width {
            let spare = *width - column.width(*width);
            let taken = u16::try_from(excess).unwrap_or(u16::MAX).min(spare);
            *width -= taken;
            excess -= u32::from(taken);
        }
    }
}

fn total(widths: impl Iterator<Item = Option<u16>>) -> u32 {
    let with_gaps: u32 = widths.flatten().map(|width| u32::from(width) + u32::from(GAP)).sum();
    with_gaps.saturating_sub(GAP.into())
}

#[cfg(test)]
mod tests {
    use super::super::samples::text;
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::text("NAME").cut(),
        Column::number("CHECKS"),
        Column::number("MISSED").expendable(1),
        Column::text("URL").cut().expendable(2),
    ];

    fn table(width: Option<u16>, colour: bool) -> String {
        let mut layout = Layout::new(&COLUMNS);
        let url = "https://shop.example/a/long/path/to/the/health/page";
        layout.row(vec![Cell::new("shop"), Cell::new(10), Cell::new(0), Cell::new(url)]);
        layout.row(vec![
            Cell::new("a name of some length"),
            Cell::new(2_000),
            Cell::none(),
            Cell::new("http://b/"),
        ]);
        text(|out| layout.write(Page { width, colour }, out))
    }

    #[test]
    fn without_a_width_nothing_is_cut_and_numbers_stand_right() {
        let expected = "\
NAME                   CHECKS  MISSED  URL
shop                       10       0  https://shop.example/a/long/path/to/the/health/page
a name of some length    2000       -  http://b/
";
        assert_eq!(table(None, false), expected);
    }

    #[test]
    fn on_a_narrower_page_the_last_text_is_cut() {
        let expected = "\
NAME                   CHECKS  MISSED  URL
shop                       10       0  https://shop.example…
a name of some length    2000       -  http://b/
";
        assert_eq!(table(Some(60), false), expected);
    }

    #[test]
    fn on_a_narrow_page_the_least_important_columns_are_left_out() {
        let expected = "\
NAME              CHECKS
shop                  10
a name of some…     2000
";
        assert_eq!(table(Some(24), false), expected);
    }

    #[test]
    fn no_line_is_wider_than_its_page_as_long_as_the_vital_columns_fit() {
        for width in 24..120 {
            let table = table(Some(width), false);
            assert_eq!(table.lines().count(), 3, "{table}");
            assert!(table.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}: {table}");
        }
    }

    #[test]
    fn a_page_too_narrow_for_anything_still_gets_every_row() {
        assert_eq!(table(Some(1), false).lines().count(), 3);
    }
}
