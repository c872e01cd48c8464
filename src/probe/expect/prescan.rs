//! What a document says about its own encoding: the prescan of the HTML standard (section 13.2.3.2) and the declaration of XML
//! (the same section, and XML 1.0, section 4.3.3). Nothing else that reads `charset=` counts.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

use super::label::known;

/// Bytes of a document that are looked at.
const LIMIT: usize = 1024;

/// The encoding that an HTML document names, in a `meta` element or else in a declaration of XML.
pub(super) fn html(body: &[u8]) -> Option<&'static Encoding> {
    let start = &body[..body.len().min(LIMIT)];
    wide(start).or_else(|| Scan { text: start, at: 0 }.meta()).or_else(|| declared(start))
}

/// The encoding that an XML document names in its declaration.
pub(super) fn xml(body: &[u8]) -> Option<&'static Encoding> {
    let start = &body[..body.len().min(LIMIT)];
    wide(start).or_else(|| declared(start))
}

/// A declaration of XML in UTF-16, without a mark of byte order.
fn wide(start: &[u8]) -> Option<&'static Encoding> {
    if start.starts_with(b"<\0?\0x\0") {
        return Some(UTF_16LE);
    }
    start.starts_with(b"\0<\0?\0x").then_some(UTF_16BE)
}

/// `<?xml … encoding="…"`.
fn declared(start: &[u8]) -> Option<&'static Encoding> {
    let rest = start.strip_prefix(b"<?xml")?;
    let rest = &rest[..rest.iter().position(|byte| *byte == b'>')?];
    let behind = find(rest, b"encoding")?;
    let rest = rest[behind..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let quote = *rest.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let label = &rest[1..][..rest[1..].iter().position(|byte| *byte == quote)?];
    known(label).map(readable)
}

/// Whoever could read the words that name UTF-16 was not reading UTF-16.
fn readable(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding }
}

/// Behind the first `part` in `text`, in any case.
fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window.eq_ignore_ascii_case(part)).map(|at| at + part.len())
}

/// A place in the beginning of a page.
struct Scan<'t> {
    text: &'t [u8],
    at: usize,
}

/// Of a tag. Both in lower case.
#[derive(Debug, Default)]
struct Attribute {
    name: Vec<u8>,
    value: Vec<u8>,
}

impl<'t> Scan<'t> {
    fn rest(&self) -> &'t [u8] {
        &self.text[self.at.min(self.text.len())..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The encoding that the first usable `meta` element names.
    fn meta(&mut self) -> Option<&'static Encoding> {
        while self.at < self.text.len() {
            let rest = self.rest();
            let is_named = |name: &[u8]| {
                rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
                    && rest.get(name.len()).is_some_and(|next| is_blank(*next) || *next == b'/')
            };
            if rest.starts_with(b"<!--") {
                self.skip_comment()?;
            } else if is_named(b"<meta") {
                self.at += b"<meta".len();
                if let Some(encoding) = self.meta_element()? {
                    return Some(encoding);
                }
            } else if is_tag(rest) {
                self.skip_until(|byte| is_blank(byte) || byte == b'>')?;
                while self.attribute()?.is_some() {}
            } else if matches!(rest, [b'<', b'!' | b'/' | b'?', ..]) {
                self.skip_until(|byte| byte == b'>')?;
            }
            self.at += 1;
        }
        None
    }

    /// To the `>` of `-->`. The dashes may be those of `<!--`.
    fn skip_comment(&mut self) -> Option<()> {
        self.at += 2;
        self.at += self.rest().windows(3).position(|window| window == b"-->")? + 2;
        Some(())
    }

    fn skip_until(&mut self, is_end: impl Fn(u8) -> bool) -> Option<()> {
        self.at += self.rest().iter().position(|byte| is_end(*byte))?;
        Some(())
    }

    /// The encoding that a `meta` element names. The outer `None`: the page is cut inside of it.
    fn meta_element(&mut self) -> Option<Option<&'static Encoding>> {
        let mut seen: Vec<Vec<u8>> = Vec::new();
        let (mut is_pragma, mut needs_pragma, mut label) = (false, None, None);
        while let Some(Attribute { name, value }) = self.attribute()? {
            if seen.contains(&name) {
                continue;
            }
            match name.as_slice() {
                b"http-equiv" => is_pragma |= value == b"content-type",
                b"content" if label.is_none() => {
                    label = in_content(&value).and_then(known);
                    needs_pragma = label.map(|_| true).or(needs_pragma);
                }
                b"charset" => (label, needs_pragma) = (known(&value), Some(false)),
                _ => {}
            }
            seen.push(name);
        }
        Some(match needs_pragma {
            None => None,
            Some(true) if !is_pragma => None,
            Some(_) => label.map(|encoding| match readable(encoding) {
                encoding if encoding == X_USER_DEFINED => WINDOWS_1252,
                encoding => encoding,
            }),
        })
    }

    /// The next attribute of a tag, and nothing where the tag ends. The outer `None`: the page is cut inside of it.
    fn attribute(&mut self) -> Option<Option<Attribute>> {
        self.skip_until(|byte| !is_blank(byte) && byte != b'/')?;
        if self.peek()? == b'>' {
            return Some(None);
        }
        let mut attribute = Attribute::default();
        loop {
            match self.peek()? {
                b'=' if !attribute.name.is_empty() => break,
                blank if is_blank(blank) => {
                    self.skip_until(|byte| !is_blank(byte))?;
                    if self.peek()? != b'=' {
                        return Some(Some(attribute));
                    }
                    break;
                }
                b'/' | b'>' => return Some(Some(attribute)),
                byte => attribute.name.push(byte.to_ascii_lowercase()),
            }
            self.at += 1;
        }
        self.at += 1;
        attribute.value = self.value()?;
        Some(Some(attribute))
    }

    fn value(&mut self) -> Option<Vec<u8>> {
        self.skip_until(|byte| !is_blank(byte))?;
        let start = self.at;
        match self.peek()? {
            quote @ (b'"' | b'\'') => {
                self.at += 1;
                self.skip_until(|byte| byte == quote)?;
                self.at += 1;
                Some(self.text[start + 1..self.at - 1].to_ascii_lowercase())
            }
            _ => {
                self.skip_until(|byte| is_blank(byte) || byte == b'>')?;
                Some(self.text[start..self.at].to_ascii_lowercase())
            }
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

fn is_tag(rest: &[u8]) -> bool {
    match rest {
        [b'<', b'/', letter, ..] | [b'<', letter, ..] => letter.is_ascii_alphabetic(),
        _ => false,
    }
}

/// The label in `text/html; charset=…`, as the content of a `meta` element has it.
fn in_content(content: &[u8]) -> Option<&[u8]> {
    let mut rest = content;
    loop {
        rest = rest[find(rest, b"charset")?..].trim_ascii_start();
        if let Some(value) = rest.strip_prefix(b"=") {
            rest = value.trim_ascii_start();
            break;
        }
    }
    match rest {
        [quote @ (b'"' | b'\''), value @ ..] => {
            value.iter().position(|byte| byte == quote).map(|end| &value[..end])
        }
        _ => {
            let end = rest.iter().position(|byte| is_blank(*byte) || *byte == b';').unwrap_or(rest.len());
            Some(&rest[..end])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(page: &str) -> Option<&'static str> {
        html(page.as_bytes()).map(Encoding::name)
    }

    #[test]
    fn a_meta_element_names_the_encoding() {
        for page in [
            "<meta charset=shift_jis>",
            "<META CHARSET = 'Shift_JIS' >",
            "<meta/charset=\"shift_jis\"/>",
            "<meta name=a charset=shift_jis>",
            "<!DOCTYPE html><html lang=\"a>b\"><meta\ncharset=shift_jis>",
            "<meta http-equiv=Content-Type content=\"text/html; charset=shift_jis\">",
            "<meta content='text/html; charset = \"shift_jis\"' http-equiv='content-type'>",
            "<meta charset=none><meta charset=shift_jis>",
            "<meta charset=shift_jis charset=utf-8>",
            "<!-- <meta charset=utf-8> --><meta charset=shift_jis>",
            "<!--><meta charset=shift_jis>",
            "<?php no xml ?><meta charset=shift_jis>",
            "</p x='<meta charset=utf-8>'><meta charset=shift_jis>",
            "<meta charset=shift_jis><meta charset=utf-8>",
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><meta charset=shift_jis>",
            "<?xml version='1.0' encoding='shift_jis'?><rss>",
        ] {
            assert_eq!(name(page), Some("Shift_JIS"), "{page}");
        }
    }

    #[test]
    fn what_could_be_read_is_not_utf_16() {
        assert_eq!(name("<meta charset=utf-16>"), Some("UTF-8"));
        assert_eq!(name("<meta charset=utf-16be>"), Some("UTF-8"));
        assert_eq!(name("<?xml version=\"1.0\" encoding=\"UTF-16\"?>"), Some("UTF-8"));
        assert_eq!(name("<meta charset=x-user-defined>"), Some("windows-1252"));
        assert_eq!(name("<\0?\0x\0m\0l\0"), Some("UTF-16LE"));
    }

    #[test]
    fn only_the_beginning_counts() {
        let page = |before: usize| format!("{}<meta charset=shift_jis>", " ".repeat(before));

        assert_eq!(name(&page(1000)), Some("Shift_JIS"));
        assert_eq!(name(&page(1001)), None);
    }

    #[test]
    fn a_page_that_is_cut_names_nothing() {
        let page = "<!-- - --><p a='b'><meta charset=\"shift_jis\"";
        for end in 0..page.len() {
            assert_eq!(name(&page[..end]), None, "{:?}", &page[..end]);
        }
    }
}
