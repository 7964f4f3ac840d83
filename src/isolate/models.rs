//! Models of a channel, for loom: both ends as they are, on threads instead of processes. Each runs in every order in
//! which the threads can meet, and a thread that waits for ever is a failure. Run by `npm run test:loom`. Spinning is
//! left out: it only reads what a wait reads as well.

use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use loom::model::Builder;
use loom::sync::atomic::AtomicBool;
use loom::thread::JoinHandle;
use loom::{model, thread};

use super::channel::{End, Head, Missed, end};
use super::wire::{Channel, Kind};

/// A channel, and whether the host has ended.
#[derive(Default)]
struct Shared {
    channel: Channel,
    has_ended: AtomicBool,
}

impl Shared {
    fn parent(&self) -> End<'_> {
        End::new(&self.channel.down, &self.channel.up, false)
    }

    fn host(&self) -> End<'_> {
        End::new(&self.channel.up, &self.channel.down, false)
    }

    /// The steps of the watcher when the host has ended, in their order.
    fn end(&self) {
        self.has_ended.store(true, SeqCst);
        end(&self.channel.up);
    }
}

/// Starts a thread that has the channel as well: the host, or a listener of the parent.
fn spawn<T: 'static>(shared: &Arc<Shared>, run: impl FnOnce(&Shared) -> T + 'static) -> JoinHandle<T> {
    let shared = Arc::clone(shared);
    thread::spawn(move || run(&shared))
}

fn head(kind: Kind, number: u64) -> Head {
    Head::new(kind, [number, 0, 0])
}

fn kind_of(head: &Head) -> Kind {
    Kind::of(head.kind).unwrap()
}

/// Makes a call of the parent as `Child::converse` does, and returns its result. `answer` answers callbacks.
fn converse(shared: &Shared, end: &End<'_>, number: u64, answer: &dyn Fn(u64) -> u64) -> Result<u64, Missed> {
    let (mut payload, text) = (Vec::new(), [number as u8]);
    assert!(end.post(head(Kind::Call, number), &[&text]));
    loop {
        let got = end.receive(&mut payload, None, || shared.has_ended.load(SeqCst))?;
        assert_eq!(payload, [got.words[0] as u8]);
        match kind_of(&got) {
            Kind::Return => return Ok(got.words[0]),
            Kind::Callback => {
                let result = answer(got.words[0]);
                assert!(end.post(head(Kind::CallbackResult, result), &[&[result as u8]]));
            }
            other => panic!("the host sends no {other:?}"),
        }
    }
}

/// The host's end until a result or `calls` calls have come, as `CallThread::until_result` does it. A call gives its
/// number plus one; one of more than 100 calls the callback of its number first and gives the result of that.
fn serve(end: &End<'_>, calls: usize) -> u64 {
    let mut payload = Vec::new();
    for _ in 0..calls {
        let got = end.receive(&mut payload, None, || false).unwrap();
        assert_eq!(payload, [got.words[0] as u8]);
        let number = got.words[0];
        match kind_of(&got) {
            Kind::CallbackResult => return number,
            Kind::Call => {
                let result = if number > 100 { call_back(end, number - 100) } else { number + 1 };
                assert!(end.post(head(Kind::Return, result), &[&[result as u8]]));
            }
            other => panic!("the parent sends no {other:?}"),
        }
    }
    0
}

fn call_back(end: &End<'_>, number: u64) -> u64 {
    assert!(end.post(head(Kind::Callback, number), &[&[number as u8]]));
    serve(end, usize::MAX)
}

fn no_callback(_: u64) -> u64 {
    unreachable!()
}

#[test]
fn calls_come_back_with_their_own_results() {
    model(|| {
        let shared = Arc::new(Shared::default());
        let host = spawn(&shared, |shared| serve(&shared.host(), 2));
        let parent = shared.parent();
        for number in [1, 2] {
            assert_eq!(converse(&shared, &parent, number, &no_callback), Ok(number + 1));
        }
        host.join().unwrap();
    });
}

#[test]
fn a_callback_may_call_again() {
    model(|| {
        let shared = Arc::new(Shared::default());
        let host = spawn(&shared, |shared| serve(&shared.host(), 1));
        let parent = shared.parent();
        let answer = |number| converse(&shared, &parent, number, &no_callback).unwrap() * 10;
        assert_eq!(converse(&shared, &parent, 107, &answer), Ok(80));
        host.join().unwrap();
    });
}

/// A host that ends after so many steps: before the call comes, before the answer, or after it.
fn ends_after(steps: usize) {
    model(move || {
        let shared = Arc::new(Shared::default());
        let host = spawn(&shared, move |shared| {
            let end = shared.host();
            if steps > 0 {
                end.receive(&mut Vec::new(), None, || false).unwrap();
            }
            if steps > 1 {
                assert!(end.post(head(Kind::Return, 2), &[&[2]]));
            }
            // The watcher notices it afterwards: to the parent that is the same thread.
            shared.end();
        });
        let parent = shared.parent();
        let outcome = converse(&shared, &parent, 1, &no_callback);
        assert!(if steps > 1 {
            outcome == Ok(2) || outcome == Err(Missed::Ended)
        } else {
            outcome == Err(Missed::Ended)
        });
        host.join().unwrap();
        // A parent that has the answer learns of the end next, and does not wait.
        let next = parent.receive(&mut Vec::new(), None, || shared.has_ended.load(SeqCst));
        assert!(outcome.is_err() || next.is_err());
    });
}

#[test]
fn a_waiting_parent_gets_the_answer_or_learns_that_the_host_has_ended() {
    (0..=2).for_each(ends_after);
}

#[test]
fn a_host_that_ends_inside_of_a_callback_ends_the_calls_above() {
    model(|| {
        let shared = Arc::new(Shared::default());
        let host = spawn(&shared, move |shared| {
            let end = shared.host();
            end.receive(&mut Vec::new(), None, || false).unwrap();
            assert!(end.post(head(Kind::Callback, 7), &[&[7]]));
            // It ends without another word; the watcher is its last act here.
            shared.end();
        });
        let parent = shared.parent();
        let nested = std::cell::Cell::new(Ok(0));
        let answer = |number| {
            nested.set(converse(&shared, &parent, number, &no_callback));
            0
        };
        assert_eq!(converse(&shared, &parent, 107, &answer), Err(Missed::Ended));
        assert!(matches!(nested.get(), Ok(0) | Err(Missed::Ended)));
        host.join().unwrap();
    });
}

#[test]
fn a_thread_of_the_library_calls_back_on_another_channel() {
    // With four threads another interruption takes hours.
    let mut bounded = Builder::new();
    bounded.preemption_bound = Some(2);
    bounded.check(|| {
        let (main, foreign) = (Arc::new(Shared::default()), Arc::new(Shared::default()));
        let host = thread::spawn({
            let (main, foreign) = (Arc::clone(&main), Arc::clone(&foreign));
            move || {
                // The call waits for the thread, as a library does that joins it.
                let end = main.host();
                let got = end.receive(&mut Vec::new(), None, || false).unwrap();
                let result = call_back(&foreign.host(), got.words[0]);
                assert!(end.post(head(Kind::Return, result), &[&[result as u8]]));
            }
        });
        // What `Host::run` in listener.rs does, until the host has ended.
        let listener = spawn(&foreign, |foreign| {
            let end = foreign.parent();
            let mut payload = Vec::new();
            while let Ok(got) = end.receive(&mut payload, None, || foreign.has_ended.load(SeqCst)) {
                let result = got.words[0] * 10;
                assert!(end.post(head(Kind::CallbackResult, result), &[&[result as u8]]));
            }
        });
        assert_eq!(converse(&main, &main.parent(), 5, &no_callback), Ok(50));
        host.join().unwrap();
        foreign.end();
        listener.join().unwrap();
    });
}

#[test]
fn a_channel_that_was_left_is_as_good_as_new() {
    model(|| {
        let shared = Arc::new(Shared::default());
        for round in 0..2 {
            let host = spawn(&shared, |shared| serve(&shared.host(), 1));
            assert_eq!(converse(&shared, &shared.parent(), round, &no_callback), Ok(round + 1));
            // The thread of the host may still be on its way out.
            for direction in [&shared.channel.down, &shared.channel.up] {
                direction.sequence.store(0, SeqCst);
                direction.sleeping.store(0, SeqCst);
            }
            host.join().unwrap();
        }
    });
}
