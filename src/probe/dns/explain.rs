//! Why a name did not resolve, and whose fault that is.
//!
//! An answer is about the name, and so is silence or an error on it alone. Name servers that are of no use for any name are our
//! own trouble, and say nothing about a site.

use std::time::Duration;

use super::answer::{Answer, Answers};
use super::canary::Verdict;
use super::question::Family;
use super::resolver::Progress;
use super::trouble::Troubles;
use crate::model::{Reason, duration};
use crate::probe::failure::Failure;

/// Whether it matters if the name servers are to be believed: nobody has answered anything about the name.
pub(super) fn needs_verdict(answers: &Answers) -> bool {
    let failures: Vec<&Troubles> = failures(answers).map(|(_, troubles)| troubles).collect();
    let is_ours = failures.iter().any(|troubles| troubles.is_shortage() || troubles.is_unreachable());
    !failures.is_empty() && !is_ours && !answers.iter().flatten().any(Answer::is_from_server)
}

/// The failure of a lookup without addresses.
pub(super) fn failure(host: &str, families: &[Family], answers: &Answers, verdict: Verdict) -> Failure {
    let no_such_name = answers.iter().flatten().find_map(|answer| match answer {
        Answer::NoSuchName(before) => Some(before),
        _ => None,
    });
    if let Some(before) = no_such_name {
        return Failure::new(Reason::Dns, format!("no such name: {host}{}", passed_over(before)));
    }
    if answers.contains(&Some(Answer::NoTurn)) {
        return Failure::internal(format!(
            "cannot resolve {host}: too many names are being asked for at once"
        ));
    }
    if failures(answers).next().is_none() {
        return no_address(host, families, answers);
    }
    if failures(answers).any(|(_, troubles)| troubles.is_shortage()) {
        return Failure::internal(format!("cannot resolve {host}: {}", told(answers)));
    }
    if let Some(family) = without_address(answers) {
        let error = format!("{host} has no {family} address, and did not resolve further: {}", told(answers));
        return Failure::new(Reason::Dns, error);
    }
    unresolved(host, answers, verdict)
}

/// Nobody has said anything about the name.
fn unresolved(host: &str, answers: &Answers, verdict: Verdict) -> Failure {
    let told = told(answers);
    let is_silence = failures(answers).all(|(_, troubles)| troubles.is_silence());
    if failures(answers).all(|(_, troubles)| troubles.is_unreachable()) {
        return Failure::internal(format!("cannot resolve {host}: no name server answers at all ({told})"));
    }
    match verdict {
        Verdict::Works if is_silence => {
            Failure::new(Reason::Dns, format!("no name server answered for {host}: {told}"))
        }
        Verdict::Works => Failure::new(Reason::Dns, format!("{host} does not resolve: {told}")),
        Verdict::Refuses => Failure::internal(format!(
            "cannot resolve {host}: the name servers answer nothing but errors, whatever the name ({told})"
        )),
        Verdict::Silent => {
            Failure::internal(format!("cannot resolve {host}: no name server answers at all ({told})"))
        }
    }
}

fn no_address(host: &str, families: &[Family], answers: &Answers) -> Failure {
    let before = answers.iter().flatten().find_map(|answer| match answer {
        Answer::NoAddress(before) => Some(passed_over(before)),
        _ => None,
    });
    let before = before.unwrap_or_default();
    let error = match families {
        [family] => format!("{host} has no {family} address{before}"),
        _ => format!("{host} has no address{before}"),
    };
    Failure::new(Reason::Dns, error)
}

/// Said by a later server: whoever reads "no such name" should know that the first one, who might know better, did not answer.
fn passed_over(before: &Troubles) -> String {
    if before.is_empty() { String::new() } else { format!(" ({before}, and the next one says so)") }
}

fn without_address(answers: &Answers) -> Option<Family> {
    Family::BOTH.into_iter().find(|family| matches!(answers[family.index()], Some(Answer::NoAddress(_))))
}

fn failures(answers: &Answers) -> impl Iterator<Item = (Family, &Troubles)> {
    Family::BOTH.into_iter().filter_map(|family| match &answers[family.index()] {
        Some(Answer::Failed(troubles)) => Some((family, troubles)),
        _ => None,
    })
}

/// What the servers did, once when it was the same for both families.
fn told(answers: &Answers) -> String {
    let failures: Vec<(Family, &Troubles)> = failures(answers).collect();
    match failures.as_slice() {
        [(_, first), (_, second)] if first != second => format!("for IPv4 {first}; for IPv6 {second}"),
        [(_, troubles), ..] => troubles.to_string(),
        [] => String::new(),
    }
}

/// The failure of a try whose timeout came before the name servers' answer.
pub(super) fn timed_out(after: Duration, waits: &[Progress], works: bool) -> Failure {
    let error = format!("no answer within {}: resolving the name", duration::text(after));
    let mut whom: Vec<String> = Vec::new();
    for wait in waits {
        let text = match wait {
            Progress::Asking(server, before) if before.is_empty() => format!("waiting for {server}"),
            Progress::Asking(server, before) => format!("{before}, waiting for {server}"),
            Progress::Queued | Progress::Done(_) => continue,
        };
        if !whom.contains(&text) {
            whom.push(text);
        }
    }
    let is_queued = waits.iter().any(|wait| matches!(wait, Progress::Queued));
    let whom = whom.join("; ");
    match (is_queued, works) {
        (true, _) => Failure::internal(format!("{error}, too many names are being asked for at once")),
        (_, true) => Failure::new(Reason::Timeout, format!("{error}: {whom}")),
        (_, false) => Failure::internal(format!("{error}, and no name server answers at all: {whom}")),
    }
}
