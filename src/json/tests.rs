//! What documents and paths promise.

use std::time::Duration;

use super::*;

fn document(text: &str) -> Document {
    Document::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn plenty() -> Budget {
    Budget::new(1_000_000, Duration::from_secs(60))
}

/// What `path` selects in `text`, in JSON.
fn selected(path: &str, text: &str) -> Vec<String> {
    let document = document(text);
    let path = JsonPath::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let ids = path.query(&document, &mut plenty()).unwrap();
    ids.into_iter().map(|id| document.text(id, 10_000)).collect()
}

#[test]
fn a_document_is_read_to_the_letter() {
    for (text, written) in [
        (" [1, -0, 2.50, 3E+2 ,true,false,null] ", "[1,-0,2.50,3E+2,true,false,null]"),
        (r#"{"b": {}, "a": [], "": ""}"#, r#"{"":"","a":[],"b":{}}"#),
        (r#"{"a": 1, "b": 2, "a": 3}"#, r#"{"a":3,"b":2}"#),
        (r#""\"\\\/\b\f\n\r\t\u0041\ud83d\ude00ö""#, r#""\"\\/\b\f\n\r\tA😀ö""#),
        ("1e400", "1e400"),
        ("\t\r\n0", "0"),
    ] {
        let document = document(text);
        assert_eq!(document.text(document.root(), 1_000), written);
    }
}

#[test]
fn half_a_surrogate_pair_is_a_letter_that_nobody_can_read() {
    for (text, read) in [
        (r#""party \ud83c""#, "party \u{fffd}"),
        (r#""\ude00 x""#, "\u{fffd} x"),
        (r#""\ud83d\n""#, "\u{fffd}\n"),
        (r#""\ud83d\u0041""#, "\u{fffd}A"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
    ] {
        let document = document(text);
        assert!(
            matches!(document.node(document.root()), Node::Text(found) if found.as_ref() == read),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_json_is_explained_with_its_place() {
    for (text, why) in [
        ("", "it ends where a value is expected at line 1 column 1"),
        ("<html>", "expected value at line 1 column 1"),
        ("{\n \"a\": nul}", "expected value at line 2 column 7"),
        ("[1,]", "expected value at line 1 column 4"),
        ("[1 2]", "expected `,` or `]` at line 1 column 4"),
        ("[1", "expected `,` or `]` at line 1 column 3"),
        ("{\"a\" 1}", "expected `:` at line 1 column 6"),
        ("{\"a\":1,}", "expected a name in quotes at line 1 column 8"),
        ("{a:1}", "expected a name in quotes at line 1 column 2"),
        ("{\"a\":1]", "expected `,` or `}` at line 1 column 7"),
        ("\"a", "it ends inside of a string at line 1 column 3"),
        ("\"a\nb\"", "a control character in a string at line 1 column 3"),
        ("\"\\x\"", "invalid escape at line 1 column 3"),
        ("\"\\u12g4\"", "invalid escape at line 1 column 3"),
        ("1 2", "trailing characters at line 1 column 3"),
        ("]", "expected value at line 1 column 1"),
        ("NaN", "expected value at line 1 column 1"),
    ] {
        assert_eq!(Document::parse(text).unwrap_err().to_string(), why, "{text}");
    }
    for number in ["01", "1.", ".5", "+1", "-", "1e", "1e+", "0x1"] {
        assert!(Document::parse(number).is_err(), "{number}");
    }
}

#[test]
fn a_document_may_be_nested_deep_and_not_deeper() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));

    for depth in [127, 128, 1_000, 10_000] {
        let document = document(&nested(depth));
        let deepest = JsonPath::parse("$..[0]").unwrap().query(&document, &mut plenty()).unwrap();
        assert_eq!(deepest.len(), depth - 1);
        let same = JsonPath::parse("$[?@ == @]").unwrap().query(&document, &mut plenty()).unwrap();
        assert_eq!(same.len(), 1);
        assert!(document.text(document.root(), 100).starts_with("[[["));
    }
    assert!(Document::parse(&nested(10_002)).unwrap_err().to_string().starts_with("nested too deep"));
    assert!(Document::parse(&"[".repeat(1_000_000)).is_err());
    assert!(Document::parse(&"{\"a\":".repeat(1_000_000)).is_err());
}

#[test]
fn numbers_are_compared_by_their_value() {
    use std::cmp::Ordering::{Equal, Greater, Less};
    for (a, order, b) in [
        ("3", Equal, "3.0"),
        ("30", Equal, "3e1"),
        ("0", Equal, "-0.0e7"),
        ("100e-2", Equal, "1"),
        ("0.1", Equal, "0.10"),
        ("0.1", Equal, "0.1000000000000000055511151231257827"),
        ("0.30000000000000004", Greater, "0.3"),
        ("9007199254740993", Greater, "9007199254740992"),
        ("18446744073709551617", Greater, "18446744073709551616"),
        ("-9007199254740993", Less, "-9007199254740992"),
        ("1e400", Greater, "1e399"),
        ("1e400", Equal, "10e399"),
        ("-1e400", Less, "1"),
        ("1e-400", Greater, "-1"),
        ("1e99999999999999999999", Greater, "1e400"),
        ("2", Less, "10"),
        ("-2", Greater, "-10"),
        ("0.5", Less, "1"),
        ("-1", Less, "0"),
    ] {
        let (a, b) = (Number::parse(a).unwrap(), Number::parse(b).unwrap());
        assert_eq!(a.order(&b), order, "{a} and {b}");
        assert_eq!(b.order(&a), order.reverse(), "{b} and {a}");
    }
}

const STORE: &str = r#"{"books": [{"title": "a", "price": 8}, {"title": "b", "price": 12.5, "isbn": "1"}, {"title": "c"}],
    "big": 9007199254740993, "none": null, "größe": 1, "o": {"j": 1, "k": 2}}"#;

#[test]
fn a_path_selects_what_the_rfc_says() {
    let none: [&str; 0] = [];
    for (path, expected) in [
        ("$.books[0].title", &["\"a\""][..]),
        ("$['books'][-1][\"title\"]", &["\"c\""]),
        ("$.books[*].title", &["\"a\"", "\"b\"", "\"c\""]),
        ("$.books[0:2].title", &["\"a\"", "\"b\""]),
        ("$.books[::-1].title", &["\"c\"", "\"b\"", "\"a\""]),
        ("$.books[5:0:-2].title", &["\"c\""]),
        ("$.books[0, 2, 0].title", &["\"a\"", "\"c\"", "\"a\""]),
        ("$ .books [1] .title", &["\"b\""]),
        ("$..price", &["8", "12.5"]),
        ("$.o.*", &["1", "2"]),
        ("$.größe", &["1"]),
        ("$.books[?@.price < 10].title", &["\"a\""]),
        ("$.books[?@.price >= 8 && !(@.isbn)].title", &["\"a\""]),
        ("$.books[?@.isbn || @.title == 'c'].title", &["\"b\"", "\"c\""]),
        ("$.books[?!@.price].title", &["\"c\""]),
        ("$.books[?length(@.title) == 1 && count(@.*) == 1].title", &["\"c\""]),
        ("$.books[?value(@..isbn) == '1'].title", &["\"b\""]),
        ("$.books[?match(@.title, '[ab]')].title", &["\"a\"", "\"b\""]),
        ("$.books[?search(@.title, $.books[1].title)].title", &["\"b\""]),
        ("$[?@ == null]", &["null"]),
        ("$[?@ == 9007199254740993]", &["9007199254740993"]),
        ("$[?@ == 9007199254740992]", &none),
        ("$[?@.j == $.o.j].k", &["2"]),
        ("$.books[?@.absent == @.missing].title", &["\"a\"", "\"b\"", "\"c\""]),
        ("$.books[9]", &none),
        ("$.books.title", &none),
        ("$.none.x", &none),
    ] {
        assert_eq!(selected(path, STORE), expected, "{path}");
    }
}

#[test]
fn what_is_no_path_is_refused_with_its_place() {
    for path in [
        "",
        "status",
        " $",
        "$ ",
        "$.",
        "$..",
        "$[",
        "$[]",
        "$[01]",
        "$[-0]",
        "$['a",
        "$[\"a'\"",
        "$.a b",
        "$..[?",
        "$[?@.a = 1]",
        "$[?1]",
        "$[?@.* == 1]",
        "$[?@..a == 1]",
        "$[?length(@.*) == 1]",
        "$[?length(@.a)]",
        "$[?match(@.a, 'x') == true]",
        "$[?match(@.a, '(')]",
        "$[?count(1) == 1]",
        "$[?nope(@)]",
        "$[?@.a == 01]",
        "$[9007199254740992]",
        "$['\\x']",
        "$['\\ud800']",
        "$[?!@.a == 1]",
        "$[1,]",
        "$[::1.5]",
        "$.1a",
        "$[?length() == 1]",
    ] {
        let error = JsonPath::parse(path).expect_err(path).to_string();
        assert!(error.starts_with("at position "), "{path}: {error}");
    }
    let deep = |depth: usize| format!("$[?{}@.a{}]", "(".repeat(depth), ")".repeat(depth));
    assert!(JsonPath::parse(&deep(20)).is_ok());
    assert!(JsonPath::parse(&deep(100_000)).unwrap_err().to_string().contains("nested too deep"));
    assert!(JsonPath::parse(&format!("$[?{}", "@[?".repeat(100_000))).is_err());
}

#[test]
fn a_path_stops_when_its_budget_is_spent() {
    let long = format!("[{}]", vec!["[1,2,3]"; 3_000].join(","));
    let document = document(&long);
    for path in ["$..*..*", "$[?count($..*) > 0]", "$[*][?search('aaaa', $[0][0])]", "$[::1][?@ == $[0]]"] {
        let path = JsonPath::parse(path).unwrap();
        let mut budget = Budget::new(5_000, Duration::from_secs(60));

        assert!(path.query(&document, &mut budget).is_err());
        assert!(path.query(&document, &mut budget).is_err(), "what is spent stays spent");
    }
    let mut no_time = Budget::new(u64::MAX, Duration::ZERO);
    assert!(JsonPath::parse("$..*").unwrap().query(&document, &mut no_time).is_err());
}

#[test]
fn an_expression_of_a_path_is_compiled_once() {
    let items: Vec<String> = (0..50_000).map(|at| format!("\"item {at}\"")).collect();
    let document = document(&format!("[{}]", items.join(",")));
    let path = JsonPath::parse("$[?match(@, '(item|thing) [0-9]{1,5}(a{1,50}){0,20}')]").unwrap();
    let began = crate::clock::Clock::instant();

    let found = path.query(&document, &mut plenty()).unwrap();

    assert_eq!(found.len(), 50_000);
    // Compiled for each item it would be minutes.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn an_expression_of_a_document_that_is_none_is_tried_once() {
    let items = vec!["\"item\""; 100_000].join(",");
    let document = document(&format!(r#"{{"pattern": "(", "items": [{items}]}}"#));
    let path = JsonPath::parse("$.items[?match(@, $.pattern)]").unwrap();
    let began = crate::clock::Clock::instant();

    let found = path.query(&document, &mut plenty()).unwrap();

    assert!(found.is_empty());
    // Tried for each item it would be many seconds.
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn a_long_text_costs_its_length() {
    let long = "x".repeat(64 * 1_000);
    let document = document(&format!(r#"["{long}"]"#));
    for path in ["$[?length(@) > 1]", "$[?search(@, 'y')]", "$[?@ == $[0]]"] {
        let path = JsonPath::parse(path).unwrap();

        assert!(path.query(&document, &mut Budget::new(900, Duration::from_secs(60))).is_err());
        assert!(path.query(&document, &mut Budget::new(1_100, Duration::from_secs(60))).is_ok());
    }
}
