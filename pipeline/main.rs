//! The command line of `perkins`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h, which the crate does not name; -1 is never.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

fn main() -> ExitCode {
    // Freed memory is kept for the next step instead of going back to the system and being zeroed again: up to a fifth less CPU time.
    // SAFETY: sets an option of the allocator, before any other thread is there.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
    // SAFETY: one aligned word, of which every thread may see the old value or the new.
    ExitCode::from(perkins::cli::main(|| unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, 10) }))
}
