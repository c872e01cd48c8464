//! Cron expressions against their definition, and what they mean where clocks change.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn cron(expression: &str, zone: &str) -> Cron {
    Cron::parse(expression, Some(zone)).unwrap()
}

fn seconds(text: &str) -> i64 {
    text.parse::<Timestamp>().unwrap().as_second()
}

/// Slots in `(after, until]`, as the clocks of the zone show them.
fn shown(cron: &Cron, after: &str, until: &str) -> Vec<String> {
    let zone = TimeZoneDatabase::bundled().get(cron.zone()).unwrap();
    let slots = Rhythm::Cron(cron.clone());
    let local = |at: i64| {
        let at = Timestamp::from_second(at).unwrap().to_zoned(zone.clone());
        at.strftime("%d %H:%M%:z").to_string()
    };
    slots.slots(seconds(after), seconds(until)).map(local).collect()
}

/// Where nothing changes, the words mean what they mean in every cron.
#[test]
fn an_expression_tells_moments() {
    // 2026-03-01 is a Sunday.
    for (expression, count, first) in [
        ("* * * * *", 31 * 24 * 60, "01 00:00"),
        ("*/5 8-18 * * mon-fri", 12 * 11 * 22, "02 08:00"),
        ("@hourly", 31 * 24, "01 00:00"),
        ("@daily", 31, "01 00:00"),
        ("@weekly", 5, "01 00:00"),
        ("0 0 * * 0", 5, "01 00:00"),
        ("0 0 * * 7", 5, "01 00:00"),
        ("0 0 * * fri-sun", 13, "01 00:00"),
        ("0 0 * * sun-tue", 15, "01 00:00"),
        ("0 0 * * Mon,WED", 9, "02 00:00"),
        ("15,45 6 1,15 mar,APR *", 4, "01 06:15"),
        ("0 12 31 * *", 1, "31 12:00"),
        ("10-20/5 3 * */3 *", 0, ""),
        ("10-20/5 3 * 1-12/2 *", 93, "01 03:10"),
        // Day and weekday: one of them will do, unless a field begins with a star.
        ("0 0 13 * fri", 4, "06 00:00"),
        ("0 0 14 * fri", 5, "06 00:00"),
        ("0 0 */2 * mon", 2, "09 00:00"),
        ("0 0 13 * */1", 1, "13 00:00"),
    ] {
        let slots = shown(&cron(expression, "UTC"), "2026-02-28T23:59:59Z", "2026-03-31T23:59:59Z");

        let first_slot = slots.first().map_or("", |slot| slot.trim_end_matches("+00:00"));
        assert_eq!((slots.len(), first_slot), (count, first), "{expression}");
    }
}

#[test]
fn an_expression_that_tells_none_says_why() {
    for (expression, zone, is_zone, message, remedy) in [
        ("* * * *", None, false, "has 4 fields, not 5", "minute, hour, day, month and weekday"),
        ("0 * * * * *", None, false, "has 6 fields, not 5", "leave out the seconds"),
        ("", None, false, "has 0 fields, not 5", "for example"),
        ("60 * * * *", None, false, "has a bad minute \"60\"", "0 to 59"),
        ("* 24 * * *", None, false, "has a bad hour \"24\"", "0 to 23"),
        ("* * 0 * *", None, false, "has a bad day \"0\"", "1 to 31"),
        ("* * * 13 *", None, false, "has a bad month \"13\"", "1 to 12"),
        ("* * * * 8", None, false, "has a bad weekday \"8\"", "0 to 7"),
        ("30-10 * * * *", None, false, "has a bad minute \"30-10\"", "from the lower to the higher"),
        ("*/0 * * * *", None, false, "has a bad minute \"*/0\"", "steps of at least 1"),
        ("5/10 * * * *", None, false, "has a bad minute \"5/10\"", ""),
        ("1,,2 * * * *", None, false, "has an empty item in the minute", "remove the comma"),
        ("* * L * *", None, false, "has an unknown day \"l\"", "ranges (1-5)"),
        ("* * * * 5#2", None, false, "has an unknown weekday \"5#2\"", "sun to sat"),
        ("* mon * * *", None, false, "has an unknown hour \"mon\"", "numbers"),
        ("* * * monday *", None, false, "has an unknown month \"monday\"", "jan to dec"),
        ("@reboot", None, false, "is an unknown word", "@hourly"),
        ("0 0 30 feb *", None, false, "is never due", "some month has"),
        ("0 0 * * *", Some("Europe/Berlim"), true, "is no time zone", "did you mean \"Europe/Berlin\"?"),
        ("0 0 * * *", Some("new york"), true, "is no time zone", "did you mean \"America/New_York\"?"),
        ("0 0 * * *", Some("here"), true, "is no time zone", "a name of the IANA database"),
    ] {
        let error = Cron::parse(expression, zone).expect_err(expression);

        assert_eq!(error.is_zone, is_zone, "{expression} {zone:?}: {error}");
        assert!(error.message.contains(message), "{expression}: {error}");
        assert!(error.remedy.contains(remedy), "{expression}: {error}");
    }
}

/// Berlin in 2026: 02:00 becomes 03:00 on 29 March, and 03:00 becomes 02:00 on 25 October.
#[test]
fn clocks_that_skip_an_hour() {
    let day = |expression| {
        shown(&cron(expression, "Europe/Berlin"), "2026-03-28T23:59:59Z", "2026-03-29T04:00:00Z")
    };

    assert_eq!(day("30 2 * * *"), ["29 03:00+02:00"], "when the clocks skip it");
    assert_eq!(day("0,30 2 * * *"), ["29 03:00+02:00"], "once, however many are skipped");
    assert_eq!(day("0,30 2,3 * * *"), ["29 03:00+02:00", "29 03:30+02:00"]);
    assert_eq!(day("30 1,3 * * *"), ["29 01:30+01:00", "29 03:30+02:00"], "nothing is skipped");
    let flowing = ["29 01:00+01:00", "29 01:30+01:00", "29 03:00+02:00", "29 03:30+02:00"];
    assert_eq!(day("*/30 1-3 * * *"), flowing, "real time");
    assert_eq!(day("30 * * * *")[..3], ["29 01:30+01:00", "29 03:30+02:00", "29 04:30+02:00"]);
}

#[test]
fn clocks_that_show_an_hour_twice() {
    let day = |expression| {
        shown(&cron(expression, "Europe/Berlin"), "2026-10-24T23:59:59Z", "2026-10-25T02:59:59Z")
    };

    assert_eq!(day("30 2 * * *"), ["25 02:30+02:00"], "the first time");
    assert_eq!(day("30 2,3 * * *"), ["25 02:30+02:00", "25 03:30+01:00"]);
    let flowing = ["25 02:00+02:00", "25 02:30+02:00", "25 02:00+01:00", "25 02:30+01:00"];
    assert_eq!(day("*/30 2 * * *"), flowing, "real time");
    assert_eq!(day("0 * * * *"), ["25 02:00+02:00", "25 02:00+01:00", "25 03:00+01:00"]);
}

/// Lord Howe Island's clocks change by half an hour: on 5 April 2026 02:00 becomes 01:30, on 4 October 02:00 becomes 02:30.
#[test]
fn clocks_of_the_south_that_change_by_half_an_hour() {
    let lord_howe = |expression, after, until| shown(&cron(expression, "Australia/Lord_Howe"), after, until);
    let autumn = |expression| lord_howe(expression, "2026-04-04T14:00:00Z", "2026-04-04T15:59:59Z");
    let spring = |expression| lord_howe(expression, "2026-10-03T15:10:00Z", "2026-10-03T16:30:00Z");

    assert_eq!(autumn("45 1 * * *"), ["05 01:45+11:00"]);
    assert_eq!(autumn("*/15 1 * * *")[2..], ["05 01:45+11:00", "05 01:30+10:30", "05 01:45+10:30"]);
    assert_eq!(spring("15 2 * * *"), ["04 02:30+11:00"]);
    assert_eq!(spring("*/15 1,2 * * *")[..3], ["04 01:45+10:30", "04 02:30+11:00", "04 02:45+11:00"]);
}

/// Samoa had no 30 December 2011.
#[test]
fn a_day_that_is_skipped() {
    let days = shown(&cron("0 9 * * *", "Pacific/Apia"), "2011-12-29T00:00:00Z", "2011-12-31T12:00:00Z");

    assert_eq!(days, ["29 09:00-10:00", "31 00:00+14:00", "31 09:00+14:00"]);
}

#[test]
fn what_is_stored_is_read_back() {
    let written = cron("  */5 8-18\t* * MON-FRI ", "europe/berlin");

    assert_eq!(written.text(), "*/5 8-18 * * mon-fri Europe/Berlin");
    assert_eq!(Cron::from_text(&written.text()).unwrap(), written);
    assert_eq!(Cron::from_text("0 0 * * * Mars/Olympus").unwrap_err().message, "is no time zone");
}

#[test]
fn the_shortest_time_between_two_slots_is_known() {
    for (expression, minutes) in [
        ("* * * * *", 1),
        ("*/7 * * * *", 4),
        ("0 9,17 * * *", 8 * 60),
        ("55 23 * * *", 24 * 60),
        ("5 0,23 * * *", 60),
        ("0 0 1 * *", 24 * 60),
    ] {
        assert_eq!(
            Schedule::Cron(cron(expression, "UTC")).shortest(),
            Duration::from_secs(minutes * 60),
            "{expression}"
        );
    }
}

#[test]
fn a_first_check_right_before_a_slot_may_wait_as_long_as_any_other() {
    let often = Rhythm::Cron(cron("*/5 * * * *", "UTC"));

    assert_eq!(often.patience_s(seconds("2026-03-02T10:05:00Z")), 300);
    assert_eq!(often.patience_s(seconds("2026-03-02T10:04:59Z")), 300);
    let weekly = Rhythm::Cron(cron("0 9 * * mon", "UTC"));
    assert_eq!(weekly.patience_s(seconds("2026-03-02T09:00:00Z")), 7 * 86_400);
}

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Apia",
];

/// Expressions with and without stars, of few moments and of many.
fn any_expression() -> impl Strategy<Value = String> {
    let minute = select(vec!["*", "*/7", "0", "30", "0,30", "15-45/15", "59"]);
    let hour = select(vec!["*", "*/2", "0", "1,2", "2", "0-3", "23"]);
    let day = select(vec!["*", "*/2", "1", "15,28-31", "29"]);
    let month = select(vec!["*", "mar-apr,10", "*/2", "2"]);
    let weekday = select(vec!["*", "sun", "mon-fri", "*/3", "7"]);
    (minute, hour, day, month, weekday).prop_map(|(a, b, c, d, e)| format!("{a} {b} {c} {d} {e}"))
}

/// Slots in `(after, until]` minute by minute of local time, with the zone's own word for what is skipped and what is shown twice.
fn by_definition(cron: &Cron, after: i64, until: i64) -> BTreeSet<i64> {
    let zone: TimeZone = TimeZoneDatabase::bundled().get(cron.zone()).unwrap();
    // The same rule where nothing ever changes tells which local times are meant.
    let local_rule = Cron::parse(cron.expression(), Some("UTC")).unwrap();
    let fields: Vec<&str> = cron.expression().split(' ').collect();
    let flows = fields[0].starts_with('*') || fields[1].starts_with('*');
    let mut slots = BTreeSet::new();
    let (from, to) = (after - 2 * 86_400, until + 2 * 86_400);
    for local in (from - from.rem_euclid(60)..=to).step_by(60).filter(|local| local_rule.is_slot(*local)) {
        let shown: DateTime = TimeZone::UTC.to_datetime(Timestamp::from_second(local).unwrap());
        let seconds = |offset: jiff::tz::Offset| i64::from(offset.seconds());
        match zone.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => _ = slots.insert(local - seconds(offset)),
            AmbiguousOffset::Fold { before, after } => {
                slots.insert(local - seconds(before));
                if flows {
                    slots.insert(local - seconds(after));
                }
            }
            AmbiguousOffset::Gap { before, .. } if !flows => {
                // Clocks show it never: the change is the last one before it would have come.
                let would_be = Timestamp::from_second(local - seconds(before) + 1).unwrap();
                slots.extend(zone.preceding(would_be).next().map(|change| change.timestamp().as_second()));
            }
            AmbiguousOffset::Gap { .. } => {}
        }
    }
    slots.into_iter().filter(|at| *at > after && *at <= until).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn slots_are_those_of_the_definition(
        expression in any_expression(),
        zone in select(ZONES.to_vec()),
        // 2011 to 2030, and near the changes of 2026.
        begin in prop_oneof![1_293_840_000_i64..1_893_456_000, 1_774_700_000_i64..1_774_800_000, 1_792_800_000_i64..1_792_900_000],
        length in 0_i64..3 * 86_400,
    ) {
        let cron = Cron::parse(&expression, Some(zone)).unwrap();
        let rhythm = Rhythm::Cron(cron.clone());
        let until = begin + length;

        let expected: Vec<i64> = by_definition(&cron, begin, until).into_iter().collect();

        prop_assert_eq!(rhythm.slots(begin, until).collect::<Vec<_>>(), expected.clone());
        prop_assert_eq!(rhythm.count(begin, until), expected.len() as u64);
        prop_assert!(expected.iter().all(|at| rhythm.is_slot(*at)));
        prop_assert!(expected.iter().all(|at| !rhythm.is_slot(at + 1) && !rhythm.is_slot(at + 30)));
        prop_assert_eq!(rhythm.latest(until).filter(|at| *at > begin), expected.last().copied());
        let backwards = std::iter::successors(rhythm.latest(until), |at| rhythm.latest(at - 1));
        let backwards: Vec<i64> = backwards.take_while(|at| *at > begin).collect();
        prop_assert!(backwards.iter().rev().eq(expected.iter()));
    }
}
