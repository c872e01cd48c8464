//! What is kept of what a server sets, and what goes back to it.

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// The header for `to` after `from` has set these.
fn sent(from: &str, set: &[&str], to: &str, ours: Option<&str>) -> String {
    let mut jar = Jar::default();
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    for header in set {
        jar.set(header.as_bytes(), &url(from), now);
    }
    String::from_utf8(jar.header(&url(to), ours)).unwrap()
}

const HOME: &str = "https://www.shop.example/app/in";

fn back(set: &[&str]) -> String {
    sent(HOME, set, HOME, None)
}

#[test]
fn longer_paths_come_first_and_then_older_cookies() {
    assert_eq!(back(&["a=1; Path=/", "b=2; Path=/app", "c=3; Path=/app/in"]), "c=3; b=2; a=1");
    assert_eq!(back(&["x=1; Path=/", "x=2; Path=/app"]), "x=2; x=1");
    assert_eq!(back(&["b=1", "a=2", "c=3"]), "b=1; a=2; c=3");
    assert_eq!(back(&["a=1", "b=2", "a=3"]), "a=3; b=2", "one that is set again keeps its age");
}

#[test]
fn a_cookie_ends_when_it_says_so_in_whatever_spelling() {
    for gone in [
        "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "expires=Thu, 1-Jan-70 0:0:0 UTC",
        "EXPIRES=thu, 01 JAN 2025 00:00:00",
        "Max-Age=0",
        "Max-Age=-1",
        "Max-Age=0; Expires=Fri, 01 Jan 2100 00:00:00 GMT",
    ] {
        assert_eq!(back(&["a=1", &format!("a=2; {gone}")]), "", "{gone}");
    }
    for kept in [
        "Max-Age=abc",
        "Max-Age=",
        "Max-Age=+5",
        "Max-Age=1.5",
        "Max-Age=99999999999999999999",
        "Expires=never",
        "Expires=Wed, 31 Dec 2025 00:00:00 GMT; Max-Age=9",
        "Max-Age=abc; Expires=Fri, 01 Jan 2100 00:00:00",
    ] {
        assert_eq!(back(&[&format!("a=1; {kept}")]), "a=1", "{kept}");
    }
}

#[test]
fn a_cookie_goes_where_its_domain_says() {
    for (domain, to, goes) in [
        ("shop.example", "https://shop.example/", true),
        (".shop.example", "https://api.shop.example/", true),
        ("SHOP.example", "https://a.b.shop.example/", true),
        ("www.shop.example", "https://x.www.shop.example/", true),
        ("", "https://www.shop.example/", true),
        ("", "https://shop.example/", false),
        ("other.example", HOME, false),
        ("hop.example", HOME, false),
        ("a.www.shop.example", HOME, false),
        ("..shop.example", HOME, false),
        ("example", HOME, false),
    ] {
        let header = format!("a=1; Path=/; Domain={domain}");
        assert_eq!(sent(HOME, &[&header], to, None) == "a=1", goes, "{domain} to {to}");
    }
    assert_eq!(sent("http://127.0.0.1/", &["a=1; Domain=127.0.0.1"], "http://127.0.0.1:81/", None), "a=1");
    assert_eq!(sent("http://127.0.0.1/", &["a=1; Domain=0.0.1"], "http://127.0.0.1/", None), "");
}

#[test]
fn nobody_sets_a_cookie_for_all_customers_of_a_registry_or_provider() {
    for (from, domain, to) in [
        ("https://a.co.uk/", "co.uk", "https://b.co.uk/"),
        ("https://a.azurewebsites.net/", "azurewebsites.net", "https://b.azurewebsites.net/"),
        ("https://a.github.io/", "github.io", "https://b.github.io/"),
        ("https://a.com/", "com", "https://b.com/"),
    ] {
        let header = format!("a=1; Path=/; Domain={domain}");
        assert_eq!(sent(from, &[&header], to, None), "", "{domain}");
        assert_eq!(sent(from, &[&header], from, None), "", "{domain}: not even for its own host");
    }
    let own = &["a=1; Path=/; Domain=github.io"];
    assert_eq!(sent("https://github.io/", own, "https://github.io/", None), "a=1");
    assert_eq!(sent("https://github.io/", own, "https://b.github.io/", None), "");
}

#[test]
fn a_cookie_of_ours_gives_way_to_one_that_is_set() {
    let ours = Some("a=1; b=2");

    assert_eq!(sent(HOME, &[], HOME, ours), "a=1; b=2");
    assert_eq!(sent(HOME, &["b=3"], HOME, ours), "a=1; b=3");
    assert_eq!(sent(HOME, &["c=3"], HOME, ours), "a=1; b=2; c=3");
    assert_eq!(sent(HOME, &["a=; Max-Age=0"], HOME, ours), "b=2");
    assert_eq!(sent(HOME, &["a=9; Path=/other"], HOME, ours), "a=1; b=2");
    assert_eq!(sent(HOME, &["A=9"], HOME, ours), "a=1; b=2; A=9");
}

#[test]
fn bytes_go_back_as_they_came() {
    let mut jar = Jar::default();
    jar.set(b"n\xe4me=\"v\xfc\xff \" ; Path=/", &url(HOME), "2026-01-01T00:00:00Z".parse().unwrap());

    assert_eq!(jar.header(&url(HOME), None), b"n\xe4me=\"v\xfc\xff \"");
}

#[test]
fn paths_match_by_their_segments() {
    for (path, to, goes) in [
        ("/app", "/app", true),
        ("/app", "/app/", true),
        ("/app", "/app/in", true),
        ("/app", "/apple", false),
        ("/app/", "/app", false),
        ("/App", "/app", false),
        ("app", "/app/x", true),
        ("app", "/other", false),
    ] {
        let to = format!("https://www.shop.example{to}");
        assert_eq!(sent(HOME, &[&format!("a=1; Path={path}")], &to, None) == "a=1", goes, "{path} to {to}");
    }
}

#[test]
fn a_secure_cookie_is_for_tls_and_for_this_machine() {
    assert_eq!(sent(HOME, &["a=1; Secure; Path=/"], "http://www.shop.example/", None), "");
    for host in ["127.0.0.1", "[::1]", "localhost", "a.localhost"] {
        let url = format!("http://{host}/");
        assert_eq!(sent(&url, &["a=1; Secure"], &url, None), "a=1", "{host}");
    }
}

#[test]
fn what_has_no_name_is_no_cookie() {
    for header in ["", "a", "=1", ";", " ; Path=/", "Path"] {
        assert_eq!(back(&[header]), "", "{header:?}");
    }
    assert_eq!(back(&["a=b=c"]), "a=b=c");
    assert_eq!(back(&["a="]), "a=");
}
