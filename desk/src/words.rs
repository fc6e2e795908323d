//! Recovery words of a person who is new on this device: shown once, or from a file, or written to one.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use alliance_client::Client;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::command::recovery_words_text;
use crate::failure::{DeskCode, Failure};
use crate::input;

/// What `--words-file` names.
pub(crate) enum WordsFile {
    /// Nothing: new words are shown.
    Shown,
    /// A file with words.
    Given(Zeroizing<String>),
    /// A file that was made for the new words, before anything else is.
    Fresh(PathBuf, File),
}

impl WordsFile {
    /// Reads the file, or makes it.
    ///
    /// # Errors
    /// `FILE_UNREADABLE`, `FILE_UNWRITABLE`, `FILE_TOO_LARGE`, `NOT_TEXT`.
    pub(crate) fn of(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(file) = file else { return Ok(Self::Shown) };
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
            Ok(fresh) => Ok(Self::Fresh(file.to_owned(), fresh)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Ok(Self::Given(words_of(&input::secret_file(file)?)))
            }
            Err(error) => {
                Err(Failure::from(DeskCode::FileUnwritable).with("file", file.display()).with("reason", error.kind()))
            }
        }
    }

    /// The words to use instead of new ones.
    pub(crate) fn given(&self) -> Option<&str> {
        match self {
            Self::Given(words) => Some(words.as_str()),
            Self::Shown | Self::Fresh(..) => None,
        }
    }

    /// Founds the home of a new person's devices. Words that were there before lead to one that is there already.
    pub(crate) async fn found_home(&self, client: &Client) {
        if self.given().is_some() {
            return;
        }
        // The words must be told whatever happens, as where the disk is full by now; `device invite` founds it then.
        let _ = client.set_up_home().await;
    }

    /// Nothing was made: the file goes that was made for its words.
    pub(crate) fn give_up(self) {
        if let Self::Fresh(path, _) = self {
            let _ = std::fs::remove_file(path);
        }
    }

    /// Adds the words to what is said, or writes them.
    pub(crate) fn tell(mut self, words: &Zeroizing<String>, columns: usize, text: &mut String, json: &mut Value) {
        let written = match &mut self {
            Self::Fresh(_, file) => {
                let line = Zeroizing::new(format!("{}\n", words.as_str()));
                file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).is_ok()
            }
            Self::Shown | Self::Given(_) => false,
        };
        match self {
            Self::Fresh(path, _) if written => {
                text.push_str(
                    "The recovery words are in the file that you named. Keep it where nobody else reads it.\n",
                );
                json["words_file"] = json!(path.display().to_string());
            }
            Self::Given(_) => text.push_str("Your recovery words are those of the file that you named.\n"),
            // Words that could not be written are shown, or nobody would have them.
            Self::Shown | Self::Fresh(..) => {
                text.push_str(&recovery_words_text(words, columns));
                json["recovery_words"] = json!(words.as_str());
            }
        }
    }
}

/// Words with one space between them.
pub(crate) fn words_of(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
