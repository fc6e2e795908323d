//! Copies of documents in another space, and a new space in place of one that cannot be saved (PROTOCOL section 4,
//! renewal).
//!
//! Nothing moves by itself: a document lives in one space for ever, and a copy is a document of its own, written by the
//! person who copies. The old space stays as it is.

use alliance_document::View;
use alliance_model::{Command, DocumentKind, Refusal, RefusalCode, snapshot};
use alliance_wire::hash::content_hash;
use alliance_wire::membership::SpaceKind;
use alliance_wire::{DocumentId, SpaceId};
use serde::Serialize;

use crate::error::{Code, Error};
use crate::inner::{Client, Inner};
use crate::views::{MemberView, NewSpace, SpaceView};

/// What a copy's id is made from, before the space that it is in and the document that it is of.
const COPY: &[u8] = b"alliance copy of a document";

/// A space in place of another.
#[derive(Debug, Clone, Serialize)]
pub struct Renewed {
    /// The new space.
    pub space: SpaceView,
    /// Its documents, and those that they are copies of.
    pub copied: Vec<Copied>,
    /// Documents that could not be copied, and why; they are in the old space as ever.
    pub left: Vec<NotCopied>,
    /// The other members of the old space by name: each is invited anew.
    pub people: Vec<String>,
}

/// A document and its copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Copied {
    /// In the old space.
    #[serde(serialize_with = "crate::views::text")]
    pub from: DocumentId,
    /// In the new one.
    #[serde(serialize_with = "crate::views::text")]
    pub to: DocumentId,
}

/// A document without a copy.
#[derive(Debug, Clone, Serialize)]
pub struct NotCopied {
    /// Which.
    #[serde(serialize_with = "crate::views::text")]
    pub document: DocumentId,
    /// Its title.
    pub title: String,
    /// A code of [`Error`].
    pub code: &'static str,
}

impl Client {
    /// Founds a space in place of another and copies all documents that can be read here into it. The old one stays as
    /// it is, its members are invited anew or not. Without a kind, the new one has the old one's.
    ///
    /// If it was interrupted, [`Client::copy_documents`] goes on.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `TEXT_EMPTY`, `TEXT_TOO_LONG`, `DEVICE_SUSPENDED`, `DEVICE_PUT_OUT`, and those of the store.
    pub async fn renew_space(&self, old: SpaceId, title: &str, kind: Option<NewSpace>) -> Result<Renewed, Error> {
        self.inner.unlocked(old)?;
        let membership = self.inner.membership(old).await?;
        let kind = kind.unwrap_or(match membership.state().kind {
            Some(SpaceKind::Joint { persons_max: 2 }) => NewSpace::Pair,
            Some(SpaceKind::Joint { persons_max }) => NewSpace::Peers(persons_max),
            Some(SpaceKind::Group) => NewSpace::Group,
            Some(SpaceKind::Personal) | None => NewSpace::Personal,
        });
        let space = self.create_space(title, kind).await?.space;
        self.copy_documents(old, space).await
    }

    /// Copies all documents of a space into another. What is there already stays: a copy that was interrupted is
    /// completed, and one that somebody wrote in since is left alone.
    ///
    /// # Errors
    /// `UNKNOWN_SPACE`, `NOT_MEMBER`, `ROLE_FORBIDS`, `DEVICE_SUSPENDED`, `DEVICE_PUT_OUT`, and those of the store.
    pub async fn copy_documents(&self, from: SpaceId, into: SpaceId) -> Result<Renewed, Error> {
        self.inner.unlocked(from)?;
        self.inner.may_write(into).await?;
        let (mut copied, mut left) = (Vec::new(), Vec::new());
        for row in self.documents(Some(from), None, None, 0, u64::MAX).await? {
            match self.copy_document(row.document, into).await {
                Ok(to) => copied.push(Copied { from: row.document, to }),
                Err(error) if is_of_the_document(&error) => {
                    left.push(NotCopied { document: row.document, title: row.title, code: error.code() });
                }
                Err(error) => return Err(error),
            }
        }
        let members = self.inner.members(from).await?.into_iter();
        let people = members.filter(|member| !member.me).map(|member| member.name).collect();
        Ok(Renewed { space: self.space(into).await?, copied, left, people })
    }

    /// Copies what a document shows into another space, as a document of its own that this person wrote. The same again
    /// is the same copy.
    ///
    /// # Errors
    /// `UNKNOWN_DOCUMENT`, `UNKNOWN_SPACE`, `NOT_MEMBER`, `ROLE_FORBIDS`, `COPY_CHANGED` (there is a copy, and it or the
    /// document was written in since), `PRIVATE` (a preparation log), `SCOPE_LEAK` (somebody would read it there who cannot
    /// here, and not all have signed it: DOMAIN 2.1, 2.4), the refusal of a text that became longer than one
    /// person may write, and those of the store.
    pub async fn copy_document(&self, document: DocumentId, into: SpaceId) -> Result<DocumentId, Error> {
        let inner = &self.inner;
        let (space, kind) = inner.find(document).await?;
        if space == into {
            // It is there.
            return Ok(document);
        }
        inner.may_write(into).await?;
        inner.may_be_read_there((space, document), into).await?;
        let wanted = inner.contents(space, document).await?;
        let to = copy_id(kind, document, into);
        let there = match inner.device.find_document(to).await? {
            Some(_) => inner.contents(into, to).await?,
            None => {
                let mut work = inner.work.lock().await;
                inner.put_new_document(&mut work, into, to, kind).await?;
                Vec::new()
            }
        };
        let Some(rest) = wanted.strip_prefix(&there[..]) else {
            return Err(Error::new(Code::CopyChanged).with("document", document));
        };
        for command in rest {
            self.command(to, None, command.clone()).await?;
        }
        self.seal(to).await?;
        Ok(to)
    }
}

impl Inner {
    /// Whether a document may be copied to whoever is in another space. Nobody reads it there who cannot here, unless
    /// everybody whom it concerns has signed it: a new supervisor gets what both signed and nothing else (DOMAIN 2.4).
    async fn may_be_read_there(&self, (space, document): (SpaceId, DocumentId), into: SpaceId) -> Result<(), Error> {
        let (here, there) = (self.membership(space).await?, self.members(into).await?);
        let me = here.state().person_of(self.me);
        if here.state().members.keys().all(|person| Some(*person) == me) {
            // Nobody else is concerned: what is one's own is shared by copying it.
            return Ok(());
        }
        let reads_here = |member: &MemberView| member.devices.iter().any(|device| here.state().is_active(*device));
        if there.iter().all(|member| member.me || reads_here(member)) {
            return Ok(());
        }
        let signed = match self.shown(space, document).await? {
            View::Note(note) => note.is_locked(),
            View::Agreement(agreement) => agreement.active().any(|version| version.text == agreement.text),
            View::Decision(decision) => decision.is_sealed(),
            View::Form(form) => form.signed,
            View::Session(_) | View::Preparation(_) | View::Exports(_) => false,
        };
        if signed { Ok(()) } else { Err(Refusal::new(RefusalCode::ScopeLeak).into()) }
    }

    /// What a document shows now, as the commands that write it again.
    async fn contents(&self, space: SpaceId, document: DocumentId) -> Result<Vec<Command>, Error> {
        Ok(match self.shown(space, document).await? {
            View::Note(view) => snapshot::note(&view).into_iter().map(Command::Note).collect(),
            View::Session(view) => snapshot::session(&view).into_iter().map(Command::Session).collect(),
            // What somebody prepares is copied by sharing one thing of it, and in no other way (DOMAIN 2.6 row 6).
            View::Preparation(_) => return Err(Refusal::new(RefusalCode::Private).into()),
            // Its id says whose it is in this space, and what is sealed names it.
            View::Decision(_) => {
                return Err(Refusal::new(RefusalCode::WrongKind).with("kind", DocumentKind::Decision).into());
            }
            // It says what was given out of this space.
            View::Exports(_) => {
                return Err(Refusal::new(RefusalCode::WrongKind).with("kind", DocumentKind::Exports).into());
            }
            // What people signed names the document that it was, and what one person said is that person's: a signed file is
            // handed on instead.
            View::Form(view) => return Err(Refusal::new(RefusalCode::WrongKind).with("kind", view.kind).into()),
            View::Agreement(view) => snapshot::agreement(&view).into_iter().map(Command::Agreement).collect(),
        })
    }
}

fn copy_id(kind: DocumentKind, document: DocumentId, into: SpaceId) -> DocumentId {
    let hash = content_hash(&[COPY, &into.0, &document.0].concat());
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    kind.document_id(id)
}

/// What keeps one document from being copied and not the next.
fn is_of_the_document(error: &Error) -> bool {
    matches!(error, Error::Refused(_))
        || [Code::CopyChanged, Code::DocumentBroken].iter().any(|code| code.code() == error.code())
}
