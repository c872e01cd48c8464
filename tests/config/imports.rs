//! Sites from files of their own, and back.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use uptime_monitor::clock::Clock;
use uptime_monitor::config::{
    Format, Import, Origin, Problems, RawSite, SiteDefaults, parse_sites, read_sites, write_sites,
};
use uptime_monitor::model::settings::{
    BasicAuth, BodyExpectations, CheckSettings, Expectations, HeaderExpectation, JsonExpectation,
    RequestSettings, StatusRange, TimeLimits, TlsPolicy, TlsSettings, TlsVersion,
};
use uptime_monitor::model::{Declared, SiteId, SiteSpec};
use uptime_monitor::schedule::{Cron, Schedule};

use crate::assert_says;

const DEFAULTS: SiteDefaults =
    SiteDefaults { timeout: Duration::from_secs(10), body_limit: 1 << 20, name_from_url: false };

fn parse(text: &str, format: Format) -> Result<Import, Problems> {
    parse_sites(text.as_bytes(), format, Path::new("sites"), &DEFAULTS, &[])
}

fn csv(text: &str) -> Import {
    parse(text, Format::Csv).unwrap_or_else(|problems| panic!("{problems}"))
}

fn rejections(import: &Import) -> Vec<String> {
    import.rejected.iter().map(ToString::to_string).collect()
}

#[test]
fn the_sample_file_is_valid() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/sites.csv");

    let import = read_sites(&path, None, &DEFAULTS, &[]).unwrap();

    assert_eq!((import.sites.len(), import.rejected), (8, vec![]));
}

#[test]
fn csv_columns_may_stand_in_any_order_and_cells_may_be_empty() {
    let import = csv(
        "\u{feff}URL, name ,tags,enabled,retries,every,timeout\r\nhttps://a , a ,x; y z,false,3,5m,2s\r\nhttps://b,b,,,,,\r\n",
    );

    assert_eq!(import.rejected, []);
    let [Declared { spec: a, .. }, Declared { spec: b, .. }] = &import.sites[..] else {
        panic!("{import:?}")
    };
    assert_eq!(
        (a.name.as_str(), a.url.as_str(), a.schedule.every_s(), a.retries, a.enabled),
        ("a", "https://a", Some(300), 3, false)
    );
    assert_eq!(a.tags, ["x", "y", "z"]);
    assert_eq!(
        (b.schedule.every_s(), b.timeout, b.retries, b.enabled),
        (Some(60), Duration::from_secs(10), 1, true)
    );
}

#[test]
fn only_name_and_url_are_required_columns() {
    assert_eq!(csv("name,url\na,https://a\n").sites.len(), 1);
    assert_eq!(csv("name,url,every\na,https://a\n").sites.len(), 1);
    assert_eq!(csv("name,url\n").sites.len(), 0);
    let problems = parse("name,every\na,1m\n", Format::Csv).unwrap_err().to_string();
    assert_says(&problems, &["sites:1: column \"url\": is missing", "name,url,every,timeout,tags"]);
}

#[test]
fn a_bad_header_is_refused() {
    let header = |text: &str| parse(text, Format::Csv).unwrap_err().to_string();

    assert_says(&header("name,url,evry\n"), &["column \"evry\": unknown key", "did you mean every?"]);
    assert_says(
        &header("name,url,request.method\n"),
        &["column \"request.method\"", "CSV cannot hold", "TOML or JSON"],
    );
    let unknown = header("name,url,password\n");
    assert!(
        unknown.ends_with(
            "remove it; a site has name, url, every, schedule, zone, timeout, retries, enabled, tags, id"
        ),
        "{unknown}"
    );
    assert_says(&header("name;url,every\n"), &["separate all columns by the same sign"]);
    assert_says(&header("name,url,url\n"), &["twice"]);
    assert_says(&header(""), &["column \"name\": is missing"]);
    assert_says(&header("a,https://a\n"), &["the first line names the columns"]);
}

#[test]
fn every_bad_row_is_told_with_its_line_and_the_good_ones_are_kept() {
    let import = csv(
        "name,url,every\na,https://a,1m\n\n\nb,b.example,60\nc,https://c,1m,surplus\na,https://again,1m\n,https://d,\n\
         e,https://e,1m\n",
    );
    let names: Vec<&str> = import.sites.iter().map(|site| site.spec.name.as_str()).collect();
    let rejected = rejections(&import);

    assert_eq!(names, ["a", "e"]);
    assert_eq!((import.rejected_sites, rejected.len()), (4, 5), "{rejected:#?}");
    assert_says(&rejected[0], &["sites:5: site \"b\": url", "did you mean"]);
    assert_says(&rejected[1], &["sites:5: site \"b\": every = \"60\"", "add a unit"]);
    assert_says(&rejected[2], &["sites:6: has 4 cells, the header has 3"]);
    assert_says(&rejected[3], &["sites:7: ", "already used in line 2"]);
    assert_says(&rejected[4], &["sites:8: site: name: is missing"]);
}

#[test]
fn lines_count_right_with_windows_line_ends_and_quotes() {
    let import = csv("name,url\r\n\"a, b\",https://a\r\n\r\nb,x\r\nc,y\r\n");

    assert_eq!(import.sites[0].spec.name, "a, b");
    let rejected = rejections(&import);
    assert_says(&rejected[0], &["sites:4: "]);
    assert_says(&rejected[1], &["sites:5: "]);
}

#[test]
fn a_quote_that_is_not_closed_does_not_swallow_the_rest_unnoticed() {
    let import = csv("name,url,tags\na,https://a,\"x\nb,https://b,y\n");

    assert_says(
        &rejections(&import)[0],
        &["sites:2: column \"tags\": goes on over several lines", "close the quote"],
    );
}

#[test]
fn a_row_that_is_not_utf_8_is_rejected_alone() {
    let bytes = b"name,url\na\xff,https://a\nb,https://b\n";
    let import = parse_sites(bytes, Format::Csv, Path::new("sites"), &DEFAULTS, &[]).unwrap();

    assert_eq!(import.sites.len(), 1);
    assert_says(&rejections(&import)[0], &["sites:2: column \"name\": is not UTF-8", "CSV UTF-8"]);
}

#[test]
fn toml_sites_are_told_with_their_lines() {
    let import = parse(
        "[[site]]\nname = \"a\"\nurl = \"https://a\"\n\n[[site]]\nname = \"b\"\nurl = \"b\"\nexpect = { status = 1 }\n",
        Format::Toml,
    )
    .unwrap();

    assert_eq!((import.sites.len(), import.rejected_sites), (1, 1));
    let rejected = rejections(&import);
    assert_says(&rejected[0], &["sites:7: site \"b\": url"]);
    assert_says(&rejected[1], &["sites:8: site \"b\": expect.status = 1", "is no status"]);
}

#[test]
fn an_import_in_toml_holds_nothing_but_sites() {
    let problems =
        parse("x = 1\n[web]\n[[site]]\nname = \"a\"\nurl = \"https://a\"", Format::Toml).unwrap_err();

    assert_eq!(problems.len(), 2, "{problems}");
    assert_says(&problems.to_string(), &["sites:2: [web]: is no site", "sites:1: x: is no site"]);
    assert_says(&parse("site = [", Format::Toml).unwrap_err().to_string(), &["sites:1: ", "no valid TOML"]);
}

#[test]
fn json_may_be_a_list_or_an_object_with_a_list() {
    let list = r#"[{"name": "a", "url": "https://a", "retries": 2, "every": null, "tags": ["x"]}]"#;

    let bare = parse(list, Format::Json).unwrap();
    let wrapped = parse(&format!("{{\"site\": {list}}}"), Format::Json).unwrap();

    assert_eq!(bare, wrapped);
    assert_eq!((bare.sites[0].spec.retries, bare.sites[0].spec.schedule.every_s()), (2, Some(60)));
}

#[test]
fn json_sites_are_told_with_their_lines() {
    let text = "[\n {\"name\": \"a\",\n  \"url\": \"a\",\n  \"every\": 60},\n 7,\n {\"name\": \"b\", \"url\": \"https://b\",\n  \"evry\": 1}\n]";
    let import = parse(text, Format::Json).unwrap();
    let rejected = rejections(&import);

    assert_eq!((import.rejected_sites, rejected.len()), (3, 4), "{rejected:#?}");
    assert_says(&rejected[0], &["sites:3: site \"a\": url"]);
    assert_says(&rejected[1], &["sites:4: site \"a\": every = 60", "add a unit"]);
    assert_says(&rejected[2], &["sites:5: ", "an item of the list is no site"]);
    assert_says(&rejected[3], &["sites:7: site \"b\": evry", "did you mean every?"]);
}

fn with_settings(keys: &str) -> String {
    format!(r#"[{{"name": "a", "url": "https://a", {keys}}}]"#)
}

#[test]
fn json_sites_have_the_same_settings_and_null_is_not_said() {
    let text = with_settings(
        r#""request": {"method": "POST", "body": null}, "expect": {"json": [{"path": "$.a", "equals": {"b": [1, 2.5]}, "gt": null}]}"#,
    );

    let import = parse(&text, Format::Json).unwrap();

    assert_eq!(import.rejected, []);
    let settings = import.sites[0].spec.settings.as_ref().unwrap();
    assert_eq!((settings.request.method.as_str(), &settings.request.body), ("POST", &None));
    assert_eq!(settings.expect.json[0].equals, Some(serde_json::json!({ "b": [1, 2.5] })));
}

#[test]
fn null_can_be_expected_alone_and_inside_of_a_value() {
    for (condition, stored) in [
        (r#""equals": null"#, r#""is_null":true"#),
        (r#""not_equals": null"#, r#""is_null":false"#),
        (r#""is_null": true"#, r#""is_null":true"#),
        (r#""is_null": false"#, r#""is_null":false"#),
        (r#""equals": [1, null]"#, r#""equals":[1,null]"#),
        (r#""not_equals": {"b": null}"#, r#""not_equals":{"b":null}"#),
    ] {
        let text = with_settings(&format!(r#""expect": {{"json": [{{"path": "$.a", {condition}}}]}}"#));

        let import = parse(&text, Format::Json).unwrap();

        assert_eq!(import.rejected, [], "{condition}");
        let spec = &import.sites[0].spec;
        assert!(spec.settings.as_ref().unwrap().to_text().contains(stored), "{condition}");
        let again = RawSite::from_spec(spec, Origin::Default).validate(&DEFAULTS).unwrap();
        assert_eq!(again, *spec, "{condition}");
    }
}

#[test]
fn null_stands_beside_no_other_operator() {
    for condition in
        [r#""equals": null, "gt": 1"#, r#""is_null": true, "equals": 1"#, r#""gt": null, "is_null": 3"#]
    {
        let text = with_settings(&format!(r#""expect": {{"json": [{{"path": "$.a", {condition}}}]}}"#));

        assert_eq!(parse(&text, Format::Json).unwrap().rejected.len(), 1, "{condition}");
    }
}

#[test]
fn a_host_that_is_none_or_has_what_nobody_sees_is_refused() {
    for (url, message) in [
        ("http://{{host}}/", "a host that is none"),
        ("https://$host/", "a host that is none"),
        ("https://a..b/", "a label of its host is empty"),
        ("https://shop.example../", "a label of its host is empty"),
        ("https://shop\u{ad}.example/", "U+00AD"),
        ("https://shop\u{200b}.example/", "U+200B"),
        ("https://shop\u{200d}.example/", "U+200D"),
        ("https://\u{202e}shop.example/", "U+202E"),
        ("https://shop\u{feff}.example:8443/x", "U+FEFF"),
        ("https://shop%C2%AD.example/", "U+00AD"),
        (
            "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/",
            "longer than 63",
        ),
    ] {
        let text = serde_json::json!([{"name": "a", "url": url}]).to_string();

        assert_says(&rejections(&parse(&text, Format::Json).unwrap())[0], &["url", message]);
    }
    for url in
        ["https://münchen.example/", "http://a_b.c-.example./", "http://[::1]:81/", "http://a/\u{200b}"]
    {
        let text = serde_json::json!([{"name": "a", "url": url}]).to_string();

        assert_eq!(parse(&text, Format::Json).unwrap().rejected, [], "{url}");
    }
}

#[test]
fn an_import_means_variables_and_files_as_the_configuration_file_does() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), "t0ken\n").unwrap();
    let path = folder.path().join("sites.toml");
    let text = "[[site]]\nname = \"${WHO}-a\"\nurl = \"https://a\"\ntags = [\"${WHO}\"]\n[site.request]\n\
        bearer_token_file = \"token\"\nbody = \"${X} $${X}\"\n";
    std::fs::write(&path, text).unwrap();
    let env = [("WHO", "me"), ("X", "x")].map(|(name, value)| (name.to_owned(), value.to_owned()));

    let site = read_sites(&path, None, &DEFAULTS, &env).unwrap().sites.remove(0).spec;

    let request = &site.settings.as_ref().unwrap().request;
    assert_eq!((site.name.as_str(), site.tags[0].as_str()), ("me-a", "me"));
    assert_eq!((request.bearer_token.as_deref(), request.body.as_deref()), (Some("t0ken"), Some("x ${X}")));
}

#[test]
fn every_format_has_variables_and_tells_of_one_that_is_not_set() {
    for (format, text) in [
        (Format::Csv, "name,url\na,https://${HOST}/"),
        (Format::Toml, "[[site]]\nname = \"a\"\nurl = \"https://${HOST}/\""),
        (Format::Json, "[{\"name\": \"a\", \"url\": \"https://${HOST}/\"}]"),
    ] {
        let env = [("HOST".to_owned(), "a.example".to_owned())];

        let import = parse_sites(text.as_bytes(), format, Path::new("sites"), &DEFAULTS, &env).unwrap();
        let unset = parse(text, format).unwrap();

        assert_eq!(import.sites[0].spec.url, "https://a.example/");
        assert_says(&rejections(&unset)[0], &["site \"a\": url", "environment variable HOST is not set"]);
    }
}

/// Texts that look like references, and like their escapes.
fn with_dollars() -> SiteSpec {
    let text = |text: &str| text.to_owned();
    let settings = serde_json::json!({
        "request": {"method": "POST", "headers": {"x-a": "${HOME}"}, "body": "$${HOME} $$${ $ ${",
                    "basic_auth": {"username": "${u}", "password": "p$${"}},
        "expect": {"headers": [{"name": "etag", "equals": "${e}"}], "body": {"contains": ["${in}"], "matches": ["^a$${2}"]},
                   "json": [{"path": "$['${x}']", "equals": {"${key}": ["${v}", 1, "$$"]}}]}
    });
    SiteSpec {
        name: text("${NAME} costs $$${5}"),
        url: text("https://a.example/?q=${q}"),
        schedule: Schedule::Every(60),
        timeout: Duration::from_secs(10),
        retries: 1,
        enabled: true,
        tags: vec![text("${tag}"), text("$")],
        settings: Some(serde_json::from_value(settings).unwrap()),
    }
}

#[test]
fn what_looks_like_a_variable_survives_an_export_in_every_format() {
    for format in [Format::Csv, Format::Toml, Format::Json] {
        let mut spec = with_dollars();
        if format == Format::Csv {
            spec.settings = None;
        }
        let sites = [Declared { id: None, spec }];
        let mut bytes = Vec::new();
        write_sites(&sites, format, &mut bytes).unwrap();

        let import = parse(std::str::from_utf8(&bytes).unwrap(), format).unwrap();

        assert_eq!(rejections(&import), [""; 0]);
        assert_eq!(import.sites, sites);
    }
}

#[test]
fn an_export_in_toml_means_the_same_in_the_configuration_file() {
    let sites = [Declared { id: None, spec: with_dollars() }];
    let mut bytes = Vec::new();
    write_sites(&sites, Format::Toml, &mut bytes).unwrap();

    let loaded = crate::Setup::file(std::str::from_utf8(&bytes).unwrap()).load().unwrap();

    assert_eq!(loaded.sites, [with_dollars()]);
}

#[test]
fn what_spreadsheets_write_is_read() {
    for (text, tags) in [
        ("name;url;enabled;tags\r\na;https://a;FALSE;\"x;y\"\r\nb;https://b;TRUE;\"x,y\"\r\n", ["x", "y"]),
        (
            "\u{feff}sep=;\r\nname;url;enabled;tags\r\na;https://a;False;x y\r\nb;https://b;True;\"x;y\"\r\n",
            ["x", "y"],
        ),
        ("name\turl\tenabled\ttags\na\thttps://a\tfalse\tx;y\nb\thttps://b\ttrue\tx;y\n", ["x", "y"]),
        ("name,url,enabled,tags\na,https://a,FALSE,x;y\nb,https://b,TRUE,\"x,y\"\n", ["x", "y"]),
    ] {
        let import = csv(text);

        assert_eq!(rejections(&import), [""; 0], "{text}");
        let read: Vec<_> =
            import.sites.iter().map(|site| (site.spec.enabled, site.spec.tags.clone())).collect();
        let tags = tags.map(str::to_owned).to_vec();
        assert_eq!(read, [(false, tags.clone()), (true, tags)], "{text}");
    }
}

#[test]
fn columns_that_a_spreadsheet_has_left_empty_are_passed_over() {
    let import = csv("name,url,,\na,https://a,,\nb,https://b\nc,https://c,,,,\nd,https://d,x,\n");

    assert_eq!(import.sites.len(), 3, "{import:?}");
    assert_says(&rejections(&import)[0], &["sites:5: has a cell in a column without a name", "or empty it"]);
}

#[test]
fn a_word_that_is_neither_true_nor_false_is_told_as_csv_writes_it() {
    let import = csv("name,url,enabled,retries\na,https://a,WAHR,\nb,https://b,,many\n");

    let rejected = rejections(&import);

    assert!(rejected[0].ends_with("is a string, not true or false; write true or false"), "{rejected:?}");
    assert!(rejected[1].ends_with("write a whole number from 0 to 10"), "{rejected:?}");
}

#[test]
fn lines_count_also_below_the_line_that_names_the_separator() {
    let import = csv("sep=;\nname;url\na;https://a\nb;x\n");

    assert_says(&rejections(&import)[0], &["sites:4: site \"b\": url"]);
}

#[test]
fn utf_16_is_called_by_its_name() {
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let text = "name,url\na,https://a\n";
    let with_mark = format!("\u{feff}{text}");
    for bytes in [little(text), little(&with_mark), big(text), big(&with_mark)] {
        for format in [Format::Csv, Format::Toml, Format::Json] {
            let refused = parse_sites(&bytes, format, Path::new("sites"), &DEFAULTS, &[]).unwrap_err();
            assert_says(&refused.to_string(), &["sites: is UTF-16", "save the file as UTF-8"]);
        }
    }
}

#[test]
fn the_largest_number_is_one_and_a_larger_one_is_none() {
    let json = |equals: &str| {
        let operand = format!(r#""expect": {{"json": [{{"path": "$.n", "equals": {equals}}}]}}"#);
        parse(&with_settings(&operand), Format::Json).unwrap()
    };
    let toml = |equals: &str| {
        let text = format!(
            "[[site]]\nname = \"a\"\nurl = \"https://a\"\nexpect.json = [{{ path = \"$.n\", equals = {equals} }}]\n"
        );
        parse(&text, Format::Toml)
    };
    for number in [i64::MAX, i64::MIN] {
        for import in [json(&number.to_string()), toml(&number.to_string()).unwrap()] {
            let settings = import.sites[0].spec.settings.as_ref().unwrap();
            assert_eq!(settings.expect.json[0].equals, Some(number.into()));
        }
    }
    for large in ["9223372036854775808", "[1, 18446744073709551615]"] {
        assert_says(&rejections(&json(large))[0], &["sites:1: expect", "more than 64 bits"]);
        assert_says(&toml(large).unwrap_err().to_string(), &["sites:4: ", "more than 64 bits"]);
    }
    for larger in ["99999999999999999999", "-9223372036854775809", r#"{"b": [99999999999999999999]}"#] {
        assert_says(&rejections(&json(larger))[0], &["sites:1: expect", "more than 64 bits"]);
    }
    for float in ["1e20", "99999999999999999999.0"] {
        let settings = json(float).sites[0].spec.settings.clone().unwrap();
        assert_eq!(settings.expect.json[0].equals, Some(1e20.into()));
    }
}

#[test]
fn a_number_that_toml_cannot_write_names_the_site_and_another_format() {
    let mut sites =
        parse(&with_settings(r#""expect": {"json": [{"path": "$.n", "equals": 1}]}"#), Format::Json)
            .unwrap()
            .sites;
    for equals in [serde_json::json!(u64::MAX), serde_json::json!([null, u64::MAX])] {
        sites[0].spec.settings.as_mut().unwrap().expect.json[0].equals = Some(equals);

        let error = write_sites(&sites, Format::Toml, &mut Vec::new()).unwrap_err().to_string();

        assert_says(&error, &["a number of more than 64 bits", "\"a\"", "--format json"]);
    }
}

#[test]
fn null_is_shown_as_null() {
    let import = parse(r#"[{"name": "a", "url": "https://a", "tags": [null]}]"#, Format::Json).unwrap();

    assert_says(&rejections(&import)[0], &["tags = [null]: is a list, not a list of strings"]);
}

#[test]
fn csv_refuses_to_lose_settings() {
    let text = with_settings(r#""request": {"method": "POST"}"#);
    let sites = parse(&text, Format::Json).unwrap().sites;

    let error = write_sites(&sites, Format::Csv, &mut Vec::new()).unwrap_err().to_string();

    assert_says(&error, &["1 of these sites", "\"a\"", "--format toml or json"]);
}

#[test]
fn broken_json_is_told_with_its_line() {
    for broken in ["[\n{]", "{\"sites\":\n []}", "\n3", ""] {
        assert_says(
            &parse(broken, Format::Json).unwrap_err().to_string(),
            &["sites:", "is no list of sites in JSON"],
        );
    }
}

#[test]
fn an_unknown_extension_asks_for_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sites.txt");
    std::fs::write(&path, "name,url\na,https://a\n").unwrap();

    assert_says(&read_sites(&path, None, &DEFAULTS, &[]).unwrap_err().to_string(), &["--format"]);
    assert_eq!(read_sites(&path, Some(Format::Csv), &DEFAULTS, &[]).unwrap().sites.len(), 1);
    let missing = read_sites(Path::new("/nowhere.csv"), None, &DEFAULTS, &[]).unwrap_err();
    assert_says(&missing.to_string(), &["/nowhere.csv", "cannot be read"]);
}

#[test]
fn no_sites_are_written_and_read_as_none() {
    for format in [Format::Csv, Format::Toml, Format::Json] {
        let mut bytes = Vec::new();
        write_sites(&[], format, &mut bytes).unwrap();
        assert_eq!(parse(std::str::from_utf8(&bytes).unwrap(), format).unwrap(), Import::default());
    }
}

#[test]
fn ids_are_positive_and_each_is_used_once() {
    let import = csv("name,url,id\na,https://a,7\nb,https://b,7\nc,https://c,0\nd,https://d,\n");

    let ids: Vec<Option<i64>> = import.sites.iter().map(|site| site.id.map(|id| id.0)).collect();
    assert_eq!(ids, [Some(7), None]);
    let rejected = rejections(&import);
    assert_says(&rejected[0], &["sites:3: site \"b\": id = \"7\"", "already used in line 2"]);
    assert_says(&rejected[1], &["sites:4: site \"c\": id = \"0\"", "less than 1"]);
}

#[test]
fn a_hundred_thousand_rows_are_all_read() {
    let rows: String =
        (0..100_000).map(|n| format!("site-{n},https://host-{n}.example/health,5m,10s,prod;eu\n")).collect();
    let started = Clock::instant();

    let import = csv(&format!("name,url,every,timeout,tags\n{rows}"));

    eprintln!("100,000 rows in {:?}", started.elapsed());
    assert_eq!((import.sites.len(), import.rejected_sites), (100_000, 0));
}

prop_compose! {
    fn any_request()(
        method in prop::sample::select(vec!["GET", "POST", "DELETE"]),
        headers in prop::collection::btree_map("x-[a-z]{1,8}", "[^\\p{Cc}]{0,20}", 0..3),
        body in prop_oneof!["(?s).{0,40}".prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..40)],
        basic_auth in prop::option::of(("[^\\p{Cc}:]{0,8}", "[^\\p{Cc}]{0,8}")),
        max_redirects in prop::option::of(0_u32..=50),
    ) -> RequestSettings {
        let basic_auth = basic_auth.map(|(username, password)| BasicAuth { username, password });
        let method = method.to_owned();
        let mut request =
            RequestSettings { method, headers, basic_auth, max_redirects, ..RequestSettings::default() };
        request.set_body(body);
        request
    }
}

prop_compose! {
    fn any_expectations()(
        status in prop::collection::vec((100_u16..500, 0_u16..400), 0..3),
        contains in prop::collection::vec("(?s).{1,20}", 0..3),
        max_bytes in prop::option::of(1_u64..=1 << 20),
        equals in any_json().prop_filter("alone it is read as is_null", |json| !json.is_null()),
        length in 0_u64..1000,
        tls: bool,
    ) -> Expectations {
        let json = |operator: JsonExpectation| JsonExpectation { path: "$.a['b c']".to_owned(), ..operator };
        Expectations {
            status: status.into_iter().map(|(from, more)| StatusRange { from, to: from + more }).collect(),
            headers: vec![HeaderExpectation { name: "ETag".to_owned(), absent: true, ..Default::default() }],
            body: BodyExpectations { contains, max_bytes, ..Default::default() },
            json: vec![
                json(JsonExpectation { equals: Some(equals), ..Default::default() }),
                json(JsonExpectation { length: Some(length), ..Default::default() }),
            ],
            response_time: TimeLimits { degraded: Some(Duration::from_micros(1_500)), down: None },
            http_version: Vec::new(),
            tls: tls.then_some(TlsPolicy::Required),
        }
    }
}

/// Whatever TOML can hold, too.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        (-1_000_000..1_000_000_i32).prop_map(|number| (f64::from(number) / 64.0).into()),
        "\\PC{0,10}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            prop::collection::hash_map("\\PC{0,5}", inner, 0..3)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

prop_compose! {
    fn any_settings()(
        request in any_request(),
        expect in any_expectations(),
        is_expecting: bool,
        warning in prop::option::of(0_u64..20_000_000),
    ) -> CheckSettings {
        let tls = TlsSettings {
            expiry_warning: warning.map(Duration::from_secs),
            min_version: warning.map(|_| TlsVersion::V1_3),
            ..TlsSettings::default()
        };
        CheckSettings { request, tls, expect: if is_expecting { expect } else { Expectations::default() }, tcp: None }
    }
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let crons = [
        ("*/5 8-18 * * mon-fri", Some("Europe/Berlin")),
        ("@hourly", None),
        ("0,30 */2 1-7 jan,jul sun", Some("Australia/Lord_Howe")),
    ];
    let cron = move |index: usize| Schedule::Cron(Cron::parse(crons[index].0, crons[index].1).unwrap());
    prop_oneof![3 => (2_u32..=2_678_400).prop_map(Schedule::Every), 1 => (0..crons.len()).prop_map(cron)]
}

prop_compose! {
    fn any_site()(
        name in "[^\\p{Cc}\\s]([^\\p{Cc}]{0,50}[^\\p{Cc}\\s])?|[a${}]{1,12}",
        path in "[^\\p{Cc}\\s*]{0,30}",
        schedule in any_schedule(),
        milliseconds in 2_u64..1_000,
        retries in 0_u8..=10,
        enabled: bool,
        tags in prop::collection::btree_set("[^\\p{Cc}\\s,;]{1,10}", 0..4),
        settings in prop::option::of(any_settings()),
    ) -> SiteSpec {
        let timeout = Duration::from_millis(milliseconds);
        let url = format!("https://host.example/{path}");
        SiteSpec { name, url, schedule, timeout, retries, enabled, tags: tags.into_iter().collect(), settings: settings.and_then(CheckSettings::if_any) }
    }
}

#[test]
fn half_a_time_is_a_problem_and_no_panic() {
    for text in ["[[site]]\nname = \"a\"\nurl = 1:", "site = [1:]", "a = 0:", "[worker]\nname = [1:]"] {
        assert!(crate::Setup::file(text).load().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back_identically(sites in prop::collection::vec(any_site(), 0..6)) {
        let mut sites = sites;
        sites.sort_by(|a, b| a.name.cmp(&b.name));
        sites.dedup_by(|a, b| a.name == b.name);
        let with_id = |(number, spec)| Declared { id: (number % 2 == 0).then_some(SiteId(number as i64 + 7)), spec };
        let sites: Vec<Declared> = sites.into_iter().enumerate().map(with_id).collect();
        for format in [Format::Csv, Format::Toml, Format::Json] {
            let mut sites = sites.clone();
            if format == Format::Csv {
                sites.iter_mut().for_each(|site| site.spec.settings = None);
            }
            let mut bytes = Vec::new();
            write_sites(&sites, format, &mut bytes).unwrap();
            let import = parse(std::str::from_utf8(&bytes).unwrap(), format).unwrap();
            prop_assert_eq!(&import.rejected, &vec![]);
            prop_assert_eq!(&import.sites, &sites);
        }
    }

    #[test]
    fn no_text_whatever_makes_the_reader_panic(text in "\\PC{0,200}|([\\[\\]{}=\",:\n]|site|name|url|database){0,40}") {
        for format in [Format::Csv, Format::Toml, Format::Json] {
            let _ = parse(&text, format);
        }
        let _ = crate::Setup::file(&text).load();
    }
}
