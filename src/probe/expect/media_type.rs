//! What a `Content-Type` says (WHATWG MIME Sniffing, section 4.4).

/// The parts of it that matter for the text of a body.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct MediaType<'t> {
    pub(super) kind: Kind,
    /// The label, as it stands there.
    pub(super) charset: Option<&'t [u8]>,
}

/// Where a document of this type may say what it is written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// In a `meta` element.
    Html,
    /// In its declaration.
    Xml,
    /// Nothing is known of it.
    #[default]
    Unknown,
    /// Nowhere.
    Other,
}

impl<'t> MediaType<'t> {
    pub(super) fn parse(text: &'t [u8]) -> Self {
        let mut parts = Parts(text);
        let kind = Kind::of(parts.next().unwrap_or_default());
        let charset = parts.find_map(|part| {
            let equals = part.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (part[..equals].trim_ascii(), part[equals + 1..].trim_ascii());
            name.eq_ignore_ascii_case(b"charset").then_some(unquoted(value))
        });
        Self { kind, charset }
    }
}

impl Kind {
    fn of(essence: &[u8]) -> Self {
        let essence = essence.trim_ascii().to_ascii_lowercase();
        match essence.as_slice() {
            b"text/html" => Self::Html,
            b"text/xml" | b"application/xml" => Self::Xml,
            b"" | b"*/*" | b"unknown/unknown" | b"application/unknown" => Self::Unknown,
            other if other.ends_with(b"+xml") => Self::Xml,
            other if !other.contains(&b'/') => Self::Unknown,
            _ => Self::Other,
        }
    }
}

/// `"utf-8"` and also `'utf-8'`, as some servers write it.
fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [quote @ (b'"' | b'\''), rest @ ..] => {
            let end = rest.iter().position(|byte| byte == quote).unwrap_or(rest.len());
            rest[..end].trim_ascii()
        }
        plain => plain,
    }
}

/// What semicolons separate, but for those in quotes.
struct Parts<'t>(&'t [u8]);

impl<'t> Iterator for Parts<'t> {
    type Item = &'t [u8];

    fn next(&mut self) -> Option<&'t [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let mut is_quoted = false;
        let end = self.0.iter().position(|byte| {
            is_quoted ^= *byte == b'"';
            *byte == b';' && !is_quoted
        });
        let (part, rest) = end.map_or((self.0, &[][..]), |end| (&self.0[..end], &self.0[end + 1..]));
        self.0 = rest;
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charset_is_a_parameter_of_that_name() {
        for (text, charset) in [
            ("text/html; charset=utf-8", Some("utf-8")),
            ("text/html;CHARSET=\"Latin1\";x=y", Some("Latin1")),
            ("text/html; charset='utf-8'", Some("utf-8")),
            ("text/html; x=\"; charset=a\"; charset=b", Some("b")),
            ("text/html; charset=a; charset=b", Some("a")),
            ("text/html; x-charset=a", None),
            ("text/html; url=?charset=a", None),
            ("text/html charset=utf-8", None),
            ("charset=utf-8", None),
            ("text/html", None),
        ] {
            assert_eq!(MediaType::parse(text.as_bytes()).charset, charset.map(str::as_bytes), "{text}");
        }
    }

    #[test]
    fn a_kind_is_known_by_its_name() {
        for (text, kind) in [
            ("Text/HTML; a=b", Kind::Html),
            ("application/rss+xml", Kind::Xml),
            ("text/xml", Kind::Xml),
            ("application/xhtml+xml", Kind::Xml),
            ("application/json", Kind::Other),
            ("text/css", Kind::Other),
            ("", Kind::Unknown),
            ("html", Kind::Unknown),
        ] {
            assert_eq!(MediaType::parse(text.as_bytes()).kind, kind, "{text}");
        }
    }
}
