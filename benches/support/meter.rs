//! What a stretch of work cost this process.

use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use uptime_monitor::clock::Clock;

/// Readings at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Meter {
    at: Instant,
    cpu: Duration,
    written: u64,
}

/// The difference between two moments.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// Time that passed.
    pub wall: Duration,
    /// User and system time of all threads.
    pub cpu: Duration,
    /// Bytes that this process caused to be written to disks.
    pub written: u64,
}

impl Meter {
    /// Reads now.
    pub fn read() -> Self {
        let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the kernel tells our usage");
        let duration = |time: TimeVal| {
            Duration::from_micros((time.tv_sec() * 1_000_000 + time.tv_usec()).unsigned_abs())
        };
        Self {
            cpu: duration(usage.user_time()) + duration(usage.system_time()),
            written: written(),
            at: Clock::instant(),
        }
    }

    /// What it cost from then to now.
    pub fn cost(&self) -> Cost {
        let now = Self::read();
        Cost { wall: now.at - self.at, cpu: now.cpu - self.cpu, written: now.written - self.written }
    }
}

impl Cost {
    /// CPU per piece, µs.
    pub fn cpu_us_per(&self, pieces: usize) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / pieces as f64
    }

    /// Pieces in a second.
    pub fn rate(&self, pieces: usize) -> f64 {
        pieces as f64 / self.wall.as_secs_f64()
    }

    /// Bytes written per piece.
    pub fn bytes_per(&self, pieces: usize) -> f64 {
        self.written as f64 / pieces as f64
    }
}

/// `write_bytes`: what went, or will go, to disks. Writes to memory file systems do not count.
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").expect("Linux");
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")).expect("the usual lines");
    line.parse().expect("a number")
}

/// Resident memory now, MB.
pub fn rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the usual lines");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
}

/// Says how busy the machine is besides us: figures from a busy machine are worth less.
pub fn machine() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").expect("Linux");
    let load = load.split(' ').next().unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores, load {load} at the start")
}

/// The CPU of a PostgreSQL server: of its first process, of its children, and of those that have ended.
#[derive(Debug, Clone, Copy)]
pub struct ServerCpu {
    pid: u32,
}

impl ServerCpu {
    /// Of the server whose data is in `folder`.
    pub fn of(folder: &str) -> Self {
        let pid = std::fs::read_to_string(format!("{folder}/postmaster.pid")).expect("a running server");
        Self { pid: pid.lines().next().and_then(|line| line.parse().ok()).expect("a process id") }
    }

    /// So far, in steps of 10 ms for each process.
    pub fn read(&self) -> Duration {
        let children = format!("/proc/{0}/task/{0}/children", self.pid);
        let children = std::fs::read_to_string(children).expect("Linux");
        let alive: u64 = children.split_whitespace().map(|pid| ticks(pid, 2)).sum();
        Duration::from_millis(10 * (alive + ticks(&self.pid.to_string(), 4)))
    }
}

/// The first `fields` of user, system, and ended children's user and system time, in hundredths of a second.
fn ticks(pid: &str, fields: usize) -> u64 {
    // A process may end while it is looked at; its parent has its time then.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let times = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
    times.take(fields).filter_map(|time| time.parse::<u64>().ok()).sum()
}
