//! A wire to a node, which can be blocked: then nothing passes, and nobody is told.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::spawn;

pub struct Wire {
    pub url: String,
    blocked: Arc<AtomicBool>,
}

impl Wire {
    pub fn to(url: &str) -> Self {
        let node = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let blocked = Arc::new(AtomicBool::new(false));
        let is_blocked = Arc::clone(&blocked);
        spawn(move || {
            while let Ok((client, _)) = listener.accept() {
                let Ok(node) = TcpStream::connect(&node) else {
                    continue;
                };
                let back = (node.try_clone().unwrap(), client.try_clone().unwrap());
                for (from, to) in [(client, node), back] {
                    let is_blocked = Arc::clone(&is_blocked);
                    spawn(move || carry(from, to, &is_blocked));
                }
            }
        });
        Self { url, blocked }
    }

    pub fn block(&self, blocked: bool) {
        self.blocked.store(blocked, Ordering::SeqCst);
    }
}

/// Carries bytes until either end closes. What was lost breaks the connection as soon as another byte comes through.
fn carry(mut from: TcpStream, mut to: TcpStream, is_blocked: &AtomicBool) {
    let (mut buffer, mut lost) = ([0; 64 * 1024], false);
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let blocked = is_blocked.load(Ordering::SeqCst);
        lost |= blocked;
        if !blocked && (lost || to.write_all(&buffer[..length]).is_err()) {
            break;
        }
    }
    // It may be closed already.
    let _ = to.shutdown(Shutdown::Both);
}
