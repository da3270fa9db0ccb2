//! Work on many things, shared among a few threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// How many threads read. More only wait for each other in the kernel.
pub(super) const WORKERS: usize = 2;

/// Runs `work` for each place below `count` in a thread for each worker, which has something of its
/// own, and returns the results in order.
pub(super) fn share<W: Send, T: Send>(
    workers: impl IntoIterator<Item = W>,
    count: usize,
    work: impl Fn(&mut W, usize) -> T + Sync,
) -> Vec<T> {
    let (next, work) = (&AtomicUsize::new(0), &work);
    let run = |mut worker: W| {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            if place >= count {
                return done;
            }
            done.push((place, work(&mut worker, place)));
        }
    };
    let mut all: Vec<(usize, T)> = thread::scope(|scope| {
        let run = &run;
        let workers: Vec<_> =
            workers.into_iter().map(|worker| scope.spawn(move || run(worker))).collect();
        let joined = workers.into_iter().map(|w| match w.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.flatten().collect()
    });
    all.sort_unstable_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        let squares = share([(); WORKERS], 100, |(), n| n * n);
        assert_eq!(squares, (0..100).map(|n| n * n).collect::<Vec<_>>());
        assert!(share([()], 0, |(), n| n).is_empty());
    }
}
