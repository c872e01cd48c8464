//! What a process tells over HTTP: how it is.
//!
//! | Path | |
//! |---|---|
//! | `/health` | everything, as JSON: 200 when ready, else 503 |
//! | `/health/ready` | the same code, and one line of text |
//! | `/health/live` | 200 while the process goes on, also when its services are away |

mod health;
mod troubles;

use std::net::TcpListener;

use actix::{Actor, Context};
use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{Data, get};
use actix_web::{App, HttpResponse, HttpServer};

use crate::api;
use crate::failure::chain;
use crate::supervisor::Life;
pub use health::{Health, Identity, Sources};
pub use troubles::Troubles;

/// Serves the paths of this module.
///
/// In:    requests, from anybody who reaches the address.
/// Out:   what [`Health`] says.
/// Crash: connections break; the listener stays, and the next incarnation answers.
pub struct Web {
    life: Life,
    listener: std::io::Result<TcpListener>,
    health: Health,
    server: Option<ServerHandle>,
}

impl Web {
    /// A server on `listener`, which stays open.
    pub fn new(life: Life, listener: &TcpListener, health: Health) -> Self {
        Self { life, listener: listener.try_clone(), health, server: None }
    }

    fn serve(&mut self) -> std::io::Result<()> {
        let listener =
            self.listener.as_ref().map_err(|error| std::io::Error::from(error.kind()))?.try_clone()?;
        let health = Data::new(self.health.clone());
        let app = move || {
            App::new()
                .app_data(health.clone())
                .route("/health", get().to(full))
                .route("/health/ready", get().to(ready))
                .route("/health/live", get().to(live))
        };
        let server = HttpServer::new(app).workers(1).disable_signals().listen(listener)?.run();
        self.server = Some(server.handle());
        let life = self.life.clone();
        self.life.spawn(async move {
            if let Err(error) = server.await {
                life.fail(chain(&error));
            }
        });
        Ok(())
    }
}

impl Actor for Web {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        if let Err(error) = self.serve() {
            self.life.fail(format!("failed to serve HTTP: {error}"));
        }
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        if let Some(server) = &self.server {
            // The order is given at once; nobody waits for the connections.
            drop(server.stop(false));
        }
    }
}

async fn full(health: Data<Health>) -> HttpResponse {
    let health = health.now().await;
    HttpResponse::build(code(&health)).json(health)
}

async fn ready(health: Data<Health>) -> HttpResponse {
    let health = health.now().await;
    HttpResponse::build(code(&health)).content_type("text/plain; charset=utf-8").body(health.line())
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("alive\n")
}

fn code(health: &api::Health) -> StatusCode {
    if health.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}
