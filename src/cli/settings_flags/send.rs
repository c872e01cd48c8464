//! The value of `--send`: a text in which a shell need not write line breaks.

use crate::config::Fault;

const REMEDY: &str = "write \\r, \\n, \\t, \\0, and \\\\ for a backslash";

/// The text that is meant, with what its escapes stand for.
pub(super) fn read(text: &str) -> Result<String, Fault> {
    let (mut meant, mut letters) = (String::new(), text.chars());
    while let Some(letter) = letters.next() {
        meant.push(match letter {
            '\\' => escape(letters.next())?,
            plain => plain,
        });
    }
    Ok(meant)
}

fn escape(letter: Option<char>) -> Result<char, Fault> {
    match letter {
        Some('r') => Ok('\r'),
        Some('n') => Ok('\n'),
        Some('t') => Ok('\t'),
        Some('0') => Ok('\0'),
        Some('\\') => Ok('\\'),
        Some(_) => Err(Fault::new("has an escape that nobody knows", REMEDY)),
        None => Err(Fault::new("ends with a backslash", REMEDY)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_what_they_do_in_a_file() {
        for (typed, meant) in [
            (r"PING\r\n", "PING\r\n"),
            (r"a\tb\0c\\n", "a\tb\0c\\n"),
            ("PING\r\n", "PING\r\n"),
            ("größer", "größer"),
        ] {
            assert_eq!(read(typed).as_deref(), Ok(meant), "{typed}");
        }
    }

    #[test]
    fn an_escape_that_nobody_knows_is_refused_with_those_that_there_are() {
        for typed in [r"\x", r"a\", r"\"] {
            assert!(read(typed).unwrap_err().remedy.contains(r"\r, \n"), "{typed}");
        }
    }
}
