//! Parse, load, run, and turn the error chain into an exit code.

fn main() {
    env_logger::init();
    let sources = uptime_monitor::config::Sources {
        file: std::env::args().nth(1).map(Into::into),
        env: std::env::vars().collect(),
        overrides: vec![],
    };
    let loaded = uptime_monitor::config::load(sources.clone()).unwrap();
    if let Err(e) = uptime_monitor::app::run(loaded, sources) {
        eprintln!("{}", uptime_monitor::failure::chain(&e));
        std::process::exit(e.exit_code().into());
    }
}
