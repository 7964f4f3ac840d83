//! Sandboxes as text: the parent sends one to the host, and the host answers with the parts that it applied.
//!
//! Fields end with a NUL, because paths may contain any other byte: `read=/usr/share`, `write=PATH`, `net`, `exec`,
//! `memory=BYTES`, `cpu=SECONDS`, `require=PART`. An answer has a field for each part, `files=applied`,
//! `network=unrestricted`, `memory=refused:22`, and `landlock=7`.

use std::ffi::CString;

use super::{Applied, Part, Refusal, Sandbox, State};

const PARTS: [(Part, &str); 8] = [
    (Part::Privileges, "privileges"),
    (Part::Files, "files"),
    (Part::Network, "network"),
    (Part::Exec, "exec"),
    (Part::Syscalls, "syscalls"),
    (Part::Signals, "signals"),
    (Part::Memory, "memory"),
    (Part::Cpu, "cpu"),
];

impl Part {
    /// Its name in texts and for users.
    pub fn name(self) -> &'static str {
        PARTS.iter().find(|(part, _)| *part == self).map_or("", |(_, name)| name)
    }

    /// The part of a name.
    pub fn of(name: &str) -> Option<Self> {
        PARTS.iter().find(|(_, other)| *other == name).map(|(part, _)| *part)
    }
}

impl Sandbox {
    /// Reads a sandbox. `Err` has the field that cannot be read.
    ///
    /// # Errors
    /// The field that cannot be read.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let mut sandbox = Self::default();
        for field in text.split(|byte| *byte == 0).filter(|field| !field.is_empty()) {
            let wrong = || String::from_utf8_lossy(field).into_owned();
            let equals = field.iter().position(|byte| *byte == b'=').unwrap_or(field.len());
            let (name, value) = (&field[..equals], field.get(equals + 1..).unwrap_or_default());
            let word = || std::str::from_utf8(value).map_err(|_| wrong());
            let number = || word()?.parse().map_err(|_| wrong());
            let path = || CString::new(value).ok().filter(|path| !path.is_empty()).ok_or_else(wrong);
            match name {
                b"read" => sandbox.read.push(path()?),
                b"write" => sandbox.write.push(path()?),
                b"net" => sandbox.net = true,
                b"exec" => sandbox.exec = true,
                b"memory" => sandbox.memory = Some(number()?),
                b"cpu" => sandbox.cpu = Some(number()?),
                b"require" => sandbox.require.push(Part::of(word()?).ok_or_else(wrong)?),
                _ => return Err(wrong()),
            }
        }
        Ok(sandbox)
    }
}

impl Applied {
    /// As text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (part, state) in &self.parts {
            let state = match state {
                State::Applied => "applied".into(),
                State::Unrestricted => "unrestricted".into(),
                State::Refused(errno) => format!("refused:{errno}"),
            };
            text += &format!("{}={state}\0", part.name());
        }
        text + &format!("landlock={}\0", self.landlock)
    }
}

/// The message for the user.
impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, errno) = match self {
            Self::Path { path, errno } => (format!("'{}' cannot be opened", path.to_string_lossy()), errno),
            Self::Required { part, errno } => {
                (format!("'{}' is required, and the kernel refuses it", part.name()), errno)
            }
        };
        write!(f, "{what}: {}", std::io::Error::from_raw_os_error(*errno))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_is_read() {
        let text = b"read=/a b\0read=/c=d\0write=/tmp\0net\0memory=512\0cpu=10\0require=files\0require=cpu\0";
        let expected = Sandbox {
            read: vec![c"/a b".into(), c"/c=d".into()],
            write: vec![c"/tmp".into()],
            net: true,
            exec: false,
            memory: Some(512),
            cpu: Some(10),
            require: vec![Part::Files, Part::Cpu],
        };
        assert_eq!(Sandbox::parse(text), Ok(expected));
        assert_eq!(Sandbox::parse(b""), Ok(Sandbox::default()));
    }

    #[test]
    fn a_field_that_cannot_be_read_is_named() {
        for field in ["memory=x", "memory=-1", "cpu", "require=nothing", "read=", "rights=all"] {
            assert_eq!(Sandbox::parse(field.as_bytes()), Err(field.into()));
        }
    }

    #[test]
    fn what_was_applied_is_written() {
        let parts =
            vec![(Part::Files, State::Applied), (Part::Memory, State::Refused(22)), (Part::Cpu, State::Unrestricted)];
        let text = Applied { parts, landlock: 7 }.to_text();
        assert_eq!(text, "files=applied\0memory=refused:22\0cpu=unrestricted\0landlock=7\0");
    }

    #[test]
    fn refusals_are_sentences() {
        let path = Refusal::Path { path: c"/none".into(), errno: libc::ENOENT };
        assert!(path.to_string().starts_with("'/none' cannot be opened: No such file"));
        let part = Refusal::Required { part: Part::Files, errno: libc::ENOSYS };
        assert!(part.to_string().starts_with("'files' is required, and the kernel refuses it: "));
    }
}
