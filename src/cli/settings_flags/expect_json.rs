//! The value of `--expect-json`: `$.path`, `!$.path`, or a path, an operator and a value.

use serde_json::Value as Json;
use toml::{Table, Value as Toml};

use crate::config::Fault;
use crate::config::{has_large_number, null};

/// Longer signs before those that they begin with. `==` is what programmers type.
const OPERATORS: [(&str, &str); 9] = [
    ("==", "equals"),
    ("!=", "not_equals"),
    (">=", "ge"),
    ("<=", "le"),
    ("~=", "matches"),
    ("#=", "length"),
    ("=", "equals"),
    (">", "gt"),
    ("<", "lt"),
];

/// The condition as a table of `expect.json`.
pub(super) fn read(text: &str) -> Result<Table, Fault> {
    let (path, condition) = match (text.trim().strip_prefix('!'), split(text)) {
        (Some(path), None) => (path, Some(("exists", false.into()))),
        (None, None) => (text, None),
        (_, Some((path, key @ ("equals" | "not_equals"), operand))) if operand.trim() == "null" => {
            (path, Some(("is_null", (key == "equals").into())))
        }
        (_, Some((path, key, operand))) => (path, Some((key, value(key, operand.trim())?))),
    };
    let path = path.trim();
    if !path.starts_with('$') {
        return Err(Fault::new(
            "begins with no path",
            "begin with $, for example $.status=UP or $.items[0].id>7",
        ));
    }
    let condition = condition.map(|(key, value)| (key.to_owned(), value));
    Ok([("path".to_owned(), path.into())].into_iter().chain(condition).collect())
}

/// Path, key and operand, at the first operator that is not part of the path.
fn split(text: &str) -> Option<(&str, &'static str, &str)> {
    let outside = outside_brackets(text);
    let (at, sign, key) = outside.into_iter().find_map(|at| {
        let (sign, key) = OPERATORS.iter().find(|(sign, _)| text[at..].starts_with(sign))?;
        Some((at, sign, *key))
    })?;
    Some((&text[..at], key, &text[at + sign.len()..]))
}

/// Where the characters begin that stand outside `[…]`. Names in brackets and filters may hold every sign there is, and a
/// text in quotes may hold brackets.
fn outside_brackets(text: &str) -> Vec<usize> {
    let (mut outside, mut depth, mut quote) = (Vec::new(), 0_usize, None);
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match (letter, quote) {
            ('\\', Some(_)) => _ = letters.next(),
            (_, Some(open)) if letter == open => quote = None,
            (_, Some(_)) => {}
            ('[', None) => depth += 1,
            (']', None) => depth = depth.saturating_sub(1),
            ('"' | '\'', None) if depth > 0 => quote = Some(letter),
            _ if depth == 0 => outside.push(at),
            _ => {}
        }
    }
    outside
}

fn value(key: &str, operand: &str) -> Result<Toml, Fault> {
    if operand.is_empty() {
        return Err(Fault::new("has nothing after its operator", "write \"\" for the empty text"));
    }
    match key {
        "matches" => Ok(operand.into()),
        "length" => match operand.parse::<u32>() {
            Ok(length) => Ok(i64::from(length).into()),
            Err(_) => {
                Err(Fault::new("has no length after #=", "write a whole number, for example $.items#=3"))
            }
        },
        "equals" | "not_equals" => json(operand),
        _ => number(operand),
    }
}

/// As JSON, or else as a text that somebody did not want to quote twice.
fn json(operand: &str) -> Result<Toml, Fault> {
    match serde_json::from_str(operand) {
        Ok(_) if has_large_number(operand) => Err(large()),
        Ok(json) => toml(json).ok_or_else(large),
        Err(_) => Ok(operand.into()),
    }
}

fn large() -> Fault {
    Fault::new("compares with a number of more than 64 bits", "compare with a smaller one, by < or >")
}

fn toml(json: Json) -> Option<Toml> {
    match json {
        Json::Null => Some(null()),
        Json::Array(items) => items.into_iter().map(toml).collect::<Option<Vec<_>>>().map(Toml::Array),
        Json::Object(members) => {
            let members = members.into_iter().map(|(name, json)| Some((name, toml(json)?)));
            members.collect::<Option<Table>>().map(Toml::Table)
        }
        plain => Toml::try_from(plain).ok(),
    }
}

fn number(operand: &str) -> Result<Toml, Fault> {
    if has_large_number(operand) {
        return Err(large());
    }
    let number = serde_json::from_str(operand).ok().filter(Json::is_number);
    number.and_then(|number| Toml::try_from(number).ok()).ok_or_else(|| {
        Fault::new(
            "compares with what is no number",
            "write one, for example $.load<0.8, or use = for a text",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_has_its_key() {
        for (text, expected) in [
            ("$.status", "path = '$.status'"),
            ("!$.error", "path = '$.error'\nexists = false"),
            ("$.status=UP", "path = '$.status'\nequals = 'UP'"),
            ("$.status == \"UP\"", "path = '$.status'\nequals = 'UP'"),
            ("$.ok=true", "path = '$.ok'\nequals = true"),
            ("$.code=\"200\"", "path = '$.code'\nequals = '200'"),
            ("$.ids=[1, 2]", "path = '$.ids'\nequals = [1, 2]"),
            ("$.state!=DOWN", "path = '$.state'\nnot_equals = 'DOWN'"),
            ("$.age>3", "path = '$.age'\ngt = 3"),
            ("$.age>=3", "path = '$.age'\nge = 3"),
            ("$.load < 0.8", "path = '$.load'\nlt = 0.8"),
            ("$.t<=-4", "path = '$.t'\nle = -4"),
            ("$.version~=^1\\.[0-9]+$", "path = '$.version'\nmatches = '^1\\.[0-9]+$'"),
            ("$.items#=3", "path = '$.items'\nlength = 3"),
            ("$.error=null", "path = '$.error'\nis_null = true"),
            ("$.error == null", "path = '$.error'\nis_null = true"),
            ("$.error!= null ", "path = '$.error'\nis_null = false"),
            ("$.error=\"null\"", "path = '$.error'\nequals = 'null'"),
            ("$.ids=[]", "path = '$.ids'\nequals = []"),
        ] {
            assert_eq!(read(text), Ok(expected.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn signs_inside_brackets_belong_to_the_path() {
        for (path, operator, key) in [
            ("$.items[?@.id == 7].name", "=", "equals"),
            ("$[?@.a <= 1 && @.b != 'x']", "!=", "not_equals"),
            ("$['a=b']", "=", "equals"),
            ("$[?@.name == 'a]>b'].x", "=", "equals"),
            ("$[?@.name == 'it\\'s]=1'].x", "=", "equals"),
            ("$[?@[?@.x > 1]].y", "=", "equals"),
            ("$.größe", "=", "equals"),
        ] {
            let table = read(&format!("{path}{operator}v")).unwrap();
            assert_eq!(table["path"], path.into());
            assert_eq!(table[key], "v".into());
            assert_eq!(read(path).unwrap().len(), 1, "{path}");
        }
    }

    #[test]
    fn an_operand_may_hold_every_sign() {
        assert_eq!(read("$.q=a=b>c[").unwrap()["equals"], "a=b>c[".into());
        assert_eq!(read("$.q~=^[<>=]$").unwrap()["matches"], "^[<>=]$".into());
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_a_remedy() {
        for text in ["", "status=UP", "=UP", "$.a=", "$.a>x", "$.a<\"1\"", "$.a#=x", "$.a#=-1", "!$.a=1"] {
            assert!(!read(text).unwrap_err().remedy.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn no_whole_number_becomes_another_one() {
        for number in [
            "99999999999999999999",
            "18446744073709551615",
            "-9223372036854775809",
            "[1, 9223372036854775808]",
        ] {
            for operator in ["=", "!="] {
                let fault = read(&format!("$.id{operator}{number}")).unwrap_err();
                assert_eq!(fault.message, "compares with a number of more than 64 bits");
            }
        }
        assert!(read("$.id>99999999999999999999").unwrap_err().message.contains("more than 64 bits"));
        for allowed in [
            "9223372036854775807",
            "-9223372036854775808",
            "1e+20",
            "\"99999999999999999999\"",
            "99999999999999999999x",
        ] {
            assert!(read(&format!("$.id={allowed}")).is_ok(), "{allowed}");
        }
    }
}
