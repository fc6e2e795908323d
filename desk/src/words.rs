//! Recovery words of a person who is new on this device: shown once, or from a file, or written to one.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use alliance_client::{Client, RecoveryWords};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::command::recovery_words_text;
use crate::failure::{DeskCode, Failure};
use crate::output::Teller;
use crate::{input, random, secret};

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

    /// Adds the words to what is said, or writes them. `true` if they are to be shown.
    pub(crate) fn tell(
        mut self,
        words: &Zeroizing<String>,
        columns: usize,
        text: &mut String,
        json: &mut Value,
    ) -> bool {
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
                false
            }
            Self::Given(_) => {
                text.push_str("Your recovery words are those of the file that you named.\n");
                false
            }
            // Words that could not be written are shown, or nobody would have them.
            Self::Shown | Self::Fresh(..) => {
                text.push_str(&recovery_words_text(words, columns));
                json["recovery_words"] = json!(words.as_str());
                true
            }
        }
    }
}

/// Asks for three of the words that were just shown, until they are right: then they stand on paper.
///
/// # Errors
/// `NO_TERMINAL`, `NOT_TEXT`, `INTERRUPTED`.
async fn ask_back(words: &RecoveryWords, teller: &Teller) -> Result<(), Failure> {
    for place in RecoveryWords::asked_back(random::bytes()) {
        let number = place + 1;
        loop {
            teller.shown().await;
            if words.is_at(place, &secret::word(number).await?) {
                break;
            }
            let again = format!("That is not word {number}. Look at your paper again: all twelve stand above.");
            teller.remark(&again).await;
        }
    }
    teller.remark("These are the words. Clear the screen when the paper is put away.").await;
    // A passphrase may be asked for next: its question must not stand before this.
    teller.shown().await;
    Ok(())
}

/// The same where everything is made by now: who goes away meanwhile has it all the same.
///
/// # Errors
/// `NO_TERMINAL`.
pub(crate) async fn ask_back_at_last(words: &RecoveryWords, teller: &Teller) -> Result<(), Failure> {
    match ask_back(words, teller).await {
        Err(failure) if failure.code == DeskCode::Interrupted.code() => {
            teller.remark("It is made all the same. Without the words on paper it cannot be brought back.").await;
            Ok(())
        }
        other => other,
    }
}

/// The words of a person who has some, and further ones behind them, each on a line. New ones are shown and asked back,
/// or written to the file, before any space lists them: an interruption leaves nobody with words that they never saw.
///
/// # Errors
/// Those of [`WordsFile::of`] and [`ask_back`]; `USAGE` where JSON is asked for without a file.
pub(crate) async fn with_further(
    words: &Zeroizing<String>,
    (asked, file): (bool, Option<&Path>),
    teller: &Teller,
) -> Result<Zeroizing<String>, Failure> {
    if file.is_none() && teller.look().json {
        return Err(Failure::from(DeskCode::Usage).with("missing", "--new-words-file"));
    }
    let further = WordsFile::of(file)?;
    let further = match further.given() {
        Some(given) => Zeroizing::new(given.to_owned()),
        None => {
            let fresh = RecoveryWords::generate(random::bytes());
            let spoken = Zeroizing::new(fresh.to_string());
            let mut text = String::new();
            if further.tell(&spoken, teller.look().columns, &mut text, &mut Value::Null) {
                teller.remark(&text).await;
                if asked {
                    ask_back(&fresh, teller).await?;
                }
            }
            spoken
        }
    };
    Ok(Zeroizing::new(format!("{}\n{}", words_of(words).as_str(), further.as_str())))
}

/// Words with one space between them.
pub(crate) fn words_of(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
