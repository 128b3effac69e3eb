//! What goes over the wire, seen from inside: who was called, for how long, with which outcome; never a body.
//!
//! A tap sits in every client. Under the feature `test-util` [`Faults`] sits in front of the HTTP client and can delay a
//! call, refuse it, or cut its answer before or after it took effect.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// A service and one of its operations, as the SDK names them: `EC2`, `CreateVpc`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Operation {
    /// The service.
    pub service: String,
    /// The operation.
    pub name: String,
}

impl Operation {
    /// True for a call that may change something.
    pub fn is_mutating(&self) -> bool {
        !["Describe", "List", "Get", "AssumeRole"].iter().any(|prefix| self.name.starts_with(prefix))
    }

    /// True for a call that makes something that was not there.
    pub fn is_create(&self) -> bool {
        ["Create", "Register", "Import", "RunTask", "Allocate", "RequestCertificate"]
            .iter()
            .any(|prefix| self.name.starts_with(prefix))
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.service, self.name)
    }
}

/// One call, with all its attempts.
#[derive(Clone, Debug)]
pub struct Call {
    /// What was called.
    pub operation: Operation,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// `ok`, or the kind of the failure.
    pub outcome: String,
}

/// Told of every call.
pub type OnCall = Arc<dyn Fn(Call) + Send + Sync>;

/// Tells of every call; sits in each client.
#[derive(Clone)]
pub(crate) struct Tap(pub(crate) OnCall);

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap")
    }
}

#[derive(Debug)]
struct Began(Instant);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

fn operation(cfg: &ConfigBag) -> Option<Operation> {
    let metadata = cfg.load::<Metadata>()?;
    Some(Operation { service: metadata.service().to_owned(), name: metadata.name().to_owned() })
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Tap {
    fn name(&self) -> &'static str {
        "keeper-automator-tap"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(Began(Instant::now()));
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(operation) = operation(cfg) {
            context.request_mut().add_extension(operation);
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(operation) = operation(cfg) else { return Ok(()) };
        let millis =
            cfg.load::<Began>().map_or(0, |began| u64::try_from(began.0.elapsed().as_millis()).unwrap_or(u64::MAX));
        let outcome = match context.output_or_error() {
            Some(Ok(_)) => "ok",
            Some(Err(error)) if error.is_operation_error() => "refused",
            Some(Err(error)) if error.is_timeout_error() => "timed out",
            Some(Err(error)) if error.is_connector_error() => "not connected",
            Some(Err(_)) | None => "failed",
        };
        (self.0)(Call { operation, millis, outcome: outcome.to_owned() });
        Ok(())
    }
}

#[cfg(feature = "test-util")]
pub use faults::{Fault, Faults};

#[cfg(feature = "test-util")]
mod faults {
    use std::fmt;
    use std::sync::Arc;
    use std::time::Duration;

    use aws_smithy_runtime_api::client::http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    use super::Operation;

    /// What shall go wrong with one attempt of one call.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Fault {
        /// The answer comes late.
        Delay(Duration),
        /// The service answers this status and body, and does nothing.
        Answer(u16, String),
        /// The connection is cut before the request is sent.
        CutBefore,
        /// The request takes effect and its answer is lost.
        CutAfter,
        /// Nobody ever answers.
        Hang,
    }

    type Script = Arc<dyn Fn(&Operation) -> Option<Fault> + Send + Sync>;

    /// An HTTP client with faults in front of another one. The script is asked once for each attempt of each call.
    #[derive(Clone)]
    pub struct Faults {
        script: Script,
        inner: SharedHttpClient,
    }

    impl Faults {
        /// Puts `script` in front of `inner`.
        pub fn before(
            inner: SharedHttpClient,
            script: impl Fn(&Operation) -> Option<Fault> + Send + Sync + 'static,
        ) -> SharedHttpClient {
            SharedHttpClient::new(Self { script: Arc::new(script), inner })
        }
    }

    impl fmt::Debug for Faults {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Faults")
        }
    }

    impl HttpClient for Faults {
        fn http_connector(
            &self,
            settings: &HttpConnectorSettings,
            components: &RuntimeComponents,
        ) -> SharedHttpConnector {
            let inner = self.inner.http_connector(settings, components);
            SharedHttpConnector::new(Faulty { script: Arc::clone(&self.script), inner })
        }
    }

    struct Faulty {
        script: Script,
        inner: SharedHttpConnector,
    }

    impl fmt::Debug for Faulty {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Faulty")
        }
    }

    impl HttpConnector for Faulty {
        #[expect(clippy::disallowed_methods, reason = "a fault that is a delay")]
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let fault = request.extension::<Operation>().and_then(|operation| (self.script)(operation));
            let inner = self.inner.clone();
            let cut = || ConnectorError::io("the connection was cut".into());
            HttpConnectorFuture::new(async move {
                match fault {
                    None => inner.call(request).await,
                    Some(Fault::Delay(time)) => {
                        tokio::time::sleep(time).await;
                        inner.call(request).await
                    }
                    Some(Fault::Answer(status, body)) => {
                        let status =
                            StatusCode::try_from(status).map_err(|error| ConnectorError::user(error.into()))?;
                        Ok(HttpResponse::new(status, SdkBody::from(body)))
                    }
                    Some(Fault::CutBefore) => Err(cut()),
                    Some(Fault::CutAfter) => {
                        inner.call(request).await?;
                        Err(cut())
                    }
                    Some(Fault::Hang) => std::future::pending().await,
                }
            })
        }
    }
}
