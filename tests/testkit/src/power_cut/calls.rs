//! Every `fsync` and `fdatasync` of some processes, seen and answered here in the kernel's place: a seccomp filter
//! that the processes inherit. No right is needed for it, and no way around it exists: calls that go past the C
//! library are seen too.

#![expect(
    unsafe_code,
    clippy::cast_possible_truncation,
    reason = "the filter and its notifications are bare system calls, made of small numbers"
)]

use std::{
    io,
    mem::offset_of,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
};

/// A call that waits for its answer.
pub(super) struct SyncCall {
    id: u64,
    /// The thread that calls.
    pub(super) thread: u32,
    /// Its file descriptor.
    pub(super) descriptor: u64,
}

/// What the processes with one filter call.
pub(super) struct Calls(OwnedFd);

impl Calls {
    /// Puts the filter on this thread and on all that it starts from now on. It cannot be taken off: use a thread
    /// that ends.
    pub(super) fn of_this_thread() -> io::Result<Self> {
        let (load, compare, end) = (
            (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16,
            (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
            (libc::BPF_RET | libc::BPF_K) as u16,
        );
        let step = |code, k, jt, jf| libc::sock_filter { code, k, jt, jf };
        let mut filter = [
            step(load, offset_of!(libc::seccomp_data, nr) as u32, 0, 0),
            step(compare, libc::SYS_fsync as u32, 1, 0),
            step(compare, libc::SYS_fdatasync as u32, 0, 1),
            step(end, libc::SECCOMP_RET_USER_NOTIF, 0, 0),
            step(end, libc::SECCOMP_RET_ALLOW, 0, 0),
        ];
        let program = libc::sock_fprog {
            len: filter.len() as u16,
            filter: filter.as_mut_ptr(),
        };
        // SAFETY: all arguments are numbers; it forbids this thread to gain rights by exec.
        checked(i64::from(unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        }))?;
        // SAFETY: `program` and its filter outlive the call, which copies them.
        let listener = checked(unsafe {
            libc::syscall(
                libc::SYS_seccomp,
                libc::SECCOMP_SET_MODE_FILTER,
                libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
                &raw const program,
            )
        })?;
        // SAFETY: the call has just made it, and nobody else has it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(listener as i32) }))
    }

    /// The next call; none once no process with the filter is left.
    pub(super) fn next(&self) -> io::Result<Option<SyncCall>> {
        loop {
            let mut poll = libc::pollfd {
                fd: self.0.as_raw_fd(),
                events: libc::POLLIN,
                revents: 0,
            };
            // SAFETY: one valid entry.
            match checked(i64::from(unsafe { libc::poll(&raw mut poll, 1, -1) })) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            if poll.revents & libc::POLLIN == 0 {
                match poll.revents {
                    0 => continue,
                    _ => return Ok(None),
                }
            }
            // SAFETY: it is made of integers; the kernel wants it zeroed.
            let mut call: libc::seccomp_notif = unsafe { std::mem::zeroed() };
            // SAFETY: the request writes one such value.
            let received = checked(i64::from(unsafe {
                libc::ioctl(
                    self.0.as_raw_fd(),
                    libc::SECCOMP_IOCTL_NOTIF_RECV,
                    &raw mut call,
                )
            }));
            match received {
                Ok(_) => {
                    return Ok(Some(SyncCall {
                        id: call.id,
                        thread: call.pid,
                        descriptor: call.data.args[0],
                    }));
                }
                // The caller was killed meanwhile.
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether its caller still waits: then what was read of its descriptors was its own.
    pub(super) fn is_waiting(&self, call: &SyncCall) -> bool {
        // SAFETY: the request reads one number.
        let valid = unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_ID_VALID,
                &raw const call.id,
            )
        };
        valid == 0
    }

    /// Tells the caller that it is done. One that was killed is told nothing.
    pub(super) fn answer(&self, call: &SyncCall) {
        let answer = libc::seccomp_notif_resp {
            id: call.id,
            val: 0,
            error: 0,
            flags: 0,
        };
        // SAFETY: the request reads one such value.
        unsafe {
            libc::ioctl(
                self.0.as_raw_fd(),
                libc::SECCOMP_IOCTL_NOTIF_SEND,
                &raw const answer,
            );
        }
    }
}

fn checked(result: i64) -> io::Result<i64> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        result => Ok(result),
    }
}
