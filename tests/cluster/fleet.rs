//! Several processes of each role, killed and started again at random.

use std::collections::HashSet;
use std::time::Duration;

use nix::sys::signal::Signal;
use uptime_monitor::clock::Timestamp;

use crate::cluster::Cluster;
use crate::process::Process;
use crate::servers;
use crate::topic::{Message, Topic};

/// Two processes of each role.
struct Fleet<'a> {
    cluster: &'a Cluster<'a>,
    members: Vec<(&'static str, Process)>,
}

const ROLES: [&str; 3] = ["scheduler", "worker", "consumer"];

impl<'a> Fleet<'a> {
    fn start(cluster: &'a Cluster<'a>) -> Self {
        let members =
            ROLES.iter().flat_map(|role| (0..2).map(|_| (*role, cluster.spawn(role)))).collect::<Vec<_>>();
        members.iter().for_each(|(_, process)| process.says("watching"));
        Self { cluster, members }
    }

    /// Kills one of the two, and starts another in its place after a while.
    fn kill_one(&mut self, role: &'static str) {
        let candidates: Vec<usize> =
            (0..self.members.len()).filter(|&index| self.members[index].0 == role).collect();
        let (_, victim) = self.members.swap_remove(candidates[fastrand::usize(..candidates.len())]);
        if role == "scheduler" {
            // On a busy machine the last one may still be on its way when the next is to die.
            self.members
                .iter()
                .filter(|(other, _)| *other == role)
                .for_each(|(_, other)| other.says("watching"));
        }
        victim.kill();
        std::thread::sleep(Duration::from_millis(fastrand::u64(..800)));
        self.members.push((role, self.cluster.spawn(role)));
    }

    fn schedulers(&mut self) -> Vec<Process> {
        self.members.extract_if(.., |(role, _)| *role == "scheduler").map(|(_, process)| process).collect()
    }
}

#[test]
fn kill_9_of_each_role_ten_times_at_random_loses_no_slot_and_repeats_none() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(postgres, kafka);
    cluster.import_load();
    let mut fleet = Fleet::start(&cluster);
    cluster.records_more(300);

    let mut victims: Vec<&str> = ROLES.iter().flat_map(|role| [*role; 10]).collect();
    fastrand::shuffle(&mut victims);
    for role in victims {
        fleet.kill_one(role);
    }
    cluster.records_more(600);

    let audit = cluster.assert_every_slot_once(fleet.schedulers(), 1_500);
    assert_eq!(cluster.gaps_while_scheduled(), 0, "with two schedulers one is always there: {audit:?}");
}

#[test]
fn a_worker_that_was_stopped_past_its_leases_changes_nothing_with_its_late_results() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(postgres, kafka).with("worker.max_attempts", "20");
    cluster.import_load();
    // Of these some are always in work, and not yet late when another worker takes them over.
    cluster.import(200, "slow", "/slow/600", "20s");
    let scheduler = cluster.start("scheduler");
    let _consumer = cluster.start("consumer");
    let sleeper = cluster.spawn_with("worker", &[("worker.name", "sleeper")]);
    sleeper.says("watching");
    cluster.records_more(300);
    cluster.eventually("it has work", || {
        cluster.number("SELECT count(*) FROM job_queue WHERE lease_owner LIKE 'sleeper/%'") >= 10
    });

    sleeper.signal(Signal::SIGSTOP);
    let _worker = cluster.spawn_with("worker", &[("worker.name", "other")]);
    remember_what_others_finish(&cluster);
    sleeper.signal(Signal::SIGCONT);
    let topic = Topic::of(&cluster, "topic");
    cluster.eventually("a late result arrives", || is_repeated_by_sleeper(&cluster, &topic));
    cluster.records_more(600);

    cluster.assert_every_slot_once(vec![scheduler], 1_200);
    cluster.eventually("all results are read", || topic.unread() == 0);
    assert_eq!(cluster.changed_since("finished"), 0);
}

/// Leaves the rows of slots that the sleeper held, and that somebody else has got done, in the table `finished`.
fn remember_what_others_finish(cluster: &Cluster<'_>) {
    cluster.ask(
        "CREATE TABLE held AS
         SELECT site_id, scheduled_at FROM job_queue WHERE lease_owner LIKE 'sleeper/%'",
    );
    let unfinished = "SELECT count(*) FROM held LEFT JOIN ping_status AS row USING (site_id, scheduled_at)
                      WHERE row.status IS NULL";
    cluster.eventually("the other one has taken over", || cluster.number(unfinished) == 0);
    cluster.ask(
        "CREATE TABLE finished AS
         SELECT row.* FROM ping_status AS row JOIN held USING (site_id, scheduled_at)
         WHERE worker = 'other' AND status <> 'missed'",
    );
    let checked = cluster.number("SELECT count(*) FROM finished WHERE status = 'up'");
    assert!(checked > 0, "it held nothing that others have checked since");
}

/// Whether the sleeper has sent a result of a slot that somebody else has got done.
fn is_repeated_by_sleeper(cluster: &Cluster<'_>, topic: &Topic) -> bool {
    let finished = cluster.ask("SELECT site_id, extract(epoch FROM scheduled_at)::bigint FROM finished");
    let finished: HashSet<&str> = finished.lines().collect();
    topic.messages().iter().filter_map(Message::result).any(|result| {
        let at = result["scheduled_at"].as_str().unwrap().parse::<Timestamp>().unwrap();
        result["worker"] == "sleeper"
            && finished.contains(format!("{}|{}", result["site_id"], at.timestamp()).as_str())
    })
}

#[test]
fn a_consumer_that_dies_in_the_middle_of_a_backlog_loses_none_of_it() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(postgres, kafka).with("persister.batch", "100");
    cluster.import_load();
    let scheduler = cluster.start("scheduler");
    let _worker = cluster.start("worker");
    cluster.eventually("a backlog", || cluster.target.requests() > 2_000);

    for _ in 0..3 {
        let stored = cluster.recorded();
        let consumer = cluster.spawn("consumer");
        cluster.eventually("it is in the middle", || cluster.recorded() > stored);
        consumer.kill();
    }
    let _consumer = cluster.start("consumer");

    cluster.assert_every_slot_once(vec![scheduler], 2_000);
}

#[test]
fn consumers_that_come_and_go_lose_nothing() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(postgres, kafka);
    cluster.import_load();
    let scheduler = cluster.start("scheduler");
    let _worker = cluster.start("worker");
    let _stays = cluster.start("consumer");

    for _ in 0..4 {
        let joins = cluster.start("consumer");
        cluster.records_more(200);
        joins.signal(Signal::SIGTERM);
        let done = joins.ends();
        assert_eq!(done.code, Some(0), "{done:?}");
    }

    cluster.assert_every_slot_once(vec![scheduler], 800);
}

#[test]
fn without_kafka_each_worker_stores_what_it_has_checked() {
    let Some(postgres) = servers::postgres() else { return };
    let cluster = Cluster::with_local_log(postgres);
    cluster.import_load();
    let scheduler = cluster.start("scheduler");
    let dies = cluster.start("worker");
    let _worker = cluster.start("worker");
    cluster.records_more(300);

    dies.kill();
    cluster.records_more(600);

    cluster.assert_every_slot_once(vec![scheduler], 900);
}
