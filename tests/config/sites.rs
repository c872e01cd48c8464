//! `[[site]]` tables, and flags.

use std::time::Duration;

use uptime_monitor::config::{Origin, RawSite, Setting, SiteDefaults, default_name};
use uptime_monitor::model::{PAUSE_BEFORE_RETRY, SiteSpec};

use crate::{Setup, assert_says};

const DEFAULTS: SiteDefaults =
    SiteDefaults { timeout: Duration::from_secs(10), body_limit: 1 << 20, name_from_url: false };

fn site(keys: &str) -> SiteSpec {
    let loaded =
        Setup::file(&format!("[[site]]\n{keys}")).load().unwrap_or_else(|problems| panic!("{problems}"));
    loaded.sites.into_iter().next().unwrap()
}

/// The only problem of a site that is called "a" and has these other keys.
fn problem(keys: &str) -> String {
    let url = if keys.contains("url =") { "" } else { "url = \"https://a.example\"\n" };
    crate::problem(&format!("[[site]]\nname = \"a\"\n{url}{keys}"))
}

fn url_problem(url: &str) -> String {
    problem(&format!("url = \"{url}\""))
}

#[test]
fn a_site_needs_only_name_and_url() {
    let site = site("name = \" shop \"\nurl = \"https://shop.example/health\"");

    assert_eq!(site.name, "shop");
    assert_eq!(site.url, "https://shop.example/health");
    assert_eq!((site.schedule.every_s(), site.timeout, site.retries), (Some(60), Duration::from_secs(10), 1));
    assert!(site.enabled && site.tags.is_empty());
}

#[test]
fn a_site_can_say_everything() {
    let site = site(
        "name = \"a\"\nurl = \"http://[::1]:8080/\"\nevery = \"31d\"\ntimeout = \"1ms\"\nretries = 10\nenabled = false\n\
         tags = [\"prod\", \"eu\", \"prod\"]",
    );

    assert_eq!(
        (site.schedule.every_s(), site.timeout, site.retries),
        (Some(2_678_400), Duration::from_millis(1), 10)
    );
    assert_eq!((site.enabled, site.tags), (false, vec!["prod".to_owned(), "eu".to_owned()]));
}

#[test]
fn the_default_timeout_leaves_room_for_the_default_retry_at_every_interval() {
    let of = |every: &str| site(&format!("name = \"a\"\nurl = \"https://a\"\nevery = \"{every}\"")).timeout;
    let configured = Setup::file("[checker]\ntimeout = \"2s\"\n[[site]]\nname = \"a\"\nurl = \"https://a\"");

    for (every, milliseconds) in [
        ("1s", 300),
        ("2s", 700),
        ("5s", 2_100),
        ("10s", 4_300),
        ("20s", 9_300),
        ("22s", 10_000),
        ("31d", 10_000),
    ] {
        assert_eq!(of(every), Duration::from_millis(milliseconds), "{every}");
    }
    assert_eq!(configured.load().unwrap().sites[0].timeout, Duration::from_secs(2));
    for every in (1..4_000).chain([86_400, 2_678_400]).map(Duration::from_secs) {
        let two_tries = 2 * DEFAULTS.timeout_for(every) + PAUSE_BEFORE_RETRY;
        let slack = Duration::from_secs(1).min(every / 10);
        assert!(two_tries + slack <= every, "{every:?}: {two_tries:?}");
    }
}

#[test]
fn what_may_change_something_is_not_repeated_unless_asked_for() {
    let of = |method: &str, keys: &str| {
        let keys = format!("{keys}\nrequest.method = \"{method}\"");
        site(&format!("name = \"a\"\nurl = \"https://a\"\n{keys}")).retries
    };

    for method in ["GET", "HEAD", "OPTIONS"] {
        assert_eq!((of(method, ""), of(method, "retries = 0")), (1, 0), "{method}");
    }
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        assert_eq!((of(method, ""), of(method, "retries = 2")), (0, 2), "{method}");
    }
}

#[test]
fn a_file_can_have_no_sites() {
    assert!(Setup::file("site = []").load().unwrap().sites.is_empty());
    assert!(Setup::file("[web]").load().unwrap().sites.is_empty());
}

#[test]
fn values_of_sites_may_hold_variables() {
    let file =
        |url: &str| Setup::file(&format!("[[site]]\nname = \"a\"\nurl = \"{url}\"\ntags = [\"${{ENV}}\"]"));
    let loaded = file("https://${HOST}/").env("HOST", "a.example").env("ENV", "prod").load().unwrap();

    assert_eq!(loaded.sites[0].url, "https://a.example/");
    assert_eq!(loaded.sites[0].tags, ["prod"]);
    let problem = file("https://${HOST}/").env("ENV", "prod").problem();
    assert_says(&problem, &["uptime.toml:3: site \"a\": url", "variable HOST is not set"]);
}

#[test]
fn what_is_missing_is_told_with_the_line_of_the_site() {
    let problems = Setup::file("\n[[site]]\nevery = \"1m\"\n\n[[site]]\nname = \"b\"\n").problems();

    assert_says(&problems[0], &["uptime.toml:2: site: url: is missing"]);
    assert_says(&problems[1], &["uptime.toml:2: site: name: is missing"]);
    assert_says(&problems[2], &["uptime.toml:5: site \"b\": url: is missing"]);
    assert_eq!(problems.len(), 3);
}

#[test]
fn two_sites_of_one_name_are_told_with_both_lines() {
    let text = "[[site]]\nname = \"a\"\nurl = \"https://a\"\n[[site]]\nname = \"a \"\nurl = \"https://b\"";

    assert_says(
        &crate::problem(text),
        &["uptime.toml:5: ", "\"a \"", "already used in line 2", "name of its own"],
    );
}

#[test]
fn a_bad_name_is_refused() {
    let name = |name: &str| crate::problem(&format!("[[site]]\nname = {name}\nurl = \"https://a\""));

    assert_says(&name("\" \""), &["is empty"]);
    assert_says(&name("\"a\\nb\""), &["control character", "\"a\\nb\""]);
    assert_says(&name(&format!("\"{}\"", "ü".repeat(201))), &["has 201 characters, more than 200"]);
    assert_says(&name("7"), &["not a string"]);
    site(&format!("name = \"{}\"\nurl = \"https://a\"", "ü".repeat(200)));
}

#[test]
fn a_url_without_scheme_is_told_what_it_may_have_meant() {
    assert_says(&url_problem("a.example/x"), &["has no scheme", "did you mean \"https://a.example/x\"?"]);
    assert_says(&url_problem("localhost:8080"), &["did you mean \"https://localhost:8080\"?"]);
    assert_says(&url_problem("http:a.example"), &["did you mean \"http://a.example\"?"]);
    assert_says(&url_problem("//a.example"), &["did you mean \"https://a.example\"?"]);
    assert_says(&url_problem("a.example?to=http://b"), &["did you mean \"https://a.example?to=http://b\"?"]);
}

#[test]
fn a_url_that_cannot_be_checked_is_refused() {
    assert_says(&url_problem(""), &["is empty"]);
    assert_says(&url_problem("ftp://a"), &["only http, https, tcp and tls"]);
    for no_host in ["https://", "https:///path", "https://?x", "http://:80/"] {
        assert_says(&url_problem(no_host), &["https://example.com/"]);
    }
    assert_says(&url_problem("https://a:99999/"), &["invalid port"]);
    for space in ["https://a/b c", " https://a", "https://a/\\n", "https://a/\\u0000", "https://a/\\u00a0"] {
        assert_says(&url_problem(space), &["space or control character"]);
    }
}

#[test]
fn credentials_in_a_url_are_refused_and_not_shown() {
    let problem = url_problem("https://user:hunter2@a.example/");

    assert_says(
        &problem,
        &["user:***@a.example", "credentials", "leave out what stands before the @", "basic_auth"],
    );
    assert_says(&url_problem("https://user@a.example/"), &["credentials"]);
}

#[test]
fn a_very_long_url_is_refused_and_shown_by_its_beginning() {
    let long = |length: usize| format!("https://a.example/{}", "x".repeat(length - 18));
    let problem = url_problem(&long(100_000));

    assert_says(&problem, &["has 100000 characters, more than 8192", "\"https://a.example/xxx"]);
    assert!(problem.len() < 400, "{}", problem.len());
    site(&format!("name = \"a\"\nurl = \"{}\"", long(8_192)));
    url_problem(&long(8_193));
}

#[test]
fn a_bad_interval_is_refused() {
    assert_says(&problem("every = 60"), &["site \"a\": every = 60", "add a unit, for example \"60s\""]);
    assert_says(&problem("every = \"999ms\""), &["is less than 1s", "choose 1s to 31d"]);
    assert_says(&problem("every = \"32d\""), &["is more than 31d"]);
    assert_says(&problem("every = \"1500ms\""), &["whole number of seconds"]);
    assert_says(&problem("every = \"often\""), &["is no duration"]);
    assert_says(&problem("every = \"1M\""), &["M means months", "write m for minutes", "30d"]);
    assert_says(&problem("timeout = \"1 month\""), &["means months", "30d"]);
    assert_says(&problem("expect.response_time.down = \"1y\""), &["means years", "365d"]);
}

#[test]
fn a_timeout_must_be_shorter_than_the_interval() {
    assert_says(&problem("timeout = \"1m\""), &["timeout = \"1m\"", "is not shorter than every = \"1m\""]);
    assert_says(&problem("timeout = \"2s\"\nevery = \"1s\""), &["is not shorter than every = \"1s\""]);
    assert_says(&problem("timeout = \"0s\""), &["is less than 1ms"]);
    assert_says(&problem("timeout = \"1500us\""), &["whole number of milliseconds"]);
    assert_says(&problem("timeout = \"2s\"\nevery = \"never\""), &["every", "is no duration"]);
}

#[test]
fn a_site_can_follow_the_calendar() {
    let berlin = site(
        "name = \"a\"\nurl = \"https://a\"\nschedule = \"*/5  8-18 * * MON-FRI\"\nzone = \"europe/berlin\"",
    )
    .schedule;
    let berlin = berlin.cron().unwrap();
    assert_eq!((berlin.expression(), berlin.zone()), ("*/5 8-18 * * mon-fri", "Europe/Berlin"));

    let hourly = site("name = \"a\"\nurl = \"https://a\"\nschedule = \"@hourly\"");
    assert_eq!(hourly.schedule.cron().unwrap().zone(), "UTC");
    assert_eq!(hourly.timeout, Duration::from_secs(10));
}

#[test]
fn a_schedule_that_tells_no_moments_is_refused() {
    for (keys, parts) in [
        (
            "schedule = \"0 * * * * *\"",
            &["site \"a\": schedule = \"0 * * * * *\"", "has 6 fields, not 5", "leave out the seconds"][..],
        ),
        ("schedule = \"61 * * * *\"", &["has a bad minute \"61\"", "0 to 59"]),
        ("schedule = \"0 0 30 2 *\"", &["is never due"]),
        ("schedule = 5", &["schedule = 5", "not a string"]),
        (
            "schedule = \"0 9 * * *\"\nzone = \"Berlin\"",
            &["zone = \"Berlin\"", "is no time zone", "did you mean \"Europe/Berlin\"?"],
        ),
        (
            "schedule = \"0 9 * * *\"\nevery = \"1m\"",
            &["schedule", "stands beside every", "keep one of the two"],
        ),
        ("zone = \"Europe/Berlin\"", &["zone = \"Europe/Berlin\"", "stands without schedule"]),
        ("every = \"1m\"\nzone = \"UTC\"", &["stands without schedule", "an interval has no zone"]),
        (
            "schedule = \"*/2 * * * *\"\ntimeout = \"2m\"",
            &["timeout = \"2m\"", "is not shorter than the 2m between two slots"],
        ),
    ] {
        assert_says(&problem(keys), parts);
    }
}

#[test]
fn other_bad_values_are_refused() {
    assert_says(&problem("retries = 11"), &["is more than 10"]);
    assert_says(&problem("retries = -1"), &["is less than 0"]);
    assert_says(&problem("retries = \"1\""), &["not a whole number"]);
    assert_says(&problem("enabled = 1"), &["true or false"]);
    for tag in ["a,b", "a b", "a;b", "", "a\\tb"] {
        assert_says(&problem(&format!("tags = [\"{tag}\"]")), &["tags", "no single word"]);
    }
    assert_says(&problem("tags = \"a\""), &["not a list"]);
}

#[test]
fn unknown_keys_are_told_what_they_may_have_meant() {
    assert_says(&problem("exepct = {}"), &["unknown key", "did you mean expect?"]);
    assert_says(&problem("evry = \"1m\""), &["site \"a\": evry", "unknown key", "did you mean every?"]);
    assert_says(&problem("colour = 1"), &["unknown key", "a site has name, url, every"]);
}

#[test]
fn all_problems_of_a_site_are_told_at_once() {
    let problems =
        Setup::file("[[site]]\nname = \"\"\nurl = \"x\"\nevery = 1\nretries = 99\ntags = [\"\"]\nfoo = 1")
            .problems();

    assert_eq!(problems.len(), 6, "{problems:#?}");
}

#[test]
fn flags_make_a_site_that_is_called_after_its_url() {
    let mut raw = RawSite::new(Origin::Flag("sites add".into()));
    raw.url = Some(Setting::from_flag("URL", "https://shop.example/health/"));
    raw.every = Some(Setting::from_flag("--every", "30s"));
    raw.retries = Some(Setting::from_flag("--retries", "2"));
    raw.tags = Some(Setting::from_flag("--tags", "prod,eu"));

    let site = raw.validate(&DEFAULTS.naming_from_url()).unwrap();

    assert_eq!(
        (site.name.as_str(), site.schedule.every_s(), site.retries),
        ("shop.example/health", Some(30), 2)
    );
    assert_eq!(site.tags, ["prod", "eu"]);
}

#[test]
fn a_bad_flag_is_named() {
    let mut raw = RawSite::new(Origin::Flag("sites add".into()));
    raw.url = Some(Setting::from_flag("URL", "shop.example"));
    raw.every = Some(Setting::from_flag("--every", "1"));

    let problems = raw.validate(&DEFAULTS.naming_from_url()).unwrap_err();

    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert_says(&problems[0].to_string(), &["command line (URL)", "did you mean \"https://shop.example\"?"]);
    assert_says(&problems[1].to_string(), &["command line (--every)", "add a unit"]);
}

#[test]
fn a_known_site_can_be_changed_and_validated_again() {
    let before = site("name = \"a\"\nurl = \"https://a\"\nevery = \"90s\"\ntags = [\"x\"]");
    let unchanged = RawSite::from_spec(&before, Origin::Default);
    let mut changed = unchanged.clone();
    changed.every = Some(Setting::from_flag("--every", "5s"));

    assert_eq!(unchanged.validate(&DEFAULTS).unwrap(), before);
    assert_says(&changed.validate(&DEFAULTS).unwrap_err()[0].to_string(), &["timeout", "every = \"5s\""]);
}

#[test]
fn the_default_name_is_host_and_path() {
    assert_eq!(default_name("https://shop.example/health"), "shop.example/health");
    assert_eq!(default_name("https://shop.example/"), "shop.example");
    assert_eq!(default_name("https://shop.example:443/a/?q=1#f"), "shop.example/a");
    assert_eq!(default_name("http://shop.example:8080"), "shop.example:8080");
    assert_eq!(default_name("http://[::1]:8080/x"), "[::1]:8080/x");
    assert_eq!(default_name("https://Größe.example"), "xn--gre-6ka8i.example");
    assert_eq!(default_name("tcp://Größe.example:1"), "xn--gre-6ka8i.example:1");
    assert_eq!(default_name("TLS://Mail.Example:443"), "mail.example:443");
    assert_eq!(default_name("tcp://a.example:80"), "a.example:80");
    assert_eq!(default_name("tcp://[2001:DB8::7]:1"), "[2001:db8::7]:1");
    assert_eq!(default_name(&format!("https://a/{}", "x".repeat(500))).chars().count(), 200);
}
