//! A pseudo-terminal, by `script`, which every Debian has.

use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

/// A program at a terminal of its own.
pub struct Terminal {
    child: Child,
    said: Vec<u8>,
    /// How much of it was looked at.
    seen: usize,
}

impl Terminal {
    /// Starts a program with its arguments, none of which holds a quotation mark.
    pub fn start(words: &[&OsStr], environment: &[(&str, &str)]) -> Self {
        let words: Vec<String> = words.iter().map(|word| format!("'{}'", word.to_str().unwrap())).collect();
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--flush", "--command", &words.join(" "), "/dev/null"]);
        command.envs(environment.iter().copied()).env_remove("RUST_LOG");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script");
        Self { child, said: Vec::new(), seen: 0 }
    }

    /// Waits until the terminal shows a text; what stood before it since the last one.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> String {
        let mut byte = [0];
        loop {
            let rest = &self.said[self.seen..];
            if let Some(at) = rest.windows(text.len()).position(|window| window == text.as_bytes()) {
                let before = String::from_utf8_lossy(&rest[..at]).into_owned();
                self.seen += at + text.len();
                return before;
            }
            let read = self.child.stdout.as_mut().unwrap().read(&mut byte).unwrap();
            assert_eq!(read, 1, "it ended without {text:?}: {}", String::from_utf8_lossy(&self.said));
            self.said.push(byte[0]);
        }
    }

    /// Types.
    pub fn types(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// The recovery words that it shows, after three of them were asked back, one of these wrongly at first.
    pub fn words_asked_back(&mut self) -> String {
        self.until("Your recovery words:");
        let shown = self.until("Write these twelve words");
        let words: Vec<&str> = shown.split_whitespace().take(12).collect();
        for n in 0..3 {
            self.until("Word ");
            let number: usize = self.until(" of your paper: ").trim().parse().unwrap();
            if n == 0 {
                self.types("wrong\n");
                self.until(&format!("That is not word {number}."));
                self.until(" of your paper: ");
            }
            self.types(&format!("{}\n", words[number - 1].to_uppercase()));
        }
        self.until("These are the words.");
        words.join(" ")
    }

    /// Waits for the program's end; its status, and all that the terminal showed.
    pub fn ended(mut self) -> (i32, String) {
        self.child.stdout.take().unwrap().read_to_end(&mut self.said).unwrap();
        let status = self.child.wait().unwrap().code().expect("it ends by itself");
        (status, String::from_utf8_lossy(&self.said).into_owned())
    }
}
