//! The socket between the agent and the stages: short messages, and the descriptors of mounts with the first.
//!
//! ```text
//! outer → agent   Mounted + descriptors of /dev/fuse: output, temporary files, then one for each package
//! inner → agent   Ready: every protection is in force         either may be Failed instead
//! agent → inner   Go: the data is served
//! ```
//! When the agent's end goes, the inner stage ends, and with it all that runs.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, Shutdown, SocketFlags, SocketType, recvmsg, sendmsg, shutdown,
    socketpair,
};
use serde::{Deserialize, Serialize};

use super::MAX_PACKAGES;

/// Longest message, bytes.
const MAX_MESSAGE_BYTES: usize = 4_096;
/// At most so many bytes of a failure's text.
const MAX_TEXT_BYTES: usize = 1_024;
/// Output, temporary files, and the packages.
const MAX_DESCRIPTORS: usize = MAX_PACKAGES + 2;

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Message {
    Mounted,
    Ready,
    Go,
    /// One sentence.
    Failed(String),
}

/// One end.
#[derive(Debug)]
pub(super) struct Channel(OwnedFd);

impl Channel {
    /// Both ends. Messages keep their bounds, and no program inherits an end by accident.
    pub(super) fn pair() -> Result<(Self, Self), Errno> {
        let (one, other) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok((Self(one), Self(other)))
    }

    /// The end that a stage was given as its standard input.
    pub(super) fn of_stage() -> std::io::Result<Self> {
        std::io::stdin().as_fd().try_clone_to_owned().map(Self)
    }

    pub(super) fn into_fd(self) -> OwnedFd {
        self.0
    }

    pub(super) fn send(
        &self,
        message: &Message,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(), Errno> {
        let message = match message {
            Message::Failed(text) => {
                Message::Failed(text[..text.floor_char_boundary(MAX_TEXT_BYTES)].to_owned())
            }
            message => message.clone(),
        };
        let bytes = serde_json::to_vec(&message).map_err(|_| Errno::INVAL)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(Errno::TOOBIG);
        }
        // Whoever went away is no reason to die of SIGPIPE.
        let flags = SendFlags::NOSIGNAL;
        sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut control, flags).map(drop)
    }

    /// The next message with its descriptors; nothing when the other end is gone.
    pub(super) fn receive(&self) -> Result<Option<(Message, Vec<OwnedFd>)>, Errno> {
        let mut bytes = [0; MAX_MESSAGE_BYTES];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut slices = [IoSliceMut::new(&mut bytes)];
        let flags = RecvFlags::CMSG_CLOEXEC;
        let received = loop {
            match recvmsg(&self.0, &mut slices, &mut control, flags) {
                Err(Errno::INTR) => {}
                Err(Errno::CONNRESET) => return Ok(None),
                received => break received?.bytes,
            }
        };
        if received == 0 {
            return Ok(None);
        }
        let descriptors = control
            .drain()
            .filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
                _ => None,
            })
            .flatten()
            .collect();
        let message = serde_json::from_slice(&bytes[..received]).map_err(|_| Errno::PROTO)?;
        Ok(Some((message, descriptors)))
    }

    /// The same end once more.
    pub(super) fn duplicate(&self) -> std::io::Result<OwnedFd> {
        self.0.try_clone()
    }

    /// Ends it for both sides.
    pub(super) fn close(&self) {
        // It may be closed already.
        let _ = shutdown(&self.0, Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn messages_arrive_whole_with_their_descriptors_until_the_end_goes() {
        let (one, other) = Channel::pair().unwrap();
        let file = tempfile::tempfile().unwrap();
        one.send(&Message::Mounted, &[file.as_fd(), file.as_fd()])
            .unwrap();
        one.send(&Message::Failed("ä".repeat(9_999)), &[]).unwrap();
        let (message, descriptors) = other.receive().unwrap().unwrap();
        assert_eq!((message, descriptors.len()), (Message::Mounted, 2));
        let (message, descriptors) = other.receive().unwrap().unwrap();
        assert_eq!(message, Message::Failed("ä".repeat(MAX_TEXT_BYTES / 2)));
        assert!(descriptors.is_empty());
        drop(one);
        assert!(other.receive().unwrap().is_none());
    }
}
