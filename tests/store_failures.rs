//! A root on a store that fails: at whichever request, readers see one state or the next, whole, and another try succeeds. And several
//! writers at once.

use crate::troubled_store::{Failure, Troubled};
use object_store::memory::InMemory;
use object_store::path::Path as Key;
use object_store::{GetOptions, ObjectStore, PutOptions};
use perkins::commit::{self, Commit, Pointer};
use perkins::error::{Error, Result};
use perkins::root::Root;
use perkins::store::{self, Stored};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use tempfile::TempDir;

/// A root of a store, with a mirror of its own.
struct Machine {
    root: Root,
    _folder: TempDir,
}

fn machine(store: Arc<dyn ObjectStore>) -> Machine {
    let folder = tempfile::tempdir().unwrap();
    Machine { root: Root::on(store, "memory://store/root", "root", folder.path().join("mirror")).unwrap(), _folder: folder }
}

/// The large file of a state goes in two parts.
const LARGE: usize = 9 << 20;

fn content(state: u64) -> [(String, Vec<u8>); 3] {
    let large = vec![state as u8; LARGE];
    [
        ("always".into(), b"the same in every state".to_vec()),
        (format!("small-{state}"), format!("state {state}").into_bytes()),
        (format!("large-{state}"), large),
    ]
}

/// Writes a state as a load does: files, manifest, commit.
fn write(root: &Root, state: u64) -> Result<Commit> {
    let _lock = commit::lock(root, "test")?;
    write_without_lock(root, state, &content(state))
}

fn write_without_lock(root: &Root, state: u64, content: &[(String, Vec<u8>)]) -> Result<Commit> {
    let before = commit::current(root)?.unwrap_or_default();
    let files = content.iter().map(|(name, bytes)| store::write_whole(root, &root.join("lake").join(name), bytes));
    let files = files.collect::<Result<Vec<Stored>>>()?;
    let manifest = serde_json::to_vec(&BTreeMap::from([("files", files)])).unwrap();
    let id = format!("state-{state}");
    let stored = store::write_whole(root, &root.join("loads").join(&id).join("manifest.json"), &manifest)?;
    commit::create(root, Commit { load: Some(Pointer { id, manifest: stored.path, blake3: stored.blake3 }), ..before })
}

/// The state that another machine sees, which must be whole.
fn seen(store: &Arc<InMemory>) -> u64 {
    let other = machine(Arc::clone(store) as _);
    let commit = commit::current(&other.root).unwrap().unwrap();
    let state = commit.load.unwrap().id.strip_prefix("state-").unwrap().parse().unwrap();
    for (name, bytes) in content(state) {
        assert!(fs::read(other.root.join("lake").join(&name)).unwrap() == bytes, "{name} of state {state}");
    }
    state
}

fn any_request_may(failure: Failure) {
    let mut n = 1;
    loop {
        let store = Arc::new(InMemory::new());
        let writer = machine(Arc::clone(&store) as _);
        write(&writer.root, 1).unwrap();
        // The same machine, whose connection fails from now on.
        let failing = Troubled::failing(&store, failure, n);
        let broken = Root::on(Arc::new(failing.clone()), "memory://store/root", "root", writer.root.to_path_buf()).unwrap();
        let answer = write(&broken, 2);
        drop(broken);
        let state = seen(&store);
        match &answer {
            Ok(_) => assert_eq!(state, 2, "{failure:?} at request {n}: said to be committed"),
            Err(e) => assert!(!matches!(e, Error::Locked(_)), "{failure:?} at request {n}: nobody else is there: {e}"),
        }
        write(&writer.root, 2).unwrap_or_else(|e| panic!("{failure:?} at request {n}: another try: {e}"));
        assert_eq!(seen(&store), 2, "{failure:?} at request {n}");
        write(&writer.root, 3).unwrap();
        assert_eq!(seen(&store), 3, "{failure:?} at request {n}");
        if !failing.has_failed() {
            break;
        }
        n += 1;
    }
    // Lock, look, files in parts, manifest, commit, unlock: there was something to fail.
    assert!(n > 12, "only {n} requests");
}

#[test]
fn any_request_may_be_refused() {
    any_request_may(Failure::Unavailable);
}

#[test]
fn any_request_may_time_out() {
    any_request_may(Failure::TimedOut);
}

#[test]
fn any_answer_may_be_lost() {
    any_request_may(Failure::AnswerLost);
}

#[test]
fn any_part_may_be_truncated() {
    any_request_may(Failure::PartTruncated);
}

/// All read one state, then all commit: one is told that it did, and the others that they were beaten. Without any lock.
fn exactly_one_wins(roots: &[Root]) {
    const ROUNDS: u64 = 5;
    let (start, wins) = (Barrier::new(roots.len()), AtomicUsize::new(0));
    let race = |writer: usize, root: &Root| {
        for round in 0..ROUNDS {
            start.wait();
            root.refresh().unwrap();
            let state = round * 100 + writer as u64;
            let content = [(format!("small-{state}"), state.to_le_bytes().to_vec())];
            let before = commit::current(root).unwrap().map_or(0, |c| c.number);
            assert_eq!(before, round, "every round made one commit");
            start.wait();
            match write_without_lock(root, state, &content) {
                Ok(commit) => {
                    assert_eq!(commit.number, round + 1);
                    wins.fetch_add(1, Ordering::SeqCst);
                }
                Err(Error::Locked(what)) => assert!(what.contains("commit"), "{what}"),
                Err(e) => panic!("{e}"),
            }
            start.wait();
            assert_eq!(wins.load(Ordering::SeqCst) as u64, round + 1, "one winner in each round");
        }
    };
    std::thread::scope(|scope| roots.iter().enumerate().for_each(|(i, root)| drop(scope.spawn(move || race(i, root)))));
    // Who was beaten at the last put of all has not looked since.
    roots[0].refresh().unwrap();
    assert_eq!(commit::history(&roots[0]).unwrap().len() as u64, ROUNDS);
}

/// Eight writers whose clocks and machines are their own; a writer's commit rests on what it read, so a slow one is beaten.
#[test]
fn of_eight_writers_on_a_store_exactly_one_wins_each_commit() {
    let store = Arc::new(InMemory::new());
    let machines: Vec<Machine> = (0..8).map(|_| machine(Arc::clone(&store) as _)).collect();
    exactly_one_wins(&machines.iter().map(|m| m.root.clone()).collect::<Vec<_>>());
}

#[test]
fn of_eight_writers_in_a_folder_exactly_one_wins_each_commit() {
    let folder = tempfile::tempdir().unwrap();
    let root = Root::from(folder.path().join("root"));
    exactly_one_wins(&(0..8).map(|_| root.clone()).collect::<Vec<_>>());
}

#[test]
fn the_lock_of_a_store_names_its_holder_and_a_dead_holder_loses_it() {
    let store = Arc::new(InMemory::new());
    let [here, other] = [machine(Arc::clone(&store) as _), machine(Arc::clone(&store) as _)];
    let lock = commit::lock(&here.root, "test").unwrap();
    let refused = commit::lock(&other.root, "test").unwrap_err();
    let me = format!("process {}", std::process::id());
    assert!(matches!(&refused, Error::Locked(what) if what.contains(&me) && what.contains("perkins test")), "{refused}");
    // The clock of the store may be a day ahead of ours: the lock is as young as it was.
    let skewed = |lock_older| machine(Arc::new(Troubled::skewed(&store, 86_400, lock_older)) as _);
    assert!(matches!(commit::lock(&skewed(0).root, "test"), Err(Error::Locked(_))));
    assert!(matches!(commit::lock(&skewed(50).root, "test"), Err(Error::Locked(_))), "within its minute");
    // Not renewed for longer than it lasts: it is taken over, and its first holder does not take that away by giving back.
    let next = skewed(70);
    let taken = commit::lock(&next.root, "test").unwrap();
    drop(lock);
    assert!(matches!(commit::lock(&other.root, "test"), Err(Error::Locked(_))));
    drop(taken);
    drop(commit::lock(&other.root, "test").unwrap());
}

/// A process that was killed leaves its lock behind; the next one on the same machine need not wait for it to lapse.
#[test]
fn the_next_on_the_same_machine_takes_over_at_once() {
    let store = Arc::new(InMemory::new());
    let here = machine(Arc::clone(&store) as _);
    let lock = commit::lock(&here.root, "test").unwrap();
    let key = Key::from("root/_lock");
    let left = futures::executor::block_on(async { store.get_opts(&key, GetOptions::default()).await.unwrap().bytes().await.unwrap() });
    drop(lock);
    futures::executor::block_on(store.put_opts(&key, left.into(), PutOptions::default())).unwrap();
    let other = machine(Arc::clone(&store) as _);
    assert!(matches!(commit::lock(&other.root, "test"), Err(Error::Locked(_))));
    drop(commit::lock(&here.root, "test").unwrap());
}

/// What is wrong in the mirror is fetched again: the store alone counts.
#[test]
fn a_mirror_that_is_damaged_ahead_or_behind_is_mended() {
    let store = Arc::new(InMemory::new());
    let here = machine(Arc::clone(&store) as _);
    (1..=2).for_each(|state| drop(write(&here.root, state).unwrap()));
    let again = || Root::on(Arc::clone(&store) as _, "memory://store/root", "root", here.root.to_path_buf()).unwrap();
    let state = |root: &Root| commit::current(root).unwrap().unwrap().load.unwrap().id;
    for damaged in ["lake/large-2", "loads/state-2/manifest.json", "_commits/00000002.json"] {
        let path = here.root.join(damaged);
        let whole = fs::read(&path).unwrap();
        let mut turned = whole.clone();
        turned[whole.len() / 2] ^= 1;
        for bad in [&turned[..], &whole[..whole.len() / 2], &[]] {
            fs::write(&path, bad).unwrap();
            assert_eq!(state(&again()), "state-2");
            assert!(fs::read(&path).unwrap() == whole, "{damaged}");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(state(&again()), "state-2");
        assert!(fs::read(&path).unwrap() == whole, "{damaged}");
    }
    // Ahead: a commit that the store does not have is none.
    fs::write(here.root.join("_commits/00000003.json"), "{\"number\": 3}").unwrap();
    assert_eq!(state(&again()), "state-2");
    assert!(!here.root.join("_commits/00000003.json").exists());
    // Behind, by what another machine committed.
    write(&machine(Arc::clone(&store) as _).root, 3).unwrap();
    assert_eq!(state(&again()), "state-3");
    // The store was made anew: the same numbers, another content.
    let anew = Arc::new(InMemory::new());
    (4..=6).for_each(|s| drop(write(&machine(Arc::clone(&anew) as _).root, s).unwrap()));
    let root = Root::on(anew as _, "memory://store/root", "root", here.root.to_path_buf()).unwrap();
    assert_eq!(state(&root), "state-6");
    let ids: Vec<String> = commit::history(&root).unwrap().into_iter().map(|c| c.load.unwrap().id).collect();
    assert_eq!(ids, ["state-6", "state-5", "state-4"]);
}

/// What is removed on one machine is gone for all, and what stays is whole.
#[test]
fn what_is_removed_is_gone_from_store_and_mirrors() {
    let store = Arc::new(InMemory::new());
    let [here, other] = [machine(Arc::clone(&store) as _), machine(Arc::clone(&store) as _)];
    (1..=2).for_each(|state| drop(write(&here.root, state).unwrap()));
    let numbers = |root: &Root| commit::history(root).unwrap().iter().map(|c| c.number).collect::<Vec<_>>();
    assert_eq!(numbers(&other.root), [2, 1]);
    for gone in ["_commits/00000001.json", "loads/state-1/manifest.json", "lake/small-1", "lake/large-1", "lake/large-1"] {
        here.root.remove(&here.root.join(gone)).unwrap();
        assert!(!here.root.join(gone).exists());
    }
    other.root.refresh().unwrap();
    assert_eq!((numbers(&other.root), numbers(&here.root), seen(&store)), (vec![2], vec![2], 2));
}

/// A manifest that names a file outside the root, or one that is gone or changed, is refused, and nothing is written for it.
#[test]
fn what_the_store_has_wrong_is_an_error() {
    let store = Arc::new(InMemory::new());
    let here = machine(Arc::clone(&store) as _);
    write(&here.root, 1).unwrap();
    let put = |path: &str, bytes: Vec<u8>| {
        drop(futures::executor::block_on(store.put_opts(&Key::from(path), bytes.into(), PutOptions::default())).unwrap())
    };
    let error = || commit::current(&machine(Arc::clone(&store) as _).root).unwrap_err().to_string();
    put("root/lake/small-1", b"state X".to_vec());
    assert!(error().contains("small-1, which loads/state-1/manifest.json names, has another BLAKE3"), "{}", error());
    put("root/lake/small-1", b"state".to_vec());
    assert!(error().contains("small-1"), "{}", error());
    let manifest = br#"{"files": [{"path": "../../outside", "bytes": 1, "blake3": "00"}]}"#.to_vec();
    let pointer =
        Pointer { id: "x".into(), manifest: "loads/x/manifest.json".into(), blake3: blake3::hash(&manifest).to_hex().to_string() };
    put("root/loads/x/manifest.json", manifest);
    let commit = Commit { number: 2, load: Some(pointer), ..Commit::default() };
    put("root/_commits/00000002.json", perkins::seal::seal(&commit).unwrap());
    assert!(error().contains("no path below the root"), "{}", error());
    assert!(!Path::new("/outside").exists());
}
