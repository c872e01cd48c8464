//! From one machine to several: sites leave SQLite and arrive in PostgreSQL as they were.

use serde_json::Value;

use crate::cluster::Cluster;
use crate::process::Process;
use crate::servers;

const SQLITE: &str = "sqlite://small.db";

#[test]
fn sites_that_are_exported_and_imported_keep_ids_phases_and_settings() {
    let Some(postgres) = servers::postgres() else { return };
    for format in ["csv", "toml", "json"] {
        let cluster = Cluster::with_local_log(postgres);
        let small = |arguments: &str| {
            let done = Process::spawn(cluster.command(arguments).env("UPTIME__DATABASE__URL", SQLITE)).ends();
            assert_eq!(done.code, Some(0), "{done:?}");
            done.out
        };
        small("sites add https://gone.example/ --name gone");
        small(
            "sites add https://shop.example/health --name shop --every 30s --timeout 5s --tag prod --tag eu",
        );
        small("sites add https://blog.example/ --name blog --every 1h --retries 3");
        small("sites pause blog");
        small("sites remove gone");
        small(&format!("sites export all.{format}"));

        let import = cluster.cli(&format!("sites import all.{format}"));
        assert_eq!(import.code, Some(0), "{import:?}");

        let here = settings(&cluster.cli("sites list --json").out);
        assert_eq!(here, settings(&small("sites list --json")), "{format}");
        assert_eq!((&here[0]["id"], &here[1]["id"]), (&3.into(), &2.into()), "{format}: {here:?}");
        assert_eq!(cluster.cli("sites add https://new.example/ --name new").code, Some(0));
        let next = settings(&cluster.cli("sites list --json").out);
        assert_eq!(next[1]["id"], 4, "{format}: a new site gets an id that nobody has");
    }
}

/// What was declared, without what has been found since.
fn settings(list: &str) -> Vec<Value> {
    let sites: Vec<Value> = serde_json::from_str(list).unwrap();
    let keys = ["id", "name", "url", "every", "timeout", "retries", "enabled", "tags", "phase"];
    let site = |site: &Value| keys.iter().map(|key| ((*key).to_owned(), site[key].clone())).collect();
    sites.iter().map(site).collect()
}
