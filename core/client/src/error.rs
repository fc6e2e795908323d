//! The one public error of the facade: a stable code, a sentence, parameters.

use alliance_model::Refusal;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $code:literal $sentence:literal;)+) => {
        /// Stable codes of everything that can go wrong in a client, beside the model's refusals.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $variant,)+
        }

        impl Code {
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
    /// The passphrase is not the store's.
    WrongPassphrase "WRONG_PASSPHRASE" "The passphrase is not the one of this store.";
    /// A store with spaces cannot become another person's device.
    StoreInUse "STORE_IN_USE" "This store has spaces already; make a new one to be a further device.";
    /// Another process has the store open.
    StoreBusy "STORE_BUSY" "The store is in use by another process.";
    /// There is no store in the folder.
    StoreAbsent "STORE_ABSENT" "There is no store in this folder; make one with `alliance init`.";
    /// There is a store in the folder already.
    StoreExists "STORE_EXISTS" "There is a store in this folder already.";
    /// A newer version wrote the store.
    StoreNewer "STORE_NEWER" "A newer version wrote this store; it was not touched. Update, then open it.";
    /// The store's database is damaged.
    StoreDamaged "STORE_DAMAGED" "The store is damaged; nothing was deleted. `alliance doctor` says what is damaged and what to do.";
    /// No keyring answers.
    KeyringAbsent "KEYRING_ABSENT" "No keyring answers in this session; the passphrase opens the store.";
    /// The keyring is locked.
    KeyringLocked "KEYRING_LOCKED" "The keyring is locked; the passphrase opens the store.";
    /// The keyring refuses.
    KeyringRefused "KEYRING_REFUSED" "The keyring does not keep this; the passphrase opens the store.";
    /// Another PIN.
    PinWrong "PIN_WRONG" "The PIN is not the one of this profile.";
    /// Too many wrong PINs.
    PinLocked "PIN_LOCKED" "Too many wrong PINs were tried; no PIN is taken for a while. The recovery words set a new one at any time.";
    /// A PIN that may not be chosen.
    PinWeak "PIN_WEAK" "This PIN cannot be chosen: take four digits or more, or eight characters or more, and none that others try first.";
    /// No PIN was chosen.
    PinAbsent "PIN_ABSENT" "This profile has no PIN; set one with its recovery words.";
    /// The caller's secret is missing.
    PinSecretMissing "PIN_SECRET_MISSING" "This profile opens only together with the secret that this device's hardware keeps; the recovery words set a new PIN.";
    /// The words of somebody else.
    WordsWrong "WORDS_WRONG" "These are not the recovery words of this profile; nothing was changed.";
    /// Nobody of this name who could help.
    UnknownHelper "UNKNOWN_HELPER" "There is nobody else of this name in this space.";
    /// Nobody was named who can help.
    HelpAbsent "HELP_ABSENT" "Nobody was named who can help with this profile's PIN; its recovery words set a new one.";
    /// A text that should be a request for help or its answer.
    HelpTextDamaged "HELP_TEXT_DAMAGED" "This is not a request for help with a PIN, or not the answer to one, or it is damaged.";
    /// Somebody else's request or answer.
    HelpForeign "HELP_FOREIGN" "This was not made for this: another person was named, or another request was answered. Nothing was changed.";
    /// No such profile.
    UnknownProfile "UNKNOWN_PROFILE" "There is no such profile on this device.";
    /// Two profiles of one nickname.
    ProfileExists "PROFILE_EXISTS" "A profile on this device has this nickname already; choose another.";
    /// A profile that would be lost with its work.
    ProfileUnsent "PROFILE_UNSENT" "This profile has work that is nowhere else; nothing was removed. Sync first, or say that it may be lost.";
    /// No room on the disk.
    LowStorage "LOW_STORAGE" "There is no room left on the disk. Nothing that was saved is lost; free some space.";
    /// The disk can only be read.
    StoreReadOnly "STORE_READ_ONLY" "The disk of the store can only be read. Nothing was changed, and nothing that was saved is lost.";
    /// The disk cannot be read or written.
    StoreIo "STORE_IO" "The store's folder cannot be read or written.";
    /// The store was closed.
    StoreClosed "STORE_CLOSED" "The store is closed.";
    /// Text that should be a relay's connect string is none.
    BadConnectString "BAD_CONNECT_STRING" "This is not a relay's connect string, or it is damaged.";
    /// Text that should be an admission token is none.
    BadToken "BAD_TOKEN" "This is not an admission token, or it is damaged.";
    /// Recovery words that are none.
    BadWords "BAD_RECOVERY_WORDS" "These are not twelve recovery words with a valid checksum.";
    /// Recovery words of somebody else.
    WordsOfNobody "WORDS_OF_NOBODY" "These recovery words belong to nobody in the spaces of this store.";
    /// Words that lead to nothing here.
    NothingToRecover "NOTHING_TO_RECOVER" "Nobody who was met has a space of these words. Meet a relay or a colleague's device that has one.";
    /// No relay is known.
    NoRelay "NO_RELAY" "No relay is known; add one with `alliance relay add`.";
    /// No such relay.
    UnknownRelay "UNKNOWN_RELAY" "This store knows no such relay.";
    /// A space is carried by this relay.
    RelayInUse "RELAY_IN_USE" "A space is still carried by this relay; name another with `alliance relay replace` first.";
    /// Nobody answered.
    Unreachable "UNREACHABLE" "Nobody answers at this address.";
    /// Another key answered than is pinned.
    WrongRelayKey "WRONG_RELAY_KEY" "Another relay answers at this address than the one that was pinned. Nothing was sent.";
    /// Another device answered.
    WrongDeviceKey "WRONG_DEVICE_KEY" "Another device answers at this address than the one that was named. Nothing was sent.";
    /// What answers in the relay's place is no relay.
    NetworkIntercepted "NETWORK_INTERCEPTED" "Something else answers in the relay's place: this network wants to be signed in to, or looks into connections. Nothing was shown to it; sign in, or use another network.";
    /// The peer does not want us.
    PeerRefused "PEER_REFUSED" "The other device shares no space with this one and did not tell who it is.";
    /// The peer speaks another version.
    Incompatible "INCOMPATIBLE" "The other side speaks another version of the protocol.";
    /// The connection broke.
    Disconnected "DISCONNECTED" "The connection broke. What was received is kept; the rest follows at the next sync.";
    /// The peer broke the protocol.
    PeerMisbehaved "PEER_MISBEHAVED" "The other side broke the protocol. Nothing that it sent last was taken.";
    /// Devices near cannot be looked for.
    NoMulticast "NO_MULTICAST" "This device cannot look for others on the network; name an address with --address.";
    /// An address that cannot be used.
    BadAddress "BAD_ADDRESS" "This is not an address; write host:port.";
    /// No such space.
    UnknownSpace "UNKNOWN_SPACE" "There is no such space in this store.";
    /// More than one space fits.
    AmbiguousSpace "AMBIGUOUS" "More than one fits; write more of the id.";
    /// This device was suspended in the space.
    DeviceSuspended "DEVICE_SUSPENDED" "This device was suspended in this space, which is locked here until your recovery words restore the device. Nothing was deleted.";
    /// This device is out of the space for good.
    DevicePutOut "DEVICE_PUT_OUT" "This device was put out of this space: its keys, and what they open, were deleted here.";
    /// No such member.
    UnknownMember "UNKNOWN_MEMBER" "There is no such member in this space.";
    /// No such device.
    UnknownDevice "UNKNOWN_DEVICE" "You have no such device in this space.";
    /// A space that nobody left in this person's name.
    NotLeft "NOT_LEFT" "Nobody left this space in your name.";
    /// No such recovery words.
    UnknownWords "UNKNOWN_WORDS" "You have no recovery words with this key in any space.";
    /// No such document.
    UnknownDocument "UNKNOWN_DOCUMENT" "There is no such document in this store.";
    /// No such version.
    UnknownVersion "UNKNOWN_VERSION" "The document has no such version here.";
    /// The version's entry is kept and not shown.
    VersionNotShown "VERSION_NOT_SHOWN" "This version is kept and not shown, so there is no state of it to look at.";
    /// No such passage in a version.
    NoPassage "NO_PASSAGE" "There is no such passage in this version.";
    /// A passage that stands in the document as it is.
    NothingMissing "NOTHING_MISSING" "All of this stands in the document now; nothing was written.";
    /// No such invitation.
    UnknownInvitation "UNKNOWN_INVITATION" "There is no such invitation in this store.";
    /// Text that should be an invitation is damaged.
    InvitationDamaged "INVITATION_DAMAGED" "This is not an invitation, or it is damaged; ask for it again.";
    /// An invitation of a newer version.
    InvitationNewer "INVITATION_NEWER" "A newer version made this invitation; update first.";
    /// The invitation is not for this store: it is one's own, or already used here.
    InvitationForeign "INVITATION_FOREIGN" "This answer belongs to no invitation of this store.";
    /// The invitation is used up.
    InvitationUsed "INVITATION_USED" "This invitation was used already; ask for a new one.";
    /// The invitation has expired.
    InvitationExpired "INVITATION_EXPIRED" "This invitation has expired; ask for a new one.";
    /// The words differ.
    CodeMismatch "CODE_MISMATCH" "The words differ: somebody may stand between you. Nothing was shared; make a new invitation.";
    /// Nobody has answered the invitation yet.
    NotAnswered "NOT_ANSWERED" "Nobody has answered this invitation yet; sync first.";
    /// The space's key is not here.
    WaitingForKeys "WAITING_FOR_KEYS" "The key of this space has not arrived yet; what you write is kept on this device.";
    /// A backup that is none, or was made with another passphrase.
    BackupDamaged "BACKUP_DAMAGED" "This is not a backup, or it is damaged, or the passphrase is another.";
    /// A document whose cache could not be made.
    DocumentBroken "DOCUMENT_BROKEN" "This document cannot be shown by this version; its entries are kept.";
    /// A copy in another space that cannot be completed.
    CopyChanged "COPY_CHANGED" "There is a copy of this document there, and one of the two was written in since; nothing was changed.";
    /// A bundle that is sealed to others.
    BundleNotForYou "BUNDLE_NOT_FOR_YOU" "This bundle is for others, and cannot be read here. You may carry it to them: `alliance bundle carry`.";
    /// A file in which nothing of a bundle can be read.
    BundleDamaged "BUNDLE_DAMAGED" "This is not a bundle, or nothing of it can be read; ask for it again. What was taken before is kept.";
    /// A bundle of a newer version.
    BundleNewer "BUNDLE_NEWER" "A newer version wrote this bundle; nothing of it was taken. Update, then take it again.";
    /// No room for more bundles.
    BundleQuota "BUNDLE_QUOTA" "There is no room for more bundles that wait or are carried; hand some on, or let go of some.";
    /// No such bundle.
    UnknownBundle "UNKNOWN_BUNDLE" "There is no such bundle in this store.";
    /// Nobody who could read it.
    NobodyToRead "NOBODY_TO_READ" "Nobody else has a device in what you named; there is nobody to write a bundle for.";
    /// A bundle's file is there.
    BundleExists "BUNDLE_EXISTS" "There is a file of this name already; it was not touched.";
    /// A bundle's file cannot be read or written.
    BundleIo "BUNDLE_IO" "The bundle's file cannot be read or written. Nothing that was taken is lost.";
    /// Parts that would be too small.
    SplitTooSmall "SPLIT_TOO_SMALL" "A part of this bundle needs more bytes than that.";
    /// A bundle that is too large for codes.
    BundleTooLarge "BUNDLE_TOO_LARGE" "This bundle is too large for codes; write it into a file.";
    /// A text that is none of a bundle's.
    BundleTextDamaged "BUNDLE_TEXT_DAMAGED" "A line is no text of a bundle, is damaged, or is of another bundle.";
    /// Texts that are missing.
    BundleTextsMissing "BUNDLE_TEXTS_MISSING" "Some texts of this bundle are missing; nothing of it was taken.";
    /// A bug of ours.
    Internal "INTERNAL" "Something is wrong in the program itself. Nothing that was saved is lost.";
}

/// What went wrong: the model's refusal, or a code of the client.
#[derive(Debug, Clone)]
pub enum Error {
    /// The model refuses the command; the same online and offline.
    Refused(Refusal),
    /// Anything else.
    Failed {
        /// Stable code.
        code: Code,
        /// Named parameters; never content.
        params: Vec<(&'static str, String)>,
    },
}

impl Error {
    /// A failure without parameters.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self::Failed { code, params: Vec::new() }
    }

    /// The same with one more parameter; a refusal stays as it is.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl core::fmt::Display) -> Self {
        if let Self::Failed { params, .. } = &mut self {
            params.push((name, value.to_string()));
        }
        self
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code.code(),
            Self::Failed { code, .. } => code.code(),
        }
    }

    /// The parameters by name.
    #[must_use]
    pub fn params(&self) -> Vec<(String, String)> {
        match self {
            Self::Refused(refusal) => refusal.params.clone(),
            Self::Failed { params, .. } => params.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
        }
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Failed { code, params } => {
                f.write_str(code.sentence())?;
                params.iter().try_for_each(|(name, value)| write!(f, " ({name}: {value})"))
            }
        }
    }
}

impl core::error::Error for Error {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}
