//! A child process that never outlives its test.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use crate::waiting::{DEADLINE, eventually, within};

/// A running command. Dropping it kills it.
pub(crate) struct Process {
    child: Child,
    out: Stream,
    err: Stream,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Done {
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = Stream::read(child.stdout.take().unwrap());
        let err = Stream::read(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // It has not been waited for, so the number is still its own.
        let pid = i32::try_from(self.child.id()).unwrap();
        signal::kill(Pid::from_raw(pid), signal).unwrap();
    }

    /// Ends it as a power switch would, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        assert!(self.is_running(), "it ended by itself: {}", self.err.text());
        self.signal(Signal::SIGKILL);
        self.child.wait().unwrap();
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.exit().is_none()
    }

    /// What it has written to stderr so far.
    pub(crate) fn err(&self) -> String {
        self.err.text()
    }

    /// Waits until it has written `text` to stderr.
    pub(crate) fn says(&self, text: &str) {
        eventually(&format!("it says {text:?}"), || self.err().contains(text));
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ends(self) -> Done {
        self.ends_within(DEADLINE)
    }

    /// Waits until it has ended by itself, and fails when that takes longer than `limit`.
    pub(crate) fn ends_within(mut self, limit: Duration) -> Done {
        let status = within(limit, "the process ends", || self.exit());
        Done { code: status.code(), out: self.out.end(), err: self.err.end() }
    }

    fn exit(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "stderr of the process:\n{}", self.err.text());
        }
    }
}

/// Collects what a process writes, so that its pipe never fills up.
struct Stream {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn read(pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::<Mutex<String>>::default();
        let growing = Arc::clone(&text);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                *growing.lock().unwrap() += &(line + "\n");
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// All of it, once the writer is gone.
    fn end(&mut self) -> String {
        self.reader.take().map_or(Ok(()), JoinHandle::join).unwrap();
        self.text()
    }
}
