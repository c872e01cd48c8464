//! The letters of a path.

use super::BadPath;

/// A place in a path.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

/// The largest whole number of RFC 7493, and the smallest with a minus.
const MAX_INT: i64 = (1 << 53) - 1;

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn bad<T>(&self, what: impl Into<String>) -> Result<T, BadPath> {
        Err(self.error(what))
    }

    pub(super) fn error(&self, what: impl Into<String>) -> BadPath {
        let at = self.text.get(..self.at).map_or(0, |before| before.chars().count());
        BadPath { what: what.into(), at }
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn place(&self) -> usize {
        self.at
    }

    /// Goes to a place where it has been.
    pub(super) fn go_to(&mut self, place: usize) {
        self.at = place;
    }

    /// Passes over `sign`, if it is next.
    pub(super) fn takes(&mut self, sign: &str) -> bool {
        let is_next = self.rest().starts_with(sign);
        if is_next {
            self.at += sign.len();
        }
        is_next
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), BadPath> {
        if self.takes(sign) { Ok(()) } else { self.bad(format!("{sign} is expected")) }
    }

    /// Says whether there were any.
    pub(super) fn skip_blanks(&mut self) -> bool {
        let before = self.at;
        self.at += self.taken(|letter| matches!(letter, ' ' | '\t' | '\n' | '\r')).len();
        self.at > before
    }

    fn taken(&self, is_part: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        &rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())]
    }

    /// Letters at the beginning of the rest of which all are part of a word.
    pub(super) fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let taken = self.taken(is_part);
        self.at += taken.len();
        taken
    }

    /// A name without quotes, if one begins here.
    pub(super) fn shorthand(&mut self) -> Option<&'t str> {
        let is_first = |letter: char| letter.is_ascii_alphabetic() || letter == '_' || !letter.is_ascii();
        self.peek().filter(|letter| is_first(*letter))?;
        Some(self.take_while(|letter| is_first(letter) || letter.is_ascii_digit()))
    }

    /// A whole number, if one begins here.
    pub(super) fn integer(&mut self) -> Result<Option<i64>, BadPath> {
        let start = self.at;
        let is_negative = self.takes("-");
        let digits = self.take_while(|letter| letter.is_ascii_digit());
        if digits.is_empty() {
            self.at = start;
            return Ok(None);
        }
        if digits.len() > 1 && digits.starts_with('0') || is_negative && digits == "0" {
            return self.bad("a number begins with a zero");
        }
        match digits.parse::<i64>() {
            Ok(number) if number <= MAX_INT => Ok(Some(if is_negative { -number } else { number })),
            _ => self.bad("a number is too large"),
        }
    }

    /// A text in quotes of either kind, if one begins here.
    pub(super) fn string(&mut self) -> Result<Option<String>, BadPath> {
        let Some(quote @ ('"' | '\'')) = self.peek() else { return Ok(None) };
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => return self.bad("a text has no end"),
                Some(letter) if letter == quote => {
                    self.at += 1;
                    return Ok(Some(text));
                }
                Some('\\') => text.push(self.escape(quote)?),
                Some('\0'..='\u{1f}') => return self.bad("a text has a control character"),
                Some(letter) => {
                    self.at += letter.len_utf8();
                    text.push(letter);
                }
            }
        }
    }

    fn escape(&mut self, quote: char) -> Result<char, BadPath> {
        self.at += 1;
        let letter = match self.peek() {
            Some('u') => return self.unicode(),
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some(letter @ ('/' | '\\')) => letter,
            Some(letter) if letter == quote => letter,
            _ => return self.bad("a backslash stands before what needs none"),
        };
        self.at += 1;
        Ok(letter)
    }

    fn unicode(&mut self) -> Result<char, BadPath> {
        let first = self.four_digits()?;
        let code = match first {
            0xd800..0xdc00 if self.takes("\\") => match self.four_digits()? {
                second @ 0xdc00..0xe000 => 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                _ => return self.bad("half of a surrogate pair stands alone"),
            },
            other => other,
        };
        char::from_u32(code).ok_or_else(|| self.error("half of a surrogate pair stands alone"))
    }

    fn four_digits(&mut self) -> Result<u32, BadPath> {
        self.expect("u")?;
        let digits =
            self.rest().get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(digits) = digits else { return self.bad("four hexadecimal digits are expected") };
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| self.error("four hexadecimal digits are expected"))
    }
}
