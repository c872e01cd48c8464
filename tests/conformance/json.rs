//! Conditions on the values in a body of JSON.

use serde_json::{Value as Json, json};
use uptime_monitor::model::Reason;
use uptime_monitor::probe::ProbeConfig;

use crate::server::answer;
use crate::table::{Case, Want, down, open, run, up};

#[actix_rt::test]
async fn every_case() {
    run("JSON", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    [equality(), comparisons(), strings(), lengths(), presence(), nulls(), paths(), documents(), of_others()]
        .into_iter()
        .flatten()
        .collect()
}

const STATUS: &str = r#"{
    "status": "UP", "age": 30, "load": 0.5, "big": 9007199254740993, "exp": 3e1, "text": "30", "half": " 0.5 ",
    "hex": "0x1e", "yes": true, "none": null, "empty": "", "list": [1, 2, 3], "nothing": [], "city": "Köln",
    "db": {"name": "main", "hosts": [{"id": 1, "up": true}, {"id": 2, "up": false}]}, "a.b": "dotted", "clean": {},
    "pair": [null, 1]
}"#;

/// What `condition` on what `path` selects makes of [`STATUS`].
fn row(path: &str, mut condition: Json, want: Want) -> Case {
    let name = format!("{path} {condition}");
    condition.as_object_mut().unwrap().insert("path".to_owned(), path.into());
    Case::answer(name, answer("200 OK", STATUS), want).with(json!({"expect": {"json": [condition]}}))
}

fn no(tells: &str) -> Want {
    down(Reason::Json).tells(tells)
}

fn equality() -> Vec<Case> {
    vec![
        row("$.status", json!({"equals": "UP"}), up()),
        row("$.status", json!({"equals": "up"}), no("$.status is \"UP\", expected to equal \"up\"")),
        row("$.age", json!({"equals": 30}), up()),
        row("$.age", json!({"equals": 30.0}), up()),
        row("$.exp", json!({"equals": 30}), up()),
        row("$.age", json!({"equals": "30"}), no("$.age is 30, expected to equal \"30\"")),
        row("$.text", json!({"equals": 30}), no("$.text is \"30\", expected to equal 30")),
        row("$.big", json!({"equals": 9007199254740993_i64}), up()),
        row("$.big", json!({"equals": 9007199254740992_i64}), no("9007199254740993")),
        row("$.yes", json!({"equals": true}), up()),
        row("$.yes", json!({"equals": "true"}), no("$.yes is true")),
        row("$.list", json!({"equals": [1, 2, 3]}), up()),
        row("$.list", json!({"equals": [1, 2]}), no("$.list is [1,2,3]")),
        row("$.db.hosts[0]", json!({"equals": {"up": true, "id": 1.0}}), up()),
        row("$.gone", json!({"equals": "x"}), no("$.gone is missing")),
        row("$.status", json!({"not_equals": "DOWN"}), up()),
        row("$.status", json!({"not_equals": "UP"}), no("not to equal \"UP\"")),
        row("$.gone", json!({"not_equals": "x"}), no("$.gone is missing")),
        row("$.list[*]", json!({"equals": 3}), up()),
        row("$.list[*]", json!({"not_equals": 3}), no("$.list[*] is 1, 2, 3")),
        row("$.list[*]", json!({"not_equals": 4}), up()),
    ]
}

fn comparisons() -> Vec<Case> {
    vec![
        row("$.age", json!({"gt": 29}), up()),
        row("$.age", json!({"gt": 30}), no("$.age is 30, expected to be more than 30")),
        row("$.age", json!({"ge": 30}), up()),
        row("$.age", json!({"ge": 31}), no("to be at least 31")),
        row("$.age", json!({"lt": 31}), up()),
        row("$.age", json!({"lt": 30}), no("to be less than 30")),
        row("$.age", json!({"le": 30}), up()),
        row("$.age", json!({"le": 29.9}), no("to be at most 29.9")),
        row("$.load", json!({"gt": 0.4}), up()),
        row("$.load", json!({"lt": 1}), up()),
        row("$.big", json!({"gt": 9007199254740992_i64}), up()),
        row("$.text", json!({"ge": 30}), up()),
        row("$.half", json!({"lt": 1}), up()),
        row("$.hex", json!({"gt": 1}), no("$.hex is \"0x1e\"")),
        row("$.status", json!({"gt": 1}), no("$.status is \"UP\"")),
        row("$.yes", json!({"gt": 0}), no("$.yes is true")),
        row("$.none", json!({"lt": 1}), no("$.none is null")),
        row("$.gone", json!({"lt": 1}), no("$.gone is missing")),
        row("$.list[*]", json!({"gt": 2}), up()),
        row("$.list", json!({"gt": 2}), no("$.list is [1,2,3]")),
    ]
}

fn strings() -> Vec<Case> {
    vec![
        row("$.status", json!({"matches": "^(UP|OK)$"}), up()),
        row("$.status", json!({"matches": "down"}), no("to match \"down\"")),
        row("$.db.name", json!({"matches": "ai"}), up()),
        row("$.age", json!({"matches": "30"}), no("$.age is 30, expected to match")),
        row("$.gone", json!({"matches": ".*"}), no("$.gone is missing")),
        row("$.empty", json!({"matches": "^$"}), up()),
    ]
}

fn lengths() -> Vec<Case> {
    vec![
        row("$.list", json!({"length": 3}), up()),
        row("$.list", json!({"length": 2}), no("$.list is [1,2,3], expected to have length 2")),
        row("$.nothing", json!({"length": 0}), up()),
        row("$.status", json!({"length": 2}), up()),
        row("$.city", json!({"length": 4}), up()),
        row("$.db", json!({"length": 2}), up()),
        row("$.db.hosts", json!({"length": 2}), up()),
        row("$.clean", json!({"length": 0}), up()),
        row("$.age", json!({"length": 2}), no("$.age is 30, expected to have length 2")),
        row("$.yes", json!({"length": 4}), no("$.yes is true")),
        row("$.gone", json!({"length": 0}), no("$.gone is missing")),
    ]
}

fn presence() -> Vec<Case> {
    vec![
        row("$.status", json!({}), up()),
        row("$.status", json!({"exists": true}), up()),
        row("$.none", json!({"exists": true}), up()),
        row("$.gone", json!({"exists": true}), no("$.gone is missing, expected to be there")),
        row("$.gone", json!({}), no("$.gone is missing, expected to be there")),
        row("$.gone", json!({"exists": false}), up()),
        row("$.status", json!({"exists": false}), no("$.status is \"UP\", expected to be absent")),
        row("$.none", json!({"exists": false}), no("$.none is null, expected to be absent")),
        row("$.nothing[*]", json!({"exists": false}), up()),
    ]
}

/// One of the commonest answers of a health page is `{"error": null}`.
fn nulls() -> Vec<Case> {
    vec![
        row("$.none", json!({"is_null": true}), up()),
        row("$.none", json!({"equals": null}), up()),
        row("$.age", json!({"is_null": true}), no("$.age is 30, expected to equal null")),
        row("$.age", json!({"equals": null}), no("$.age is 30, expected to equal null")),
        row("$.empty", json!({"is_null": true}), no("$.empty is \"\", expected to equal null")),
        row("$.gone", json!({"is_null": true}), no("$.gone is missing, expected to equal null")),
        row("$.age", json!({"is_null": false}), up()),
        row("$.age", json!({"not_equals": null}), up()),
        row("$.none", json!({"is_null": false}), no("$.none is null, expected not to equal null")),
        row("$.none", json!({"not_equals": null}), no("$.none is null, expected not to equal null")),
        row("$.gone", json!({"is_null": false}), no("$.gone is missing, expected not to equal null")),
        row("$.pair", json!({"equals": [null, 1]}), up()),
        row("$.pair", json!({"equals": [1, null]}), no("$.pair is [null,1]")),
        row("$.pair[*]", json!({"is_null": true}), up()),
    ]
}

fn paths() -> Vec<Case> {
    vec![
        row("$", json!({"length": 18}), up()),
        row("$.db.hosts[1].id", json!({"equals": 2}), up()),
        row("$.db.hosts[-1].id", json!({"equals": 2}), up()),
        row("$.db.hosts[2].id", json!({"exists": false}), up()),
        row("$['a.b']", json!({"equals": "dotted"}), up()),
        row("$..id", json!({"equals": 2}), up()),
        row("$.db.hosts[?@.up == false].id", json!({"equals": 2}), up()),
        row("$.db.hosts[?@.up == false]", json!({"exists": false}), no("expected to be absent")),
        row("$.list[0:2]", json!({"equals": 3}), no("$.list[0:2] is 1, 2")),
        row("$.status.deeper", json!({"exists": false}), up()),
        row("$.Status", json!({}), no("$.Status is missing")),
        row("$[?@ == 9007199254740993]", json!({"equals": 9007199254740993_i64}), up()),
        row("$[?@ == 9007199254740992]", json!({"exists": false}), up()),
        row("$.db.hosts[?match(@.name, 'x')]", json!({"exists": false}), up()),
        row("$[0].name", json!({"equals": "x"}), no("$[0].name is missing")),
        row("$.none.deeper", json!({"equals": "x"}), no("$.none.deeper is missing")),
    ]
}

/// What is no JSON, or not all of it.
fn documents() -> Vec<Case> {
    let whole = |name: &str, body: &str, path: &str, want: Want| {
        Case::answer(name, answer("200 OK", body), want).with(json!({"expect": {"json": [{"path": path}]}}))
    };
    let long = format!("{{\"status\": \"UP\", \"rest\": \"{}\"}}", "x".repeat(5000));
    vec![
        whole("a list", "[1, 2]", "$[1]", up()),
        whole("a string", "\"UP\"", "$", up()),
        whole("a number alone", "42", "$", up()),
        whole("blanks around it", " \r\n{\"a\": 1}\n", "$.a", up()),
        whole("a mark of byte order before it", "\u{feff}{\"a\": 1}", "$.a", up()),
        whole("a page", "<html></html>", "$.a", no("the body is no JSON")),
        whole("nothing", "", "$.a", no("the body is empty, expected $.a to be there")),
        whole("blanks", "  \n", "$.a", no("the body is empty")),
        whole("two documents", "{\"a\": 1} {\"a\": 2}", "$.a", no("the body is no JSON")),
        whole("half a document", "{\"a\": 1", "$.a", no("the body is no JSON")),
        whole("a comma too many", "{\"a\": 1,}", "$.a", no("the body is no JSON")),
        whole("words without quotes", "{a: 1}", "$.a", no("the body is no JSON")),
        whole("NaN", "{\"a\": NaN}", "$.a", no("the body is no JSON")),
        whole("nested too deep", &"[".repeat(100_000), "$[0]", no("the body is no JSON (nested too deep")),
        whole("a name twice: the last counts", "{\"a\": null, \"a\": 1}", "$.a", up()),
        whole("longer than what is read", &long, "$.status", no("only read for 1000 bytes"))
            .config(ProbeConfig { body_limit: 1000, ..open() }),
        Case::answer(
            "whatever it is called",
            answer("200 OK", "{\"a\": 1}").replace("\r\n\r\n", "\r\nContent-Type: text/html\r\n\r\n"),
            up(),
        )
        .with(json!({"expect": {"json": [{"path": "$.a", "equals": 1}]}})),
        Case::answer(
            "two that fail",
            answer("200 OK", "{\"a\": 1, \"b\": 2}"),
            no("$.a is 1").tells("$.b is 2"),
        )
        .with(json!({"expect": {"json": [{"path": "$.a", "gt": 1}, {"path": "$.b", "lt": 2}]}})),
        Case::answer("no JSON at all, expected absent", answer("200 OK", "x"), no("the body is no JSON"))
            .with(json!({"expect": {"json": [{"path": "$.a", "exists": false}]}})),
    ]
}

/// Documents that the clients of other languages read, each in the way of a server that sends it.
#[allow(clippy::too_many_lines, reason = "a table has as many lines as it has rows")]
fn of_others() -> Vec<Case> {
    let row = |name: &str, content_type: &str, body: &[u8], path: &str, equals: Json, want: Want| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        Case::answer(name, [head.as_bytes(), body].concat(), want)
            .with(json!({"expect": {"json": [{"path": path, "equals": equals}]}}))
    };
    let is_up = |name: &str, content_type: &str, body: &[u8]| {
        row(name, content_type, body, "$.status", json!("UP"), up())
    };
    let nested =
        |depth: usize| format!("{{\"status\":\"UP\",\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let plain = "application/json";
    let latin = b"{\"status\":\"UP\",\"city\":\"Z\xfcrich\"}";
    vec![
        // A servlet's getWriter() after setContentType("application/json").
        is_up("Tomcat 11, Undertow 2.3: Latin-1, and says so", "application/json;charset=ISO-8859-1", latin),
        row(
            "the same, its letters",
            "application/json;charset=ISO-8859-1",
            latin,
            "$.city",
            json!("Zürich"),
            up(),
        ),
        is_up("Latin-1, and does not say so", plain, latin),
        row("the same, its letters, unsaid", plain, latin, "$.city", json!("Zürich"), up()),
        row(
            "a stray byte in UTF-8",
            plain,
            b"{\"city\":\"K\xc3\xb6ln\",\"x\":\"\xff\"}",
            "$.city",
            json!("Köln"),
            up(),
        ),
        row("UTF-16 with a mark", plain, b"\xff\xfe1\x002\x00", "$", json!(12), up()),
        row(
            "a text that names a charset",
            plain,
            "{\"a\":\"charset=utf-16\",\"b\":\"ö\"}".as_bytes(),
            "$.b",
            json!("ö"),
            up(),
        ),
        // JSON.stringify(text.slice(0, 7))
        is_up("node 20.20.2: half a surrogate pair", plain, br#"{"status":"UP","note":"party \ud83c"}"#),
        is_up("the second half of a pair", plain, br#"{"status":"UP","note":"\ude00 party"}"#),
        row(
            "the letter that half a pair is",
            plain,
            br#"{"note":"a\ud83c"}"#,
            "$.note",
            json!("a\u{fffd}"),
            up(),
        ),
        row("a whole pair", plain, br#"{"note":"\ud83d\ude00"}"#, "$.note", json!("\u{1f600}"), up()),
        is_up("a number too large for a double", plain, br#"{"status":"UP","n":1e400}"#),
        is_up(
            "a number of 400 digits",
            plain,
            format!("{{\"status\":\"UP\",\"n\":{}}}", "9".repeat(400)).as_bytes(),
        ),
        is_up("127 lists in each other", plain, nested(127).as_bytes()),
        is_up("1,000 lists in each other", plain, nested(1_000).as_bytes()),
        is_up("9,000 lists in each other", plain, nested(9_000).as_bytes()),
        row(
            "more work than a check may spend",
            plain,
            wide().as_bytes(),
            "$..[?count($..*) > 0]",
            json!(1),
            no("more work to find"),
        ),
        row(
            "a long text that a path selects many times",
            plain,
            format!("[\"{}\"]", "x".repeat(500_000)).as_bytes(),
            &format!("$[{}]", ["0"; 2_000].join(",")),
            json!("UP"),
            no("more work to find"),
        ),
        row(
            "an expression in the document that is none",
            plain,
            format!("{{\"pattern\":\"(\",\"items\":[{}]}}", ["\"item\""; 50_000].join(",")).as_bytes(),
            "$.items[?match(@, $.pattern)]",
            json!("item"),
            no("is missing"),
        ),
    ]
}

/// A list of lists.
fn wide() -> String {
    format!("[{}]", vec!["[1,2,3,4,5,6,7]"; 2_000].join(","))
}
