//! The flags for request and expectations, from the command line to the wire and back.

use serde_json::json;

use crate::server::{Server, answer};
use crate::support::{Desk, Done};

fn fine() -> Server {
    Server::answering(|_| {
        answer(
            "200 OK",
            "Content-Type: application/json\r\n",
            r#"{"status":"UP","items":[{"id":7}],"load":0.5}"#,
        )
    })
}

/// `check URL` with further arguments, without retries.
fn check(desk: &Desk, url: &str, flags: &[&str]) -> Done {
    desk.run(&[&["check", url, "--retries", "0"], flags].concat())
}

#[test]
fn method_headers_body_and_credentials_reach_the_wire() {
    let (desk, server) = (Desk::new(), fine());
    let flags = ["--method", "post", "-H", "Content-Type: text/plain", "--header", "X-Trace:1"];

    check(
        &desk,
        &server.url("/orders"),
        &[&flags[..], &["--body", "hello", "--basic-auth", "u:p:q"]].concat(),
    )
    .fine();

    let request = server.requests().remove(0);
    assert!(
        request.starts_with("POST /orders HTTP/1.1\r\n") && request.ends_with("\r\n\r\nhello"),
        "{request}"
    );
    for line in ["Content-Type: text/plain", "X-Trace: 1", "Authorization: Basic dTpwOnE="] {
        assert!(request.lines().any(|known| known == line), "{line}: {request}");
    }
}

#[test]
fn bodies_and_secrets_come_from_files_of_the_folder_that_one_is_in() {
    let (desk, server) = (Desk::new(), fine());
    desk.write("body", "from a file");
    desk.write("token", "s3cret\n");
    desk.write("user", "u:p:q\n");
    let flags = ["--method", "PUT", "--body-file", "body", "--bearer-token-file", "token"];

    check(&desk, &server.url("/"), &flags).fine();
    check(&desk, &server.url("/"), &["--basic-auth-file", "user"]).fine();

    let requests = server.requests();
    assert!(requests[0].ends_with("\r\n\r\nfrom a file"), "{requests:?}");
    assert!(requests[0].contains("\r\nAuthorization: Bearer s3cret\r\n"), "{requests:?}");
    assert!(requests[1].contains("\r\nAuthorization: Basic dTpwOnE=\r\n"), "{requests:?}");
}

#[test]
fn every_expectation_is_told_with_a_mark_and_what_was_found() {
    let (desk, server) = (Desk::new(), fine());
    let met =
        ["--expect-status", "2xx,304", "--expect-header", "Content-Type*=json", "--expect-header", "!Server"];
    let failed = ["--expect-json", "$.items[?@.id == 7].id>=8", "--expect-body-not", "UP"];

    let done =
        check(&desk, &server.url("/"), &[&met[..], &failed, &["--expect-json", "$.status=UP"]].concat());

    assert_eq!((done.code, done.err.as_str()), (1, ""), "{done:?}");
    assert!(done.out.starts_with("DOWN http://") && done.out.contains(" (body)\n"), "{done:?}");
    let marks = |mark: &str| done.out.lines().filter(|line| line.starts_with(&format!("  {mark} "))).count();
    assert_eq!((marks("✓"), marks("✗")), (4, 2), "{}", done.out);
    assert!(done.out.contains("beginning of the body\n    {\"status\":\"UP\""), "{}", done.out);
}

#[test]
fn a_body_past_its_limit_is_too_large() {
    let (desk, server) = (Desk::new(), fine());

    let done = check(&desk, &server.url("/"), &["--max-bytes", "10"]);

    assert!(
        done.out.contains(" (too_large)\n") && done.out.contains("  ✗ body at most 10 bytes"),
        "{done:?}"
    );
}

#[test]
fn a_json_result_with_expectations_is_one_line() {
    let (desk, server) = (Desk::new(), fine());

    let done = check(&desk, &server.url("/"), &["--expect-json", "$.load<0.1", "--json"]);

    assert_eq!((done.code, done.out.lines().count()), (1, 1), "{done:?}");
    let result: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(json!([result["status"], result["reason"]]), json!(["down", "json"]));
}

#[test]
fn a_slow_answer_is_degraded_and_no_reason_to_fail() {
    let (desk, server) = (Desk::new(), fine());

    let told = check(&desk, &server.url("/"), &["--degraded-after", "1ms", "--expect-http-version", "1.1"]);

    // The machine may be that fast.
    let told = told.fine();
    assert!(told.starts_with("DEGRADED ") || told.starts_with("UP "), "{told}");
    assert!(told.contains("✓ HTTP version") || told.contains("HTTP/1.1"), "{told}");
}

#[test]
fn a_site_that_does_not_speak_http_2_is_down_where_that_is_expected() {
    let (desk, server) = (Desk::new(), fine());

    let done = check(&desk, &server.url("/"), &["--json", "--expect-http-version", "2"]);

    assert_eq!(done.code, 1, "{done:?}");
    let result: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(json!([result["status"], result["reason"]]), json!(["down", "protocol"]));
    assert_eq!(result["error"], "version HTTP/1.1, expected HTTP/2");
}

#[test]
fn a_redirect_is_the_answer_where_it_is_not_followed() {
    let desk = Desk::new();
    let server = Server::answering(|path| match path {
        "/" => answer("302 Found", "Location: /there\r\n", ""),
        _ => answer("200 OK", "", "ok"),
    });

    check(&desk, &server.url("/"), &["--no-follow", "--expect-status", "302"]).fine();
    assert_eq!(server.requests().len(), 1);
    assert_eq!(check(&desk, &server.url("/"), &["--max-redirects", "0"]).code, 1);
}

#[test]
fn what_the_validation_refuses_names_the_flag() {
    let desk = Desk::new();
    for flags in [
        ["--method", "FETCH"],
        ["--expect-status", "2x"],
        ["--expect-body-matches", "("],
        ["--expect-json", "$.[=1"],
        ["--max-redirects", "many"],
        ["--max-bytes", "much"],
        ["--degraded-after", "5"],
        ["--expiry-warning", "soon"],
        ["--ca-file", "missing.pem"],
        ["--expect-tls", "required"],
    ] {
        let error = check(&desk, "http://127.0.0.1:9/", &flags).refused(2);

        assert!(error.contains(flags[0]), "{flags:?}: {error}");
    }
}

#[test]
fn a_site_is_checked_as_it_was_added_and_changed() {
    let (desk, server) = (Desk::new(), fine());
    let url = server.url("/health");
    let checked = || desk.say("check --site shop --json");
    desk.run(&[
        "sites",
        "add",
        &url,
        "--name",
        "shop",
        "--retries",
        "0",
        "-H",
        "X-A: 1",
        "--expect-json",
        "$.status=UP",
    ])
    .fine();
    assert_eq!(checked().code, 0);

    desk.say("sites set shop --expect-body DOWN").fine();
    assert_eq!(checked().code, 1);

    desk.say("sites set shop --reset expect --expect-json $.load<1").fine();
    assert_eq!(checked().code, 0);
    assert!(server.requests().iter().all(|request| request.contains("\r\nX-A: 1\r\n")));
}
