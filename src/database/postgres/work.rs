//! Asynchronous closures whose futures may move between threads.
//!
//! Rust cannot yet demand that of `AsyncFnOnce` itself. diesel-async uses the same two-fold bound, whose second half names the
//! future so that it can be demanded, and does not export it.

/// Work that needs a connection.
pub(crate) trait Work<A, R>: FnOnce(A) -> <Self as Work<A, R>>::Fut {
    /// What the work does.
    type Fut: Future<Output = R>;
}

impl<W: FnOnce(A) -> F, F: Future<Output = R>, A, R> Work<A, R> for W {
    type Fut = F;
}
