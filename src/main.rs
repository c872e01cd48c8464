//! The binary: everything it does is in the library, where tests and benches reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    uptime_monitor::cli::main()
}
