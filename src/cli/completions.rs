//! `completions`.

use std::io::Write as _;

use clap::Args;
use clap_complete::Shell;

use super::output::Output;
use super::{Answer, FINE};

const EXAMPLES: &str = "\
Examples:
  uptime-monitor completions bash > /etc/bash_completion.d/uptime-monitor
  uptime-monitor completions zsh > \"${fpath[1]}/_uptime-monitor\"
  uptime-monitor completions fish | source";

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

/// Completes `command`, the whole command line.
pub(super) fn run(args: &CompletionsArgs, mut command: clap::Command, output: &mut Output) -> Answer {
    // The generator panics where its writer fails, for example on a closed pipe: a vector does not.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "uptime-monitor", &mut script);
    output.write_all(&script)?;
    Ok(FINE)
}
