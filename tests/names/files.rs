//! `resolv.conf` and the hosts file: what counts in them, and that their changes are followed.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use tempfile::TempDir;
use uptime_monitor::model::Status;
use uptime_monitor::probe::{NameFiles, ProbeConfig};

use crate::double::{A, NameServer, Query, Reply};
use crate::{asking, assert_down, assert_unknown, assert_up, check, is_up, probe, target, until, web};

/// A machine's two files.
pub(crate) struct Files {
    folder: TempDir,
    port: u16,
}

impl Files {
    pub(crate) fn new(port: u16) -> Self {
        Self { folder: TempDir::new().unwrap(), port }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn resolv_conf(&self, text: impl AsRef<[u8]>) {
        fs::write(self.path("resolv.conf"), text).unwrap();
    }

    fn hosts(&self, text: &str) {
        fs::write(self.path("hosts"), text).unwrap();
    }

    fn name_files(&self) -> NameFiles {
        NameFiles { resolv_conf: self.path("resolv.conf"), hosts: self.path("hosts"), port: self.port }
    }

    pub(crate) fn config(&self) -> ProbeConfig {
        ProbeConfig { name_files: self.name_files(), ..asking(&[]) }
    }
}

fn no_such_name(_: &Query) -> Vec<Reply> {
    vec![Reply::no_such_name().soa(3_600, 3_600)]
}

/// A server at 127.0.0.2 with the port of another one.
fn at_2(port: u16, act: impl Fn(&Query) -> Vec<Reply> + Send + Sync + 'static) -> NameServer {
    NameServer::at((Ipv4Addr::new(127, 0, 0, 2), port), act)
}

#[actix_rt::test]
async fn a_network_that_comes_late_is_found() {
    let server = at_2(0, |query| vec![Reply::loopback(query, 60)]);
    let files = Files::new(server.addr.port());
    let (probe, target) = (probe(&files.config()), target("site.test", &web()));
    assert_unknown(&check(&probe, &target).await, &["cannot resolve site.test"]);

    files.resolv_conf("nameserver 127.0.0.2\n");

    until(&probe, &target, is_up).await;
}

#[actix_rt::test]
async fn without_a_file_this_machine_is_asked() {
    let server = NameServer::good();

    let outcome = check(&probe(&Files::new(server.addr.port()).config()), &target("site.test", &web())).await;

    assert_up(&outcome);
}

#[actix_rt::test]
async fn other_name_servers_are_asked_and_what_the_old_ones_said_is_forgotten() {
    type Change = fn(&Files);
    let changes: [(&str, Change); 4] = [
        ("rewritten", |files| files.resolv_conf("nameserver 127.0.0.2\n")),
        ("replaced", |files| {
            fs::write(files.path("new"), "nameserver 127.0.0.2\n").unwrap();
            fs::rename(files.path("new"), files.path("resolv.conf")).unwrap();
        }),
        ("a link elsewhere", |files| {
            fs::write(files.path("vpn"), "nameserver 127.0.0.2\n").unwrap();
            fs::remove_file(files.path("resolv.conf")).unwrap();
            std::os::unix::fs::symlink(files.path("vpn"), files.path("resolv.conf")).unwrap();
        }),
        ("gone, and back", |files| {
            fs::remove_file(files.path("resolv.conf")).unwrap();
            files.resolv_conf("nameserver 127.0.0.2\n");
        }),
    ];
    for (how, change) in changes {
        let old = NameServer::new(no_such_name);
        let new = at_2(old.addr.port(), |query| vec![Reply::loopback(query, 60)]);
        let files = Files::new(old.addr.port());
        files.resolv_conf("nameserver 127.0.0.1\n");
        let (probe, target) = (probe(&files.config()), target("site.test", &web()));
        assert_down(&check(&probe, &target).await, &["no such name"]);

        change(&files);

        until(&probe, &target, is_up).await;
        assert_eq!((old.count("site.test", A), new.count("site.test", A)), (1, 1), "{how}");
    }
}

#[actix_rt::test]
async fn an_emptied_file_means_this_machine() {
    let here = NameServer::good();
    let _elsewhere = at_2(here.addr.port(), no_such_name);
    let files = Files::new(here.addr.port());
    files.resolv_conf("nameserver 127.0.0.2\n");
    let (probe, target) = (probe(&files.config()), target("site.test", &web()));
    assert_down(&check(&probe, &target).await, &["no such name"]);

    files.resolv_conf("");

    until(&probe, &target, is_up).await;
}

#[actix_rt::test]
async fn a_change_that_does_not_matter_keeps_what_is_known() {
    let server = NameServer::new(|query| match query.name.as_str() {
        "site.test" => vec![Reply::loopback(query, 300)],
        _ => no_such_name(query),
    });
    let files = Files::new(server.addr.port());
    files.resolv_conf("nameserver 127.0.0.1\n");
    let (probe, web) = (probe(&files.config()), web());
    assert_up(&check(&probe, &target("site.test", &web)).await);

    files.resolv_conf("# renewed\nnameserver 127.0.0.1\n");
    files.hosts("127.0.0.1 other.test\n");

    // Both files are looked at together: the hosts file tells when that was.
    until(&probe, &target("other.test", &web), is_up).await;
    assert_up(&check(&probe, &target("site.test", &web)).await);
    assert_eq!(server.count("site.test", A), 1);
}

#[actix_rt::test]
async fn a_line_that_means_nothing_to_us_leaves_the_others() {
    let odd: [&[u8]; 12] = [
        b"options retrans:1 retry:2 no-such-option timeout:x attempts: :3",
        b"options",
        b"lookup file bind",
        b"sortlist 130.155.160.0/255.255.240.0 130.155.0.0",
        b"family inet4",
        b"# f\xfcr das B\xfcro",
        b"search b\xfcro.test",
        b"\xff\xfe\x00garbage",
        b"nameserver",
        b"nameserver resolver.example",
        b"nameserver 300.1.1.1 ; comment",
        b"nameserver fe80::1%no-such-interface",
    ];
    let named = at_2(0, |query| vec![Reply::loopback(query, 60)]);
    for line in odd {
        for text in [
            [line, b"\nnameserver 127.0.0.2 # ours\n"].concat(),
            [b"\xef\xbb\xbfnameserver\t127.0.0.2;ours\r\n", line].concat(),
        ] {
            let files = Files::new(named.addr.port());
            files.resolv_conf(text);

            let outcome = check(&probe(&files.config()), &target("site.test", &web())).await;

            assert_up(&outcome);
        }
    }
}

#[actix_rt::test]
async fn the_hosts_file_is_followed_and_odd_lines_in_it_are_passed_over() {
    let server = NameServer::new(no_such_name);
    let files = Files::new(server.addr.port());
    let (probe, target) = (probe(&files.config()), target("site.test", &web()));
    assert_down(&check(&probe, &target).await, &["no such name"]);

    files.hosts("garbage\n127.0.0.1\n999.0.0.1 site.test\n127.0.0.1 other.test Site.Test # here\n");
    until(&probe, &target, is_up).await;

    fs::remove_file(files.path("hosts")).unwrap();
    until(&probe, &target, |outcome| outcome.status == Status::Down).await;
}

#[actix_rt::test]
async fn the_hosts_file_counts_where_name_servers_are_configured() {
    let server = NameServer::new(no_such_name);
    let files = Files::new(0);
    files.hosts("127.0.0.1 site.test\n");
    let config = ProbeConfig { name_files: files.name_files(), ..asking(&[server.addr]) };

    assert_up(&check(&probe(&config), &target("site.test", &web())).await);
    assert_eq!(server.asked().len(), 0);
}

#[actix_rt::test]
async fn a_short_name_is_completed_and_a_long_one_is_asked_for_first() {
    let server = NameServer::new(|query| match query.name.as_str() {
        "intranet.corp.test" | "www.site.test" => vec![Reply::loopback(query, 60)],
        _ => vec![Reply::no_such_name().soa(60, 60)],
    });
    let files = Files::new(server.addr.port());
    files.resolv_conf("nameserver 127.0.0.1\nsearch lab.test corp.test\n");
    let (probe, web) = (probe(&files.config()), web());
    let asked = || -> Vec<String> {
        server.asked().iter().filter(|query| query.kind == A).map(|query| query.name.clone()).collect()
    };

    assert_up(&check(&probe, &target("intranet", &web)).await);
    assert_eq!(asked(), ["intranet.lab.test", "intranet.corp.test"]);
    assert_up(&check(&probe, &target("www.site.test", &web)).await);
    assert_eq!(asked()[2..], ["www.site.test"]);
    let missing = check(&probe, &target("gone.test.", &web)).await;
    assert_down(&missing, &["no such name: gone.test"]);
    assert_eq!(asked()[3..], ["gone.test"]);
}

#[actix_rt::test]
async fn a_file_that_names_nobody_who_answers_is_our_own_trouble() {
    let (_port, nobody) = crate::server::refusing();
    let files = Files::new(nobody.port());
    files.resolv_conf("nameserver 127.0.0.1\n");

    let outcome = check(&probe(&files.config()), &target("site.test", &web())).await;

    assert_unknown(&outcome, &["cannot resolve site.test", "127.0.0.1"]);
}
