//! Connects for awc, which calls it as its transport.

use std::io;
use std::rc::Rc;

use actix_service::Service;
use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use awc::http::Uri;
use futures_util::future::LocalBoxFuture;

use super::wire::Exchange;
use crate::probe::connector::Connector;
use crate::probe::failure::Failure;
use crate::probe::trace::{Phase, TRACE, Trace};

/// Connects for the try that [`TRACE`] holds, to the URL that it names. The URI from awc says `http` even for https.
#[derive(Clone)]
pub(super) struct HttpConnector(pub(super) Connector);

impl Service<ConnectInfo<Uri>> for HttpConnector {
    type Response = Connection<Uri, Exchange>;
    type Error = ConnectError;
    type Future = LocalBoxFuture<'static, Result<Self::Response, ConnectError>>;

    actix_service::always_ready!();

    fn call(&self, info: ConnectInfo<Uri>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let trace = TRACE.try_with(Rc::clone).map_err(|_| ConnectError::Unresolved)?;
            match this.connect(&trace).await {
                Ok(stream) => Ok(Connection::new(info.request().clone(), stream)),
                Err(failure) => {
                    trace.fail(failure);
                    Err(ConnectError::Io(io::Error::other("see the trace")))
                }
            }
        })
    }
}

impl HttpConnector {
    async fn connect(&self, trace: &Rc<Trace>) -> Result<Exchange, Failure> {
        let hop = trace.hop().ok_or_else(|| Failure::internal("a connection without a request"))?;
        let (url, message) = hop;
        let transport = self.0.connect(&url, message.is_foreign, trace).await?;
        trace.enter(Phase::Wait);
        Ok(Exchange::new(transport, message, Rc::clone(trace)))
    }
}
