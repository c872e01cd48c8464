//! Colours, where the page has them.

use crate::model::Status;
use crate::report::Page;

const RED: u8 = 31;
const GREEN: u8 = 32;
const YELLOW: u8 = 33;

/// `text` in the colour of `status`.
pub(super) fn status(status: Status, text: &str, page: Page) -> String {
    let colour = match status {
        Status::Up => GREEN,
        Status::Down => RED,
        Status::Degraded | Status::Missed | Status::Unknown => YELLOW,
    };
    bold(text, colour, page)
}

/// `text` in the colour of what a person should know.
pub(super) fn warning(text: &str, page: Page) -> String {
    bold(text, YELLOW, page)
}

fn bold(text: &str, colour: u8, page: Page) -> String {
    if page.colour { format!("\x1b[1;{colour}m{text}\x1b[0m") } else { text.to_owned() }
}
