//! Which system calls a sandbox refuses.
//!
//! A list of refused calls, not of allowed ones: a library that works keeps working with the next libc. What is on it
//! reaches into other processes, changes the system, or has been the way out of other sandboxes. They fail with EPERM,
//! which code can handle. Signals are compared with this process's id: with `exec`, processes that the library starts
//! have others, and Landlock confines their signals where the kernel can (`has_scope`).
#![expect(unsafe_code, reason = "asks for the process's id")]

use std::ffi::c_long;

use super::Sandbox;
use super::seccomp::{Rule, When};

/// Never allowed.
const ALWAYS: &[c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_tkill,
    libc::SYS_migrate_pages,
    // They leave the group of processes that ends with the parent.
    libc::SYS_setsid,
    libc::SYS_setpgid,
    // Large parts of the kernel that libraries have no use for.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_fanotify_init,
    libc::SYS_lookup_dcookie,
    libc::SYS_modify_ldt,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_by_handle_at,
    // The system.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_vhangup,
];

const NAMESPACES: i32 = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;
/// MAP_TYPE.
const KIND_OF_MAPPING: i32 = 0x0f;
/// Put characters into a terminal's input.
const TERMINAL_INPUT: [u32; 2] = [0x5412, 0x541c];
/// Have the kernel send signals of a descriptor to another process.
const OWNER_BY_FCNTL: [u32; 2] = [8, 15];
const OWNER_BY_IOCTL: [u32; 2] = [0x8901, 0x8902];

fn unless(argument: u32, mask: i32, values: &[i32]) -> When {
    When::Unless { argument, mask: mask as u32, values: values.iter().map(|value| *value as u32).collect() }
}

fn if_one_of(argument: u32, values: impl Into<Vec<u32>>) -> When {
    When::If { argument, mask: u32::MAX, values: values.into() }
}

/// The rules of a sandbox for this process. `has_scope`: Landlock keeps signals inside.
pub fn of(sandbox: &Sandbox, has_scope: bool) -> Vec<Rule> {
    // SAFETY: getpid() has no preconditions.
    let own = unsafe { libc::getpid() };
    let own_process = |argument| unless(argument, -1, &[0, own]);
    let mut rules: Vec<Rule> = ALWAYS.iter().map(|number| (*number, When::Always(libc::EPERM))).collect();

    rules.push((libc::SYS_ioctl, if_one_of(1, [TERMINAL_INPUT, OWNER_BY_IOCTL].concat())));
    rules.push((libc::SYS_fcntl, if_one_of(1, OWNER_BY_FCNTL)));
    for number in [
        libc::SYS_prlimit64,
        libc::SYS_move_pages,
        libc::SYS_sched_setaffinity,
        libc::SYS_sched_setscheduler,
        libc::SYS_sched_setparam,
        libc::SYS_sched_setattr,
    ] {
        rules.push((number, own_process(0)));
    }
    rules.push((libc::SYS_setpriority, own_process(1)));
    rules.push((libc::SYS_ioprio_set, own_process(1)));

    if !(sandbox.exec && has_scope) {
        rules.push((libc::SYS_kill, unless(0, -1, &[0, own, -own])));
        for number in [libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo] {
            rules.push((number, own_process(0)));
        }
    }

    rules.push((libc::SYS_clone, unless(0, NAMESPACES, &[0])));
    // Its flags are in memory, which a filter cannot read. libc goes on with clone().
    rules.push((libc::SYS_clone3, When::Always(libc::ENOSYS)));
    if !sandbox.exec {
        rules.push((libc::SYS_clone, unless(0, libc::CLONE_THREAD, &[libc::CLONE_THREAD])));
        for number in [libc::SYS_fork, libc::SYS_vfork, libc::SYS_execve, libc::SYS_execveat] {
            rules.push((number, When::Always(libc::EPERM)));
        }
    }
    if !sandbox.net {
        for number in [libc::SYS_socket, libc::SYS_connect, libc::SYS_bind, libc::SYS_listen] {
            rules.push((number, When::Always(libc::EPERM)));
        }
    }
    if sandbox.memory.is_some() {
        // Shared memory is not counted by RLIMIT_DATA.
        for number in [libc::SYS_memfd_create, libc::SYS_memfd_secret, libc::SYS_shmget] {
            rules.push((number, When::Always(libc::EPERM)));
        }
        let shared = [libc::MAP_SHARED, libc::MAP_SHARED_VALIDATE].map(|kind| (kind | libc::MAP_ANONYMOUS) as u32);
        let mask = (KIND_OF_MAPPING | libc::MAP_ANONYMOUS) as u32;
        rules.push((libc::SYS_mmap, When::If { argument: 3, mask, values: shared.into() }));
    }
    rules
}
