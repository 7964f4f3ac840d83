//! The end of a host, in the words of errors: what the kernel says of it, and what the host has reported.

use super::death_report::{Cause, Death as Reported};
use super::spawn;
use super::watcher::Status;
use crate::error::Death;

/// The end of a host. The report comes from the host: it is shown to the user, and nothing relies on it.
pub fn describe(status: Option<Status>, reported: Option<Reported>) -> Death {
    let mut death = Death::default();
    match status {
        Some(Status::Exited(code)) => death.exit_code = Some(code),
        Some(Status::Killed(signal)) => death.signal = Some(signal),
        _ => {}
    }
    let Some(mut reported) = reported else { return death };
    // A report of something else is of a fault that the library has survived, or a lie.
    let is_of_this_end = match reported.cause {
        Cause::Signal { signal, .. } => death.signal == Some(signal) || status == Some(Status::Unknown),
        Cause::Exit(_) => death.exit_code.is_some() || status == Some(Status::Unknown),
    };
    if !is_of_this_end {
        return death;
    }
    if let Cause::Signal { signal, address, .. } = reported.cause {
        death.signal = Some(signal);
        death.address = address;
    }
    if let Some(own) = spawn::own_file().and_then(|file| file.to_str().ok()) {
        reported.leave_out(own);
    }
    // Of frames that are all the C library's the first with a name says the most.
    let named = || reported.frames.iter().find(|frame| frame.symbol.is_some());
    let site = reported.site().filter(|site| site.symbol.is_some()).or_else(named).or(reported.site());
    if let Some(site) = site {
        death.place = Some(site.to_string());
        death.object = site.object.as_ref().map(|(path, _)| path.clone());
    }
    death.frames = reported.frames.iter().map(ToString::to_string).collect();
    death
}
