//! A row of the table: a name, what listens, how the site is configured, and what has to come out.

use std::any::Any;
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use rustls::RootCertStore;
use serde_json::Value as Json;
use tokio::sync::RwLock;
use uptime_monitor::clock::Clock;
use uptime_monitor::config::{Format, SiteDefaults, parse_sites};
use uptime_monitor::model::{Reason, Status, Target};
use uptime_monitor::probe::{Outcome, Probe, ProbeConfig, ProbeSettings};

use crate::authority::Authority;
use crate::server::{Exchange, Server};

/// Long enough for any machine: what hangs shows as a timeout, and as late.
const PATIENCE: Duration = Duration::from_secs(10);

/// For a check that is not about time. A check that waits for something that never comes takes [`PATIENCE`].
const PROMPT: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(4);

/// A machine may stall, the probe may not. What is late is run again, and is late only if it is so each time.
const CHANCES: usize = 3;

/// Rows that run beside each other.
const AT_ONCE: usize = 8;

/// What takes much of the machine runs as a reader, what measures time as the writer.
static MACHINE: RwLock<()> = RwLock::const_new(());

/// Whom every probe of the table trusts.
pub(crate) static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("the authority"));

/// What listens for a row.
pub(crate) struct Scene {
    /// Checked.
    pub(crate) url: String,
    pub(crate) servers: Vec<Server>,
    /// Kept for as long as the check takes.
    #[allow(dead_code, reason = "kept, not read")]
    pub(crate) held: Option<Box<dyn Any>>,
}

pub(crate) type Stage = Rc<dyn Fn() -> LocalBoxFuture<'static, Scene>>;
pub(crate) type Also = Rc<dyn Fn(&Outcome, &Scene)>;

/// A row.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) stage: Stage,
    /// What is sent over HTTP/1, whatever is asked, where it is no more than that.
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) settings: Option<Json>,
    /// Whether the settings are such as a user can have. Others stand in a database for another reason.
    pub(crate) is_valid: bool,
    config: ProbeConfig,
    timeout: Duration,
    want: Want,
    pub(crate) also: Option<Also>,
}

/// What has to come out; `None` where it does not matter.
#[derive(Clone)]
pub(crate) struct Want {
    status: Status,
    reason: Option<Reason>,
    http_status: Option<u16>,
    body_bytes: Option<u64>,
    tells: Vec<String>,
    within: RangeInclusive<Duration>,
}

pub(crate) fn up() -> Want {
    Want::new(Status::Up, None)
}

pub(crate) fn degraded(reason: Reason) -> Want {
    Want::new(Status::Degraded, Some(reason))
}

pub(crate) fn down(reason: Reason) -> Want {
    Want::new(Status::Down, Some(reason))
}

pub(crate) fn unknown() -> Want {
    Want::new(Status::Unknown, Some(Reason::Internal))
}

/// Nothing is forbidden.
pub(crate) fn open() -> ProbeConfig {
    ProbeConfig { deny_targets: Vec::new(), ..ProbeConfig::default() }
}

impl Want {
    fn new(status: Status, reason: Option<Reason>) -> Self {
        Self { status, reason, http_status: None, body_bytes: None, tells: Vec::new(), within: PROMPT }
    }

    /// The last answer's.
    pub(crate) fn http(self, status: u16) -> Self {
        Self { http_status: Some(status), ..self }
    }

    pub(crate) fn bytes(self, body_bytes: u64) -> Self {
        Self { body_bytes: Some(body_bytes), ..self }
    }

    /// The error has `text` in it.
    pub(crate) fn tells(mut self, text: impl Into<String>) -> Self {
        self.tells.push(text.into());
        self
    }

    /// Milliseconds.
    pub(crate) fn within(self, millis: RangeInclusive<u64>) -> Self {
        let [from, to] = [*millis.start(), *millis.end()].map(Duration::from_millis);
        Self { within: from..=to, ..self }
    }
}

impl Case {
    /// A row with a scene that is set when its turn comes.
    pub(crate) fn staged<F>(name: impl Into<String>, stage: impl Fn() -> F + 'static, want: Want) -> Self
    where
        F: Future<Output = Scene> + 'static,
    {
        Self {
            name: name.into(),
            stage: Rc::new(move || Box::pin(stage())),
            bytes: None,
            settings: None,
            is_valid: true,
            config: open(),
            timeout: PATIENCE,
            want,
            also: None,
        }
    }

    /// A row with one scene, for which nothing has to be waited for.
    pub(crate) fn new(name: impl Into<String>, scene: impl Fn() -> Scene + 'static, want: Want) -> Self {
        Self::staged(name, move || std::future::ready(scene()), want)
    }

    /// Whatever is asked, `bytes` are the answer, and then the connection ends.
    pub(crate) fn answer(name: impl Into<String>, bytes: impl Into<Vec<u8>>, want: Want) -> Self {
        let bytes = bytes.into();
        let sent = bytes.clone();
        let row = Self::new(name, move || Server::answering(sent.clone()).into(), want);
        Self { bytes: Some(bytes), ..row }
    }

    /// `act` goes on where a request's head has come.
    pub(crate) fn serving(
        name: impl Into<String>,
        act: impl Fn(Exchange) + Send + Sync + Clone + 'static,
        want: Want,
    ) -> Self {
        Self::new(name, move || Server::new(act.clone()).into(), want)
    }

    /// Nothing of ours listens.
    pub(crate) fn at(url: impl Into<String>, want: Want) -> Self {
        let url = url.into();
        let scene = Scene { url: url.clone(), servers: Vec::new(), held: None };
        let scene = move || Scene { url: scene.url.clone(), servers: Vec::new(), held: None };
        Self::new(url, scene, want)
    }

    /// The settings of the site, as in a file of sites: they are validated like those.
    pub(crate) fn with(self, settings: Json) -> Self {
        Self { settings: Some(settings), ..self }
    }

    /// Settings that the validation refuses, as a database may hold them: from another version, or by another hand.
    pub(crate) fn stored(self, settings: Json) -> Self {
        Self { is_valid: false, ..self.with(settings) }
    }

    /// The text of the settings, after validation.
    fn text_of_settings(&self, url: &str) -> Result<Option<Arc<str>>, String> {
        let Some(settings) = &self.settings else { return Ok(None) };
        if !self.is_valid {
            return Ok(Some(settings.to_string().into()));
        }
        let mut site = settings.clone();
        let members = site.as_object_mut().unwrap();
        let timeout = format!("{}ms", self.timeout.as_millis());
        for (key, value) in [("name", "row"), ("url", url), ("every", "1h"), ("timeout", timeout.as_str())] {
            members.insert(key.to_owned(), value.into());
        }
        let defaults =
            SiteDefaults { timeout: PATIENCE, body_limit: self.config.body_limit, name_from_url: false };
        let text = Json::from(vec![site]).to_string();
        let read = parse_sites(text.as_bytes(), Format::Json, Path::new("row.json"), &defaults, &[]).unwrap();
        match (read.rejected.as_slice(), read.sites.into_iter().next()) {
            ([], Some(site)) => Ok(site.spec.settings.map(|settings| settings.to_text().into())),
            (problems, _) => Err(format!("nobody can have these settings: {problems:?}")),
        }
    }

    /// The configuration of the probe.
    pub(crate) fn config(self, config: ProbeConfig) -> Self {
        Self { config, ..self }
    }

    pub(crate) fn timeout(self, millis: u64) -> Self {
        Self { timeout: Duration::from_millis(millis), ..self }
    }

    /// Asks the scene's server by this name.
    pub(crate) fn host(self, name: &'static str) -> Self {
        let stage = Rc::clone(&self.stage);
        let renamed = move || -> LocalBoxFuture<'static, Scene> {
            let scene = stage();
            Box::pin(async move {
                let scene = scene.await;
                Scene { url: scene.url.replace("127.0.0.1", name), ..scene }
            })
        };
        Self { stage: Rc::new(renamed), ..self }
    }

    /// What else has to be so: `also` panics where it is not.
    pub(crate) fn also(self, also: impl Fn(&Outcome, &Scene) + 'static) -> Self {
        Self { also: Some(Rc::new(also)), ..self }
    }

    /// What is wrong with the outcome, if anything.
    async fn run(self) -> Result<(), String> {
        let mut late = String::new();
        for _ in 0..CHANCES {
            let scene = (self.stage)().await;
            let (outcome, took) = self.check(scene.url.clone()).await?;
            self.judge(&outcome)?;
            if let Some(also) = &self.also {
                also(&outcome, &scene);
            }
            if self.want.within.contains(&took) {
                return Ok(());
            }
            let _ = write!(late, "took {took:?}, not {:?}; ", self.want.within);
        }
        Err(late)
    }

    async fn check(&self, url: String) -> Result<(Outcome, Duration), String> {
        let mut roots = RootCertStore::empty();
        roots.add(AUTHORITY.der()).unwrap();
        let settings = ProbeSettings::with_roots(&self.config, roots).unwrap();
        let probe = Probe::with_settings(&settings, Clock::system());
        let settings = self.text_of_settings(&url)?;
        let target = Target { url, timeout: self.timeout, retries: 0, settings };
        let began = Clock::instant();
        let outcome = probe.check(&target, began + Duration::from_secs(3600)).await;
        Ok((outcome, Clock::instant() - began))
    }

    fn judge(&self, outcome: &Outcome) -> Result<(), String> {
        let want = &self.want;
        let error = outcome.error.clone().unwrap_or_default();
        let words = |status: Status, reason: Option<Reason>| match reason {
            Some(reason) => format!("{status} ({reason})"),
            None => status.to_string(),
        };
        let mut wrong = Vec::new();
        if (outcome.status, outcome.reason) != (want.status, want.reason) {
            wrong.push(format!(
                "{}, not {}",
                words(outcome.status, outcome.reason),
                words(want.status, want.reason)
            ));
        }
        if want.http_status.is_some() && want.http_status != outcome.http_status {
            wrong.push(format!("status {:?}, not {:?}", outcome.http_status, want.http_status));
        }
        if want.body_bytes.is_some_and(|bytes| bytes != outcome.body_bytes) {
            wrong.push(format!("{} bytes, not {:?}", outcome.body_bytes, want.body_bytes));
        }
        for text in want.tells.iter().filter(|text| !error.contains(text.as_str())) {
            wrong.push(format!("does not tell {text:?}"));
        }
        if wrong.is_empty() { Ok(()) } else { Err(format!("{}; error: {error:?}", wrong.join("; "))) }
    }
}

impl Server {
    /// One server, at `path`.
    pub(crate) fn at(self, path: &str) -> Scene {
        Scene { url: self.url(path), servers: vec![self], held: None }
    }
}

impl From<Server> for Scene {
    /// One server, at its root.
    fn from(server: Server) -> Self {
        server.at("/")
    }
}

/// Runs every row beside those of other topics, and fails with a table of those that went wrong.
pub(crate) async fn run(topic: &str, cases: Vec<Case>) {
    let _busy = MACHINE.read().await;
    run_rows(topic, cases, AT_ONCE).await;
}

/// Runs one row after the other, while nothing else runs.
pub(crate) async fn run_alone(topic: &str, cases: Vec<Case>) {
    let _quiet = MACHINE.write().await;
    run_rows(topic, cases, 1).await;
}

async fn run_rows(topic: &str, cases: Vec<Case>, at_once: usize) {
    let count = cases.len();
    let rows = cases.into_iter().map(|case| async {
        let name = case.name.clone();
        // A task of its own, as in a checker: a panic is a failure of this row.
        let ended = actix_rt::spawn(case.run()).await;
        (name, ended.unwrap_or_else(|panic| Err(said(panic.into_panic().as_ref()))))
    });
    let results: Vec<_> = futures_util::stream::iter(rows).buffer_unordered(at_once).collect().await;
    let failed: Vec<String> = results
        .into_iter()
        .filter_map(|(name, result)| Some(format!("  {name:48} {}", result.err()?)))
        .collect();
    println!("{topic}: {count} cases, {} failed", failed.len());
    assert!(failed.is_empty(), "{topic}: {} of {count} failed\n{}", failed.len(), failed.join("\n"));
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| Some((*panic.downcast_ref::<&str>()?).to_owned()))
        .unwrap_or_else(|| "panicked".to_owned())
}
