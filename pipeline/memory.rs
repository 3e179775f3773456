//! What is done with memory that was freed: kept for the next step, which is faster, until it would be too much.

use std::sync::OnceLock;

static HOOK: OnceLock<fn()> = OnceLock::new();

/// Sets how to make the allocator give freed memory back to the system, from then on. Whoever chooses the allocator knows; the first call counts.
pub fn set_hook(hook: fn()) {
    let _ = HOOK.set(hook);
}

/// From now on, memory that is freed goes back to the system. May be called at any time, by any thread, again and again.
pub fn give_back() {
    HOOK.get().iter().for_each(|hook| hook());
}
