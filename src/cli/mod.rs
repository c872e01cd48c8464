//! The command line: parse, load, run, and turn errors into exit codes. One file per command.
//!
//! Arguments are taken in two steps: clap reads them as typed, then each command validates what it got, so that nothing
//! behind this module sees an unchecked value. Answers go to stdout; logs, errors and progress bars go to stderr.

mod arguments;
mod audit;
mod check;
mod completions;
mod config;
mod error;
mod health;
mod logging;
mod migrate;
mod once;
mod output;
mod range;
mod refusal;
mod report;
mod settings_flags;
mod sites;
mod storage;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::app::{self, Role};
use crate::config as configuration;
use crate::config::{Loaded, Problems, Sources};
use arguments::{Arguments, Command};
use error::CliError;
use output::Output;

/// What a command answers: the exit code of a run without an error.
type Answer = Result<u8, CliError>;

/// As asked.
const FINE: u8 = 0;
/// Everything worked, and the answer is no.
const ANSWER_IS_NO: u8 = 1;

/// Runs the command line of this process.
///
/// Exit codes: 0 fine, 1 the answer is no, 2 wrong usage or configuration, 3 a service could not be reached or gave up. What is wrong
/// with arguments and configuration is told before any service is asked.
pub fn main() -> ExitCode {
    let mut output = Output::stdout();
    let answer =
        execute(Arguments::parse(), &mut output).and_then(|code| Ok(output.finish().map(|()| code)?));
    match answer {
        Ok(code) => code.into(),
        Err(error) => error.tell().into(),
    }
}

fn execute(arguments: Arguments, output: &mut Output) -> Answer {
    let sources = sources(&arguments);
    let filter = arguments.log.or_else(|| variable("RUST_LOG"));
    match arguments.command.unwrap_or(Command::Run) {
        Command::Completions(args) => completions::run(&args, Arguments::command(), output),
        Command::Config(args) => config::run(&args, &load(sources), output),
        Command::Run => stay(Role::Run, sources?, filter),
        Command::Scheduler => stay(Role::Scheduler, sources?, filter),
        Command::Worker => stay(Role::Worker, sources?, filter),
        Command::Consumer => stay(Role::Consumer, sources?, filter),
        one_off => {
            let loaded = load(sources)?;
            // What only answers a question has little to tell beside its answer.
            logging::start(&loaded.config.log, filter.as_deref().unwrap_or("warn"));
            answer(one_off, &loaded, output)
        }
    }
}

/// Takes a role until the process is stopped.
fn stay(role: Role, sources: Sources, filter: Option<String>) -> Answer {
    let loaded = configuration::load(sources.clone())?;
    logging::start(&loaded.config.log, filter.as_deref().unwrap_or(&loaded.config.log.level));
    app::run(role, loaded, sources)?;
    Ok(FINE)
}

fn answer(command: Command, loaded: &Loaded, output: &mut Output) -> Answer {
    match command {
        Command::Sites(args) => sites::run(args, loaded, output),
        Command::Check(args) => once::run(&args, loaded, output),
        Command::Report(args) => report::run(&args, &loaded.config, output),
        Command::Audit(args) => audit::run(&args, &loaded.config, output),
        Command::Migrate => migrate::run(&loaded.config, output),
        Command::Health(args) => health::run(&args, &loaded.config, output),
        // Dealt with before a configuration is needed, or with one of their own.
        Command::Run
        | Command::Scheduler
        | Command::Worker
        | Command::Consumer
        | Command::Config(_)
        | Command::Completions(_) => Ok(FINE),
    }
}

fn load(sources: Result<Sources, Problems>) -> Result<Loaded, Problems> {
    configuration::load(sources?)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The variables of the environment. Those that are not UTF-8 are none of ours.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Where the configuration comes from.
fn sources(arguments: &Arguments) -> Result<Sources, Problems> {
    let env = environment();
    let file = configuration::find_file(arguments.config.as_deref(), &env)?;
    let filter = arguments.log.iter().map(|filter| ("log.level".to_owned(), filter.clone()));
    Ok(Sources { file, env, overrides: filter.collect() })
}
