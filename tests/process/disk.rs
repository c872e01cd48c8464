//! A disk that is full, or may not be written to: small file systems of our own, which only root may mount.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::machine::Machine;
use crate::process::Process;
use crate::waiting::eventually;

/// A file system in memory that goes away with the test.
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// `None`, said aloud, where mounting is not permitted.
    fn mount(size: &str, test: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        if mount(&["-t", "tmpfs", "-o", size, "tmpfs"], folder.path()) {
            return Some(Self { folder });
        }
        // Past the test's capture of output, which hides what a test that passes has to say.
        let _ = writeln!(
            std::io::stderr(),
            "LEFT OUT: {test}: mounting a file system is not permitted here; run as root"
        );
        None
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn make_read_only(&self) {
        assert!(mount(&["-o", "remount,ro"], self.path()));
    }

    /// Takes all the space that is left, and returns the file to remove.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut filler = std::fs::File::create(&path).unwrap();
        while filler.write_all(&[0; 4096]).is_ok() {}
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

fn mount(arguments: &[&str], folder: &Path) -> bool {
    Command::new("mount").args(arguments).arg(folder).output().is_ok_and(|output| output.status.success())
}

#[test]
fn on_a_full_disk_it_waits_and_goes_on_when_there_is_room() {
    let Some(disk) = Disk::mount("size=32m", "a full disk") else { return };
    let machine = Machine::in_folder(disk.path());
    machine.import_load();
    let mut monitor = machine.start();
    machine.records_more(300);

    let filler = disk.fill();
    monitor.says("full");
    let requests = machine.target.requests();
    eventually("checks go on, or pause", || monitor.err().contains("failed to queue due slots"));
    assert!(monitor.is_running(), "{}", monitor.err());
    std::fs::remove_file(filler).unwrap();

    machine.records_more(1_000);
    assert!(machine.target.requests() > requests);
    assert!(
        !monitor.err().contains("actor restarts"),
        "a full disk is no failure of an actor: {}",
        monitor.err()
    );
    monitor.kill();
    machine.assert_nothing_lost(1_300);
    machine.assert_whole_seconds();
}

#[test]
fn killed_on_a_full_disk_it_recovers_when_there_is_room() {
    let Some(disk) = Disk::mount("size=32m", "killed on a full disk") else { return };
    let machine = Machine::in_folder(disk.path());
    machine.import_load();
    let monitor = machine.start();
    machine.records_more(300);

    let filler = disk.fill();
    monitor.says("full");
    monitor.kill();
    std::fs::remove_file(filler).unwrap();

    machine.assert_accounted();
    let monitor = machine.start();
    machine.records_more(600);
    monitor.kill();
    machine.assert_nothing_lost(900);
    machine.assert_whole_seconds();
}

#[test]
fn a_start_on_a_read_only_disk_is_refused_by_name() {
    let Some(disk) = Disk::mount("size=8m", "a read-only disk") else { return };
    let machine = Machine::in_folder(disk.path());
    machine.cli("migrate").fine();
    disk.make_read_only();

    let error = machine.cli("run").refused(3);

    assert!(error.contains("uptime.db") && error.contains("Read-only file system"), "{error}");
}

#[test]
fn a_start_on_a_read_only_file_is_refused_by_name() {
    let Some(disk) = Disk::mount("size=8m", "a read-only file") else { return };
    let machine = Machine::in_folder(disk.path());
    machine.cli("migrate").fine();
    let file = machine.path("uptime.db");
    let file = file.to_str().unwrap();
    assert!(mount(&["--bind", file], Path::new(file)) && mount(&["-o", "remount,bind,ro"], Path::new(file)));

    let done = Process::spawn(&mut machine.command("run")).ends();
    let _ = Command::new("umount").arg(file).status();

    let error = done.refused(3);
    assert!(error.contains("uptime.db") && error.contains("may write there"), "{error}");
}

#[test]
fn an_import_that_fills_the_disk_says_so_and_changes_nothing() {
    let Some(disk) = Disk::mount("size=6m", "an import on a full disk") else { return };
    let machine = Machine::in_folder(disk.path());
    machine.cli("migrate").fine();
    let mut rows = String::from("name,url\n");
    (0..30_000)
        .for_each(|number| rows += &format!("site-{number},http://site-{number}.example/{:0100}\n", 0));
    machine.write("sites.csv", &rows);

    let error = machine.cli("sites import sites.csv").refused(3);

    assert!(error.contains("disk is full"), "{error}");
    assert_eq!(machine.number("SELECT count(*) AS number FROM site_config"), 0);
}
