//! One run per deployment: a lease that is taken, kept alive while the run works, and given back.

use std::future::Future;
use std::time::Duration;

use crate::wait::sleep;
use crate::{Cx, Result};

/// A lease held outside this process. Taking it must be atomic: of two who try, one gets it.
pub trait Lease: Send + Sync {
    /// Takes it, or fails with the code `locked` and says who holds it.
    fn acquire(&self, cx: &Cx) -> impl Future<Output = Result<()>> + Send;
    /// Says that the holder is alive, and fails with `lock-lost` when somebody else holds it.
    fn renew(&self, cx: &Cx) -> impl Future<Output = Result<()>> + Send;
    /// Gives it back.
    fn release(&self, cx: &Cx) -> impl Future<Output = Result<()>> + Send;
}

/// Does `work` while holding `lease`. When the lease is lost, the run is cancelled: calls in flight finish, nothing new starts.
///
/// Gives what came of the work, whatever became of the lease, and beside it the error with which the lease was lost or could
/// not be given back.
///
/// # Errors
///
/// When the lease cannot be taken; then no work was done.
pub async fn with_lease<T>(
    lease: &impl Lease,
    cx: &Cx,
    every: Duration,
    work: impl Future<Output = T>,
) -> Result<(T, Result<()>)> {
    lease.acquire(cx).await?;
    let heartbeat = async {
        loop {
            sleep(every).await;
            if let Err(error) = lease.renew(cx).await
                && error.code() == "lock-lost"
            {
                return error;
            }
        }
    };
    tokio::pin!(work, heartbeat);
    tokio::select! {
        done = &mut work => Ok((done, lease.release(cx).await)),
        lost = &mut heartbeat => {
            cx.cancellation().cancel();
            Ok((work.await, Err(lost)))
        }
    }
}
