//! Uptime Monitor: checks many websites on schedule and loses no result.
//!
//! ```text
//! site_config ──Scheduler──▶ job_queue ──Claimer──▶ Checkers ──Publisher──▶ result log ──Persister──▶ ping_status, sites ──▶ report
//!              INSERT…SELECT            lease        awc       ack, then                  one
//!                                                              delete the job             transaction
//! ```
//!
//! | module | what it is | sees |
//! |---|---|---|
//! | [`app`] | composition root: configuration to ports to supervised actors, and the order in which they end | everything |
//! | [`cli`] | one file per command | everything |
//! | [`config`] | the configuration file, its layers and its sites; every problem at once | `model`, `schedule`, `json`, `pattern`, `postgres_url`, the settings of `result_log` |
//! | [`pipeline`] | the actors, in flow order | `model`, `clock`, `failure`, `supervisor`, `probe`, the ports |
//! | [`probe`] | one check, over HTTP or of a bare connection, from URL to outcome | `model`, `clock`, `trust`, `json`, `pattern` |
//! | [`queue`], [`result_log`], [`store`] | the ports, each with its contract, and their implementations beside them | `database`, `model`, `clock`, `failure`, `schedule`, `trust` |
//! | [`database`] | the databases: SQLite with one writing thread and two that read, PostgreSQL with a pool on threads of its own; migrations | `failure`, `clock`, `private`, `trust`, `postgres_url` |
//! | [`web`] | what a process tells over HTTP: how it is | `api`, `model`, `clock`, `failure`, `supervisor`, `pipeline`'s tally, `queue`, `result_log` |
//! | [`api`] | what programs read from us: JSON documents, each with its schema | `config`'s fields, `model`, `clock`, `store`'s port |
//! | [`report`] | what was measured, for people: tables, CSV | `api`, `model`, `store`'s port |
//! | [`sites`] | the use cases of sites: who may change which, and how | `config`, `model`, `failure`, `database`'s errors, `store`'s port |
//! | [`schedule`] | when a site is due: a pure function | nothing |
//! | [`supervisor`] | restarts actors that stop, panic, hang or lose their thread | `clock` |
//! | [`failure`] | errors as text, and trying again while a service is away | `supervisor`, `clock` |
//! | `json` | documents as answers have them, and RFC 9535 paths into them, within a budget | `clock`, `pattern` |
//! | `pattern` | regular expressions, PEM, hosts and server names, read in one way at load and in checks | `trust` |
//! | `postgres_url` | the URL of a PostgreSQL database, read in one way at load and when connecting | nothing |
//! | `private` | files and folders for their owner alone | nothing |
//! | `trust` | the crypto provider, whom we trust when a server shows a certificate, and why not, in sentences | nothing |
//! | [`model`] | plain data | `clock`, `schedule` |
//! | [`clock`] | the only door to "now" | nothing |

pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod database;
pub mod failure;
mod json;
pub mod model;
mod pattern;
pub mod pipeline;
mod postgres_url;
mod private;
pub mod probe;
pub mod queue;
pub mod report;
pub mod result_log;
pub mod schedule;
pub mod sites;
pub mod store;
pub mod supervisor;
mod trust;
pub mod web;
