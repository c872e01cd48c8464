//! A monitor that is out of file descriptors must not report the world as down.

use std::fs::File;
use std::process::Command;

use uptime_monitor::model::{Reason, Status, Target};

use crate::server::Server;
use crate::{no_deadline, open_config, probe, target};

#[test]
fn without_file_descriptors_every_site_is_unknown() {
    // The limit is the whole process's, so it is lowered in a process of its own.
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "shortage::child_without_file_descriptors"])
        .output()
        .unwrap();

    let output = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && output.contains("1 passed"),
        "{output}{}",
        String::from_utf8_lossy(&child.stderr)
    );
}

#[actix_rt::test]
#[ignore = "run by the test above, in a process of its own"]
async fn child_without_file_descriptors() {
    let probe = probe(&open_config());
    let server = Server::answering("");
    rlimit::setrlimit(rlimit::Resource::NOFILE, 64, 64).unwrap();
    let hoard: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();

    let tcp = |url: String| Target { settings: Some(r#"{"tcp":{}}"#.into()), ..target(url) };
    for target in [
        target(server.url("/")),
        target("http://somewhere.test/"),
        tcp(format!("tcp://{}", server.addr)),
        tcp("tls://somewhere.test:1".to_owned()),
    ] {
        let outcome = probe.check(&target, no_deadline()).await;

        println!("{:?}", outcome.error);
        assert_eq!(
            (outcome.status, outcome.reason),
            (Status::Unknown, Some(Reason::Internal)),
            "{outcome:#?}"
        );
    }
    assert!(!hoard.is_empty());
}
