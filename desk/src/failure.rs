//! Every way in which a command ends badly: one sentence, a stable code, parameters. Nothing else reaches a person.

use serde::{Deserialize, Serialize};
use serde_json::json;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $code:literal $sentence:literal;)+) => {
        /// Stable codes of what can go wrong in the command line itself, beside those of
        /// [`alliance_client::Code`] and the model's refusals.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum DeskCode {
            $($(#[$doc])* $variant,)+
        }

        impl DeskCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as people and scripts see it.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What happened, in one English sentence.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }
        }
    };
}

codes! {
    /// The command line cannot be understood.
    Usage "USAGE" "The command cannot be understood; see `alliance --help`.";
    /// The person interrupted a question.
    Interrupted "INTERRUPTED" "Interrupted; nothing was done.";
    /// No home folder and no `--store`.
    NoStoreFolder "NO_STORE_FOLDER" "There is no home folder to keep a store in; name one with --store.";
    /// A passphrase is needed and nobody can be asked.
    NoTerminal "NO_TERMINAL" "There is no terminal to ask for the passphrase; give it with --passphrase-file.";
    /// The passphrase is empty or too long.
    BadPassphrase "BAD_PASSPHRASE" "A passphrase has between 1 and 1,024 bytes.";
    /// The two entries of a new passphrase differ.
    PassphrasesDiffer "PASSPHRASES_DIFFER" "The two passphrases differ; nothing was made.";
    /// The system gives no further thread.
    NoThreads "NO_THREADS" "The system gives this program no further thread, or no memory for one; end other programs.";
    /// A file that should be read cannot be.
    FileUnreadable "FILE_UNREADABLE" "The file cannot be read.";
    /// A file that should be written cannot be.
    FileUnwritable "FILE_UNWRITABLE" "The file cannot be written.";
    /// A file that should be made is there.
    FileExists "FILE_EXISTS" "There is a file of this name already; it was not touched.";
    /// A file is larger than any text may be.
    FileTooLarge "FILE_TOO_LARGE" "The file is larger than a text may be.";
    /// A text is not UTF-8.
    NotText "NOT_TEXT" "This is not text in UTF-8.";
    /// The value does not fit the term.
    BadTerm "BAD_TERM" "This is no value of this field; `--help` shows examples.";
    /// The process that holds the store went away while it served this command.
    HolderLost "HOLDER_LOST" "The process that holds the store ended before it answered; try again.";
    /// The request to the holder of the store is not one of this version.
    HolderOther "HOLDER_OTHER" "Another version of the program holds the store; end it first.";
    /// Nobody was found.
    NobodyNear "NOBODY_NEAR" "Nobody near who is looking shares a space with you; nothing was exchanged.";
    /// Not everything could be exchanged.
    SyncIncomplete "SYNC_INCOMPLETE" "Not everything was exchanged; what is missing follows at a later sync.";
    /// The demo needs the relay program.
    RelayProgramAbsent "RELAY_PROGRAM_ABSENT" "The program `alliance-relay` is not beside this one; build it, or name it with --relay.";
    /// The relay program does not start.
    RelayProgramFailed "RELAY_PROGRAM_FAILED" "The relay did not start.";
    /// Something that the demo promises was not so.
    DemoFailed "DEMO_FAILED" "Something that the demo promises did not hold.";
}

/// A command that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable code: of the desk, the client or the model.
    pub code: String,
    /// What happened, and what to do, in a sentence or two.
    pub sentence: String,
    /// Named parameters; never content.
    pub params: Vec<(String, String)>,
}

impl Failure {
    /// The same with one more parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.params.push((name.to_owned(), value.to_string()));
        self
    }

    /// What is printed on standard error: a line of text, or one JSON object.
    #[must_use]
    pub fn print(&self, as_json: bool) -> String {
        if as_json {
            let params: serde_json::Map<_, _> =
                self.params.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
            let error = json!({"error": {"code": self.code, "sentence": self.sentence, "params": params}});
            return format!("{error}\n");
        }
        let params: Vec<String> = self.params.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let params = if params.is_empty() { String::new() } else { format!(" ({})", params.join(", ")) };
        format!("alliance: {}{params} [{}]\n", self.sentence, self.code)
    }
}

impl From<DeskCode> for Failure {
    fn from(code: DeskCode) -> Self {
        Self { code: code.code().to_owned(), sentence: code.sentence().to_owned(), params: Vec::new() }
    }
}

impl From<alliance_client::Error> for Failure {
    fn from(error: alliance_client::Error) -> Self {
        let sentence = match &error {
            alliance_client::Error::Refused(refusal) => {
                format!("{} {}", refusal.code.sentence(), refusal.code.next_step())
            }
            alliance_client::Error::Failed { code, .. } => code.sentence().to_owned(),
        };
        // Several of one name are one parameter, so that none is lost where names are keys.
        let mut params: Vec<(String, String)> = Vec::new();
        for (name, value) in error.params() {
            match params.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = format!("{known}, {value}"),
                None => params.push((name, value)),
            }
        }
        Self { code: error.code().to_owned(), sentence, params }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.print(false).trim_end())
    }
}

impl std::error::Error for Failure {}
