//! The program on a terminal of its own, where bar and questions share the lines.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal with a program at it, and what appears there.
struct Terminal {
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    text: String,
    program: Child,
}

impl Terminal {
    fn run(mut program: Command) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let person = openpt(flags).expect("a terminal");
        grantpt(&person).expect("a terminal");
        unlockpt(&person).expect("a terminal");
        let size = Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&person, size).expect("a terminal has a size");
        let end = || File::from(ioctl_tiocgptpeer(&person, flags).expect("the program's end"));
        program.stdin(end()).stdout(end()).stderr(end());
        let program = program.spawn().expect("the program starts");
        let keyboard = File::from(person);
        let mut reader = keyboard.try_clone().expect("a second handle");
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It ends with an error when nobody is at the program's end any more.
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { keyboard, screen, text: String::new(), program }
    }

    /// Reads on until `wanted` is there.
    fn wait_for(&mut self, wanted: &str) {
        while !self.text.contains(wanted) {
            let more = self.screen.recv_timeout(PATIENCE);
            let more = more.unwrap_or_else(|error| panic!("no {wanted:?} ({error}): {}", self.text));
            self.text.push_str(&String::from_utf8_lossy(&more));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Says who is signed in, to everybody and for ever.
fn identity() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || listener.incoming().filter_map(Result::ok).for_each(answer));
    format!("http://{address}")
}

fn answer(mut stream: TcpStream) {
    let mut asked = Vec::new();
    let mut bytes = [0; 4096];
    // The question is short, and its body comes last.
    while !String::from_utf8_lossy(&asked).contains("Action=") {
        match stream.read(&mut bytes) {
            Ok(count @ 1..) => asked.extend_from_slice(&bytes[..count]),
            _ => return,
        }
    }
    let body = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                <Arn>arn:aws:iam::123456789012:user/somebody</Arn><UserId>AIDASOMEBODY</UserId>\
                <Account>123456789012</Account></GetCallerIdentityResult>\
                <ResponseMetadata><RequestId>one</RequestId></ResponseMetadata></GetCallerIdentityResponse>";
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close";
    let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
}

#[test]
fn nothing_is_painted_over_a_question() {
    let folder = tempfile::tempdir().unwrap();
    let smallest = include_str!("../../../fixtures/config/smallest.toml");
    let config = format!("{smallest}\n[endpoint]\nurl = {:?}\n", identity());
    std::fs::write(folder.path().join("automator.toml"), config).unwrap();

    let mut program = Command::new(env!("CARGO_BIN_EXE_keeper-automator"));
    program.env_clear().current_dir(folder.path()).env("HOME", folder.path()).env("LANG", "C").env("TERM", "xterm");
    program.env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
    program.env("AWS_EC2_METADATA_DISABLED", "true").arg("destroy");
    let mut terminal = Terminal::run(program);
    terminal.wait_for("[y/N] ");
    match terminal.screen.recv_timeout(Duration::from_millis(700)) {
        Err(RecvTimeoutError::Timeout) => {}
        more => panic!("{:?} and then {more:?}", terminal.text),
    }
    assert!(terminal.text.ends_with("that is ours? [y/N] "), "{:?}", terminal.text);

    terminal.keyboard.write_all(b"n\n").unwrap();
    terminal.wait_for("error[not-confirmed]");
    assert_eq!(terminal.program.wait().unwrap().code(), Some(2), "{:?}", terminal.text);
}
