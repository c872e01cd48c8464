//! Whole numbers that 64 bits with a sign cannot hold: TOML has none, with which all sites are read, and serde would make
//! floating point of them, which is another number.

/// Whether there is one in a text in JSON. Numbers with a fraction or an exponent are floating point anyway.
pub fn has_large_number(json: &str) -> bool {
    let mut rest = json;
    while let Some(start) =
        rest.find(|letter: char| letter == '"' || letter == '-' || letter.is_ascii_digit())
    {
        let (token, behind) = split_token(&rest[start..]);
        if is_whole(token) && token.parse::<i64>().is_err() {
            return true;
        }
        rest = behind;
    }
    false
}

/// A string or a number, and what stands behind it.
fn split_token(text: &str) -> (&str, &str) {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
    let end = match text.strip_prefix('"') {
        Some(string) => 1 + length_of_string(string),
        None => text.find(|letter: char| !is_part(letter)).unwrap_or(text.len()),
    };
    text.split_at(end)
}

/// Up to its quote, which it includes.
fn length_of_string(text: &str) -> usize {
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => _ = letters.next(),
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn is_whole(token: &str) -> bool {
    let digits = token.strip_prefix('-').unwrap_or(token);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_that_64_bits_hold_are_not_large_and_others_are() {
        for json in [
            "9223372036854775807",
            "-9223372036854775808",
            "[1, -0]",
            "1e400",
            "99999999999999999999.0",
            "-99999999999999999999E+3",
            r#"{"99999999999999999999": "99999999999999999999 \" 99999999999999999999"}"#,
            r#""\\""#,
            "\"",
            "-",
            "",
        ] {
            assert!(!has_large_number(json), "{json}");
        }
        for json in [
            "9223372036854775808",
            "18446744073709551615",
            "99999999999999999999",
            "-9223372036854775809",
            r#"{"a":"\\","b":[1,99999999999999999999]}"#,
        ] {
            assert!(has_large_number(json), "{json}");
        }
    }
}
