//! A relay on loopback that counts what a program sends, and has it killed at a moment of that count.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::Notify;

/// One count over all its relays.
#[derive(Clone, Default)]
pub(crate) struct Killer(Arc<Count>);

#[derive(Default)]
struct Count {
    sent: AtomicUsize,
    /// Never reached if it is nought.
    at: AtomicUsize,
    now: Notify,
}

impl Killer {
    /// Runs a program that is killed when it sends for the `at`th time, if there is one; how its run ended, `None` for a kill.
    ///
    /// At an even number the bytes do not go on, at an odd one they do, so that the answer is lost.
    pub(crate) async fn run(&self, command: std::process::Command, at: Option<usize>) -> Option<i32> {
        self.0.sent.store(0, Ordering::SeqCst);
        self.0.at.store(at.unwrap_or(0), Ordering::SeqCst);
        let mut child = Command::from(command).spawn().expect("the program starts");
        tokio::select! {
            status = child.wait() => status.expect("the program ends").code(),
            () = self.0.now.notified() => {
                child.kill().await.expect("the program can be killed");
                None
            }
        }
    }

    /// How often the program sent.
    pub(crate) fn sent(&self) -> usize {
        self.0.sent.load(Ordering::SeqCst)
    }

    /// Passes connections on to a port of this machine; the port to connect to instead. It ends with the runtime.
    pub(crate) async fn relay(&self, to: u16) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port for the relay");
        let port = listener.local_addr().expect("its number").port();
        let killer = self.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let killer = killer.clone();
                tokio::spawn(async move {
                    // A connection that breaks off is what this is for.
                    let _ = killer.pass(client, to).await;
                });
            }
        });
        port
    }

    async fn pass(&self, client: TcpStream, to: u16) -> std::io::Result<()> {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = TcpStream::connect(("127.0.0.1", to)).await?.into_split();
        tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
        let mut buffer = vec![0; 64 << 10];
        loop {
            let length = from_client.read(&mut buffer).await?;
            if length == 0 {
                return to_server.shutdown().await;
            }
            let sent = self.0.sent.fetch_add(1, Ordering::SeqCst) + 1;
            let now = sent == self.0.at.load(Ordering::SeqCst);
            if now && sent.is_multiple_of(2) {
                self.0.now.notify_one();
                return Ok(());
            }
            to_server.write_all(&buffer[..length]).await?;
            if now {
                self.0.now.notify_one();
            }
        }
    }
}
